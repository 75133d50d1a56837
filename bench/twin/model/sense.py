"""Output sense by AC opto-couplers: they see a voltage, or its absence, at the next crest of their phase."""

from __future__ import annotations

__all__ = ["AcSense"]

HALF_PERIOD_NS = 10_000_000
"""A crest every 10 ms at 50 Hz; the delay of what is seen is therefore in [0, 10 ms)."""


class AcSense:
    """What each opto reports, one a phase.

    Args:
        phases: number of phases covered.
        phase_ns: where the crests of L1 lie on the model's clock, 0..10 ms.
    """

    def __init__(self, phases: int, phase_ns: int) -> None:
        self.seen = [False] * phases
        # L2 and L3 lag by a third of the 20 ms period: 6.67 and 3.33 ms within the half period.
        self._offset_ns = [(phase_ns + i * 20_000_000 // 3) % HALF_PERIOD_NS for i in range(phases)]
        self._pending: list[tuple[int, int, int]] = []

    def output_moved(self, fact_ns: int) -> None:
        """The voltage behind the contactor changed at `fact_ns`: look again at each phase's next crest."""
        for phase, offset_ns in enumerate(self._offset_ns):
            crest_ns = fact_ns + (offset_ns - fact_ns) % HALF_PERIOD_NS
            self._pending.append((crest_ns, phase, fact_ns))
        self._pending.sort()

    def step(self, now_ns: int, live: list[bool]) -> list[tuple[int, int]]:
        """Crests passed since the last step; returns (seen_ns, fact_ns) of each change in `seen`, which is updated.

        `live`: voltage present behind the contactor, one a phase, now.
        """
        changes: list[tuple[int, int]] = []
        while self._pending and self._pending[0][0] <= now_ns:
            crest_ns, phase, fact_ns = self._pending.pop(0)
            if self.seen[phase] != live[phase]:
                self.seen[phase] = live[phase]
                changes.append((crest_ns, fact_ns))
        return changes
