"""Places for one upload each."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import msgspec

from ....errors import StationTimeout
from .access import Basic
from .faults import Faults
from .names import safe_name

__all__ = ["Slot", "Upload"]


class Upload(msgspec.Struct, frozen=True):
    """A file that came whole: where it lies, what the station called it, its size and SHA-256 (hex)."""

    path: Path
    name: str | None
    size: int
    sha256: str


class Slot:
    """An address that takes one upload of one station, by PUT or POST.

    It is used up once a file came whole; an upload that broke off may be tried again. `url` is what to give
    the station. `kind`: what is expected ("log", "diagnostics", ...), part of the file's name.
    """

    def __init__(self, station: str, kind: str, base: str, *, basic: bool) -> None:
        self.station = station
        self.kind = kind
        self.token = secrets.token_urlsafe(18)
        self.basic = Basic.fresh(f"upload-{secrets.token_hex(2)}") if basic else None
        self.faults = Faults()
        self.busy = False
        self.closed: str | None = None
        self._upload: asyncio.Future[Upload] | None = None
        self._received: Upload | None = None
        scheme, _, rest = base.partition("://")
        # An address that ends with a slash: the station appends the name of its file (2.x N01.FR.21).
        self.url = f"{scheme}://{self.basic.userinfo if self.basic else ''}{rest}/up/{self.token}/"

    @property
    def received(self) -> Upload | None:
        """The file, once it came whole."""
        return self._received

    def file_name(self, name: str | None) -> str:
        """What a file that the station calls `name` is called in the folder; no other slot has the same."""
        whose = safe_name(f"{self.station}-{self.kind}", "upload")[:60]
        return f"{whose}-{safe_name(self.token, 'slot')[:8]}-{safe_name(name or self.kind, 'file')}"

    def fill(self, upload: Upload) -> None:
        """The file came whole: the slot is used up."""
        self._received = upload
        self.closed = "its file has come already"
        if self._upload is not None and not self._upload.done():
            self._upload.set_result(upload)

    async def wait(self, timeout_s: float) -> Upload:
        """The file, waited for.

        Raises:
            StationTimeout: it did not come whole within `timeout_s` seconds; says where to look.
        """
        if self._received is not None:
            return self._received
        if self._upload is None or self._upload.done():
            self._upload = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(asyncio.shield(self._upload), timeout_s)
        except TimeoutError as exc:
            tried = "an upload is under way" if self.busy else self.closed or "no upload is under way"
            raise StationTimeout(
                f"{self.station} uploaded no {self.kind} within {timeout_s:g} s: {tried}. "
                "See ocpp.log and csms.file on the timeline for what it did instead."
            ) from exc
