"""One Modbus wire: the only file that knows pymodbus.

The library opens the port, writes requests and reads bytes. Which of those bytes are the answer is decided here
(`frames`), because the library looks at the unit only: it would take the late answer to one request for the answer to
the next. It repeats nothing, reconnects nothing, and closes nothing because a unit is silent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import termios
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ...errors import ConfigError, DeviceError, DeviceLost
from ..ports import is_address
from ..serial_line import close_serial, open_serial
from .frames import Ask, find_answer

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

__all__ = ["Link", "Reading", "Refused", "Silence", "Wire", "scheme_of"]

SCHEMES = {"tcp": "tcp", "socket": "rtu", "rtu+tcp": "rtu"}
"""Scheme of an address -> framing. A path is RTU."""

NEVER = 1 << 40

PSEUDO = "/dev/pts/"


class Link(msgspec.Struct, frozen=True):
    """How bytes travel on a serial line; 8 data bits. Nothing of it counts on Modbus TCP."""

    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1

    def __str__(self) -> str:
        return f"{self.baud} baud, 8{self.parity}{self.stop_bits}"

    def seconds(self, count: int) -> float:
        """How long `count` bytes take."""
        bits = 9 + self.stop_bits + (self.parity != "N")
        return count * bits / self.baud


class Reading(NamedTuple):
    """Registers or coils, with the instants before the request was written and after the answer was read."""

    registers: tuple[int, ...]
    request_ns: int
    response_ns: int
    raw: str


class Silence(Exception):
    """No answer in time; `received` is what came instead."""

    def __init__(self, sent: bytes, received: bytes) -> None:
        super().__init__(received)
        self.sent = sent
        self.received = received


class Refused(Exception):
    """The unit answered with a Modbus exception."""

    def __init__(self, code: int, sent: bytes, received: bytes) -> None:
        super().__init__(code)
        self.code = code
        self.sent = sent
        self.received = received


def scheme_of(device: str, port: str) -> str:
    """The framing on a port: "rtu" or "tcp".

    Raises:
        ConfigError: it is no port of a meter.
    """
    if not is_address(port):
        return "rtu"
    scheme, _, rest = port.partition("://")
    host, _, number = rest.rpartition(":")
    if scheme == "rfc2217":
        raise ConfigError(
            f"{device}: meters are not read over rfc2217://. Let the serial server hand out the bare port, set to the "
            f"meter's speed, and write socket://{rest}"
        )
    if scheme not in SCHEMES or not host or not number.isdigit():
        raise ConfigError(
            f"{device}: {port!r} is no port of a meter; write a device path, tcp://host:port (Modbus TCP), "
            "rtu+tcp://host:port or socket://host:port (RTU frames over TCP)"
        )
    return SCHEMES[scheme]


class Wire:
    """A serial line, or a connection to a gateway. One request at a time; who asks sees to that (`Segment`)."""

    def __init__(
        self, device: str, port: str, link: Link, *, on_lost: Callable[[], None], state_dir: Path | None = None
    ) -> None:
        self._device = device
        self._port = port
        self.link = link
        self.framing = scheme_of(device, port)
        self._on_lost = on_lost
        self._state_dir = state_dir
        self._client: AsyncModbusSerialClient | AsyncModbusTcpClient | None = None
        self._ask: Ask | None = None
        self._received = self._sent = b""
        self._request_ns = self._response_ns = 0
        self.stray_ns = 0
        """When bytes last came that were no part of an expected answer."""

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.connected

    async def connect(self) -> None:
        """Open the wire.

        Raises:
            DeviceError: missing, in use, forbidden, or nobody listens there.
        """
        # pymodbus prints its frame history through the root logger's last resort when nobody listens
        library = logging.getLogger("pymodbus")
        if not library.handlers:
            library.addHandler(logging.NullHandler())
        self.close()
        client = self._make()
        client.set_max_no_responses(NEVER)
        self._client = client
        try:
            there = await client.connect()
        except (OSError, ValueError, termios.error):
            there = False  # settings that this port cannot have, for one
        if there:
            await asyncio.sleep(0)
            return
        self.close()
        if not is_address(self._port):
            # the library only says that it failed: open the port once more to learn why
            probe = await asyncio.to_thread(
                open_serial,
                self._device,
                self._port,
                self.link.baud,
                parity=self.link.parity,
                state_dir=self._state_dir,
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

        common: dict[str, Any] = {
            "reconnect_delay": 0,
            "retries": 0,
            "trace_packet": self._trace,
            "trace_connect": self._connected,
        }
        _, _, rest = self._port.partition("://")
        if not rest:
            link = self.link
            # a pseudo terminal carries bytes without parity, and refuses to be asked for one
            parity = "N" if os.path.realpath(self._port).startswith(PSEUDO) else link.parity
            return AsyncModbusSerialClient(
                self._port, baudrate=link.baud, parity=parity, stopbits=link.stop_bits, **common
            )
        host, _, number = rest.rpartition(":")
        framer = FramerType.SOCKET if self.framing == "tcp" else FramerType.RTU
        return AsyncModbusTcpClient(host.strip("[]"), port=int(number), framer=framer, **common)

    async def ask(self, ask: Ask, timeout_s: float) -> Reading:
        """Send one request and wait for its answer; must not be cancelled.

        Raises:
            Silence: nothing came in time, or nothing that answers this request.
            Refused: the unit answered with an exception.
            DeviceLost: the wire is gone.
        """
        from pymodbus.exceptions import ModbusException

        client = self._client
        if client is None or not client.connected:
            raise self.lost()
        self._received = self._sent = b""
        self._ask = ask
        self._request_ns = self._response_ns = time.monotonic_ns()
        client.ctx.comm_params.timeout_connect = timeout_s
        try:
            answer = await _call(client, ask)
        except ModbusException as error:
            if not client.connected:
                raise self.lost() from error
            if self._received:
                self.stray_ns = self._response_ns
            raise Silence(self._sent, self._received) from error
        finally:
            self._ask = None
        if answer.isError():
            raise Refused(int(answer.exception_code), self._sent, self._received)
        values = tuple(map(int, answer.bits[: ask.registers])) if ask.function in (1, 2) else tuple(answer.registers)
        return Reading(values, self._request_ns, self._response_ns, self._received.hex(" "))

    def _trace(self, sending: bool, data: bytes) -> bytes:
        """What the library is about to send, or has gathered; returns what it may look at."""
        now_ns = time.monotonic_ns()
        ask = self._ask
        if sending:
            self._request_ns, self._sent = now_ns, data
            if ask is not None and self.framing == "tcp":
                self._ask = ask._replace(transaction=int.from_bytes(data[:2], "big"))
            return data
        if ask is None:
            self.stray_ns = now_ns
            return b""
        self._response_ns, self._received = now_ns, data
        frame = find_answer(data, ask)
        if frame is None:
            return b""
        self._ask = None
        if len(frame) != len(data):
            self.stray_ns = now_ns
        return frame

    def _connected(self, there: bool) -> None:
        if not there and self._client is not None:
            self._on_lost()

    def lost(self) -> DeviceLost:
        return DeviceLost("the port is gone.", device=self._device, port=self._port)

    def close(self) -> None:
        """Close the wire; raises nothing. A request in flight ends with its time."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close()
            except (OSError, ValueError, AttributeError):
                pass  # it is gone already; the library stumbles over its own closed port


def _call(client: AsyncModbusSerialClient | AsyncModbusTcpClient, ask: Ask) -> Awaitable[Any]:
    match ask.function:
        case 1:
            return client.read_coils(ask.address, count=ask.registers, device_id=ask.unit)
        case 2:
            return client.read_discrete_inputs(ask.address, count=ask.registers, device_id=ask.unit)
        case 4:
            return client.read_input_registers(ask.address, count=ask.registers, device_id=ask.unit)
        case 5:
            return client.write_coil(ask.address, ask.on, device_id=ask.unit)
        case 15:
            return client.write_coils(ask.address, [ask.on], device_id=ask.unit)
        case _:
            return client.read_holding_registers(ask.address, count=ask.registers, device_id=ask.unit)
