"""A cable one can cut: a pty in front of a device's port, which records, damages, delays and unplugs."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

Change = Callable[[bytes], bytes]


def same(data: bytes) -> bytes:
    return data


class WireTap:
    """`port` is what the bench opens; bytes go to `device` (a path) and back.

    `to_device` and `to_bench` may change each piece on its way; `answer`, without a device, makes one. `hold_s` is
    waited before the next piece goes to the bench, once. `written` is everything that the bench wrote.
    """

    def __init__(self, port: Path, device: str | None, answer: Change | None = None) -> None:
        self.port = str(port)
        self.to_device: Change = same
        self.to_bench: Change = same
        self.hold_s = 0.0
        self.written = b""
        self._answer = answer
        self._device = -1
        if device is not None:
            self._device = os.open(device, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._device)
        self._wake_r, self._wake_w = os.pipe()
        self._master = self._slave = -1
        self._stop = False
        self.plug()
        self._thread = threading.Thread(target=self._run, name="wire tap", daemon=True)
        self._thread.start()

    def plug(self) -> None:
        """(Re)appear under the same path, as another device node."""
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        fresh = Path(self.port + ".new")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.port)
        self._master = master
        os.write(self._wake_w, b"x")

    def unplug(self) -> None:
        """Pull the plug: the port hangs up and its path leads nowhere."""
        Path(self.port).unlink()
        master, self._master = self._master, -1
        os.write(self._wake_w, b"x")
        os.close(master)
        os.close(self._slave)

    def close(self) -> None:
        self._stop = True
        os.write(self._wake_w, b"x")
        self._thread.join(5)
        for fd in (self._master, self._device, self._wake_r, self._wake_w):
            if fd >= 0:
                os.close(fd)
        if self._master >= 0:
            os.close(self._slave)

    def _run(self) -> None:
        while not self._stop:
            master = self._master
            ready, _, _ = select.select([fd for fd in (master, self._device, self._wake_r) if fd >= 0], [], [], 1.0)
            if self._wake_r in ready:
                os.read(self._wake_r, 64)
                continue
            try:
                if master in ready:
                    self._from_bench(os.read(master, 65536))
                if self._device in ready:
                    self._give(os.read(self._device, 65536))
            except OSError:
                if self._master == master:
                    return  # not our doing: the device is gone

    def _from_bench(self, data: bytes) -> None:
        self.written += data
        if self._device >= 0:
            os.write(self._device, self.to_device(data))
        elif self._answer is not None:
            self._give(self._answer(data))

    def _give(self, data: bytes) -> None:
        data = self.to_bench(data)
        if self.hold_s:
            wait, self.hold_s = self.hold_s, 0.0
            time.sleep(wait)  # the length of the cable, not a synchronisation
        if data and self._master >= 0:
            os.write(self._master, data)


class SocketBridge:
    """A port reached over the network, as behind a serial server: `url` is `socket://127.0.0.1:PORT`."""

    def __init__(self, device: str, port: int = 0) -> None:
        self._device = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._device)
        self._server = socket.create_server(("127.0.0.1", port))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._run, name="socket bridge", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop_w, b"x")
        self._thread.join(5)
        self._server.close()
        for fd in (self._device, self._stop_r, self._stop_w):
            os.close(fd)

    def _run(self) -> None:
        client: socket.socket | None = None
        while True:
            watched = [self._device, self._stop_r, self._server if client is None else client]
            ready, _, _ = select.select(watched, [], [])
            if self._stop_r in ready:
                break
            if self._server in ready:
                client, _ = self._server.accept()
            elif client is not None and client in ready:
                data = client.recv(65536)
                if data:
                    os.write(self._device, data)
                else:
                    client.close()
                    client = None
            if self._device in ready:
                data = os.read(self._device, 65536)
                if client is not None:
                    client.sendall(data)
        if client is not None:
            client.close()
