"""A network cable one can cut: a TCP port in front of a device's, which records, damages, delays and unplugs."""

from __future__ import annotations

import select
import socket
import threading
import time

from wire_tap import Change, same

__all__ = ["TcpTap"]


class TcpTap:
    """`port` is what the bench opens; bytes go to `device` (scheme://host:port) and back. As `wire_tap.WireTap`.

    `device` None: nobody is there; `answer` makes an answer of what was written.
    """

    def __init__(self, device: str | None, *, scheme: str, answer: Change | None = None) -> None:
        self.to_device: Change = same
        self.to_bench: Change = same
        self.hold_s = 0.0
        self.written = b""
        self._answer = answer
        self._device = device.rsplit(":", 1)[1] if device is not None else None
        self._server = socket.create_server(("127.0.0.1", 0))
        self._number: int = self._server.getsockname()[1]
        self.port = f"{scheme}://127.0.0.1:{self._number}"
        self._near: socket.socket | None = None
        self._far: socket.socket | None = None
        self._wake_r, self._wake_w = socket.socketpair()
        self._asked = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tcp tap", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Cut the connection; nobody listens any more."""
        self._ask("unplug")

    def plug(self) -> None:
        """Listen again, on the same port."""
        self._ask("plug")

    def close(self) -> None:
        self._ask("close")
        self._thread.join(5)
        for open_socket in (self._server, self._near, self._far, self._wake_r, self._wake_w):
            if open_socket is not None:
                open_socket.close()

    def _ask(self, what: str) -> None:
        self._asked = what
        self._done.clear()
        self._wake_w.send(b"x")
        assert self._done.wait(5)

    def _run(self) -> None:
        while True:
            watched = [entry for entry in (self._server, self._near, self._far) if entry is not None]
            ready, _, _ = select.select([*(s for s in watched if s.fileno() >= 0), self._wake_r], [], [], 1.0)
            if self._wake_r in ready:
                self._wake_r.recv(16)
                asked = self._asked
                self._do(asked)
                self._done.set()
                if asked == "close":
                    return
            elif self._server in ready:
                self._accept()
            elif self._near in ready:
                self._from_bench()
            elif self._far in ready:
                assert self._far is not None
                self._give(self._far.recv(65536))

    def _do(self, what: str) -> None:
        if what == "unplug":
            self._server.close()
            self._hang_up()
        elif what == "plug":
            self._server = socket.create_server(("127.0.0.1", self._number))

    def _accept(self) -> None:
        self._hang_up()
        self._near, _ = self._server.accept()
        if self._device is not None:
            self._far = socket.create_connection(("127.0.0.1", int(self._device)))

    def _hang_up(self) -> None:
        for entry in (self._near, self._far):
            if entry is not None:
                entry.close()
        self._near = self._far = None

    def _from_bench(self) -> None:
        assert self._near is not None
        try:
            data = self._near.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        self.written += data
        if self._far is not None:
            through = self.to_device(data)
            if through:
                self._far.sendall(through)
        elif self._answer is not None:
            self._give(self._answer(data))

    def _give(self, data: bytes) -> None:
        data = self.to_bench(data)
        if self.hold_s:
            wait, self.hold_s = self.hold_s, 0.0
            time.sleep(wait)  # the length of the cable, not a synchronisation
        if data and self._near is not None:
            try:
                self._near.sendall(data)
            except OSError:
                self._hang_up()
