"""What can be wrong with a device's wire: out, noise, garbage, lost bytes, and a line that is slow. Both ways, seeded.

What happens to a byte depends on the bytes before it and not on how they are cut into pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, Literal

__all__ = ["WIRE_FAULTS", "Way", "WireFaults"]

Way = Literal["to-bench", "to-device"]
WIRE_FAULTS = ("serial-noise", "serial-garbage", "serial-lost", "serial-slow")
UNPLUGGED = "unplugged"
TICK_S = 0.005
MAX_WAITING = 64 * 1024
"""What a slow line holds back at most; what comes on top is lost."""


class WireFaults:
    """The faults of one wire. Whoever moves bytes over it calls `carry`, and the bytes arrive at `deliver`.

    Args:
        seed: of what happens to which byte.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: str) -> None:
        self._ways = {way: _Way(loop, Random(f"{seed}/{way}")) for way in ("to-bench", "to-device")}
        self.attached = False
        """Whether anything moves its bytes over this wire."""
        self.pull: Callable[[bool], object] | None = None
        """Takes the cable out (True), or puts it in; None where it has none of its own."""

    def can(self, name: str) -> bool:
        """Whether this wire can have that fault."""
        return self.pull is not None if name == UNPLUGGED else self.attached and name in WIRE_FAULTS

    def set(self, name: str, *, on: bool, args: dict[str, Any]) -> bool:
        """Begin or end `unplugged` or a fault of `WIRE_FAULTS`; False when it cannot have it."""
        if not self.can(name):
            return False
        if name == UNPLUGGED and self.pull is not None:
            self.pull(on)
            return True
        for key, way in self._ways.items():
            if args["direction"] in ("both", key):
                way.set(name, float(args["bytes_per_s" if name == "serial-slow" else "share"]) if on else 0.0)
        return True

    def carry(self, way: Way, data: bytes, deliver: Callable[[bytes], object]) -> None:
        """Move `data`; a sound wire delivers at once."""
        self._ways[way].carry(data, deliver)

    def is_sound(self, way: Way) -> bool:
        """Nothing is wrong with it, and nothing waits on it."""
        return self._ways[way].sound


class _Way:
    def __init__(self, loop: asyncio.AbstractEventLoop, rng: Random) -> None:
        self._loop = loop
        self._rng = rng
        self._shares: dict[str, float] = dict.fromkeys(WIRE_FAULTS, 0.0)
        self._waiting = b""
        self._credit = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._deliver: Callable[[bytes], object] = len
        self.sound = True

    def set(self, name: str, amount: float) -> None:
        self._shares[name] = amount
        self._judge()

    def carry(self, data: bytes, deliver: Callable[[bytes], object]) -> None:
        if self.sound:
            deliver(data)
            return
        spoiled = self._spoiled(data)
        if self._shares["serial-slow"] <= 0.0 and not self._waiting:
            if spoiled:
                deliver(spoiled)
            return
        self._deliver = deliver
        self._waiting = (self._waiting + spoiled)[:MAX_WAITING]
        if self._timer is None:
            self._timer = self._loop.call_later(TICK_S, self._drip)

    def _spoiled(self, data: bytes) -> bytes:
        noise, garbage, lost = (self._shares[name] for name in WIRE_FAULTS[:3])
        if noise == garbage == lost == 0.0:
            return data
        rng, out = self._rng, bytearray()
        for byte in data:
            if rng.random() < noise:
                byte ^= 1 << rng.randrange(8)
            if rng.random() >= lost:
                out.append(byte)
            if rng.random() < garbage:
                out += rng.randbytes(rng.randrange(1, 9))
        return bytes(out)

    def _drip(self) -> None:
        """Let through what the line carries in one tick; everything, once it is fast again."""
        self._timer = None
        rate = self._shares["serial-slow"]
        self._credit = self._credit + rate * TICK_S if rate > 0.0 else float(len(self._waiting))
        count = min(int(self._credit), len(self._waiting))
        self._credit -= count
        through, self._waiting = self._waiting[:count], self._waiting[count:]
        if self._waiting:
            self._timer = self._loop.call_later(TICK_S, self._drip)
        else:
            self._credit = 0.0
        self._judge()
        if through:
            self._deliver(through)

    def _judge(self) -> None:
        self.sound = not self._waiting and not any(self._shares.values())
