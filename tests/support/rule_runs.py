"""One rule on a few events, each told in a line: `run.lab("a", 10, ok=True)`. Times are milliseconds."""

from __future__ import annotations

from typing import Any

from pilotbench.bench.correlation import Facts, Instance, Outcome, Pack, Reason, Report, evaluate
from pilotbench.bench.correlation.language.rule_reader import read_rule
from pilotbench.bench.timeline import Event, Stamp

__all__ = ["MS", "Run", "rule_of"]

MS = 1_000_000
T0 = 1000
"""Runs begin after one second, so that nothing is early."""
RANKS = {"bench": 0, "csms": 1, "rig": 2, "gauge": 3, "probe": 4, "pilot": 5, "recorder": 6}


def rule_of(**table: Any) -> Pack:
    """A pack of one rule: its sentence and options as in a file."""
    return Pack([read_rule("r", {"text": "t", "ref": "r", **table}, {}, "mine")], {})


class Run:
    """Events in the making; the order in which they were received is the order of their `order` times."""

    def __init__(self, *, evses: tuple[int, ...] = (1, 2)) -> None:
        self.facts = Facts(evses=evses)
        self._made: list[tuple[int, str, str, Stamp, dict[str, Any], int | None, bool]] = []

    def add(
        self,
        topic: str,
        at: float,
        *,
        source: str = "rig",
        evse: int | None = 1,
        age: float = 0.0,
        received: float | None = None,
        late: bool = False,
        **data: Any,
    ) -> None:
        """A fact between `at - age` and `at`; the host received it then, or later (`received`)."""
        hi = round((T0 + at) * MS)
        order = hi if received is None else round((T0 + received) * MS)
        self._made.append((order, source, topic, Stamp(order, hi - round(age * MS), hi), data, evse, late))

    def device(
        self, topic: str, at: float, *, width: float, received: float, evse: int | None = 1, **data: Any
    ) -> None:
        """A fact that `probe` stamped at `at` of its own clock ± `width`, and that the host knows to ± 50 ms."""
        order, exact = round((T0 + received) * MS), round((T0 + at) * MS)
        stamp = Stamp(order, exact - 50 * MS, exact + 50 * MS, "probe", 1, exact + 7 * MS, round(width * MS), 0, 0, 0)
        self._made.append((order, "probe", topic, stamp, data, evse, False))

    def cp(self, at: float, state: str, *, evse: int | None = 1, age: float = 0.0) -> None:
        data = {"state": state, "pwm": False, "high_v": 12.0, "low_v": 12.0}
        self.add("cp.state", at, source="pilot", evse=evse, age=age, **data)

    def gap(self, source: str, begin: float, end: float) -> None:
        span = {"from_ns": round((T0 + begin) * MS), "to_ns": round((T0 + end) * MS)}
        self.add("gap", end, source=source, evse=None, why="lost", **span)

    def end(self, at: float = 5000) -> None:
        """The bench is closed: the record is complete up to here."""
        self.add("bench.state", at, source="bench", evse=None, state="closed", why="finished")

    @property
    def events(self) -> list[Event]:
        counts: dict[str, int] = {}
        found: list[Event] = []
        for order, source, topic, stamp, data, evse, late in sorted(self._made, key=lambda made: made[0]):
            assert order == stamp.order_ns
            counts[source] = counts.get(source, 0) + 1
            found.append(Event(topic, source, counts[source], stamp, data, evse, None, RANKS[source], late))
        return sorted(found, key=lambda event: event.order)

    def report(self, pack: Pack, *, cut: bool = False) -> Report:
        return evaluate(self.events, pack, self.facts, truncated=cut)

    def instances(self, pack: Pack, *, cut: bool = False) -> tuple[Instance, ...]:
        return self.report(pack, cut=cut).of("r").instances

    def says(self, pack: Pack, *, cut: bool = False) -> list[tuple[Outcome, Reason | None]]:
        """Outcome and reason of each instance, in the order in which they opened."""
        return [(item.outcome, item.reason) for item in self.instances(pack, cut=cut)]
