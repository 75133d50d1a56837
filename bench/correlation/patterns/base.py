"""What the patterns have in common: their context, and how an instance is written down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ....errors import RuleError
from ...timeline import Event, Interval, Stamp
from ..condition import Reader, matches
from ..decide import clean
from ..language.pack import NamedRule
from ..language.rule import Condition, Happening, Occurrence, Turn
from ..verdict import EvidenceRef, Instance, Outcome, Range, Reason
from ..world.mark import Mark
from ..world.tri import Tri, all_of, common
from ..world.world import Edge, World
from .arming import WHY, arming_of

__all__ = ["SLACK_NS", "Context", "Fired", "Monitor", "Seen", "params_of"]

SLACK_NS = 1_000_000_000
"""An event may be received this much after the fact; nothing is decided by absence before it has passed."""

_BY_ACCURACY = (Reason.CLOCK, Reason.MEASUREMENT)

Seen = tuple[Event, str]
"""An event and the role it plays in a verdict: `trigger`, `response`, `violation`, ..."""


class Fired(NamedTuple):
    """A trigger on an outlet: its numbers, and when it was. `unseen`: it happened somewhere inside a gap."""

    evse: int
    params: dict[str, Any]
    mark: Mark
    unseen: bool = False


class Context:
    """What a monitor works with: the world, its rule, a timer, and where its instances go."""

    def __init__(
        self,
        reader: Reader,
        schedule: Callable[[int, Callable[[], None]], None],
        report: Callable[[Instance], None],
    ) -> None:
        self.reader = reader
        self.world: World = reader.world
        self.named: NamedRule = reader.named
        self.schedule = schedule
        self.report = report
        self.slack_ns = SLACK_NS
        self.lag_ns = 0
        """So much later than other events an edge of its signals may become known; part of the slack."""
        self._opened = 0
        self._simple = self.named.rule.decision == "simple"

    def next_number(self) -> int:
        """A number for a new instance."""
        self._opened += 1
        return self._opened

    def say(
        self,
        n: int,
        evse: int | None,
        outcome: Outcome,
        because: str,
        *,
        opened_ns: int,
        reason: Reason | None = None,
        measured: Range | None = None,
        limit: float | None = None,
        margin: Range | None = None,
        lean: Outcome | None = None,
        decides: str | None = None,
        seen: Sequence[Seen] = (),
        windows: Sequence[tuple[float, float]] = (),
        watched: tuple[str, ...] = (),
        topics: tuple[str, ...] = (),
        lengthened: bool = True,
        unsure: str = "",
        interval: str = "bound",
        risk: float | None = None,
    ) -> None:
        """Write an instance down. A FAIL of the bench or the vehicle is an ERROR: it blames no station.

        `unsure`: why `when` or `arm` is not known, if it is not: then nothing is blamed. With `decision = "simple"`
        what only the accuracy leaves open becomes its `lean`.
        """
        if self._simple and outcome is Outcome.INCONCLUSIVE and reason in _BY_ACCURACY and lean is not None:
            because = f"{because}; the middle of the interval decides (decision = simple)"
            outcome, reason, lean, decides = lean, None, None, None
        if outcome is Outcome.FAIL and unsure:
            outcome, reason, because = Outcome.INCONCLUSIVE, Reason.PRECONDITION, unsure
        if outcome is Outcome.FAIL and self.named.rule.subject != "station":
            outcome, because = Outcome.ERROR, f"the {self.named.rule.subject} itself: {because}"
        evidence = tuple(EvidenceRef(event.id, role, event.stamp) for event, role in _once(seen))
        self.report(
            Instance(
                rule=self.named.id,
                n=n,
                evse=evse,
                outcome=outcome,
                reason=reason,
                because=because,
                opened_ns=opened_ns,
                measured=measured,
                limit=None if limit is None else clean(limit),
                limit_names=tuple(item.name for item in self.named.limits),
                margin=margin,
                lean=lean,
                decides=decides,
                evidence=evidence,
                windows=tuple((int(lo), int(hi)) for lo, hi in windows),
                watched=watched,
                topics=topics,
                lengthened=lengthened,
                decided_ns=self.world.now_ns,
                interval=interval,
                risk=None if risk is None else clean(risk),
            )
        )


class Monitor(ABC):
    """Watches one rule. It sees every event once, in canonical order, and the edges that it made."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.reader = context.reader
        self.world = context.world
        self.when = context.named.rule.when
        self.arming = arming_of(context.named.rule, self.world.facts.evses)
        """None for a rule that always watches; else a monitor tells it every event that it takes, first of all."""

    @abstractmethod
    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        """An event was applied to the world."""

    @abstractmethod
    def finish(self, end_ns: int, truncated: bool) -> None:
        """Nothing more will come; what is open is settled or left undecided."""

    def open_deadlines(self) -> int:
        """How many obligations will be settled by the mere passing of time."""
        return 0

    def given(
        self, evse: int | None, mark: Mark, params: Mapping[str, Any] | None = None, more: Sequence[Condition] = ()
    ) -> tuple[Tri, str]:
        """Whether the rule watches at an instant and `when` (and `more`) is true then; why that is not known.

        `evse` None (or no outlet of this station): what is true of every outlet.
        """
        states: list[tuple[Tri, str]] = []
        if self.arming is not None:
            states.append((self.arming.at(evse, mark), WHY))
        for condition in (*self.when, *more):
            states.append(self._at(condition, evse, mark, params or {}))
        together = all_of(tri for tri, _ in states)
        if together is not Tri.UNKNOWN:
            return together, ""
        return together, next((why for tri, why in states if tri is Tri.UNKNOWN and why), "a precondition is not known")

    def _at(self, condition: Condition, evse: int | None, mark: Mark, params: Mapping[str, Any]) -> tuple[Tri, str]:
        outlets = self.world.facts.evses
        try:
            found = [self.reader.at(condition, one, mark, params) for one in ((evse,) if evse in outlets else outlets)]
        except RuleError as error:
            return Tri.UNKNOWN, f"it cannot be judged: {error}"
        return common(tri for tri, _ in found), next((why for _, why in found if why), "")

    def triggered(self, trigger: Happening, event: Event, edges: Sequence[Edge]) -> list[Fired]:
        """The outlets for which the trigger fires, with the numbers that it carries."""
        if isinstance(trigger, Occurrence):
            if not matches(trigger, event):
                return []
            outlets = (
                self.world.outlets_stopped(event) if event.topic == "csms.remote_stop" else self.world.evses(event)
            )
            return [Fired(evse, self._numbers(event, evse), Mark.of(event)) for evse in outlets]
        fired: list[Fired] = []
        for edge in edges:
            value = edge.change.value
            if edge.signal != trigger.signal or value is None or (trigger.to and value not in trigger.to):
                continue
            mark, unseen = Mark.of(event), False
            if trigger.leaves and edge.before is None:
                # it went to this value while nobody saw it, some time between the two readings
                lost = self._lost(edge, trigger)
                if lost is None:
                    continue
                stamp = Stamp(event.stamp.order_ns, min(lost.lo_ns, event.stamp.lo_ns), event.stamp.hi_ns)
                mark, unseen = Mark(stamp), True
            elif trigger.leaves and edge.before not in trigger.leaves:
                continue
            params = {**params_of(event), "value": value, "before": edge.before}
            if edge.signal == "profile.reached":
                params["limit_a"] = value
            fired.append(Fired(edge.evse, params, mark, unseen))
        return fired

    def _lost(self, edge: Edge, trigger: Turn) -> Stamp | None:
        """Where the signal got lost after a value that the trigger leaves; None when that is not how it was."""
        changes = self.world.track(edge.signal, edge.evse).changes
        lost: Stamp | None = None
        for change in reversed(changes[:-1]):
            if change.value is not None:
                return lost if change.value in trigger.leaves else None
            lost = change.mark.stamp
        return None

    def _numbers(self, event: Event, evse: int) -> dict[str, Any]:
        """The event's numbers; a charging profile's limit is what it allows together with all others accepted."""
        params = params_of(event)
        together = self.world.track("profile", evse).value
        if event.topic == "csms.charging_profile" and "limit_a" in params and isinstance(together, int | float):
            params["limit_a"] = min(params["limit_a"], together)
        return params


def params_of(event: Event) -> dict[str, Any]:
    """The numbers of an event that bounds may name."""
    return {key: value for key, value in event.data.items() if isinstance(value, int | float)}


def span_ms(span: Interval) -> Interval:
    """Nanoseconds to milliseconds."""
    return span.scaled(1e-6)


def _once(seen: Sequence[Seen]) -> list[Seen]:
    kept: dict[str, Seen] = {}
    for event, role in seen:
        kept.setdefault(event.id, (event, role))
    return list(kept.values())
