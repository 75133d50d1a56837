"""When something happened: a stamp, and the difference of two.

A stamp is an interval on the bench clock (`time.monotonic_ns()` of the bench process)
plus, where an instrument stamped the fact itself, that instrument's own reading. Two
readings of one clock are compared on that clock, so the error that they share cancels;
readings of different clocks are compared on `[lo_ns, hi_ns]`.
"""

from __future__ import annotations

import msgspec

from .interval import Interval

__all__ = ["DRIFT_PPM", "HOST", "Stamp", "difference", "drift_ns"]

HOST = "host"
"""Name of the bench process's own clock domain."""

DRIFT_PPM = 100
"""Bound assumed for the rate of an instrument's clock against the bench clock, in 1e-6; a device may declare its own.

It covers both: the instrument's oscillator, and the slewing of the host's clock by its time service.
"""

_MILLION = 1_000_000


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """When a fact happened, as far as the bench knows.

    - `order_ns`: host receipt, monotone per source; the only number that orders events.
    - `lo_ns`, `hi_ns`: the fact lies between these on the bench clock.
    - `domain`, `epoch`: the clock that read `device_ns`; a reboot, wrap or step begins a new epoch.
    - `device_ns`: that clock's raw reading in nanoseconds, or None when only the host stamped.
    - `residual_ns`: half-width of the reading's own error (resolution, jitter).
    - `delay_lo_ns`, `delay_hi_ns`: the fact was this much earlier than the reading (a sensor's delay).
      `lo_ns` and `hi_ns` already contain it.
    - `drift_ppm`: bound of that clock's rate against the bench clock, as the device declares it.
    """

    order_ns: int
    lo_ns: int
    hi_ns: int
    domain: str = HOST
    epoch: int = 0
    device_ns: int | None = None
    residual_ns: int = 0
    delay_lo_ns: int = 0
    delay_hi_ns: int = 0
    drift_ppm: int = DRIFT_PPM

    @classmethod
    def host(cls, order_ns: int, *, lo_ns: int | None = None) -> Stamp:
        """A fact the host saw at `order_ns`, and that is no older than `lo_ns`."""
        return cls(order_ns, order_ns if lo_ns is None else min(lo_ns, order_ns), order_ns)

    @property
    def interval(self) -> Interval:
        """`[lo_ns, hi_ns]` on the bench clock."""
        return Interval(self.lo_ns, self.hi_ns)


def drift_ns(elapsed_ns: int, ppm: int) -> int:
    """How far two clocks move apart while the one that drifts by up to `ppm` counts `elapsed_ns`.

    Rounded up: a bound must stay one. The other clock counts between `elapsed / (1 + ppm)` and
    `elapsed / (1 - ppm)`, and the greater deviation is that of the latter.
    """
    return -(-abs(elapsed_ns) * ppm // (_MILLION - ppm))


def difference(first: Stamp, second: Stamp) -> Interval:
    """How much later `second` is than `first`, in nanoseconds.

    Within one domain and epoch: on the device's readings, with residuals, sensor delays and drift, as far
    as the bench clock does not know it better (over minutes the drift outgrows the offset's width). If the
    two contradict each other a declared bound is wrong: then both are covered, so that nothing false becomes
    certain. Otherwise on the bench clock alone.
    """
    apart = second.interval - first.interval
    if (
        first.device_ns is None
        or second.device_ns is None
        or first.domain != second.domain
        or first.epoch != second.epoch
    ):
        return apart
    raw = second.device_ns - first.device_ns
    residual = first.residual_ns + second.residual_ns
    # the drift acts on the true readings, which may lie a residual further apart
    u = residual + drift_ns(abs(raw) + residual, max(first.drift_ppm, second.drift_ppm))
    own = Interval(
        raw - u - second.delay_hi_ns + first.delay_lo_ns,
        raw + u - second.delay_lo_ns + first.delay_hi_ns,
    )
    if own.overlaps(apart):
        return Interval(max(own.lo, apart.lo), min(own.hi, apart.hi))
    return Interval(min(own.lo, apart.lo), max(own.hi, apart.hi))
