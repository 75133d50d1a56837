"""A serial server on loopback: a port of the twin behind RFC 2217, played by pyserial's own server side."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Any

import serial
from serial.rfc2217 import PortManager

__all__ = ["SerialServer"]


class _Pty(serial.Serial):
    """A pseudo terminal has no modem lines; what is set is kept, to be looked at."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None: ...
    def _update_rts_state(self) -> None: ...


class SerialServer:
    """Serves one client after the other at `url`; `hold_s` is how much longer each way takes."""

    def __init__(self, device: str, *, hold_s: float = 0.0, scheme: str = "rfc2217") -> None:
        self.serial = _Pty(device, timeout=0)
        self.hold_s = hold_s
        self._raw = scheme == "socket"
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"{scheme}://127.0.0.1:{self._server.getsockname()[1]}"
        self._client: socket.socket | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serial server", daemon=True)
        self._thread.start()

    def drop(self) -> None:
        """Cut the connection, as a network does that fails."""
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError):  # it has just gone by itself
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop.set()
        self.drop()
        self._thread.join(5)
        self._server.close()
        self.serial.close()

    def write(self, data: bytes) -> None:
        """Called by the port manager with what goes to the client."""
        client = self._client
        if client is not None:
            client.sendall(data)

    def _run(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._server], [], [], 0.05)[0]:
                continue
            self._client, _ = self._server.accept()
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._serve(self._client)
            except OSError:
                pass  # the client is gone
            self._client.close()
            self._client = None

    def _serve(self, client: socket.socket) -> None:
        manager: Any = None if self._raw else PortManager(self.serial, self)
        while not self._stop.is_set():
            ready, _, _ = select.select([client, self.serial], [], [], 0.05)
            if ready and self.hold_s:
                self._stop.wait(self.hold_s)  # the length of the way, not a synchronisation
            if client in ready:
                data = client.recv(4096)
                if not data:
                    return
                self.serial.write(data if manager is None else b"".join(manager.filter(data)))
            if self.serial in ready:
                data = self.serial.read(4096)
                client.sendall(data if manager is None else b"".join(manager.escape(data)))
