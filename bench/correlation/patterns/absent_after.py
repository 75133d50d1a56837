"""absent after a trigger: something does not happen for a time, or until an event."""

from __future__ import annotations

from itertools import zip_longest

from ...timeline import Interval
from ..decide import range_of
from ..language.rule import Absent, Occurrence, Turn
from ..verdict import Outcome, Reason
from ..world.mark import NEVER, between
from ..world.tri import Tri
from .base import Context, Seen
from .owed import Owed, weigh_claims
from .waiting import WaitingMonitor
from .window import Window, shown_unit

__all__ = ["AbsentAfterMonitor"]


class AbsentAfterMonitor(WaitingMonitor):
    """A happening is what answers a trigger here, and an answer that certainly lies in the window is a FAIL.

    A FAIL waits for the slack where an event that is received later may still end the window before it, or tell that
    the trigger was none.
    """

    shortens = True

    def __init__(self, context: Context) -> None:
        rule = context.named.rule
        assert isinstance(rule, Absent)
        never = rule.never
        events = (never,) if isinstance(never, Occurrence) else ()
        self.never = never if isinstance(never, Turn) else None
        window = Window(context.reader, None, rule.within)
        super().__init__(context, rule.trigger, events, rule.until, window, self.never)
        self.rule = rule
        self.unit = shown_unit(self.reader, rule.within)
        self.unit_ns = 1e9 if self.unit == "s" else 1e6
        self._at_once = not (rule.until or self.asks or self.claimed or window.fixed is None)

    def decided(self, owed: Owed, limit_ns: float) -> bool:
        if owed.hi > limit_ns:
            return False
        if not self._at_once or owed.unseen:
            event = owed.hi_event
            if event is not None:
                self.hasten(owed, max(event.stamp.order_ns, owed.event.stamp.order_ns))
            return False
        owed.open = False
        self._fail(owed, "")
        return True

    def settle(self, owed: Owed, *, cut: bool, end_ns: float) -> None:
        if owed.candidates is not None:
            weigh_claims(owed, self.head, self.world)
            if owed.mark is None:
                self._tell(owed, Outcome.INCONCLUSIVE, f"when {owed.event.id} was, it does not say", Reason.CLOCK)
                return
        given, unsure = self.given(owed.where, owed.place(), owed.params, owed.given)
        if given is Tri.FALSE:
            return
        if owed.unseen and given is Tri.TRUE:
            unsure = "nobody saw the trigger: it lies in a gap"
        limit = self.window.limit(owed)
        w = Interval(min(limit.lo, owed.end_lo), min(limit.hi, owed.end_hi))
        if owed.hi_event is not None and owed.hi <= w.lo:
            self._fail(owed, unsure)
        elif owed.lo_event is not None and owed.lo <= w.hi:
            text = f"whether {owed.lo_event.id} lies between the trigger and the end of its window"
            self._tell(owed, Outcome.INCONCLUSIVE, f"{text} is open", Reason.CLOCK, lean=self._lean(owed, w))
        elif cut or owed.last_ns + w.hi > end_ns:
            self._tell(owed, Outcome.INCONCLUSIVE, "the record ends before the window", Reason.TRUNCATED)
        elif w.hi == NEVER and self.rule.within is not None:
            text = "how long it must not happen is not known: the setting was not read back"
            self._tell(owed, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION)
        elif owed.limited:
            text = "what happened around the trigger was given up"
            self._tell(owed, Outcome.INCONCLUSIVE, text, Reason.LIMIT)
        elif self._blind(owed):
            assert self.never is not None
            text = f"this bench does not see {self.never.signal}"
            self._tell(owed, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION)
        elif (unknown := self._unknown(owed, w.hi)) is not None:
            self._tell(owed, Outcome.INCONCLUSIVE, unknown, Reason.GAP)
        else:
            self._tell(owed, Outcome.PASS, f"it did not happen after {owed.event.id}")

    def gave_up(self, owed: Owed, because: str) -> None:
        self._tell(owed, Outcome.INCONCLUSIVE, because, Reason.LIMIT)

    def _blind(self, owed: Owed) -> bool:
        """Whether the signal was never known here."""
        return self.never is not None and not any(
            self.world.track(self.never.signal, evse).changes for evse in self._outlets(owed)
        )

    def _unknown(self, owed: Owed, window_ns: float) -> str | None:
        """Why the signal was not known all through the window; None when it was (or only touches its begin)."""
        if self.never is None:
            return None
        for evse in self._outlets(owed):
            changes = self.world.track(self.never.signal, evse).changes
            if not changes or between(owed.place(), changes[0].mark).lo > 0:
                return f"{self.never.signal} was not known after the trigger"
            for change, following in zip_longest(changes, changes[1:]):
                if change.value is not None or between(owed.place(), change.mark).lo > window_ns:
                    continue
                if following is None or between(owed.place(), following.mark).hi > 0:
                    return change.why or f"{self.never.signal} was not known all the time"
        return None

    def _outlets(self, owed: Owed) -> tuple[int, ...]:
        evses = tuple(self.world.facts.evses)
        return (owed.where,) if owed.where is not None and owed.where in evses else evses

    def _lean(self, owed: Owed, w: Interval) -> Outcome | None:
        """What the middle of the event's interval and of the window's end would say."""
        if owed.lo_event is not owed.hi_event or w.hi == NEVER:
            return None
        return Outcome.FAIL if (owed.lo + owed.hi) / 2 <= w.mid else Outcome.PASS

    def _fail(self, owed: Owed, unsure: str) -> None:
        assert owed.hi_event is not None
        self._tell(owed, Outcome.FAIL, f"{owed.hi_event.id} happened after {owed.event.id}", unsure=unsure)

    def _tell(
        self,
        owed: Owed,
        outcome: Outcome,
        because: str,
        reason: Reason | None = None,
        *,
        unsure: str = "",
        lean: Outcome | None = None,
    ) -> None:
        seen: list[Seen] = [(owed.event, "trigger")]
        measured = None
        if outcome is Outcome.FAIL and owed.hi_event is not None:
            seen.append((owed.hi_event, "violation"))
            measured = range_of(Interval(min(owed.lo, owed.hi), owed.hi).scaled(1 / self.unit_ns), self.unit)
        elif outcome is Outcome.INCONCLUSIVE and owed.lo_event is not None:
            seen.append((owed.lo_event, "perhaps a violation"))
        if owed.end_event is not None:
            seen.append((owed.end_event, "end of the window"))
        end_ns = min(owed.limit_hi, owed.end_hi)
        last_ns = owed.last_ns + end_ns if end_ns != NEVER else max(self.world.now_ns, owed.last_ns)
        limit_ns = owed.limit_hi
        passed = outcome is Outcome.PASS
        watched: tuple[str, ...] = ()
        if passed or reason is Reason.TRUNCATED:
            watched = self._silent(owed)
        elif outcome is Outcome.FAIL:
            last_ns, watched = int(owed.last_ns + owed.hi), self.enders()
        self.context.say(
            owed.n,
            owed.evse,
            outcome,
            because,
            opened_ns=owed.event.stamp.order_ns,
            reason=reason,
            measured=measured,
            limit=None if limit_ns == NEVER else limit_ns / self.unit_ns,
            lean=lean,
            seen=seen,
            windows=[(owed.first_ns, last_ns)],
            watched=watched,
            topics=self.topics if passed or outcome is Outcome.FAIL else (),
            lengthened=False,
            unsure=unsure,
        )

    def _silent(self, owed: Owed) -> tuple[str, ...]:
        """Whose silence the PASS rests on."""
        if self.never is None:
            return self.watched()
        tracks = [self.world.track(self.never.signal, evse) for evse in self._outlets(owed)]
        return tuple(sorted({source for track in tracks for source in track.sources}))
