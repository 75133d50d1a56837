"""One transfer at the file port, from its request to its one event."""

from __future__ import annotations

import hashlib
import time
from typing import Literal

from ...timeline import Source, Stamp
from .faults import FileFault

__all__ = ["Transfer"]

LATEST_NS = 1_000_000_000
"""The end of a transfer is noticed at most this long after it; the back end promises no more for any message."""
PATH = 300


class Transfer:
    """What is known of a transfer so far. `end` tells it, once; what is said after that is lost.

    - `total`: bytes of the whole file, or announced for an upload; None: not said.
    - `range`: the part that was sent, as in Content-Range.
    - `status`: of the answer that has begun; 0: none has.
    - `done`: bytes of the body that were taken from, or handed over to, the network.
    """

    def __init__(self, source: Source, direction: Literal["download", "upload"], path: str, remote: str | None) -> None:
        self.station: str | None = None
        self.total: int | None = None
        self.range: str | None = None
        self.done = 0
        self.status = 0
        self.fault: FileFault | None = None
        self.told = False
        self._source = source
        self._direction = direction
        self._path = path[:PATH]
        self._remote = remote
        self._hash = hashlib.sha256()
        self._begun_ns = self._open_ns = time.monotonic_ns()

    def waits(self) -> None:
        """The transfer has certainly not ended yet: said before each wait for the network."""
        self._open_ns = time.monotonic_ns()

    def moved(self, data: bytes | memoryview) -> None:
        """So much has gone over."""
        self.done += len(data)
        self._hash.update(data)

    @property
    def sha256(self) -> str | None:
        """Of what has gone over; None when nothing has."""
        return self._hash.hexdigest() if self.done else None

    def end(self, status: int, why: str | None = None, *, ok: bool | None = None, file: str | None = None) -> None:
        """The transfer is over. `why`: what kept it from being whole; `file`: where an upload lies, in the folder.

        Its stamp spans from the last moment it was certainly not over. `ok`: whole, and true to the file; None:
        when it is a success and there is no `why`.
        """
        if self.told:
            return
        self.told = True
        now_ns = time.monotonic_ns()
        data = {
            "station": self.station,
            "dir": self._direction,
            "path": self._path,
            "status": status,
            "ok": why is None and 200 <= status < 300 if ok is None else ok,
            "bytes": self.done,
            "total_bytes": self.total,
            "range": self.range,
            "remote": self._remote,
            "sha256": self.sha256,
            "file": file,
            "fault": self.fault.label if self.fault else None,
            "why": why,
            "begun_ns": self._begun_ns,
        }
        lo_ns = max(self._open_ns, now_ns - LATEST_NS)
        self._source.emit("csms.file", Stamp.host(now_ns, lo_ns=lo_ns), data)
