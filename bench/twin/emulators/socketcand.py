"""A socketcand server with one interface: `< hi >`, `< open >`, `< rawmode >`, then frames both ways."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

__all__ = ["SocketcandServer"]

MAX_LINE = 256
MAX_WAITING = 64 * 1024
_SEND = re.compile(r"send ([0-9A-Fa-f]{1,3}) ([0-8])((?: [0-9A-Fa-f]{1,2})*)\Z")
BUS_OFF = 0x040
RESTARTED = 0x100


class SocketcandServer:
    """Serves any number of clients on a loopback port.

    Args:
        on_frame: called with identifier and data of each standard frame a client sends.
    """

    def __init__(self, on_frame: Callable[[int, bytes], None], interface: str) -> None:
        self.interface = interface
        self._on_frame = on_frame
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self._all: set[_Client] = set()
        self.out = False
        self._off = False

    async def start(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Client(self), "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def send(self, identifier: int, data: bytes, now_ns: int) -> None:
        """A standard frame arrived from the bus at `now_ns`, which is the server's clock."""
        if not self._off:
            stamp = f"{now_ns // 10**9}.{now_ns // 1000 % 10**6:06d}"
            self._tell(f"< frame {identifier:03X} {stamp} {data.hex().upper()} >")

    def set_bus_off(self, off: bool, now_s: float) -> None:
        """The controller leaves the bus, or was restarted; told as an error frame."""
        if off != self._off:
            self._off = off
            self._tell(f"< error {BUS_OFF if off else RESTARTED:03X} {now_s:.6f} >")

    def _tell(self, text: str) -> None:
        for client in self._clients:
            client.tell(text)

    def pull(self, out: bool) -> None:
        """The network cable: connections break, and new ones come to nothing."""
        self.out = out
        for client in list(self._all) if out else ():
            client.hang_up()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for client in list(self._all):
            client.hang_up()

    # ---- for its clients

    def came(self, client: _Client) -> None:
        self._all.add(client)
        if self.out:
            client.hang_up()

    def joined(self, client: _Client) -> None:
        self._clients.add(client)

    def left(self, client: _Client) -> None:
        self._all.discard(client)
        self._clients.discard(client)

    def sent(self, identifier: int, data: bytes) -> None:
        if not self._off:
            self._on_frame(identifier, data)


class _Client(asyncio.Protocol):
    def __init__(self, server: SocketcandServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._rest = ""
        self._state = "greeted"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.came(self)
        self._say("< hi >")

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.left(self)

    def data_received(self, data: bytes) -> None:
        *elements, self._rest = (self._rest + data.decode("latin-1")).split(">")
        self._rest = self._rest[-MAX_LINE:]
        for element in elements:
            self._take(element.strip("< \r\n"))

    def _take(self, element: str) -> None:
        if element == "echo":
            self._say("< echo >")
        elif self._state == "greeted" and element.startswith("open "):
            if element[5:].strip() != self._server.interface:
                self._say("< error could not open bus >")
                return
            self._state = "open"
            self._say("< ok >")
        elif self._state == "open" and element == "rawmode":
            self._state = "raw"
            self._say("< ok >")
            self._server.joined(self)
        elif self._state == "raw" and (sent := _SEND.match(element)) is not None:
            data = bytes(int(byte, 16) for byte in sent[3].split())
            if len(data) == int(sent[2]):
                self._server.sent(int(sent[1], 16), data)
        else:
            self._say("< error unknown command >")

    def tell(self, text: str) -> None:
        transport = self._transport
        # a client that does not read loses frames, as behind a full queue
        if transport is not None and transport.get_write_buffer_size() < MAX_WAITING:
            self._say(text)

    def _say(self, text: str) -> None:
        if self._transport is not None:
            self._transport.write(text.encode("ascii"))

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()
