"""agree: meterStart and meterStop of a transaction against the sampled register at its ends."""

from __future__ import annotations

from decimal import Decimal

from ...timeline import Event, Interval, parse_claim
from ..decide import decide, range_of
from ..verdict import Outcome, Reason
from ..world.energy import energy_over
from .agree_tx import Transaction, TransactionMonitor

__all__ = ["AgreeEndsMonitor"]

SAME_INSTANT_NS = 50_000_000
"""Two claims of the station this near to each other speak of one instant."""


class AgreeEndsMonitor(TransactionMonitor):
    """The end that deviates most decides; energy that flowed between two readings may explain some of it."""

    def compare(self, known: Transaction, *, final: bool, cut: bool) -> bool:
        if not final and (known.begin is None or known.end is None):
            return False
        pairs = [(known.started, known.begin), (known.ended, known.end)]
        found = [
            self._deviation(known, whole, fine)
            for whole, fine in pairs
            if whole is not None and fine is not None and whole.data.get("meter_wh") is not None
        ]
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

    def _deviation(self, known: Transaction, whole: Event, fine: Event) -> tuple[Interval, str, Event, Event]:
        """How far the two numbers are apart."""
        apart = abs(float(Decimal(whole.data["meter_wh"]) - Decimal(fine.data["value_wh"])))
        begin = whole.topic == "ocpp.tx.started"
        name = "meterStart" if begin else "meterStop"
        text = f"{name} {whole.data['meter_wh']} Wh, register {fine.data['value_wh']} Wh"
        claims = parse_claim(whole.data.get("claim")), parse_claim(fine.data.get("claim"))
        if claims[0] is not None and claims[1] is not None and abs(claims[0][0] - claims[1][0]) <= SAME_INSTANT_NS:
            return Interval.exact(apart), text, whole, fine
        first, second = self.read_at(known, whole, begin=begin), self.read_at(known, fine, begin=begin)
        hull = Interval(min(first.lo, second.lo), max(first.hi, second.hi))
        flowed = energy_over(self.world, known.evse, hull)
        if flowed is None:  # the bench meter was not read around them: nobody knows how much
            return Interval(0.0, apart), text, whole, fine
        return Interval(max(0.0, apart - flowed.width), apart), text, whole, fine
