"""The supply of a station: 230 V, 50 Hz, with an optional source impedance. All its outlets share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Mains"]


@dataclass(slots=True)
class Mains:
    """Voltage at the station's input, `phases` of three; `impedance_ohm` a phase.

    `nominal_v` is against neutral; a fault puts `fault_v` in its place. `lost` holds the phases (1..3) that are
    missing. Whoever interrupts the supply is in `cuts`: it is there again when nobody does.
    """

    phases: int = 3
    nominal_v: float = 230.0
    impedance_ohm: float = 0.0
    lost: set[int] = field(default_factory=set[int])
    fault_v: float | None = None
    cuts: set[str] = field(default_factory=set[str])
    listeners: list[Callable[[int], None]] = field(default_factory=list[Callable[[int], None]])
    """Called with the instant (ns) of every change of the supply."""

    @property
    def on(self) -> bool:
        return not self.cuts

    def switch(self, on: bool, now_ns: int, by: str = "mains") -> None:
        """`by` interrupts the supply, or lets it through again."""
        before = self.on
        if on:
            self.cuts.discard(by)
        else:
            self.cuts.add(by)
        if self.on != before:
            self.moved(now_ns)

    def set_voltage(self, nominal_v: float, now_ns: int) -> None:
        """Another voltage from now on."""
        if nominal_v != self.nominal_v:
            self.nominal_v = nominal_v
            self.moved(now_ns)

    def distort(self, volt: float | None, now_ns: int) -> None:
        """A fault: `volt` instead of the nominal voltage; None = mended."""
        self.fault_v = volt
        self.moved(now_ns)

    def lose(self, phase: int, lost: bool, now_ns: int) -> None:
        """Phase 1, 2 or 3 goes or comes back."""
        if lost:
            self.lost.add(phase)
        else:
            self.lost.discard(phase)
        self.moved(now_ns)

    def moved(self, now_ns: int) -> None:
        """Tell the outlets."""
        for listener in self.listeners:
            listener(now_ns)

    def voltages_v(self, current_a: list[float], phases: int = 3) -> list[float]:
        """L1..L3 in volts at an outlet of `phases` that draws `current_a`; 0 where there is no phase or no supply."""
        if self.cuts:
            return [0.0, 0.0, 0.0]
        source_v = self.nominal_v if self.fault_v is None else self.fault_v
        return [
            source_v - self.impedance_ohm * current_a[phase]
            if phase < min(self.phases, phases) and phase + 1 not in self.lost
            else 0.0
            for phase in range(3)
        ]
