"""The naive evaluator's arithmetic of time, from `docs/rules.md` and the meaning of a stamp's fields alone."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import NamedTuple

from pilotbench.bench.timeline import Event, Stamp

INF = float("inf")


class Span(NamedTuple):
    """A closed interval of nanoseconds; an end may be infinite."""

    lo: float
    hi: float


class Point(NamedTuple):
    """Something with a time: an event, a change of a signal, or the end of the record.

    `seq` 0: it has no place in its source's sequence (a gap, the end of the record). `ordered`: its source reports it
    in the order of the facts: not a sensed fact (its delay differs), not the sample of a meter, not what the bench did.
    """

    stamp: Stamp
    source: str
    seq: int
    ordered: bool = False

    @classmethod
    def of(cls, event: Event) -> Point:
        sensed = event.stamp.delay_hi_ns != 0 or event.topic in ("meter.sample", "stimulus", "gap")
        return cls(event.stamp, event.source, event.seq, not sensed)

    @classmethod
    def at(cls, ns: int) -> Point:
        return cls(Stamp(ns, ns, ns), "", 0)


def delta(a: Point, b: Point) -> Span:
    """How much later `b` is than `a`."""
    if a.seq and (a.source, a.seq) == (b.source, b.seq):
        return Span(0, 0)
    span = _span(a.stamp, b.stamp)
    if precedes(a, b):
        return Span(max(span.lo, 0), max(span.hi, 0))
    if precedes(b, a):
        return Span(min(span.lo, 0), min(span.hi, 0))
    return span


def precedes(a: Point, b: Point) -> bool:
    """Whether `a` certainly comes first, by the sequence of a source that reports in the order of the facts."""
    return a.ordered and b.ordered and a.source == b.source and a.seq < b.seq


def _span(a: Stamp, b: Stamp) -> Span:
    bench = Span(b.lo_ns - a.hi_ns, b.hi_ns - a.lo_ns)
    if a.device_ns is None or b.device_ns is None or (a.domain, a.epoch) != (b.domain, b.epoch):
        return bench
    read = b.device_ns - a.device_ns
    error = a.residual_ns + b.residual_ns
    rate = Fraction(max(a.drift_ppm, b.drift_ppm), 1_000_000)
    # the device counted |read| + error at most; the bench clock counted up to 1 / (1 - rate) times as much
    error += ceil((abs(read) + error) * (1 / (1 - rate) - 1))
    own = Span(read - error - b.delay_hi_ns + a.delay_lo_ns, read + error - b.delay_lo_ns + a.delay_hi_ns)
    if own.lo <= bench.hi and bench.lo <= own.hi:
        return Span(max(own.lo, bench.lo), min(own.hi, bench.hi))
    return Span(min(own.lo, bench.lo), max(own.hi, bench.hi))  # a declared bound is wrong: trust neither
