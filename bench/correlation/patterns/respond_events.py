"""respond with events: after a trigger, an event comes within a limit."""

from __future__ import annotations

from collections.abc import Sequence

from ....errors import RuleError
from ...timeline import Interval
from ..decide import clean, decide, range_of
from ..language.rule import Respond
from ..verdict import EvidenceRef, Instance, Outcome, Range, Reason
from ..world.mark import NEVER
from ..world.track import first_true
from ..world.tri import Tri
from .base import Context, Seen
from .owed import Owed, weigh_claims
from .silence import heard_until
from .waiting import WaitingMonitor
from .window import Window, shown_unit

__all__ = ["RespondEventsMonitor"]

UNSEEN = "nobody saw the trigger: it lies in a gap"
_EXACT_NS = 1e12
"""Below this, nanoseconds divided by a million or more have no more than 12 digits: nothing to round."""


class RespondEventsMonitor(WaitingMonitor):
    """Says PASS at the first answer that is certainly in time, all else when the window and the slack are over."""

    def __init__(self, context: Context) -> None:
        rule = context.named.rule
        assert isinstance(rule, Respond)
        window = Window(context.reader, rule.after, rule.within, rule.extend)
        super().__init__(context, rule.trigger, rule.answers, rule.until, window)
        self.rule = rule
        self.shortens = rule.within is None
        self._ceases = bool(rule.unless)
        self.unit = shown_unit(self.reader, rule.within)
        self.unit_ns = 1e9 if self.unit == "s" else 1e6
        self._id = context.named.id
        self._limit_names = tuple(item.name for item in context.named.limits)

    def withdrawn(self, owed: Owed) -> tuple[float, float]:
        """When, after the trigger, nothing was owed any more; infinite while it is."""
        lo, hi = owed.end_lo, owed.end_hi
        outlets = self.world.facts.evses
        for condition in self.rule.unless:
            spans: list[Interval] = []
            for evse in (owed.where,) if owed.where in outlets else outlets:
                assert evse is not None
                try:
                    steps = self.reader.steps(condition, evse, dict(owed.params), owed.place())
                except RuleError:  # the trigger lacks what it compares with: it may be true
                    spans.append(Interval(0, NEVER))
                else:
                    spans.append(first_true(steps, owed.place())[0])
            lo, hi = min(lo, *(span.lo for span in spans)), min(hi, max(span.hi for span in spans))
        return lo, hi

    # ---- the verdict

    def decided(self, owed: Owed, limit_ns: float) -> bool:
        """PASS if the answer is in time, came before it was withdrawn, and the rule is about this trigger."""
        hi = owed.hi
        if hi > limit_ns or hi > owed.end_hi or (self._ceases and hi > self.withdrawn(owed)[1]):
            return False
        if self.asks and self.given(owed.where, owed.place(), owed.params, owed.given)[0] is Tri.FALSE:
            return False
        owed.open = False
        self.passed(owed, limit_ns)
        return True

    def lingers(self, owed: Owed) -> bool:
        """The twin stood still, and an answer may come that much later."""
        if owed.lo != NEVER or owed.end_hi != NEVER:
            return False
        until_ns = heard_until(self.world, owed.first_ns, owed.last_ns, self.window.limit(owed).hi)
        if until_ns == NEVER or until_ns <= owed.due_ns:
            return False
        owed.due_ns = until_ns
        return True

    def gave_up(self, owed: Owed, because: str) -> None:
        self.tell(owed, Outcome.INCONCLUSIVE, because, Reason.LIMIT)

    def settle(self, owed: Owed, *, cut: bool, end_ns: float) -> None:
        if owed.candidates is not None:
            weigh_claims(owed, self.head, self.world)
            if owed.mark is None:
                text = f"when {owed.event.id} was, it does not say"
                self.tell(owed, Outcome.INCONCLUSIVE, text, Reason.CLOCK)
                return
        given, why = self.given(owed.where, owed.place(), owed.params, owed.given)
        if given is Tri.FALSE:
            return
        if owed.unseen and given is Tri.TRUE:
            given, why = Tri.UNKNOWN, UNSEEN
        unsure = why if given is Tri.UNKNOWN else ""
        end_lo, end_hi = self.withdrawn(owed)
        limit = self.window.limit(owed)
        cut = cut or owed.last_ns + limit.hi > end_ns
        lo, hi = owed.lo, owed.hi
        if self.rule.within is None:
            self._measured_only(owed, end_hi)
        elif hi <= limit.lo and hi <= end_hi:
            self.passed(owed, limit.lo)
        elif end_hi <= limit.lo:
            by = f" ({owed.end_event.id})" if owed.end_event is not None else ""
            self.tell(owed, Outcome.NOT_APPLICABLE, f"withdrawn before the limit{by}")
        elif limit.hi == NEVER:
            text = "the limit is not known: the setting that it depends on was not read back"
            self.tell(owed, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION, span=Interval(lo, hi))
        elif lo <= limit.hi and lo != NEVER:
            self.tell(owed, Outcome.INCONCLUSIVE, *self._undecided(owed), unsure=unsure, span=Interval(lo, hi))
        elif end_lo <= limit.hi and end_lo != NEVER:
            text = "what is owed may have been withdrawn before the limit"
            self.tell(owed, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION, span=Interval(lo, hi))
        elif cut:
            seen_ns = max(0, self.world.now_ns - owed.last_ns)
            text = f"the record ends {seen_ns / 1e6:.0f} ms after the trigger, before the limit"
            self.tell(owed, Outcome.INCONCLUSIVE, text, Reason.TRUNCATED)
        elif owed.limited:
            text = f"an answer to {owed.event.id} may be among those that were given up"
            self.tell(owed, Outcome.INCONCLUSIVE, text, Reason.LIMIT, span=Interval(lo, hi))
        else:
            text = f"no answer within the limit after {owed.event.id}"
            if lo != NEVER:
                text = f"first answer after {owed.event.id} came too late"
            self.tell(owed, Outcome.FAIL, text, unsure=unsure, span=Interval(lo, hi))

    def _measured_only(self, owed: Owed, end_hi: float) -> None:
        if owed.hi != NEVER and owed.hi <= end_hi:
            self.passed(owed, NEVER)
        else:
            by = f": withdrawn by {owed.end_event.id}" if owed.end_event is not None else ""
            self.tell(owed, Outcome.NOT_APPLICABLE, f"no answer that is certain{by}")

    def _undecided(self, owed: Owed) -> tuple[str, Reason]:
        lo_event, hi_event = owed.lo_event, owed.hi_event
        assert lo_event is not None
        if owed.unplaced is not None:
            return f"when {owed.unplaced.id} was, it does not say", Reason.CLOCK
        if hi_event is not None and hi_event is not lo_event:
            return f"{lo_event.id} or {hi_event.id} may be the first answer", Reason.AMBIGUOUS
        if owed.unseen:
            return UNSEEN, Reason.GAP
        mine, theirs = owed.place().stamp, lo_event.stamp
        same = mine.device_ns is not None and theirs.device_ns is not None
        if same and not self.claimed and (mine.domain, mine.epoch) == (theirs.domain, theirs.epoch):
            return "the accuracy of the two readings leaves both open", Reason.MEASUREMENT
        return "the clocks of the two sources leave both open", Reason.CLOCK

    def tell(
        self,
        owed: Owed,
        outcome: Outcome,
        because: str,
        reason: Reason | None = None,
        *,
        unsure: str = "",
        span: Interval | None = None,
    ) -> None:
        """Write down anything but a PASS. `span`: what was measured (ns)."""
        seen: list[Seen] = [(owed.event, "trigger")]
        if span is not None and owed.hi_event is not None:
            seen.append((owed.hi_event, "response"))
        if span is not None and owed.lo_event is not None:
            seen.append((owed.lo_event, "perhaps the response"))
        bounded = owed.limit_hi if owed.limit_hi != NEVER else owed.limit_lo if owed.limit_lo != NEVER else 0.0
        decision, shown = None, None
        if span is not None:
            if span.lo == NEVER:  # nothing came: at least as long as was watched
                least = owed.limit_hi if owed.limit_hi != NEVER else 0
                span = Interval(max(least, self.world.now_ns - owed.last_ns), NEVER)
            shown = range_of(span.scaled(1 / self.unit_ns), self.unit)
            if owed.limit_lo != NEVER:
                bound = Interval(owed.limit_lo / self.unit_ns, owed.limit_hi / self.unit_ns)
                decision = decide(span.scaled(1 / self.unit_ns), bound, self.unit)
        undecided = decision is not None and outcome is Outcome.INCONCLUSIVE
        bad = outcome is Outcome.FAIL
        self.context.say(
            owed.n,
            owed.evse,
            outcome,
            because,
            opened_ns=owed.event.stamp.order_ns,
            reason=reason,
            measured=shown,
            limit=None if owed.limit_lo == NEVER else bounded / self.unit_ns,
            margin=decision.margin if decision else None,
            lean=decision.lean if decision and undecided else None,
            decides=decision.decides if decision and undecided else None,
            seen=seen,
            windows=[(owed.first_ns, owed.last_ns + bounded)],
            watched=tuple(sorted({*self.watched(), *self.enders()})) if bad else (),
            topics=self.topics if bad else (),
            unsure=unsure,
        )

    def passed(self, owed: Owed, limit_ns: float) -> None:
        """The verdict that most triggers get, written down without detours. `limit_ns`: NEVER if there is none."""
        event, answer, perhaps = owed.event, owed.hi_event, owed.lo_event
        assert answer is not None
        evidence: Sequence[EvidenceRef] = (
            EvidenceRef(f"{event.source}#{event.seq}", "trigger", event.stamp),
            EvidenceRef(f"{answer.source}#{answer.seq}", "response", answer.stamp),
        )
        if perhaps is not answer and perhaps is not None:
            evidence = (*evidence, EvidenceRef(perhaps.id, "perhaps the response", perhaps.stamp))
        lo, hi, unit, unit_ns = owed.lo, owed.hi, self.unit, self.unit_ns
        limit: float | None = None
        margin: Range | None = None
        if hi < _EXACT_NS and limit_ns < _EXACT_NS:
            limit = limit_ns / unit_ns
            margin = Range((limit_ns - hi) / unit_ns, (limit_ns - lo) / unit_ns, unit)
            measured = Range(lo / unit_ns, hi / unit_ns, unit)
        else:
            measured = Range(clean(lo / unit_ns), clean(hi / unit_ns), unit)
            if limit_ns != NEVER:
                limit = clean(limit_ns / unit_ns)
                margin = Range(clean((limit_ns - hi) / unit_ns), clean((limit_ns - lo) / unit_ns), unit)
        until_ns = owed.last_ns + int(hi if limit_ns == NEVER else limit_ns)
        self.context.report(
            Instance(
                rule=self._id,
                n=owed.n,
                evse=owed.evse,
                outcome=Outcome.PASS,
                reason=None,
                because="measured, without limit" if limit is None else "the response came in time",
                opened_ns=event.stamp.order_ns,
                measured=measured,
                limit=limit,
                limit_names=self._limit_names,
                margin=margin,
                evidence=evidence,
                windows=((owed.first_ns, until_ns),),
                decided_ns=self.world.now_ns,
            )
        )
