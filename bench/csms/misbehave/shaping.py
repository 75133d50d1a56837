"""A slow, distant or silent connection: bytes are passed on in order, later than they came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["Lane", "Shaper"]

SLICE_S = 0.02
"""What a slow line passes on at once: the bytes of this time, at least one."""

PassOn = Callable[[bytes, int], None]
"""Called with the bytes and the earliest instant (ns) at which they may have come."""


class Lane:
    """One direction.

    `rate` in bytes per second; `delay` gives the seconds that the next piece takes; `frozen`: nothing passes.
    """

    def __init__(self, pass_on: PassOn) -> None:
        self.rate: float | None = None
        self.delay: Callable[[], float] | None = None
        self.frozen = False
        self._pass_on = pass_on
        self._queue: deque[tuple[bytes, int, float]] = deque()
        self._free_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def held_bytes(self) -> int:
        """Bytes that came and were not passed on yet."""
        return sum(len(data) for data, _, _ in self._queue)

    @property
    def idle(self) -> bool:
        """Nothing is held back, and nothing will be."""
        return not self._queue and self.rate is None and self.delay is None and not self.frozen

    def push(self, data: bytes, lo_ns: int) -> None:
        """Bytes came, no earlier than `lo_ns`; none at all stand for the end of the stream."""
        ready_s = self._loop.time() + (self.delay() if self.delay is not None else 0.0)
        if self._queue:
            ready_s = max(ready_s, self._queue[-1][2])
        self._queue.append((data, lo_ns, ready_s))
        self._pump()

    def flush(self) -> None:
        """Pass on everything that is held, now."""
        while self._queue:
            data, lo_ns, _ = self._queue.popleft()
            self._pass_on(data, lo_ns)
        self._free_s = 0.0

    def resume(self) -> None:
        """Go on after what held it back has changed."""
        self._pump()

    def drop(self) -> None:
        """Forget what is held; nothing is passed on any more."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pump(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and not self.frozen:
            data, lo_ns, ready_s = self._queue[0]
            due_s, size = ready_s, len(data)
            if self.rate is not None:
                size = min(size, max(1, int(self.rate * SLICE_S)))
                due_s = max(ready_s, self._free_s) + size / self.rate
            if due_s > self._loop.time():
                self._timer = self._loop.call_at(due_s, self._pump)
                return
            self._free_s = due_s
            self._queue.popleft()
            if size < len(data):
                self._queue.appendleft((data[size:], lo_ns, ready_s))
            self._pass_on(data[:size], lo_ns)


class Shaper:
    """Both directions of one connection. `inward` ends at the bench, `outward` at the station."""

    def __init__(self, inward: PassOn, outward: PassOn) -> None:
        self.inward = Lane(inward)
        self.outward = Lane(outward)

    @property
    def idle(self) -> bool:
        """It changes nothing any more."""
        return self.inward.idle and self.outward.idle

    def freeze(self) -> None:
        """Let nothing pass."""
        self.inward.frozen = self.outward.frozen = True

    def thaw(self) -> None:
        """Let pass again; what was held goes on at once, unless the line is slow."""
        self.inward.frozen = self.outward.frozen = False
        self._go_on()

    def bandwidth(self, bytes_per_s: float | None) -> None:
        """So many bytes a second, each way; None: as many as come."""
        self.inward.rate = self.outward.rate = bytes_per_s
        if bytes_per_s is None:
            self._go_on()

    def latency(self, inward: Callable[[], float] | None, outward: Callable[[], float] | None) -> None:
        """What each way takes, in seconds a piece; None: no time."""
        self.inward.delay, self.outward.delay = inward, outward
        if inward is None:
            self._go_on()

    def drop(self) -> None:
        """The connection is gone."""
        self.inward.drop()
        self.outward.drop()

    def _go_on(self) -> None:
        for lane in (self.outward, self.inward):
            if not lane.frozen and lane.rate is None and lane.delay is None:
                lane.flush()
            else:
                lane.resume()
