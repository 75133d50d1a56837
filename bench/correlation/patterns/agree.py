"""agree: two measurements of one transaction's energy do not differ by more than they may."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ...timeline import Event, Interval, parse_claim
from ..calibration import expired
from ..decide import decide, range_of
from ..energy import energy_over, reference_u_wh, went_dead_ns
from ..facts import Calibration
from ..mark import NEVER, Mark
from ..rule import Agree
from ..tri import Tri
from ..verdict import Outcome, Reason
from ..world import Edge
from .base import SLACK_NS, Context, Monitor, Seen

__all__ = ["AgreeMonitor"]

WAIT_NS = 5 * SLACK_NS
"""How long after the end of a transaction a sample of the bench meter, or a last register, is waited for."""
SAME_INSTANT_NS = 50_000_000
"""Two claims of the station this near to each other speak of one instant."""


class _Transaction:
    """What is known of one transaction."""

    def __init__(self, n: int, evse: int, tx: str) -> None:
        self.n = n
        self.evse = evse
        self.tx = tx
        self.started: Event | None = None
        self.ended: Event | None = None
        self.begin: Event | None = None
        self.end: Event | None = None
        self.open = True


class AgreeMonitor(Monitor):
    """Waits for both ends of a transaction, and for the bench meter to have been read after them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Agree)
        self.rule = rule
        self._known: dict[str, _Transaction] = {}

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        topic = event.topic
        if self.arming is not None:
            self.arming.take(event)
        if topic in ("ocpp.tx.started", "ocpp.tx.ended", "ocpp.register"):
            self._heard(event)
        if topic == "meter.sample" or topic == "ocpp.register":
            for known in list(self._known.values()):
                if known.open and known.ended is not None and known.end is not None:
                    self._judge(known, final=False)

    def _heard(self, event: Event) -> None:
        tx = str(event.data.get("tx"))
        known = self._known.get(tx)
        if known is None:
            if event.evse is None or event.evse not in self.world.facts.evses:
                return
            known = self._known[tx] = _Transaction(self.context.next_number(), event.evse, tx)
        if event.topic == "ocpp.tx.started":
            known.started = known.started or event
        elif event.topic == "ocpp.tx.ended":
            if known.ended is None:
                known.ended = event
                wait_ns = event.stamp.order_ns + WAIT_NS
                self.context.schedule(wait_ns, lambda: self._judge(known, final=True))
        elif event.data.get("context") == "Transaction.Begin":
            known.begin = known.begin or event
        elif event.data.get("context") == "Transaction.End":
            known.end = event

    def finish(self, end_ns: int, truncated: bool) -> None:
        for known in self._known.values():
            self._judge(known, final=True, cut=known.ended is None or truncated)

    def open_deadlines(self) -> int:
        return sum(1 for known in self._known.values() if known.open and known.ended is not None)

    def _judge(self, known: _Transaction, *, final: bool, cut: bool = False) -> None:
        if not known.open:
            return
        first = known.started or known.begin or known.ended or known.end
        if first is not None and self.given(known.evse, Mark.of(first))[0] is Tri.FALSE:
            known.open = False
            return
        done = self._exact(known, final, cut) if self.rule.right == "register" else self._meter(known, final, cut)
        if done:
            known.open = False

    # ---- the station's register against the bench meter

    def _meter(self, known: _Transaction, final: bool, cut: bool) -> bool:
        if known.begin is None or known.end is None:
            if not final:
                return False
            missing = "Transaction.Begin" if known.begin is None else "Transaction.End"
            if cut and known.ended is None:
                self._say(known, Outcome.INCONCLUSIVE, "the record ends within the transaction", Reason.TRUNCATED)
            else:
                text = f"the station reported no register with context {missing}"
                self._say(known, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION)
            return True
        first = self._when(known, known.begin, begin=True)
        last = self._when(known, known.end, begin=False)
        start = energy_over(self.world, known.evse, first)
        stop = energy_over(self.world, known.evse, last)
        if start is None or stop is None:
            if final:
                text = "the bench meter was not read around both ends of the transaction"
                self._say(known, Outcome.INCONCLUSIVE, text, Reason.TRUNCATED if cut else Reason.GAP)
            return final
        self._compare(known, start, stop)
        return True

    def _when(self, known: _Transaction, event: Event, *, begin: bool) -> Interval:
        """When the station read its register: before the message came, and as its claim says.

        A claim that lies before what caused it comes from a clock that was set: it says nothing.
        """
        arrived = float(event.stamp.hi_ns)
        claimed = self.world.claims.when(event)
        if claimed is not None:
            lo, hi = claimed.lo, min(arrived, max(claimed.hi, claimed.lo))
            lo = self._not_before(known, begin, lo, hi)
            if lo <= hi:
                return Interval(lo, hi)
        return Interval(min(self._not_before(known, begin, -NEVER, arrived), arrived), arrived)

    def _not_before(self, known: _Transaction, begin: bool, lo: float, hi: float) -> float:
        """The lower bound with what is known besides; above `hi` where the two contradict each other."""
        if begin:
            # not before the outlet last went dead: the register does not move while it is
            dead = went_dead_ns(self.world, known.evse, hi)
            lo = max(lo, dead if dead is not None else -NEVER)
        else:
            arrived_ns = known.started.stamp.lo_ns if known.started is not None else 0
            asked = self.world.claims.stop_cause_ns(known.evse, arrived_ns)
            began = self.world.claims.when(known.started) if known.started is not None else None
            # a start that waited in a queue arrived after its transaction was over: only what it claims bounds the end
            lo = max(lo, float(asked) if asked is not None else began.lo if began is not None else -NEVER)
        if lo == -NEVER:
            lo = float(self.world.energy[known.evse][0].stamp.hi_ns) if self.world.energy[known.evse] else hi
        return lo

    def _compare(self, known: _Transaction, start: Interval, stop: Interval) -> None:
        facts = self.world.facts
        assert known.begin is not None
        assert known.end is not None
        reported = float(Decimal(known.end.data["value_wh"]) - Decimal(known.begin.data["value_wh"]))
        reference = stop - start
        middle = reference.mid
        if stop.hi < start.lo:
            self._say(known, Outcome.ERROR, "the bench meter's register went backwards", None)
            return
        u_reference = reference_u_wh(facts, middle)
        u = u_reference + facts.station_register_resolution_wh
        signed = Interval(reported - reference.hi - u, reported - reference.lo + u)
        nearest = 0.0 if signed.contains(0) else min(abs(signed.lo), abs(signed.hi))
        measured = Interval(nearest, max(abs(signed.lo), abs(signed.hi)))
        share = self.reader.quantity(self.rule.tolerance, "share") / 100
        limit = share * middle + u_reference
        decision = decide(measured, Interval.exact(limit), "Wh")
        half = signed.width / 2
        percent = (reported - middle) / middle * 100 if middle else 0.0
        text = f"the station reports {reported:.1f} Wh, the bench meter {middle:.2f} Wh ({percent:+.2f} %)"
        text += f", U = {half:.2f} Wh"
        outcome, reason, decides = decision.outcome, None, decision.decides
        if outcome is Outcome.FAIL:
            text += "; one of the two meters is out of its class"
        if self.rule.minimum == "auto" and half > limit / 3:
            outcome, reason = Outcome.INCONCLUSIVE, Reason.MEASUREMENT
            needed = self._needed_wh(share, half - facts.meter_accuracy_pct / 100 * middle)
            decides = f"decidable from about {needed:.0f} Wh on this bench" if needed else "not decidable on this bench"
        elif outcome is Outcome.INCONCLUSIVE:
            reason = Reason.MEASUREMENT
        over = self._calibration_over(known)
        if over is not None:
            text += (
                f"; the bench meter's accuracy is vouched for from {over.calibrated or '?'} to {over.due or '?'} only"
            )
            if over.allowed:
                text += ", which the bench file allows"
            else:
                outcome, reason = Outcome.INCONCLUSIVE, Reason.MEASUREMENT
        seen: list[Seen] = [(known.begin, "begin"), (known.end, "end")]
        self.context.say(
            known.n,
            known.evse,
            outcome,
            text,
            opened_ns=known.begin.stamp.order_ns,
            reason=reason,
            measured=range_of(measured, "Wh"),
            limit=limit,
            margin=decision.margin,
            lean=decision.lean if outcome is Outcome.INCONCLUSIVE else None,
            decides=decides if outcome is Outcome.INCONCLUSIVE else None,
            seen=[*seen, *self._samples(known, start, stop)],
            windows=[(known.begin.stamp.lo_ns, known.end.stamp.hi_ns)],
            lengthened=False,
        )

    def _needed_wh(self, share: float, fixed_wh: float) -> float | None:
        """From which energy on U is at most a third of the limit."""
        facts = self.world.facts
        slope = share - 2 * facts.meter_accuracy_pct / 100
        return None if slope <= 0 else max(0.0, (3 * fixed_wh - facts.meter_resolution_wh) / slope)

    def _samples(self, known: _Transaction, start: Interval, stop: Interval) -> list[Seen]:
        """The samples of the bench meter that the two readings rest on."""
        found: list[Seen] = []
        assert known.begin is not None
        assert known.end is not None
        for role, bound, since in (("reference begins", start.hi, known.begin), ("reference ends", stop.hi, known.end)):
            for event in self.world.energy[known.evse]:
                if event.stamp.hi_ns >= since.stamp.lo_ns and float(event.data["energy_wh"]) == bound:
                    found.append((event, role))
                    break
        return found

    def _calibration_over(self, known: _Transaction) -> Calibration | None:
        samples, wall = self.world.energy[known.evse], self.world.wall
        return expired(self.world.facts, samples[-1].source, wall[1]) if samples and wall is not None else None

    # ---- meterStart and meterStop against the sampled register

    def _exact(self, known: _Transaction, final: bool, cut: bool) -> bool:
        if not final and (known.begin is None or known.end is None):
            return False
        pairs = [(known.started, known.begin), (known.ended, known.end)]
        found = [self._deviation(known, whole, fine) for whole, fine in pairs if whole is not None and fine is not None]
        if not found:
            return final
        measured, because, whole, fine = max(found, key=lambda item: item[0].hi)
        limit = Interval.exact(self.reader.quantity(self.rule.tolerance, "energy"))
        decision = decide(measured, limit, "Wh")
        outcome, reason = decision.outcome, Reason.MEASUREMENT if decision.outcome is Outcome.INCONCLUSIVE else None
        unread = outcome is not Outcome.PASS and measured.lo == 0
        if unread and not final:
            return False  # the bench meter may still tell what flowed between the two readings
        if unread and cut:
            reason = Reason.TRUNCATED
        missing = known.ended is None or known.end is None or (known.started is not None and known.begin is None)
        if missing and outcome is Outcome.PASS:
            outcome = Outcome.INCONCLUSIVE
            reason = Reason.TRUNCATED if known.ended is None else Reason.PRECONDITION
            because += "; the other end of the transaction could not be compared"
        self.context.say(
            known.n,
            known.evse,
            outcome,
            because,
            opened_ns=whole.stamp.order_ns,
            reason=reason,
            measured=range_of(measured, "Wh"),
            limit=limit.hi,
            margin=decision.margin,
            lean=decision.lean,
            decides=decision.decides,
            seen=[(whole, "whole Wh"), (fine, "register")],
            windows=[(whole.stamp.lo_ns, fine.stamp.hi_ns)],
            lengthened=False,
        )
        return True

    def _deviation(self, known: _Transaction, whole: Event, fine: Event) -> tuple[Interval, str, Event, Event]:
        """How far the two numbers are apart; energy that flowed between their readings may explain some of it."""
        apart = abs(float(Decimal(whole.data["meter_wh"]) - Decimal(fine.data["value_wh"])))
        name = "meterStart" if whole.topic == "ocpp.tx.started" else "meterStop"
        text = f"{name} {whole.data['meter_wh']} Wh, register {fine.data['value_wh']} Wh"
        claims = parse_claim(whole.data.get("claim")), parse_claim(fine.data.get("claim"))
        if claims[0] is not None and claims[1] is not None and abs(claims[0][0] - claims[1][0]) <= SAME_INSTANT_NS:
            return Interval.exact(apart), text, whole, fine
        begin = name == "meterStart"
        first, second = self._when(known, whole, begin=begin), self._when(known, fine, begin=begin)
        hull = Interval(min(first.lo, second.lo), max(first.hi, second.hi))
        flowed = energy_over(self.world, known.evse, hull)
        if flowed is None:  # the bench meter was not read around them: nobody knows how much
            return Interval(0.0, apart), text, whole, fine
        return Interval(max(0.0, apart - flowed.width), apart), text, whole, fine

    def _say(self, known: _Transaction, outcome: Outcome, because: str, reason: Reason | None) -> None:
        events = (known.started, known.begin, known.end, known.ended)
        seen: list[Seen] = [(event, event.topic) for event in events if event is not None]
        opened_ns = seen[0][0].stamp.order_ns if seen else 0
        self.context.say(
            known.n, known.evse, outcome, because, opened_ns=opened_ns, reason=reason, seen=seen, lengthened=False
        )
