"""The clock of an emulated microcontroller: 32 bits of microseconds, its own zero, its own rate."""

from __future__ import annotations

from random import Random

__all__ = ["DeviceClock"]

WRAP_US = 1 << 32


class DeviceClock:
    """Reads microseconds for an instant of the host's monotonic clock.

    The zero is drawn from `rng`; every fourth device starts 2..30 s before the counter wraps. The rate is
    off by at most 5 ppm.
    """

    def __init__(self, rng: Random, now_ns: int) -> None:
        self._zero_ns = now_ns
        if rng.random() < 0.25:
            self._offset_us = WRAP_US - rng.randrange(2_000_000, 30_000_000)
        else:
            self._offset_us = rng.randrange(WRAP_US)
        self._drift_ppb = self._crystal_ppb = rng.randrange(-5000, 5001)

    def restart(self, now_ns: int) -> None:
        """A reset: the counter begins at 0."""
        self._zero_ns = now_ns
        self._offset_us = 0

    def drift(self, ppm: float, now_ns: int) -> None:
        """A defect: from now on it runs `ppm` faster than its crystal would let it; 0 = mended. It does not jump."""
        self._offset_us, self._zero_ns = self.read_us(now_ns), now_ns
        self._drift_ppb = self._crystal_ppb + round(ppm * 1000.0)

    def step(self, jump_us: int) -> None:
        """A defect: the counter jumps by so many microseconds."""
        self._offset_us = (self._offset_us + jump_us) % WRAP_US

    def read_us(self, t_ns: int) -> int:
        """The counter at `t_ns`."""
        elapsed_ns = t_ns - self._zero_ns
        elapsed_ns += elapsed_ns * self._drift_ppb // 1_000_000_000
        return (self._offset_us + elapsed_ns // 1000) % WRAP_US
