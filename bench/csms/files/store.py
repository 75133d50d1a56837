"""Uploads on their way to the disk: whole or not at all."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

__all__ = ["Disk", "Incoming"]

T = TypeVar("T")

BLOCK = 256 * 1024
"""Bytes that are gathered before a write."""


class Disk:
    """A thread for what may take time on a disk; everything happens in the order in which it was asked for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="csms-files")

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Do it there, and wait for it; it happens also if the waiting is cancelled.

        Raises:
            OSError: whatever `work` raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    def later(self, work: Callable[[], None]) -> None:
        """Do it there, and do not wait."""
        self._pool.submit(work)

    async def close(self) -> None:
        """Return when everything is done; the thread ends."""
        await self.run(lambda: None)
        self._pool.shutdown(wait=False)


class Incoming:
    """One upload. It grows under a name that begins with a dot, and gets its own with `keep`.

    Nobody but the owner of the process can read it (mode 0600).
    """

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        self._part = folder / f".part-{secrets.token_hex(8)}"
        self._descriptor = -1
        self._target: Path | None = None
        self._gathered = bytearray()

    async def write(self, data: bytes) -> None:
        """Append.

        Raises:
            OSError: the disk does not take it.
        """
        self._gathered += data
        if len(self._gathered) >= BLOCK:
            await self._flush()

    async def keep(self, name: str) -> Path:
        """Put the file into its place at once, in place of one that has this name.

        Raises:
            OSError: the disk does not take it.
        """
        await self._flush()
        return await self._disk.run(self._place, self._folder / name)

    async def discard(self) -> None:
        """Leave nothing behind, not even a file that `keep` was about to put into its place."""
        await self._disk.run(self._drop)

    def discard_later(self) -> None:
        """The same, without waiting."""
        self._disk.later(self._drop)

    async def _flush(self) -> None:
        block, self._gathered = self._gathered, bytearray()
        await self._disk.run(self._append, block)

    # in the thread of the disk

    def _append(self, block: bytearray) -> None:
        if self._descriptor < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            self._descriptor = os.open(self._part, flags, 0o600)
        view = memoryview(block)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _place(self, target: Path) -> Path:
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        self._part.replace(target)
        self._target = target
        return target

    def _drop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        for file in (self._part, self._target):
            if file is not None:
                file.unlink(missing_ok=True)
