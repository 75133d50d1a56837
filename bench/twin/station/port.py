"""Client of the DUT port (docs/dut-port.md): one TCP connection with a JSON object per line."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

__all__ = ["PING_MS", "VERSIONS", "DutPort", "PortEvents", "PortFile", "StationError", "wait_for_port_file"]

PING_MS = 20
"""Interval of our pings; told in `hello` so that the model can tell a stall from a station that does not ping."""
VERSIONS = ("1.6", "2.0.1", "2.1")
_POLL_S = 0.015
Message = dict[str, Any]


class StationError(Exception):
    """The simulated station cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class PortFile:
    """The content of `dut-port.json`; `ca`, `cert` and `key` (PEM files) are for a back end behind TLS."""

    host: str
    port: int
    station: str
    csms_url: str
    password: str | None
    ocpp: str = "1.6"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    evses: int = 1


class PortEvents(Protocol):
    """Who listens to the port."""

    def on_state(self, message: Message) -> None: ...
    def on_token(self, message: Message) -> None: ...
    def on_mains(self, on: bool) -> None: ...


async def wait_for_port_file(path: Path, timeout_s: float) -> PortFile:
    """Wait until the model has written its port file, and read it.

    Raises:
        StationError: it did not appear within `timeout_s` seconds, or is not what it should be.
    """
    deadline = time.monotonic() + timeout_s
    while (file := _read_port_file(path)) is None:
        if time.monotonic() > deadline:
            raise StationError(f"{path} did not appear within {timeout_s:g} s; start the model that writes it")
        await asyncio.sleep(_POLL_S)
    return file


def _read_port_file(path: Path) -> PortFile | None:
    try:
        data = cast("Message", json.loads(path.read_text("utf-8")))
        if data["ocpp"] not in VERSIONS:
            raise StationError(f"{path} asks for OCPP {data['ocpp']}; this station speaks {', '.join(VERSIONS)}")
        files = {name: Path(str(data[name])) if data.get(name) else None for name in ("ca", "cert", "key")}
        return PortFile(
            str(data["host"]),
            int(data["port"]),
            str(data["station"]),
            str(data["csms_url"]),
            data["password"],
            str(data["ocpp"]),
            **files,
            evses=int(data.get("evses") or 1),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StationError(f"{path} is not a DUT port file: {error!r}") from error


class DutPort(asyncio.Protocol):
    """The connection. `closed` is done when the model has closed it (result None) or refused us (StationError)."""

    def __init__(self, station: str) -> None:
        loop = asyncio.get_running_loop()
        self._station = station
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._events: PortEvents | None = None
        self._early: list[Message] = []
        self._ping_id = 0
        self._ping_at = 0.0
        self._ping: asyncio.TimerHandle | None = None
        self._loop = loop
        self.welcome: asyncio.Future[Message] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    @classmethod
    async def connect(cls, file: PortFile) -> DutPort:
        """Connect, say hello and wait for the welcome.

        Raises:
            StationError: nobody listens, the model refuses us, or does not answer within 5 s.
        """
        where = f"the DUT port {file.host}:{file.port}"
        try:
            _, port = await asyncio.get_running_loop().create_connection(
                lambda: cls(file.station), file.host, file.port
            )
        except OSError as error:
            raise StationError(f"cannot connect to {where}: {error}; is the model running?") from error
        port._send({"type": "hello", "protocol": 1, "station": file.station, "evses": file.evses, "ping_ms": PING_MS})
        done, _ = await asyncio.wait({port.welcome, port.closed}, timeout=5.0, return_when="FIRST_COMPLETED")
        if not done:
            raise StationError(f"{where} did not answer hello within 5 s")
        if not port.welcome.done():
            port.closed.result()
            raise StationError(f"{where} was closed by the model before it said welcome")
        port._ping_at = port._loop.time()
        port._send_ping()
        return port

    def listen(self, events: PortEvents) -> None:
        """Hand all messages to `events` from now on, those that came since the welcome first."""
        self._events = events
        early, self._early = self._early, []
        for message in early:
            self._deliver(message)

    def drive(self, evse: int, **keys: float | bool) -> None:
        """Send a `set` for an outlet: `pwm_pct`, `contactor`, `lock`."""
        self._send({"type": "set", "evse": evse, **keys})

    def close(self) -> None:
        """Close the connection from our side."""
        if self._ping is not None:
            self._ping.cancel()
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        messages = [cast("Message", json.loads(line)) for line in lines if line.strip()]
        for message in _newest_states(messages):
            self._deliver(message)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ping is not None:
            self._ping.cancel()
        if not self.closed.done():
            self.closed.set_result(None)

    # inside

    def _deliver(self, message: Message) -> None:
        kind = message.get("type")
        if kind == "welcome" and not self.welcome.done():
            self.welcome.set_result(message)
        elif kind == "error":
            self._on_error(message)
        elif kind == "pong":
            return
        elif self._events is None:
            self._early.append(message)
        elif kind == "state":
            self._events.on_state(message)
        elif kind == "token":
            self._events.on_token(message)
        elif kind == "mains":
            self._events.on_mains(bool(message["on"]))

    def _on_error(self, message: Message) -> None:
        text = f"the model refused a line: {message.get('code')}: {message.get('message')}"
        if message.get("code") in ("bad-protocol", "unknown-station", "busy") and not self.closed.done():
            self.closed.set_exception(StationError(text))
        else:
            import sys

            print(text, file=sys.stderr, flush=True)

    def _send(self, message: Message) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _send_ping(self) -> None:
        self._ping_id += 1
        self._send({"type": "ping", "id": self._ping_id})
        self._ping_at = max(self._ping_at + PING_MS / 1000, self._loop.time())
        self._ping = self._loop.call_at(self._ping_at, self._send_ping)


def _newest_states(messages: list[Message]) -> list[Message]:
    """Of an outlet's states that wait behind each other only the newest counts."""
    kept: list[Message] = []
    seen: set[int] = set()
    for message in reversed(messages):
        if message.get("type") != "state":
            seen.clear()
        elif message["evse"] in seen:
            continue
        else:
            seen.add(message["evse"])
        kept.append(message)
    return kept[::-1]
