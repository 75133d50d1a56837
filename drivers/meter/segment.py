"""One Modbus segment: the only file that knows pymodbus.

RTU has no transaction number, so an answer that comes late looks like the answer to the next
request. Therefore: one request at a time, never cancelled; no repeat by the library; each answer is
checked down to its length on the wire; and after a timeout the segment stays quiet until the answer
that was missed cannot come any more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import ConfigError, DeviceError, DeviceLost
from ..ports import is_address
from ..serial_line import close_serial, open_serial

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

__all__ = ["NotAnswered", "Reading", "Segment"]

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    6: "device busy",
    10: "gateway path unavailable",
    11: "no answer behind the gateway",
}


class Reading(NamedTuple):
    """Registers, with the instants before the request was written and after the answer was read."""

    registers: tuple[int, ...]
    request_ns: int
    response_ns: int
    raw: str


class NotAnswered(DeviceError):
    """No answer, or not the one that was asked for; the segment has been quiet since."""


class Segment:
    """A serial line, or a connection to a gateway, with any number of units on it.

    `port`: a device path (Modbus RTU), `socket://host:port` (RTU frames over TCP), or
    `tcp://host:port` (Modbus TCP). `timeout_s` must be longer than a unit's worst answer.
    """

    def __init__(
        self,
        device: str,
        port: str,
        *,
        baud: int,
        parity: str,
        timeout_s: float,
        on_lost: Callable[[], None],
        state_dir: Path | None = None,
    ) -> None:
        self._device = device
        self._port = port
        self._baud = baud
        self._parity = parity
        self._timeout_s = timeout_s
        self._on_lost = on_lost
        self._state_dir = state_dir
        self._client: AsyncModbusSerialClient | AsyncModbusTcpClient | None = None
        self._lock = asyncio.Lock()
        self._calls: set[asyncio.Task[Reading]] = set()
        self._received = bytearray()
        self._request_ns = 0
        self._response_ns = 0
        self._sent = b""
        self._closing = False

    async def connect(self) -> None:
        """Open the wire.

        Raises:
            DeviceError: missing, in use, forbidden, or nobody listens there.
        """
        # pymodbus prints its frame history through the root logger's last resort when nobody listens
        library = logging.getLogger("pymodbus")
        if not library.handlers:
            library.addHandler(logging.NullHandler())
        self._drop()
        self._closing = False
        self._client = self._make()
        if await self._client.connect():
            await asyncio.sleep(0)
            return
        self._drop()
        if not is_address(self._port):
            # the library only says that it failed: open the port once more to learn why
            probe = await asyncio.to_thread(
                open_serial, self._device, self._port, self._baud, parity=self._parity, state_dir=self._state_dir
            )
            close_serial(probe)
        raise DeviceError(
            "nothing answers at this address. Is the meter's gateway on, and is the address right?",
            device=self._device,
            port=self._port,
        )

    def _make(self) -> AsyncModbusSerialClient | AsyncModbusTcpClient:
        from pymodbus import FramerType
        from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

        if not is_address(self._port):
            return AsyncModbusSerialClient(
                self._port,
                baudrate=self._baud,
                parity=self._parity,
                reconnect_delay=0,
                timeout=self._timeout_s,
                retries=0,
                trace_packet=self._trace,
                trace_connect=self._connected,
            )
        scheme, _, rest = self._port.partition("://")
        host, colon, number = rest.rpartition(":")
        if scheme not in ("tcp", "socket") or not colon or not number.isdigit():
            raise ConfigError(
                f"{self._device}: {self._port!r} is no port of a meter; write a device path, tcp://host:port "
                "(Modbus TCP) or socket://host:port (RTU over TCP)"
            )
        return AsyncModbusTcpClient(
            host,
            port=int(number),
            framer=FramerType.SOCKET if scheme == "tcp" else FramerType.RTU,
            reconnect_delay=0,
            timeout=self._timeout_s,
            retries=0,
            trace_packet=self._trace,
            trace_connect=self._connected,
        )

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.connected

    async def read(self, unit: int, function: int, address: int, count: int) -> Reading:
        """Read `count` registers of `unit` with function 3 or 4.

        Raises:
            NotAnswered: silence, a damaged answer, or the answer to something else. The segment has been
                quiet for as long as a late answer could take.
            DeviceLost: the wire is gone.
            DeviceError: the unit refused with a Modbus exception.
        """
        call = asyncio.create_task(
            self._read(unit, function, address, count), name=f"{self._device} request {address:#x}"
        )
        self._calls.add(call)
        call.add_done_callback(self._forget)
        # whoever waits may be cancelled; the request may not, or its answer would become the next one's
        return await asyncio.shield(call)

    def _forget(self, call: asyncio.Task[Reading]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()

    async def _read(self, unit: int, function: int, address: int, count: int) -> Reading:
        from pymodbus.exceptions import ModbusException

        async with self._lock:
            client = self._client
            if client is None or not client.connected:
                raise self._lost()
            self._received.clear()
            self._sent = b""
            self._request_ns = self._response_ns = time.monotonic_ns()
            ask = client.read_input_registers if function == 4 else client.read_holding_registers
            try:
                answer = await ask(address, count=count, device_id=unit)
            except ModbusException as error:
                if not client.connected:
                    raise self._lost() from error
                silent = not self._received
                await self._quiet()
                what = "no answer" if silent else "no sound answer"
                raise self._not_answered(f"{what} within {self._timeout_s:g} s.") from error
            if answer.isError():
                code = answer.exception_code
                raise DeviceError(
                    f"unit {unit} refused with Modbus exception {code} ({EXCEPTIONS.get(code, 'unknown')}). "
                    "Is this the right register map for it?",
                    device=self._device,
                    port=self._port,
                    sent=self._sent.hex(" "),
                    received=self._received.hex(" "),
                )
            if answer.function_code != function or answer.dev_id != unit or len(answer.registers) != count:
                refused = self._not_answered(
                    f"an answer to another request came: function {answer.function_code}, "
                    f"{len(answer.registers)} registers instead of {count}."
                )
                await self._quiet()
                raise refused
            return Reading(tuple(answer.registers), self._request_ns, self._response_ns, self._received.hex(" "))

    async def _quiet(self) -> None:
        """Wait until nothing came for one timeout, at most three: a late answer is then behind us."""
        deadline_ns = time.monotonic_ns() + int(3e9 * self._timeout_s)
        while True:
            heard_ns = self._response_ns
            await asyncio.sleep(self._timeout_s)
            if self._response_ns == heard_ns or time.monotonic_ns() > deadline_ns:
                return

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if sending:
            self._request_ns = time.monotonic_ns()
            self._sent = data
        else:
            self._response_ns = time.monotonic_ns()
            # the library passes what it has gathered so far, not only what is new
            self._received[:] = data
        return data

    def _connected(self, there: bool) -> None:
        if not there and not self._closing:
            self._on_lost()

    def _lost(self) -> DeviceLost:
        return DeviceLost("the port is gone.", device=self._device, port=self._port)

    def _not_answered(self, message: str) -> NotAnswered:
        received = bytes(self._received[:64])
        return NotAnswered(
            message,
            device=self._device,
            port=self._port,
            sent=self._sent.hex(" "),
            received=received.hex(" ") if received else None,
        )

    def _drop(self) -> None:
        self._closing = True
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close()
            except (OSError, ValueError, AttributeError):
                pass  # it is gone already; the library stumbles over its own closed port

    async def close(self) -> None:
        """Close the wire; a request in flight ends first, in one timeout at most."""
        self._drop()
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
