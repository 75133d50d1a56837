"""How far a time on a bench may be off, before anything has happened: from what its instruments declare.

The same sums as for the stamps of events (`difference`): of two readings of one clock their own errors and sensor
delays, of two clocks the widths of both on the bench clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...timeline import DRIFT_PPM
from ..inventory import Inventory
from ..language.rule import Condition, Happening, Turn
from ..language.signals import CONFIG, SIGNALS, Signal, feeds, signal_named

__all__ = ["Apart", "Spread", "apart", "claimed", "spread_of"]

READING_MS = 0.001
"""The pilot's counter is cut to the microsecond."""
_PILOT = ("cp.", "pilot.")


class Spread(NamedTuple):
    """Of one fact: half of the width of its stamp, in milliseconds, as parts with their names.

    - `clock`: the instrument's clock that reads it; empty: the bench's own.
    - `own`: on that clock; `more`: what the bench clock adds.
    - `fifo`: the source that reports such facts in their order; empty where none does.
    """

    clock: str
    own: tuple[tuple[str, float], ...]
    more: tuple[tuple[str, float], ...] = ()
    fifo: str = ""


class Apart(NamedTuple):
    """The uncertainty of a difference (half of its width, ms), and the parts that it is the sum of.

    `exact`: which of the two came first is known from the source's own order.
    """

    u_ms: float
    parts: tuple[tuple[str, float], ...]
    exact: bool

    @property
    def dominant(self) -> str:
        """The greatest part, with its share; empty where there is none."""
        name, most = max(self.parts, key=lambda part: part[1], default=("", 0.0))
        return f"{name} (±{most:.4g} ms)" if most > 0 else ""


def spread_of(
    on: Happening | Condition, has: Inventory, signals: Mapping[str, Signal] = SIGNALS, *, edge: bool = True
) -> Spread:
    """Of an event, or of a change of a signal. `edge`: of a sampled signal, which lies between two samples."""
    if isinstance(on, Turn | Condition):
        return _signal(on.signal, has, signals, edge=edge)
    return max((_topic(topic, has) for topic in on.topics), key=_width)


def claimed(has: Inventory) -> Spread:
    """Of a fact that the station's own clock dates: its last digit, and the estimate of that clock, no finer."""
    half = has.claim_resolution_ms / 2
    return Spread("", (("last digit of the station's times", half), ("estimate of the station's clock", half)))


def apart(first: Spread, second: Spread, span_ms: float) -> Apart:
    """The uncertainty of how much later `second` is than `first`, for about `span_ms`."""
    exact = bool(first.fifo) and first.fifo == second.fifo
    bench = _sum(first.own + first.more + second.own + second.more)
    if first.clock and first.clock == second.clock:
        drift = (f"drift of the {first.clock}'s clock", span_ms * DRIFT_PPM / 1e6)
        own = _sum((*first.own, *second.own, drift))
        return Apart(*min((own, bench), key=lambda item: item[0]), exact)
    return Apart(*bench, exact)


def _sum(parts: tuple[tuple[str, float], ...]) -> tuple[float, tuple[tuple[str, float], ...]]:
    by_name: dict[str, float] = {}
    for name, ms in parts:
        by_name[name] = by_name.get(name, 0.0) + ms
    return sum(by_name.values()), tuple(by_name.items())


def _width(spread: Spread) -> float:
    return sum(ms for _, ms in spread.own + spread.more)


def _signal(name: str, has: Inventory, signals: Mapping[str, Signal], *, edge: bool) -> Spread:
    topics = feeds(name, signals)
    if not topics:
        return Spread("", ())  # the bench file says it, once and for all
    if name not in SIGNALS and not name.startswith(CONFIG):
        return _of_pack(signals[name], has, edge=edge)
    if signal_named(name, signals).kind == "sampled":
        return _sampled(has, edge=edge)
    if "output" in topics and name != "auth":
        return _topic("output", has)
    if "lock" in topics:
        return _topic("lock", has)
    own = signal_named(name).topics
    if any(topic.startswith(_PILOT) for topic in own) or (not own and any(t.startswith(_PILOT) for t in topics)):
        return _topic("cp.state", has)
    if own == ("stimulus",) and name != "plug":
        return _topic("stimulus", has)
    if name == "plug":
        return max((_topic("stimulus", has), _topic("cp.state", has)), key=_width)
    return _topic("ocpp.call", has)


def _of_pack(signal: Signal, has: Inventory, *, edge: bool) -> Spread:
    """A signal that a pack reads from events: as old as those; an edge of samples lies anywhere between two of them."""
    if "meter.sample" in signal.topics:
        return _sampled(has, edge=edge)
    found = max((_topic(topic, has) for topic in signal.topics), key=_width)
    gap_ms = 0.0 if signal.reading is None else signal.reading.max_gap_ns / 1e6
    if edge and gap_ms and signal.kind != "step":
        return Spread("", (*found.own, *found.more, (f"time between two readings (up to {gap_ms:g} ms)", gap_ms / 2)))
    return found


def _topic(topic: str, has: Inventory) -> Spread:
    clock = (("the pilot's clock on the bench clock", has.pilot_clock_ms),)
    if topic.startswith(_PILOT):
        return Spread(has.pilot, ((f"resolution of {has.pilot}", has.cp_residual_ms + READING_MS),), clock, has.pilot)
    if topic == "output":
        return Spread(has.pilot, _sensed(f"output sense of {has.pilot}", has.sense_ms), clock)
    if topic == "lock":
        return Spread(has.pilot, _sensed(f"lock sense of {has.pilot}", has.lock_ms), clock)
    if topic == "meter.sample":
        return _sampled(has, edge=False)
    if topic == "stimulus":
        return Spread("", (("acknowledgement of a command", has.command_ms / 2),))
    if topic.startswith(("ocpp.", "csms.", "station.")):
        return Spread("", (("receipt of OCPP messages", has.ocpp_lag_ms / 2),), (), "csms")
    return Spread("", ())


def _sensed(name: str, delay: tuple[float, float] | None) -> tuple[tuple[str, float], ...]:
    lo, hi = delay or (0.0, 0.0)
    return ((f"{name} ({lo:g}..{hi:g} ms)", (hi - lo) / 2), ("reading of the counter", READING_MS))


def _sampled(has: Inventory, *, edge: bool) -> Spread:
    """A reading lies in `[request - age, response]`; an edge between the reading before and this one."""
    parts = [
        (f"age of {has.meter}'s values ({has.meter_age_ms:g} ms)", has.meter_age_ms / 2),
        (f"answer of {has.meter}", has.meter_answer_ms / 2),
    ]
    if edge:
        parts.append((f"polling of {has.meter} every {has.meter_poll_ms:g} ms", has.meter_poll_ms / 2))
    return Spread("", tuple(parts))
