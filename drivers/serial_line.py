"""Bytes from a serial port, with the instants between which they arrived.

One thread reads. It takes what is there in one piece, stamps it right after the read, and hands
the piece to the loop. Its stamp includes the wait for the interpreter; so each piece also says
when the port was last proven to hold nothing: the instant at which a read began that brought nothing.
A read that brings something proves nothing: the kernel may hold more, which it has not passed on yet.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from ..errors import DeviceError
from .ports import holder_of

__all__ = ["Block", "BlockReader", "SerialLine", "SerialPort", "close_serial", "open_serial"]

WAKE_S = 0.05
"""A reader that has nothing to read wakes this often, to say that nothing came."""

WRITE_TIMEOUT_S = 0.2

_READ_SIZE = 65536
_READS = 8
"""Reads of one block at most: a port that always has more must be handed over all the same."""


class SerialPort(Protocol):
    """The part of pyserial's classes that is used here."""

    def read(self, size: int = 1) -> bytes: ...
    def write(self, data: bytes) -> int | None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Block(NamedTuple):
    """Bytes read in one piece; they arrived in `[lo_ns, at_ns]`. Empty: nothing came until `at_ns`."""

    data: bytes
    lo_ns: int
    at_ns: int


def open_serial(device: str, port: str, baud: int, *, parity: str = "N", state_dir: Path | None = None) -> SerialPort:
    """Open a serial port, `socket://` or `rfc2217://host:port`, for this process alone, not blocking on reads.

    Raises:
        DeviceError: missing, in use, forbidden, or no serial port at all; says what to do.
    """
    import termios

    import serial

    opened: Any = None
    try:
        if port.startswith("rfc2217://"):
            from .rfc2217 import Rfc2217Port

            return Rfc2217Port(port, baud=baud, parity=parity)
        opened = cast(Any, serial).serial_for_url(
            port, baudrate=baud, parity=parity, timeout=0, exclusive=True, do_not_open=True
        )
        opened.open()
    except (OSError, ValueError, termios.error) as error:
        if opened is not None:
            # a connection that is cut while it is opened is left open by pyserial
            close_serial(_LocalPort(opened))
        raise DeviceError(_why_not(port, error, state_dir), device=device, port=port) from error
    return _LocalPort(opened)


def close_serial(port: SerialPort) -> None:
    """Close a port whether its device is still there or not; raises nothing."""
    try:
        port.close()
    except OSError:
        pass  # it is gone already


class _LocalPort:
    """What pyserial opened, written by ourselves.

    The time limit of pyserial counts time in which this process did not run, and then calls a port dead that took all.
    """

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def read(self, size: int = 1) -> bytes:
        return self._opened.read(size)

    def fileno(self) -> int:
        return self._opened.fileno()

    def write(self, data: bytes) -> int:
        number, rest = self._opened.fileno(), memoryview(data)
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        while True:
            try:
                rest = rest[os.write(number, rest) :]
            except BlockingIOError:
                pass  # it takes nothing now
            if not rest:
                return len(data)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"it took {len(data) - len(rest)} of {len(data)} bytes in {WRITE_TIMEOUT_S} s")
            select.select([], [number], [], left_s)

    def close(self) -> None:
        connection = getattr(self._opened, "_socket", None)
        try:
            self._opened.close()
        finally:
            if connection is not None:
                # pyserial leaves the socket open when the other side closed it first
                connection.close()


def _why_not(port: str, error: Exception, state_dir: Path | None) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EAGAIN, errno.EBUSY):
        holder = holder_of(port, state_dir)
        who = str(holder) if holder is not None and holder.pid != os.getpid() else "another program"
        return f"the port is in use by {who}. End that program, or wait until it is done."
    if number in (errno.EACCES, errno.EPERM):
        return "this user may not open the port. Add the user to the port's group (often `dialout`) and log in again."
    if number == errno.ENOENT:
        return "there is no such port. Plug the device in, or correct `port` in the bench file."
    return f"cannot be opened as a serial port: {error}. Check `port` and `baud` in the bench file."


class BlockReader:
    """Reads whole blocks from one port, from one thread only."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port
        self._empty_ns = time.monotonic_ns()
        self._drained = False
        self._wake_r, self._wake_w = os.pipe()

    def read(self, timeout_s: float = WAKE_S) -> Block:
        """What there is, or what comes first within `timeout_s`; an empty block when nothing does.

        Raises:
            OSError: the device is gone.
        """
        if self._drained:
            select.select([self._port.fileno(), self._wake_r], [], [], timeout_s)
        since_ns, parts, at_ns = self._empty_ns, list[bytes](), 0
        self._drained = False
        try:
            while not self._drained and len(parts) < _READS:
                begun_ns = time.monotonic_ns()
                data = self._port.read(_READ_SIZE)
                if data:
                    at_ns = time.monotonic_ns()
                    parts.append(data)
                else:
                    # the kernel looks for what it still holds before it says that there is nothing
                    self._empty_ns, self._drained = begun_ns, True
        except OSError:
            if not parts:
                raise  # else the next read, which begins at once, says it again
        return Block(b"".join(parts), since_ns, at_ns or time.monotonic_ns())

    def wake(self) -> None:
        """End a `read` that waits in another thread."""
        os.write(self._wake_w, b"x")

    def close(self) -> None:
        os.close(self._wake_r)
        os.close(self._wake_w)


class SerialLine:
    """A serial port with its reader thread.

    `on_block` and `on_dead` are called on the loop: `on_block` with each block, and with an empty
    one at least every 50 ms; `on_dead` once, when the port fails, with the instant since which
    nothing was read.
    """

    def __init__(
        self,
        name: str,
        port: SerialPort,
        on_block: Callable[[Block], None],
        on_dead: Callable[[Exception, int, int], object],
    ) -> None:
        self._port = port
        self._reader = BlockReader(port)
        self._on_block = on_block
        self._on_dead = on_dead
        self._loop = asyncio.get_running_loop()
        self._stop = False
        self._last_ns = time.monotonic_ns()
        self._thread = threading.Thread(target=self._run, name=f"{name} reader", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """True while the thread reads, and has come round within the last half second."""
        return self._thread.is_alive() and time.monotonic_ns() - self._last_ns < 500_000_000

    @property
    def beat_ns(self) -> int | None:
        """When the reader thread last came round; None once it has ended."""
        return self._last_ns if self._thread.is_alive() else None

    def write(self, data: bytes) -> None:
        """Write now; the kernel takes a line at once.

        Raises:
            OSError: the port is gone, or took nothing for 0.2 s.
        """
        self._port.write(data)

    async def close(self) -> None:
        """Stop the thread, then close the port; raises nothing."""
        if self._stop:
            return
        self._stop = True
        self._reader.wake()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._thread.join(2.0)
        close_serial(self._port)
        if not self._thread.is_alive():
            self._reader.close()

    def _run(self) -> None:
        try:
            while not self._stop:
                block = self._reader.read()
                self._last_ns = block.at_ns
                self._hand(self._on_block, block)
        except Exception as error:  # noqa: BLE001 - whatever ends the reader must be told, never swallowed
            if not self._stop:
                self._hand(self._on_dead, error, self._last_ns, time.monotonic_ns())

    def _hand(self, callback: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            self._stop = True  # the loop is closed: nobody listens any more
