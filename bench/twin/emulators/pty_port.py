"""One serial device: a pseudo terminal behind a stable symlink, read and written without blocking."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

from .wire_faults import WireFaults

__all__ = ["PtyPort"]

MAX_PENDING = 4096


class PtyPort:
    """The device's end of a pty.

    The client's end stays open here too: otherwise every client that closes would end the device with EIO,
    and the next one could not open it.

    Args:
        link: symlink to make to the client's end; None = reached only by `client_path`.
        on_bytes: called with what the client wrote.
        note: told, once a second at most, how many bytes were lost because nobody read.
        faults: what is wrong with the wire.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: Path | None,
        on_bytes: Callable[[bytes], None],
        note: Callable[[str], None],
        faults: WireFaults | None = None,
    ) -> None:
        self._loop = loop
        self._link = link
        self._faults = faults
        if faults is not None:
            faults.attached = True
            faults.pull = self._pull
        self._on_bytes = on_bytes
        self._note = note
        self._pending = b""
        self._noted_at: float | None = None
        self.dropped = 0
        self._master = -1
        self.plug()

    def plug(self) -> None:
        """Put it in: a new pseudo terminal behind the same link. Nothing happens when it is in."""
        if self._master >= 0:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._pending = b""
        self.client_path = os.ttyname(self._slave)
        link = self._link
        if link is not None:
            fresh = link.with_name(link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self.client_path)
            fresh.replace(link)
        self._loop.add_reader(self._master, self._readable)

    def write(self, data: bytes) -> bool:
        """Send `data`, whole or not at all; False = dropped, because the client does not read."""
        faults = self._faults
        if faults is None or faults.is_sound("to-bench"):
            return self._put(data)
        faults.carry("to-bench", data, self._put)
        return True

    def _put(self, data: bytes) -> bool:
        if self._master < 0:
            return False
        if self._pending:
            if len(self._pending) + len(data) > MAX_PENDING:
                return self._drop()
            self._pending += data
            return True
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            return self._drop()
        if written < len(data):
            self._pending = data[written:]
            self._loop.add_writer(self._master, self._writable)
        return True

    def close(self) -> None:
        """Hang up: the client's end is gone, and so is the link. `plug` brings both back."""
        if self._master < 0:
            return
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = -1
        if self._link is not None and self._link.is_symlink() and str(self._link.readlink()) == self.client_path:
            self._link.unlink()

    def _pull(self, out: bool) -> None:
        if out:
            self.close()
        else:
            self.plug()

    def _drop(self) -> bool:
        self.dropped += 1
        now = self._loop.time()
        if self._noted_at is None or now - self._noted_at >= 1.0:
            self._noted_at = now
            name = self._link.name if self._link else self.client_path
            self._note(f"{name}: nobody reads; {self.dropped} messages dropped so far")
        return False

    def _writable(self) -> None:
        try:
            written = os.write(self._master, self._pending)
        except BlockingIOError:
            return
        self._pending = self._pending[written:]
        if not self._pending:
            self._loop.remove_writer(self._master)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 4096)
        except BlockingIOError:
            return
        if not data:
            return
        faults = self._faults
        if faults is None or faults.is_sound("to-device"):
            self._on_bytes(data)
        else:
            faults.carry("to-device", data, self._on_bytes)
