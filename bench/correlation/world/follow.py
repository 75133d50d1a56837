"""Followers: what a signal's definition makes of the events that it is read from, for one outlet.

A follower takes readings in canonical order and puts changes with the interval in which they happened: the edge of a
sampled signal lies between two readings, one of a PWM within the cycles that were measured, a debounced one at its
begin. After a hole in the readings nothing is known from the last one on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from ...timeline import Event, Stamp, difference
from ..language.happened import matches, number_of
from ..language.reading import Band, Heard, Reading
from .debounce import Debounce, Proposal, Value
from .edge_width import known_from, lead_ns, measured_over, narrowed, spanning

__all__ = ["Follower", "Home", "follower_of"]


class Home(Protocol):
    """Where a follower lives: it puts changes and samples there, sets timers, and notes faults."""

    def put(self, item: Proposal) -> None:
        """The signal changed."""
        ...

    def sample(self, event: Event, value: float) -> None:
        """A number was read."""
        ...

    def fault(self, event: Event, text: str) -> None:
        """The source contradicts what was said of it."""
        ...

    def doubt(self, u: float) -> None:
        """The error bound of the number has grown to this."""
        ...

    def later(self, when_ns: int, action: Callable[[], None], /) -> None:
        """Call when the canonical sequence has passed this."""
        ...

    def delay_ns(self, source: str) -> int:
        """How much later than the fact a source tells it at most."""
        ...


class Follower(ABC):
    """One signal of one outlet. `take` every event of its topics; `lost` when a source of it has a gap."""

    def __init__(self, reading: Reading, home: Home) -> None:
        self.reading = reading
        self.home = home
        self.last: Event | None = None
        """The last reading; None: none since nothing was known."""
        self.sources: set[str] = set()
        self._value: Value = None
        self._debounce = Debounce(reading.debounce_ns, home.put)
        self._watching = False

    def take(self, event: Event) -> None:
        """An event of one of the signal's topics."""
        heard = self._read(event)
        if heard is None:
            return
        self.sources.add(event.source)
        if self.last is not None and self._hole(self.last, event):
            self._lapse()
        self._heard(event, heard)
        self.last = None if heard.value is None else event
        if self.last is not None and self.reading.max_gap_ns and not self._watching:
            self._watch(event)

    def _read(self, event: Event) -> Heard | None:
        return self.reading.heard(event)

    def lost(self, from_ns: int) -> int:
        """A gap: what was told from `from_ns` on may not be all. Returns from when on nothing is known."""
        self._value = self.last = None
        return self._debounce.lost(from_ns)

    @abstractmethod
    def _heard(self, event: Event, heard: Heard) -> None:
        """A reading; `last` is the one before."""

    def _show(self, value: Value, stamp: Stamp, event: Event, why: str = "") -> None:
        if value is not None and value == self._value:
            self._debounce.still(event.stamp)
            return
        self._value = value
        if self._debounce.propose(Proposal(value, stamp, event, why)):
            self._wait(event)

    @abstractmethod
    def _wait(self, event: Event) -> None:
        """A value has to last."""

    # ---- holes in the readings

    def _hole(self, before: Event, event: Event) -> bool:
        gap_ns = self.reading.max_gap_ns
        return bool(gap_ns) and event.stamp.lo_ns - before.stamp.hi_ns > gap_ns

    def _watch(self, event: Event) -> None:
        """Look again when the next reading is overdue."""
        self._watching = True
        due_ns = event.stamp.order_ns + self.reading.max_gap_ns + self.home.delay_ns(event.source)
        self.home.later(due_ns, lambda: self._look(event))

    def _look(self, event: Event) -> None:
        self._watching = False
        if self.last is event:
            self._lapse()
        elif self.last is not None:
            self._watch(self.last)

    def _lapse(self) -> None:
        """No reading came in time."""
        before = self.last
        assert before is not None
        stamp = self._known_until(before)
        self._debounce.lost(stamp.lo_ns)
        self._value = self.last = None
        self.home.put(Proposal(None, stamp, before, f"no reading of {before.source} came in time"))

    def _known_until(self, before: Event) -> Stamp:
        """What lies between two readings is known by the later one."""
        stamp = before.stamp
        return known_from(stamp, stamp.order_ns, stamp.hi_ns, stamp.hi_ns)


class _Steps(Follower):
    """The value holds from one event to the next."""

    def _heard(self, event: Event, heard: Heard) -> None:
        value, why = _in_band(heard, self.reading, self._value)
        self._show(value, self._stamp(event), event, why)

    def _stamp(self, event: Event) -> Stamp:
        return event.stamp

    def _wait(self, event: Event) -> None:
        waiting = self._debounce.pending
        due_ns = event.stamp.order_ns + self.reading.debounce_ns + self.home.delay_ns(event.source)

        def due() -> None:
            if self._debounce.pending is waiting:
                self._debounce.settled()

        self.home.later(due_ns, due)

    def _known_until(self, before: Event) -> Stamp:
        gap_ns, stamp = self.reading.max_gap_ns, before.stamp
        return known_from(stamp, stamp.order_ns, stamp.lo_ns + gap_ns, stamp.hi_ns + gap_ns)


