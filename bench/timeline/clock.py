"""The map from an instrument's clock to the bench clock, learned from pings.

A ping leaves at `sent_ns`, is stamped by the device at `device_ns` somewhere in between, and
its answer is read at `read_ns`: so the offset (bench minus device) lies in
`[sent_ns - device_ns, read_ns - device_ns]`. Every such interval is true; the shortest round
trips are the tightest (minimum-delay filter). An interval ages by the clock's drift, from the
earliest instant at which it may have been taken.
"""

from __future__ import annotations

from .interval import Interval
from .stamp import DRIFT_PPM, drift_ns

__all__ = ["DeviceClock"]


class DeviceClock:
    """Offset of one device's clock, as an interval in nanoseconds.

    - `epoch` counts the device's restarts; readings of different epochs are not comparable.
    - `drift_ppm` bounds its rate against the bench clock; the device may declare it (before the first ping).
    - `agreed_ns`: when the last ping that agreed with those before it left: until then the clock was the same.
    - `disagreements`: steps seen so far.
    """

    def __init__(self, domain: str, drift_ppm: int = DRIFT_PPM) -> None:
        self.domain = domain
        self.drift_ppm = drift_ppm
        self.epoch = 0
        self.agreed_ns = 0
        self.disagreements = 0
        self._offset: Interval | None = None
        self._at_ns = 0

    @property
    def known(self) -> bool:
        return self._offset is not None

    def restart(self) -> None:
        """Begin a new epoch: the device rebooted, or its counter wrapped or stepped."""
        self.epoch += 1
        self._offset = None

    def ping(self, sent_ns: int, device_ns: int, read_ns: int) -> bool:
        """Take one round trip; returns False when it contradicts the earlier ones (the clock stepped).

        After a contradiction the new interval replaces the old one in a new epoch. What was stamped since
        `agreed_ns` may belong to either.
        """
        # the reading was taken somewhere in the round trip, and the clock drifted until its end
        drift = drift_ns(read_ns - sent_ns, self.drift_ppm)
        fresh = Interval(sent_ns - device_ns - drift, read_ns - device_ns + drift)
        aged = self.offset_at(read_ns)
        self._at_ns = read_ns
        if aged is None:
            self._offset = fresh
            self.agreed_ns = sent_ns
            return True
        if not aged.overlaps(fresh):
            self.disagreements += 1
            self.epoch += 1
            self._offset = fresh
            return False
        self._offset = Interval(max(aged.lo, fresh.lo), min(aged.hi, fresh.hi))
        self.agreed_ns = sent_ns
        return True

    def offset_at(self, now_ns: int) -> Interval | None:
        """Bench minus device at `now_ns`, widened by the drift since the last ping; None before the first."""
        if self._offset is None:
            return None
        drift = drift_ns(now_ns - self._at_ns, self.drift_ppm)
        return Interval(self._offset.lo - drift, self._offset.hi + drift)

    def expected_ns(self, now_ns: int) -> int | None:
        """About what the device's clock reads at `now_ns`; None before the first ping."""
        return None if self._offset is None else now_ns - int(self._offset.lo + self._offset.hi) // 2

    def to_bench(self, device_ns: int) -> Interval | None:
        """`device_ns` on the bench clock; None before the first ping.

        The drift counts from the last ping to the instant itself, on whichever side of it that lies: a
        reading may have waited on the line while the ping overtook it.
        """
        if self._offset is None:
            return None
        lo, hi = device_ns + self._offset.lo, device_ns + self._offset.hi
        drift = drift_ns(int(max(abs(lo - self._at_ns), abs(hi - self._at_ns))), self.drift_ppm)
        return Interval(lo - drift, hi + drift)
