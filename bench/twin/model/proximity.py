"""The coding resistor in the plug, as the station's socket sees it: what the cable is, and what is wrong with it.

Source: IEC 61851-1 Annex B. Whether there is a plug at all is the pilot emulator's business (`coded_ohm`); a fault
changes what a plug that is in the socket shows. The other end of the cable keeps its own coding.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PpFault", "Proximity"]

STEP_NS = 100_000_000
"""A resistance that wanders is looked at ten times a second."""


@dataclass(frozen=True, slots=True)
class PpFault:
    """`ohm`: shown instead of the coding, None = open; `over_s` > 0: gets there, and back again, in so many seconds."""

    ohm: float | None
    over_s: float = 0.0


class Proximity:
    """PP to PE in the socket."""

    def __init__(self) -> None:
        self.coded_ohm: float | None = None
        self.ohm: float | None = None
        """What is measured; None = open, which looks like no plug."""
        self._fault: PpFault | None = None
        self._since_ns = 0
        self._next_ns = 0

    def plug(self, coded_ohm: float | None, now_ns: int) -> bool:
        """A plug with this coding is in, or none (None); returns whether what is measured has changed."""
        self.coded_ohm = coded_ohm
        return self._look(now_ns)

    def break_(self, fault: PpFault | None, now_ns: int) -> bool:
        """Begin a fault, or end it (None); returns whether what is measured has changed."""
        self._fault = fault
        self._since_ns = self._next_ns = now_ns
        return self._look(now_ns)

    def step(self, now_ns: int) -> bool:
        """Let a resistance that wanders move on; returns whether it did."""
        if self._fault is None or self._fault.over_s <= 0.0 or now_ns < self._next_ns:
            return False
        self._next_ns = now_ns + STEP_NS
        return self._look(now_ns)

    def _look(self, now_ns: int) -> bool:
        before, self.ohm = self.ohm, self._shown_ohm(now_ns)
        return self.ohm != before

    def _shown_ohm(self, now_ns: int) -> float | None:
        coded_ohm, fault = self.coded_ohm, self._fault
        if coded_ohm is None or fault is None:
            return coded_ohm
        if fault.over_s <= 0.0 or fault.ohm is None:
            return fault.ohm
        # There and back again, in a straight line.
        turns = (now_ns - self._since_ns) / (fault.over_s * 1e9) % 2.0
        share = turns if turns <= 1.0 else 2.0 - turns
        return round(coded_ohm + (fault.ohm - coded_ohm) * share, 1)