class _Pwm(_Steps):
    """What was measured over n cycles may have begun that much earlier."""

    def __init__(self, reading: Reading, home: Home) -> None:
        super().__init__(reading, home)
        self._hertz: float | None = None

    def _stamp(self, event: Event) -> Stamp:
        self._hertz = self.reading.hertz(event.data) or self._hertz
        if self._hertz is None:
            return event.stamp
        return measured_over(event.stamp, round(self.reading.cycles / self._hertz * 1e9))


class _Samples(Follower):
    """Each reading is true at one instant; an edge lies between two of them."""

    def __init__(self, reading: Reading, home: Home) -> None:
        super().__init__(reading, home)
        self._before: float | None = None

    def _heard(self, event: Event, heard: Heard) -> None:
        value, why = _in_band(heard, self.reading, self._value)
        number = heard.value if isinstance(heard.value, float) else None
        if number is not None and self.reading.numeric:
            self.home.sample(event, number)
        self._show(value, self._edge(event, value, number), event, why)
        self._before = number

    def _wait(self, event: Event) -> None:
        """The next reading confirms it, or ends it."""

    def _edge(self, event: Event, value: Value, number: float | None) -> Stamp:
        stamp = event.stamp
        if self.last is None:
            return known_from(stamp, stamp.order_ns, stamp.hi_ns, stamp.hi_ns)
        wide = spanning(self.last.stamp, stamp)
        band, before, reading = self.reading.band, self._before, self.reading
        if band is None or before is None or number is None or value is None or self._value is None:
            return wide
        threshold = band.high if value == band.above else band.low
        u, slew = reading.accuracy, reading.slew_per_s
        return narrowed(wide, lead_ns(before, threshold, u, slew), lead_ns(number, threshold, u, slew))


class _Register(_Samples):
    """What it grew by since its first reading. One that decreases says nothing any more.

    Where the source has no register its rate is summed up instead, as straight lines between two readings; a hole in
    the readings is then the end of it.
    """

    def __init__(self, reading: Reading, home: Home) -> None:
        super().__init__(reading, home)
        self._first: float | None = None
        self._newest: float | None = None
        self._broken = ""
        self._rated: tuple[Event, float] | None = None
        self._sum = 0.0
        self._doubt = 0.0

    def _heard(self, event: Event, heard: Heard) -> None:
        number, newest = heard.value, self._newest
        if self._broken:
            return
        if isinstance(number, float):
            if newest is not None and number < newest:
                self._broken = f"{event.source}: the register went from {newest:g} to {number:g}; it never decreases"
                self.home.fault(event, self._broken)
                super()._heard(event, Heard(None, self._broken))
                return
            self._newest = number
            self._first = number if self._first is None else self._first
            heard = Heard(round(number - self._first, 9))
        super()._heard(event, heard)

    def _read(self, event: Event) -> Heard | None:
        heard = super()._read(event)
        if heard is not None or not self.reading.rate or (self._newest is not None and self._rated is None):
            return heard
        rate = number_of(event.data.get(self.reading.rate))
        if rate is None or not matches(self.reading.on, event):
            return None
        self._summed(event, float(rate))
        return Heard(self._sum)

    def _summed(self, event: Event, rate: float) -> None:
        """Add up to here. What the line between two readings may miss, and their widths in time, are its error."""
        if self._rated is not None:
            before, other = self._rated
            hours = difference(before.stamp, event.stamp).clipped(0).scaled(1 / 3600e9)
            self._sum += max(0.0, (rate + other) / 2) * hours.mid
            self._doubt += abs(rate - other) / 2 * hours.hi + max(rate, other, 0.0) * hours.width / 2
            self.home.doubt(self._doubt)
        self._rated = (event, rate)

    def lost(self, from_ns: int) -> int:
        self._ends()
        return super().lost(from_ns)

    def _lapse(self) -> None:
        super()._lapse()
        self._ends()

    def _ends(self) -> None:
        """What flowed while nobody read is not known."""
        if self._rated is not None:
            self._broken = "what flowed while nobody read it is not known"


def _in_band(heard: Heard, reading: Reading, now: Value) -> Heard:
    """The word of a number, where its two thresholds make it one."""
    band, number = reading.band, heard.value
    if band is None or not isinstance(number, float):
        return heard
    words = _words(band, number - reading.accuracy, number + reading.accuracy, now)
    if len(words) == 1 and None not in words:
        return Heard(words.pop())
    known = "its accuracy leaves the threshold open" if words - {None} else "it lies between its thresholds since ever"
    return Heard(None, f"{reading.key} is {number:g}: {known}")


def _words(band: Band, least: float, most: float, now: Value) -> set[Value]:
    """Which words a number between `least` and `most` may stand for, if it was `now` before."""
    found: set[Value] = set()
    if most >= band.high:
        found.add(band.above)
    if least <= band.low and (least < band.high):
        found.add(band.below)
    if least < band.high and most > band.low and band.low < band.high:
        found.add(now)
    return found


_FOLLOWERS: dict[str, type[Follower]] = {"step": _Steps, "sampled": _Samples, "register": _Register, "pwm": _Pwm}


def follower_of(reading: Reading, home: Home) -> Follower:
    """The follower of a signal that is read so."""
    return _FOLLOWERS[reading.kind](reading, home)
