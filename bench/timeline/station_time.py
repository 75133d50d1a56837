"""A station's own clock against the bench's, from the times that its messages claim.

A claim is a time `s` that the station wrote into a message, on a clock whose offset `o` (that clock minus the bench
clock) nobody knows. What a message claims happened before it arrived, and a clock that is not set back only goes on:
so at the arrival `o >= s - arrival`, however long the message waited in a queue. What a message claims happened after
what caused it: so at the cause `o <= s - cause`. The bounds are intersected and age by the drift.

When they contradict each other, the clock was set: a new *piece* begins. Claims are mapped with the piece that they
belong to; where several are possible, the hull of what they say. A setting that is smaller than what the bounds leave
open cannot be noticed, and is not.

A message proves nothing that was not yet so when it was written. Therefore a claim that lies before the first message
that agrees with its piece may as well come from an earlier, slower clock: it is only known to precede its arrival.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from .claim import parse_claim
from .clock_piece import INF, ClockPiece
from .interval import Interval
from .stamp import DRIFT_PPM

__all__ = ["ClockStep", "StationTime"]

BEFORE_OCPP_NS = int(datetime(2015, 10, 1, tzinfo=UTC).timestamp()) * 10**9
"""Nobody's clock is right that shows a time before OCPP 1.6 was published: it was never set."""
SECOND_NS = 10**9
LATENCY_NS = SECOND_NS // 2
"""Two messages of one clock whose bounds differ by more than this, and their resolution, do not confirm each other."""
PIECES = 32
STEPS = 1000


class ClockStep(msgspec.Struct, frozen=True):
    """The station's clock was set, somewhere between two instants of the bench clock (nanoseconds).

    `before`, `after`: its offset in nanoseconds; sides of which nothing is known are infinite. `caused`: the
    contradiction rests on a cause; else on an arrival.
    """

    from_ns: float
    to_ns: int
    before: Interval
    after: Interval
    caused: bool


class StationTime:
    """Offset of one station's clock, piece by piece. Messages are told in the order of their arrival.

    `kind` names the sort of message a claim comes from: resolution is learned of each by itself.
    """

    def __init__(self, drift_ppm: int = DRIFT_PPM) -> None:
        self.steps: list[ClockStep] = []
        self._ppm = drift_ppm
        self._pieces: list[ClockPiece] = []
        self._resolution: dict[str, int] = {}

    def heard(self, claim: object, arrival_ns: int, kind: str = "") -> bool:
        """A message arrived not later than `arrival_ns`; True when it shows that the clock was set."""
        reading = self._read(claim, kind, learn=True)
        return reading is not None and self._take(reading, -INF, arrival_ns, kind)

    def caused(self, claim: object, cause_ns: int, arrival_ns: int, kind: str = "") -> bool:
        """What a message claims cannot have happened before `cause_ns`; True when it shows that the clock was set."""
        reading = self._read(claim, kind, learn=True)
        return reading is not None and self._take(reading, min(cause_ns, arrival_ns), arrival_ns, kind)

    def when(self, claim: object, arrival_ns: int, kind: str = "") -> Interval | None:
        """When, on the bench clock, what a message claims happened; an unknown begin is infinite.

        None for what is no claim, and where no piece of the clock can have shown it.
        """
        reading = self._read(claim, kind, learn=False)
        if reading is None:
            return None
        found = self._places(reading, -INF, arrival_ns)
        if not found:
            return None
        until = [self._until(piece, span, arrival_ns, kind) for piece, span in found]
        return Interval(min(span.lo for _, span in found), max(until))

    def offset(self, at_ns: int) -> Interval | None:
        """The clock minus the bench clock at `at_ns`, by the newest piece; unknown sides are infinite.

        None before anything was claimed.
        """
        return self._pieces[-1].offset(at_ns) if self._pieces else None

    def _take(self, reading: Interval, after_ns: float, arrival_ns: int, kind: str) -> bool:
        current = self._pieces[-1] if self._pieces else None
        found = self._places(reading, after_ns, arrival_ns)
        if found and (len(found) > 1 or found[0][0] is not current):
            return False  # of an earlier piece, or nobody knows of which: it says nothing of the present
        fresh = not found
        if fresh:
            begins_ns = -INF if current is None else current.proven_ns
            self._pieces.append(ClockPiece(self._ppm, begins_ns, never_set=reading.lo < BEFORE_OCPP_NS))
            del self._pieces[:-PIECES]
        piece = self._pieces[-1]
        piece.at_least(arrival_ns, int(reading.lo) - arrival_ns, self._tolerance(kind))
        if after_ns != -INF:
            piece.at_most(int(after_ns), int(reading.hi) - int(after_ns))
        if not fresh or current is None:
            return False
        current.ends_ns = arrival_ns
        step = ClockStep(
            piece.begins_ns, arrival_ns, current.offset(arrival_ns), piece.offset(arrival_ns), after_ns != -INF
        )
        if len(self.steps) < STEPS:
            self.steps.append(step)
        return True

    def _places(self, reading: Interval, after_ns: float, until_ns: int) -> list[tuple[ClockPiece, Interval]]:
        """The pieces that can have shown a reading, and when they did."""
        never_set = reading.lo < BEFORE_OCPP_NS
        return [
            (piece, span)
            for piece in self._pieces
            if piece.never_set == never_set and (span := piece.place(reading, after_ns, until_ns)) is not None
        ]

    def _until(self, piece: ClockPiece, span: Interval, arrival_ns: int, kind: str) -> float:
        """The end of a span, as far as the piece vouches for it."""
        if piece.never_set and arrival_ns > piece.ends_ns:
            return arrival_ns  # such a clock begins anew at every start: this may be a later one
        if span.hi < piece.heard_ns - self._tolerance(kind):
            return min(arrival_ns, piece.ends_ns)
        return span.hi

    def _tolerance(self, kind: str) -> int:
        return LATENCY_NS + 2 * self._resolution.get(kind, SECOND_NS)

    def _read(self, claim: object, kind: str, *, learn: bool) -> Interval | None:
        """What the clock may have shown when it was read: cut or rounded, to the digits that this station uses.

        A station may write digits that it does not have (`.000`). So the resolution is that of the finest claim of
        its kind so far, and a second before there was a finer one.
        """
        parsed = parse_claim(claim)
        if parsed is None:
            return None
        shown_ns, written_ns = parsed
        finest = self._resolution.get(kind, SECOND_NS)
        while finest > written_ns and shown_ns % finest:
            finest //= 10
        if learn:
            self._resolution[kind] = finest
        return Interval(shown_ns - finest // 2, shown_ns + finest)
