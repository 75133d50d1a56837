"""Lines out of a stream of bytes."""

from __future__ import annotations

import re

__all__ = ["LineSplitter"]


class LineSplitter:
    """Cuts a stream of bytes at CR and LF; what is longer than `most` bytes without an end is dropped and counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self.overruns = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without line ends and without empty ones."""
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + data)
        if len(self._rest) > self._most:
            self.overruns += 1
            self._rest = b""
        return [line for line in lines if line]
