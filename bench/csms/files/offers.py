"""Files that stations may fetch."""

from __future__ import annotations

import asyncio
import os
import secrets
from io import FileIO
from pathlib import Path

from .access import Basic
from .faults import Faults
from .store import Disk

__all__ = ["Offer", "Opened"]


class Opened:
    """An offered file during one transfer: its size, its entity tag, and its bytes."""

    def __init__(self, size: int, etag: str, content: bytes | None, file: FileIO | None, disk: Disk) -> None:
        self.size = size
        self.etag = etag
        self._content = content
        self._file = file
        self._disk = disk

    async def read(self, at: int, count: int) -> bytes:
        """Up to `count` bytes from offset `at` on; fewer at the end.

        Raises:
            OSError: the disk does not give them.
        """
        if self._content is not None:
            return self._content[at : at + count]
        assert self._file is not None
        return await self._disk.run(os.pread, self._file.fileno(), count, at)

    def close(self) -> None:
        """Done with it."""
        if self._file is not None:
            self._disk.later(self._file.close)


class Offer:
    """One file under one name. Of a file on the disk the state at the moment of each request counts."""

    def __init__(
        self,
        name: str,
        content: bytes | Path,
        *,
        station: str | None = None,
        basic: Basic | None = None,
        bytes_per_s: float | None = None,
    ) -> None:
        self.name = name
        self.station = station
        self.basic = basic
        self.bytes_per_s = bytes_per_s
        self.faults = Faults()
        self.content = content
        self._etag = f'"{secrets.token_hex(8)}"'

    async def open(self, disk: Disk) -> Opened:
        """Begin to read it.

        Raises:
            OSError: it is not there any more, or cannot be read.
        """
        if isinstance(self.content, bytes):
            return Opened(len(self.content), self._etag, self.content, None, disk)
        opening = asyncio.ensure_future(disk.run(_opened, self.content))
        try:
            file = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(lambda done: None if done.exception() else done.result().close())
            raise
        state = os.fstat(file.fileno())
        return Opened(state.st_size, f'"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}"', None, file, disk)


def _opened(path: Path) -> FileIO:
    return FileIO(path, "rb")
