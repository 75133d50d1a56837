"""The supply of the station: 230 V, 50 Hz, with an optional source impedance."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mains"]


@dataclass(slots=True)
class Mains:
    """Voltage at the station's input, `phases` of three; `impedance_ohm` a phase."""

    phases: int = 3
    nominal_v: float = 230.0
    impedance_ohm: float = 0.0
    on: bool = True

    def voltages_v(self, current_a: list[float]) -> list[float]:
        """L1..L3 in volts under `current_a`; 0 where there is no phase or no supply."""
        if not self.on:
            return [0.0, 0.0, 0.0]
        return [
            self.nominal_v - self.impedance_ohm * current_a[phase] if phase < self.phases else 0.0 for phase in range(3)
        ]
