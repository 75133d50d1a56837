"""An energy meter as its reader sees it: gain error, resolution, and values that are refreshed now and then."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EnergyMeter", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the registers hold between two refreshes. Per-phase lists are L1..L3."""

    at_ns: int
    voltage_v: tuple[float, float, float]
    current_a: tuple[float, float, float]
    power_w: tuple[float, float, float]
    energy_wh: float
    phase_energy_wh: tuple[float, float, float]


class EnergyMeter:
    """Integrates what flows and shows it late and with an error of its own.

    Args:
        gain_error_pct: constant error of current, power and energy, signed.
        resolution_wh: step of the energy registers in Wh.
        refresh_ms: the registers are renewed this often, in milliseconds.
        start_wh: the register's value at the start.
        phase_ns: where the first refresh lies.
    """

    def __init__(
        self, *, gain_error_pct: float, resolution_wh: float, refresh_ms: float, start_wh: float, phase_ns: int = 0
    ) -> None:
        self._gain = 1.0 + gain_error_pct / 100.0
        self._resolution_wh = resolution_wh
        self._refresh_ns = int(refresh_ms * 1e6)
        self._next_ns = phase_ns
        self._start_wh = start_wh
        self._phase_wh = [0.0, 0.0, 0.0]
        self.frozen = False
        """A defect: the registers are not renewed, although it goes on counting."""
        self._turned_back_wh = 0.0
        zero = (0.0, 0.0, 0.0)
        self.reading = Reading(phase_ns, zero, zero, zero, self._quantised(start_wh), zero)

    def accumulate(self, power_w: list[float], dt_s: float) -> None:
        """Take the true power of each phase, in W, over `dt_s` seconds."""
        factor = self._gain * dt_s / 3600.0
        for phase, watt in enumerate(power_w):
            self._phase_wh[phase] += watt * factor

    def step(self, now_ns: int, voltage_v: list[float], current_a: list[float]) -> bool:
        """Refresh the registers when it is time; returns whether it was."""
        if now_ns < self._next_ns:
            return False
        missed = (now_ns - self._next_ns) // self._refresh_ns
        self._next_ns += (missed + 1) * self._refresh_ns
        if self.frozen:
            return False
        gain = self._gain
        v1, v2, v3 = voltage_v
        i1, i2, i3 = (current * gain for current in current_a)
        w1, w2, w3 = self._phase_wh
        self.reading = Reading(
            now_ns,
            (v1, v2, v3),
            (i1, i2, i3),
            (v1 * i1, v2 * i2, v3 * i3),
            self._quantised(self._start_wh + w1 + w2 + w3 - self._turned_back_wh),
            (self._quantised(w1), self._quantised(w2), self._quantised(w3)),
        )
        return True

    def turn_back(self, energy_wh: float | None) -> None:
        """A defect: from the next refresh on the total register is `energy_wh` lower; None = as it was counted."""
        self._turned_back_wh = energy_wh or 0.0

    def _quantised(self, energy_wh: float) -> float:
        """A register counts full steps only."""
        steps = int(max(0.0, energy_wh) / self._resolution_wh + 1e-9)
        return round(steps * self._resolution_wh, 6)
