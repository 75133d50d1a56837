"""A CAN bus of another host, over socketcand.

Why not python-can's own: it tries a refused connection for ten seconds without a pause, takes the end of the connection
for silence (and then spins), and fails when a frame follows `< ok >` in one packet. The lines are the same.
"""

from __future__ import annotations

import re
import select
import socket
import time

from ...errors import DeviceError
from .address import CanAddress
from .trouble import socketcan_error
from .wire import EXTENDED, WAKE_S, WRITE_TIMEOUT_S, Arrival, CanWire, Frame, id_text

__all__ = ["SocketcandWire", "send_text"]

CONNECT_S = 3.0
MAX_REST = 4096
_FRAME = re.compile(r"frame ([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8}) (\d+\.\d+) ((?:[0-9A-Fa-f]{2} ?)*)\Z")
_ERROR = re.compile(r"error ([0-9A-Fa-f]+) ")


def send_text(key: int, data: bytes) -> bytes:
    """The element that sends a frame: `< send 123 2 1 2 >`."""
    values = "".join(f"{byte:x} " for byte in data)
    return f"< send {id_text(key)} {len(data):X} {values}>".encode("ascii")


class SocketcandWire(CanWire):
    """A connection to socketcand in raw mode. The bit rate is what that host has set.

    The server's own stamps are of its wall clock and are not used: a frame is stamped when it is received here.

    Raises:
        DeviceError: no connection, no socketcand, or it does not serve that interface.
    """

    def __init__(self, device: str, address: CanAddress) -> None:
        super().__init__()
        self._device = device
        self._address = address
        self._rest = ""
        self._empty_ns = time.monotonic_ns()
        try:
            self._socket = socket.create_connection((address.host, address.tcp_port), CONNECT_S)
        except OSError as error:
            raise self._failed(
                f"no connection: {error.strerror or error}. Is socketcand running on {address.host}, and is "
                f"{address.tcp_port} its port?"
            ) from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._expect("", "hi")
            self._expect(f"< open {address.channel} >", "ok")
            self._expect("< rawmode >", "ok")
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(WRITE_TIMEOUT_S)
        self._wake_r, self._wake_w = socket.socketpair()
        self.identity = {"adapter": f"socketcand at {address.host}", "interface": address.channel}

    def _failed(self, text: str, *, sent: str | None = None, received: str | None = None) -> DeviceError:
        return DeviceError(text, device=self._device, port=self._address.port, sent=sent, received=received)

    def _expect(self, send: str, wanted: str) -> None:
        try:
            if send:
                self._socket.sendall(send.encode("ascii"))
            while ">" not in self._rest:
                data = self._socket.recv(4096)
                if not data:
                    raise self._failed("socketcand closed the connection.", sent=send or None, received=self._rest)
                self._rest += data.decode("latin-1")
        except TimeoutError as error:
            raise self._failed(
                "no answer: something listens there, but not socketcand.", received=self._rest
            ) from error
        except OSError as error:
            raise self._failed(f"the connection failed: {error}.", sent=send or None) from error
        answer, self._rest = self._rest.split(">", 1)
        answer = answer.strip("< \r\n")
        if answer != wanted:
            why = (
                f"socketcand does not open {self._address.channel}"
                if answer.startswith("error")
                else "something answers"
            )
            raise self._failed(
                f"{why}, but < {wanted} > was expected. Is that interface named in its configuration?",
                sent=send or None,
                received=f"< {answer} >",
            )

    def receive(self, timeout_s: float = WAKE_S) -> Arrival:
        begun_ns = time.monotonic_ns()
        ready, _, _ = select.select([self._socket, self._wake_r], [], [], timeout_s)
        data = None
        if self._socket in ready:
            begun_ns = time.monotonic_ns()
            data = self._socket.recv(65536)
        at_ns = time.monotonic_ns()
        arrival = Arrival(self._empty_ns, at_ns, [], [], [], [], bool(data))
        self._empty_ns = begun_ns
        if data == b"":
            raise ConnectionResetError("socketcand closed the connection")
        if data:
            self.seen = (self.seen + data)[-160:]
            self._cut(data.decode("latin-1"), arrival)
        elif self._rest:
            self._cut("", arrival)  # what came with the last answer of the greeting
        return arrival

    def _cut(self, text: str, arrival: Arrival) -> None:
        *elements, self._rest = (self._rest + text).split(">")
        if len(self._rest) > MAX_REST:
            arrival.damaged.append(f"{len(self._rest)} bytes without an end")
            self._rest = ""
        for element in elements:
            element = element.strip("< \r\n")
            frame = _FRAME.match(element)
            if frame is not None:
                self._take(frame[1], bytes.fromhex(frame[3]), arrival)
                continue
            error = _ERROR.match(element)
            if error is not None:
                # socketcand passes the class on, and not the data
                arrival.troubles.extend(socketcan_error(int(error[1], 16) & 0x1FFF_FFFF, b""))
            elif element != "ok":
                arrival.damaged.append(element)

    def _take(self, identifier: str, data: bytes, arrival: Arrival) -> None:
        key = int(identifier, 16) | (EXTENDED if len(identifier) > 3 else 0)
        if self.record:
            arrival.raw.append(f"{identifier}#{data.hex()}")
        if key in self.watch:
            arrival.frames.append(Frame(key, data, arrival.lo_ns, arrival.at_ns))

    def send(self, key: int, data: bytes) -> None:
        self._socket.sendall(send_text(key, data))

    def wake(self) -> None:
        self._wake_w.send(b"x")

    def close(self) -> None:
        for end in (self._socket, self._wake_r, self._wake_w):
            end.close()
