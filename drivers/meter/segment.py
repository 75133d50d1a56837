"""One Modbus segment: several units on one wire, and one arbiter that asks them in turn.

RTU has no transaction number, so an answer that comes late looks like the answer to the next request to the same unit.
Therefore: one request at a time, never cancelled; no repeat by the library; each answer is checked down to its length
on the wire; and a unit that did not answer is left alone until the answer that was missed cannot come any more. The
other units go on meanwhile: a late answer carries the number of its unit, and two that collide fail their checksum.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from ...errors import DeviceError
from .frames import Ask
from .wire import Link, Reading, Refused, Silence, Wire

__all__ = ["NotAnswered", "Reading", "Segment", "UnitRefused"]

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    6: "device busy",
    10: "gateway path unavailable",
    11: "no answer behind the gateway",
}


class NotAnswered(DeviceError):
    """No answer, or not the one that was asked for."""


class UnitRefused(DeviceError):
    """The unit answered with a Modbus exception: it is there, but has no such registers, or is busy."""


class Segment:
    """A serial line, or a connection to a gateway, with any number of units on it.

    `port`: a device path, `socket://host:port` or `rtu+tcp://host:port` (Modbus RTU), or `tcp://host:port` (Modbus
    TCP). All coroutines run on one loop.
    """

    def __init__(self, device: str, port: str, link: Link | None = None, *, state_dir: Path | None = None) -> None:
        self._device = device
        self._port = port
        self._wire = Wire(device, port, link or Link(), on_lost=self._lost, state_dir=state_dir)
        self.users: dict[int, tuple[str, Callable[[], None]]] = {}
        """Unit -> who polls it, and what is called when the wire is gone."""
        self._turn = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._doubt: dict[int, int] = {}
        self._calls: set[asyncio.Task[Reading]] = set()

    @property
    def link(self) -> Link:
        return self._wire.link

    @property
    def framing(self) -> str:
        """rtu or tcp."""
        return self._wire.framing

    @property
    def connected(self) -> bool:
        return self._wire.connected

    async def connect(self) -> None:
        """Open the wire, unless somebody else on it did.

        Raises:
            DeviceError: missing, in use, forbidden, or nobody listens there.
        """
        async with self._opening:
            if not self._wire.connected:
                self._doubt.clear()
                await self._wire.connect()

    async def read(self, unit: int, function: int, address: int, count: int, timeout_s: float) -> Reading:
        """Read `count` registers of `unit` with function 3 or 4.

        `timeout_s` must be longer than the unit's slowest answer. When it passes, the unit is not asked again before
        a late answer is behind us: the next `read` of it waits for that.

        Raises:
            NotAnswered: silence, a damaged answer, or the answer to something else.
            DeviceLost: the wire is gone.
            UnitRefused: the unit answered with a Modbus exception.
        """
        return await self.request(Ask(unit, function, address, count), timeout_s)

    async def request(self, ask: Ask, timeout_s: float) -> Reading:
        """One request of any function that `Ask` has; raises like `read`."""
        call = asyncio.create_task(self._read(ask, timeout_s), name=f"{self._device} request {ask.address:#x}")
        self._calls.add(call)
        call.add_done_callback(self._forget)
        # whoever waits may be cancelled; the request may not, or its answer would become the next one's
        await asyncio.wait((call,))
        if call.cancelled():  # by the library or by `close`, when the other end hung up: nobody cancelled who waits
            raise self._wire.lost()
        return call.result()

    def _forget(self, call: asyncio.Task[Reading]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()

    async def _read(self, ask: Ask, timeout_s: float) -> Reading:
        while True:
            await self._settle(ask.unit, timeout_s)
            async with self._turn:
                if self._wire.connected and ask.unit in self._doubt:
                    continue  # it failed somebody else while this one waited for its turn
                return await self._exchange(ask, timeout_s)

    async def _settle(self, unit: int, timeout_s: float) -> None:
        """Wait until nothing unexpected came for one timeout since the unit failed; three timeouts at most."""
        failed_ns = self._doubt.get(unit)
        if failed_ns is None:
            return
        timeout_ns = int(timeout_s * 1e9)
        while self._wire.connected:
            quiet_ns = min(max(failed_ns, self._wire.stray_ns) + timeout_ns, failed_ns + 3 * timeout_ns)
            now_ns = time.monotonic_ns()
            if now_ns >= quiet_ns:
                break
            await asyncio.sleep((quiet_ns - now_ns) / 1e9)
        if self._doubt.get(unit) == failed_ns:
            del self._doubt[unit]

    async def _exchange(self, ask: Ask, timeout_s: float) -> Reading:
        try:
            return await self._wire.ask(ask, timeout_s)
        except Silence as error:
            if self._wire.framing == "rtu":  # on TCP each answer carries the number of its request
                self._doubt[ask.unit] = time.monotonic_ns()
            what = "no sound answer" if error.received else "no answer"
            raise NotAnswered(
                f"unit {ask.unit}: {what} within {timeout_s:g} s.",
                device=self._device,
                port=self._port,
                sent=error.sent.hex(" "),
                received=error.received[:64].hex(" ") or None,
            ) from error
        except Refused as error:
            raise UnitRefused(
                f"unit {ask.unit} refused with Modbus exception {error.code} "
                f"({EXCEPTIONS.get(error.code, 'unknown')}). Is this the right register map for it?",
                device=self._device,
                port=self._port,
                sent=error.sent.hex(" "),
                received=error.received.hex(" "),
            ) from error

    def _lost(self) -> None:
        for _, on_lost in tuple(self.users.values()):
            on_lost()

    def close(self) -> None:
        """Close the wire; raises nothing."""
        self._wire.close()
        for call in tuple(self._calls):
            call.cancel()

    async def closed(self) -> None:
        """Wait until no request is under way on a wire that was closed."""
        if not self._wire.connected:
            await asyncio.gather(*self._calls, return_exceptions=True)
