"""A serial port of another machine, over RFC 2217 (ser2net and serial servers), read like one of this machine.

Why not pyserial's own: it refuses a write timeout, has no file number to wait on, hands each byte through a queue of a
further thread, and so can be stamped by nobody at the moment in which a block arrives.
"""

from __future__ import annotations

import select
import socket
import threading
import time

from .telnet import SETTINGS, Telnet, address_of, escaped, set_up, settings_of

__all__ = ["Rfc2217Port"]

CONNECT_S = 3.0
AGREE_S = 3.0
WRITE_TIMEOUT_S = 0.2


class Rfc2217Port:
    """A port at `rfc2217://host:port`, set to `baud`, 8 data bits, `parity` and `stop_bits`; reads do not block.

    Raises:
        ValueError: the address is none.
        OSError: nobody listens, no RFC 2217 server does, or it does not set the port as asked.
    """

    def __init__(self, url: str, *, baud: int, parity: str = "N", stop_bits: float = 1) -> None:
        self._where = url.removeprefix("rfc2217://")
        self._telnet = Telnet()
        self._writing = threading.Lock()
        self._socket = socket.create_connection(address_of(url), CONNECT_S)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            try:
                self._agree(settings_of(baud, parity=parity, stop_bits=stop_bits))
            except (ConnectionResetError, BrokenPipeError):
                raise ConnectionResetError(
                    f"{self._where} closed the connection. Has somebody else its port?"
                ) from None
            self._socket.settimeout(WRITE_TIMEOUT_S)
        except BaseException:
            self._socket.close()
            raise

    def _agree(self, wanted: dict[int, int]) -> None:
        telnet, deadline = self._telnet, time.monotonic() + AGREE_S
        self._socket.sendall(telnet.hello())
        while telnet.granted is None:
            self._listen(deadline, "it says nothing of RFC 2217. Is it a raw port? Then write socket://")
        if not telnet.granted:
            raise ConnectionRefusedError(f"{self._where} does not let its port be set. Allow RFC 2217 there")
        self._socket.sendall(set_up(wanted))
        while not wanted.keys() <= telnet.confirmed.keys():
            self._listen(deadline, "it does not confirm the settings of its port")
        for key, name in SETTINGS.items():
            if telnet.confirmed[key] != wanted[key]:
                raise OSError(
                    f"{self._where} sets {name} {telnet.confirmed[key]} and not {wanted[key]} (as RFC 2217 counts them)"
                )

    def _listen(self, deadline: float, silent: str) -> None:
        """Take what comes; what stood on the line before it was set is nobody's answer, and dropped."""
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self._socket.recv(4096)
        except TimeoutError:
            raise TimeoutError(f"{self._where} took the connection, but {silent}") from None
        if not data:
            raise ConnectionResetError
        self._telnet.take(data)
        self._socket.sendall(self._telnet.replies())

    def fileno(self) -> int:
        """What to wait on; something may be there to read that is no byte of the port."""
        return self._socket.fileno()

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes that are there; empty when none are.

        Raises:
            OSError: the connection is gone.
        """
        while select.select([self._socket], [], [], 0)[0]:
            data = self._socket.recv(size)
            if not data:
                raise ConnectionResetError(f"{self._where} closed the connection")
            plain = self._telnet.take(data)
            replies = self._telnet.replies()
            if replies:
                self._send(replies)
            if plain:
                return plain
        return b""

    def write(self, data: bytes) -> int:
        """Write all of it.

        Raises:
            OSError: the connection is gone, or took nothing for 0.2 s.
        """
        self._send(escaped(data))
        return len(data)

    def _send(self, data: bytes) -> None:
        with self._writing:
            self._socket.sendall(data)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
