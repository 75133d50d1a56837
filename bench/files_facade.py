"""The file exchange port as a test sees it: firmware offered, places for uploads, faults, all as plain functions."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from .csms.files import FileDesk, FileFault, Firmware, FirmwareSigner, Slot, Upload
from .csms.files.firmware import Scheme
from .timeline import parse_quantity

if TYPE_CHECKING:
    from .assembly import Bench

__all__ = ["FilesFacade", "UploadPlace"]

P = ParamSpec("P")
T = TypeVar("T")

DIGEST_WITHIN_S = 60.0
"""Firmware is read once before it is offered signed."""
SPARE_S = 5.0
"""So that the clearer message of a place's own deadline is the one seen."""


class _Host(Protocol):
    @property
    def bench(self) -> Bench: ...

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T: ...


class UploadPlace:
    """An address that takes one upload; see `files.Slot`."""

    def __init__(self, host: _Host, slot: Slot) -> None:
        self._host = host
        self.slot = slot
        self.url = slot.url

    @property
    def received(self) -> Upload | None:
        """The file, once it came whole."""
        return self.slot.received

    def wait(self, within: str = "60 s") -> Upload:
        """The file, waited for.

        Raises:
            StationTimeout: it did not come whole within this time.
        """
        timeout_s = parse_quantity(within, "time") / 1e9
        return self._host.call(self.slot.wait(timeout_s), timeout_s + SPARE_S)


class FilesFacade:
    """What a station can fetch from the bench, and where it can put its logs. `files.FileDesk` says more of each."""

    def __init__(self, host: _Host) -> None:
        self._host = host

    @property
    def url(self) -> str:
        """The beginning of every address."""
        return self._desk.url

    @property
    def folder(self) -> Path:
        """Where uploads go."""
        return self._desk.folder

    def offer(self, name: str, content: bytes | Path, *, basic: bool = False, bytes_per_s: float | None = None) -> str:
        """Let the station fetch a file's bytes, or a file, under a name; returns the address."""
        return self._there(self._desk.offer, name, content, station=self._station, basic=basic, bytes_per_s=bytes_per_s)

    def withdraw(self, name: str) -> None:
        """Offer it no more."""
        self._there(self._desk.withdraw, name)

    def firmware(
        self,
        name: str,
        content: bytes | Path,
        *,
        sign: FirmwareSigner | None = None,
        basic: bool = False,
        bytes_per_s: float | None = None,
    ) -> Firmware:
        """Offer firmware; returns its address, digests and, with `sign`, signature and certificate."""
        work = self._desk.firmware(
            name, content, sign=sign, station=self._station, basic=basic, bytes_per_s=bytes_per_s
        )
        return self._host.call(work, DIGEST_WITHIN_S)

    def signer(
        self,
        organisation: str | None = None,
        *,
        ec_key: bool = False,
        expired: bool = False,
        scheme: Scheme | None = None,
    ) -> FirmwareSigner:
        """A manufacturer made up by the bench; the station needs its root first: `manufacturer_root`."""
        pki = self._host.bench.back_end.security.pki
        certificate, key = pki.make_firmware_signer(organisation, ec_key=ec_key, expired=expired)
        return FirmwareSigner(certificate, key, scheme=scheme)

    @property
    def manufacturer_root(self) -> str:
        """PEM of the root above `signer`, to install as the manufacturer's."""
        return self._host.bench.back_end.security.pki.manufacturer_root_pem

    def log_slot(self, kind: str = "log", *, basic: bool = False) -> UploadPlace:
        """A place for one upload of the station under test."""
        return UploadPlace(self._host, self._there(self._desk.log_slot, self._station, kind, basic=basic))

    def fault(self, which: str | UploadPlace, fault: FileFault, *, times: int | None = 1) -> None:
        """Let the next `times` transfers of an offer (name or address) or place go wrong; None: all of them."""
        self._there(self._desk.fault, which.slot if isinstance(which, UploadPlace) else which, fault, times=times)

    def restore(self, which: str | UploadPlace) -> None:
        """Everything about it goes well again."""
        self._there(self._desk.restore, which.slot if isinstance(which, UploadPlace) else which)

    def also_listen(self, tls: ssl.SSLContext | None) -> str:
        """Open one more port, e.g. with a certificate that has expired; returns the beginning of its addresses."""
        return self._host.call(self._desk.also_listen(tls))

    def moved(self, url: str, base: str) -> str:
        """An address of this desk, but on the port whose addresses begin with `base`."""
        return self._desk.moved(url, base)

    @property
    def _desk(self) -> FileDesk:
        return self._host.bench.back_end.files

    @property
    def _station(self) -> str:
        return self._host.bench.file.station.id

    def _there(self, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Do it on the bench's loop, where the desk lives."""

        async def on_the_loop() -> T:
            return act(*args, **named)

        return self._host.call(on_the_loop())
