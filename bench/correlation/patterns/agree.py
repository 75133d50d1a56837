"""agree: what a station reports of a transaction's energy against the bench's meter."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from typing import NamedTuple

from ...timeline import Event, Interval
from ..calibration import expired
from ..decide import decide, range_of
from ..facts import Calibration
from ..language.limits import dimension_of
from ..uncertainty import combined, risk_of
from ..verdict import Outcome, Reason
from ..world.energy import energy_over, fell_between, meter_step_wh
from .agree_tx import Transaction, TransactionMonitor
from .base import Context, Seen

__all__ = ["AgreeMonitor"]

QUARTER = 4
"""`conform` wants a reference this much better than what the station may be wrong by."""
THIRD = 3
"""`min = "auto"` wants an uncertainty this much smaller than the limit."""


class _Read(NamedTuple):
    """The two readings of the station, and of the bench meter at the same instants (Wh)."""

    begin: Event
    end: Event
    reported: float
    last_digit: float
    start: Interval
    stop: Interval


class AgreeMonitor(TransactionMonitor):
    """Places the station's readings in time, and compares with what the bench meter may have shown then."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = self.rule
        self._source = rule.right if rule.left == "e_bench" else rule.left
        self._key = "value_wh" if self._source == "register" else "meter_wh"
        energy = any(item.name == rule.tolerance and item.dimension == "energy" for item in context.named.limits)
        self._absolute = energy or dimension_of(rule.tolerance.lstrip("+-0123456789. ")) == "energy"

    def compare(self, known: Transaction, *, final: bool, cut: bool) -> bool:
        begin, end = self._ends(known)
        if begin is None or end is None:
            if not final:
                return False
            if cut and known.ended is None:
                self.lack(known, "the record ends within the transaction", Reason.TRUNCATED)
            else:
                self.lack(known, self._missing(first=begin is None), Reason.PRECONDITION)
            return True
        began, over = self.read_at(known, begin, begin=True), self.read_at(known, end, begin=False)
        start = energy_over(self.world, known.evse, began)
        stop = energy_over(self.world, known.evse, over)
        fell = fell_between(self.world, known.evse, began, over)
        if fell is not None:
            text = f"the bench meter's register went backwards: {fell.id} shows less than the reading before"
            self.lack(known, text, None, Outcome.ERROR)
            return True
        if start is None or stop is None:
            if final:
                text = "the bench meter was not read around both ends of the transaction"
                self.lack(known, text, Reason.TRUNCATED if cut else Reason.GAP)
            return final
        if stop.hi < start.lo:
            self.lack(known, "the bench meter's register went backwards", None, Outcome.ERROR)
            return True
        first, last = Decimal(begin.data[self._key]), Decimal(end.data[self._key])
        self._say(known, _Read(begin, end, float(last - first), self._digit(first, last), start, stop))
        return True

    def _ends(self, known: Transaction) -> tuple[Event | None, Event | None]:
        pair = (known.begin, known.end) if self._source == "register" else (known.started, known.ended)
        first, last = (event if event is not None and event.data.get(self._key) is not None else None for event in pair)
        return first, last

    def _missing(self, *, first: bool) -> str:
        if self._source == "register":
            return f"the station reported no register with context Transaction.{'Begin' if first else 'End'}"
        return f"the station reported no {'meterStart' if first else 'meterStop'}"

    def _digit(self, first: Decimal, last: Decimal) -> float:
        """The last digit of the station's readings: of whole Wh 1."""
        if self._source == "register":
            return self.world.facts.station_register_resolution_wh
        exponent = min(int(value.as_tuple().exponent) for value in (first, last))
        return 10.0 ** min(0, exponent)

    # ---- the verdict

    def _say(self, known: Transaction, read: _Read) -> None:
        facts, rule = self.world.facts, self.rule
        reference = read.stop - read.start
        middle = reference.mid
        deviation = read.reported - middle
        step = meter_step_wh(self.world, known.evse)
        accuracy = facts.meter_accuracy_pct / 100 * abs(middle)
        uncertainty = combined([accuracy], [reference.width / 2, step, read.last_digit])
        share = 0.0 if self._absolute else self.reader.quantity(rule.tolerance, "share") / 100
        tolerance = self.reader.quantity(rule.tolerance, "energy") if self._absolute else share * middle
        limit = tolerance + (accuracy + step if rule.kind == "agree" else 0.0)
        measured = _magnitude(deviation, uncertainty.expanded)
        # a share is one of the true energy, which is known no better than the reference
        slack = share * uncertainty.expanded
        decision = decide(measured, Interval(limit - slack, limit + slack), "Wh")
        percent = deviation / middle * 100 if middle else 0.0
        text = f"the station reports {read.reported:.1f} Wh, the bench meter {middle:.2f} Wh ({percent:+.2f} %)"
        text += f", U = {uncertainty.expanded:.2f} Wh"
        outcome, reason, lean, decides = decision.outcome, None, decision.lean, decision.decides
        if outcome is Outcome.FAIL and rule.kind == "agree":
            text += "; one of the two meters is out of its class"
        if outcome is Outcome.INCONCLUSIVE:
            reason = Reason.MEASUREMENT
        factor = QUARTER if rule.kind == "conform" else THIRD if rule.minimum == "auto" else 0
        if factor and factor * uncertainty.expanded > limit:
            outcome, reason, lean = Outcome.INCONCLUSIVE, Reason.MEASUREMENT, None
            fixed = uncertainty.bound
            text += f"; a {'quarter' if factor == QUARTER else 'third'} of the limit would be {limit / factor:.2f} Wh"
            decides = self._needed(factor, share, tolerance, fixed, step, middle)
        over = self._calibration_over(known)
        if over is not None:
            text += (
                f"; the bench meter's accuracy is vouched for from {over.calibrated or '?'} to {over.due or '?'} only"
            )
            if over.allowed:
                text += ", which the bench file allows"
            else:
                outcome, reason, lean = Outcome.INCONCLUSIVE, Reason.MEASUREMENT, None
        seen: list[Seen] = [(read.begin, "begin"), (read.end, "end")]
        undecided = outcome is Outcome.INCONCLUSIVE
        said = lean if undecided else outcome
        self.context.say(
            known.n,
            known.evse,
            outcome,
            text,
            opened_ns=read.begin.stamp.order_ns,
            reason=reason,
            measured=range_of(measured, "Wh"),
            limit=limit,
            margin=decision.margin,
            lean=lean if undecided else None,
            decides=decides if undecided else None,
            seen=[*seen, *self._samples(known, read)],
            windows=[(read.begin.stamp.lo_ns, read.end.stamp.hi_ns)],
            lengthened=False,
            interval=uncertainty.interval,
            risk=risk_of(said, deviation, uncertainty.scaled(1 + share), limit),
        )

    def _needed(self, factor: int, share: float, tolerance: float, fixed: float, step: float, middle: float) -> str:
        """From which energy on, or with which meter, U is small enough: U = accuracy x energy + what is fixed."""
        accuracy = self.world.facts.meter_accuracy_pct / 100
        gained = step if self.rule.kind == "agree" else 0.0
        slope = share + (accuracy if self.rule.kind == "agree" else 0.0) - factor * accuracy
        if slope > 0 and not self._absolute:
            return f"decidable from about {max(0.0, (factor * fixed - gained) / slope):.0f} Wh on this bench"
        part = factor - (1 if self.rule.kind == "agree" else 0)
        best = (tolerance + gained - factor * fixed) / part / middle * 100 if middle > 0 else 0.0
        if self._absolute and best > 0:
            return f"decidable with a meter of {best:.2g} % at this energy"
        if not self._absolute and share > 0:
            return f"not decidable on this bench: a meter better than {share / part * 100:.2g} % is needed"
        return "not decidable on this bench: its registers are too coarse"

    def _samples(self, known: Transaction, read: _Read) -> list[Seen]:
        """The samples of the bench meter that the two readings rest on."""
        found: list[Seen] = []
        ends = (("reference begins", read.start.hi, read.begin), ("reference ends", read.stop.hi, read.end))
        readings = self.world.energy[known.evse]
        for role, bound, since in ends:
            # the readings of many hours lie before: none that was received so early can be meant
            first = bisect_left(readings, since.stamp.lo_ns, key=lambda event: event.stamp.order_ns)
            for event in (readings[n] for n in range(first, len(readings))):
                if event.stamp.hi_ns >= since.stamp.lo_ns and float(event.data["energy_wh"]) == bound:
                    found.append((event, role))
                    break
        return found

    def _calibration_over(self, known: Transaction) -> Calibration | None:
        samples, wall = self.world.energy[known.evse], self.world.wall
        return expired(self.world.facts, samples[-1].source, wall[1]) if samples and wall is not None else None


def _magnitude(deviation: float, u: float) -> Interval:
    """The absolute value of a number that is known to ±u."""
    signed = Interval(deviation - u, deviation + u)
    nearest = 0.0 if signed.contains(0) else min(abs(signed.lo), abs(signed.hi))
    return Interval(nearest, max(abs(signed.lo), abs(signed.hi)))
