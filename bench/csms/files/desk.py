"""The file exchange port: firmware goes out, logs and diagnostics come in, and every transfer is an event."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from pathlib import Path
from urllib.parse import quote, urlsplit

from ....errors import CsmsError
from ...timeline import Source
from .access import Basic
from .downloads import Downloads
from .exchange import Exchange, parts_of
from .faults import Faults, FileFault
from .firmware import Firmware, FirmwareSigner, digests
from .listening import Server, end, listen, watched
from .names import holds_path
from .offers import Offer
from .slots import Slot
from .store import Disk
from .uploads import Uploads

__all__ = ["FileDesk"]

MOST_UPLOAD = 256 << 20
IDLE_S = 30.0
KEEP_SLOTS = 1000


class FileDesk:
    """A small HTTP server of the bench's loop; it lives on that loop, and so do all its methods.

    - `source`: whose events the transfers are (the back end's). `folder`: where uploads go; made with mode 0700.
    - `host`, `port`: where to listen; port 0 takes a free one. `tls`: a context of its own for HTTPS; None: HTTP.
    - `public_host`: how stations reach this machine, for the addresses; needed when `host` is no single address.
    - `max_upload_bytes`: longest file that is taken. `idle_s`: a transfer that stands still for longer is ended.

    Raises:
        CsmsError: the addresses would lead nowhere.
    """

    def __init__(
        self,
        source: Source,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        public_host: str | None = None,
        max_upload_bytes: int = MOST_UPLOAD,
        idle_s: float = IDLE_S,
    ) -> None:
        if public_host is None and _everywhere(host):
            raise CsmsError(
                f"the file port listens on {host!r}, which no station can connect to as an address: "
                "say by which address stations reach this machine (public_host)."
            )
        self.folder = folder
        self._source = source
        self._host, self._port, self._tls = host, port, tls
        self._public = public_host or host
        self._most, self._idle_s = max_upload_bytes, idle_s
        self._offers: dict[str, Offer] = {}
        self._slots: dict[str, Slot] = {}
        self._disk: Disk | None = None
        self._server: Server | None = None
        self._ports: list[asyncio.Server] = []
        self._exchange: Exchange | None = None

    # life

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """The beginning of its addresses: `https://host:port`."""
        return self._base(self._port, self._tls)

    async def start(self) -> None:
        """Make the folder and listen.

        Raises:
            CsmsError: one of them failed; says which and what to do.
        """
        if self._server is not None:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            writable = os.access(self.folder, os.W_OK | os.X_OK)
        except OSError as exc:
            raise CsmsError(f"the folder for uploads, {self.folder}, cannot be made: {exc.strerror or exc}.") from exc
        if not writable:
            raise CsmsError(f"the folder for uploads, {self.folder}, cannot be written; fix its rights.")
        self._disk = Disk()
        downloads = Downloads(self._disk, self._idle_s)
        uploads = Uploads(self._disk, self.folder, self._most, self._idle_s)
        self._exchange = Exchange(self._source, self._offers, self._slots, downloads, uploads, self._idle_s)
        self._server = Server(self._exchange.serve, self._exchange.unreadable)
        try:
            self._port = await self._listen(self._port, self._tls)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End every transfer, each with its event, and stop listening; may be called twice."""
        ports, self._ports = self._ports, []
        for port in ports:
            port.close()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.end()
        server, self._server = self._server, None
        if server is not None:
            await end(server)
        disk, self._disk = self._disk, None
        if disk is not None:
            await disk.close()

    async def also_listen(self, tls: ssl.SSLContext | None, *, port: int = 0) -> str:
        """Open one more port with the same files, and return the beginning of its addresses.

        With a context whose certificate has expired or is for another name, it is a TLS error on demand: handshakes
        that fail are events. See `moved` for addresses there.

        Raises:
            CsmsError: the port cannot be opened, or `start` was not called.
        """
        if self._server is None:
            raise CsmsError("the file port is not open; start it first.")
        return self._base(await self._listen(port, tls), tls)

    def moved(self, url: str, base: str) -> str:
        """An address of this desk, but on the port whose addresses begin with `base`."""
        user, at, _ = urlsplit(url).netloc.rpartition("@")
        scheme, _, place = base.partition("://")
        return f"{scheme}://{user}{at}{place}{urlsplit(url).path}"

    # files to fetch

    def offer(
        self,
        name: str,
        content: bytes | Path,
        *,
        station: str | None = None,
        basic: bool = False,
        bytes_per_s: float | None = None,
    ) -> str:
        """Let stations fetch `content` (a file's bytes, or its path) under `name`; returns the address.

        A name that is offered again stands for the new file. `station`: whose it is, for the events only.
        `basic`: only with the user name and password that are in the address. `bytes_per_s`: no faster than this.

        Raises:
            CsmsError: the name says more than a name, or there is no such file.
        """
        if not name or holds_path(name):
            raise CsmsError(f"{name!r} is no name of a file; give one without a folder, e.g. 'firmware-2.bin'.")
        if isinstance(content, Path) and not content.is_file():
            raise CsmsError(f"{content} cannot be offered: there is no such file.")
        if bytes_per_s is not None and not bytes_per_s > 0:
            raise CsmsError(f"bytes_per_s is more than 0, not {bytes_per_s:g}.")
        credentials = Basic.fresh("download") if basic else None
        offer = Offer(name, content, station=station, basic=credentials, bytes_per_s=bytes_per_s)
        self._offers[name] = offer
        return self._address(f"/fw/{quote(name, safe='')}", credentials)

    def withdraw(self, name: str) -> None:
        """Offer it no more; whoever asks gets a 404."""
        self._offers.pop(name, None)

    async def firmware(
        self,
        name: str,
        content: bytes | Path,
        *,
        sign: FirmwareSigner | None = None,
        station: str | None = None,
        basic: bool = False,
        bytes_per_s: float | None = None,
    ) -> Firmware:
        """Offer firmware, and return what the request for its update needs: address, signature, certificate.

        With `sign` it is signed (L01); `PublishFirmware` wants its `md5`.

        Raises:
            CsmsError: see `offer`; or the file cannot be read, or not be signed.
        """
        if self._disk is None:
            raise CsmsError("the file port is not open; start it first.")
        url = self.offer(name, content, station=station, basic=basic, bytes_per_s=bytes_per_s)
        try:
            size, sha256, md5 = await self._disk.run(digests, content)
        except OSError as exc:
            raise CsmsError(f"{name} cannot be read: {exc.strerror or exc}.") from exc
        signature = None if sign is None else await self._disk.run(sign.sign, sha256)
        certificate = None if sign is None else sign.certificate
        return Firmware(url, size, sha256.hex(), md5.hex(), signature, certificate)

    # places for uploads

    def upload_slot(self, station: str, kind: str = "log", *, basic: bool = False) -> str:
        """The address of a place for one upload, see `log_slot`."""
        return self.log_slot(station, kind, basic=basic).url

    def log_slot(self, station: str, kind: str = "log", *, basic: bool = False) -> Slot:
        """A place for one upload of a station: by an address nobody can guess; `basic`: and a password too.

        The station's file may be called what it likes; it lies in the folder under a name made safe.
        """
        slot = Slot(station, kind, self.url, basic=basic)
        self._slots[slot.token] = slot
        while len(self._slots) > KEEP_SLOTS:
            self._slots.pop(next(iter(self._slots)))
        return slot

    # faults

    def fault(self, which: str | Slot, fault: FileFault, *, times: int | None = 1) -> None:
        """Let the next `times` transfers of an offer (by name or address) or slot go wrong; None: all of them.

        Raises:
            CsmsError: nothing of that name is offered.
        """
        self._faults(which).add(fault, times)

    def restore(self, which: str | Slot) -> None:
        """Everything about it goes well again.

        Raises:
            CsmsError: nothing of that name is offered.
        """
        self._faults(which).clear()

    def _faults(self, which: str | Slot) -> Faults:
        if isinstance(which, Slot):
            return which.faults
        parts = parts_of(which) if "/" in which else ["fw", which]
        if parts[:1] == ["fw"] and len(parts) == 2 and parts[1] in self._offers:
            return self._offers[parts[1]].faults
        if parts[:1] == ["up"] and len(parts) >= 2 and parts[1] in self._slots:
            return self._slots[parts[1]].faults
        known = ", ".join(sorted(self._offers)) or "nothing"
        raise CsmsError(f"{which!r} is neither offered nor a place for an upload; offered: {known}.")

    # inside

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> int:
        assert self._server is not None
        assert self._exchange is not None
        told = self._exchange.no_handshake
        opened = await listen(self._server, self._host, port, None if tls is None else watched(tls, told))
        self._ports.append(opened)
        return opened.sockets[0].getsockname()[1]

    def _base(self, port: int, tls: ssl.SSLContext | None) -> str:
        host = f"[{self._public}]" if ":" in self._public else self._public
        return f"{'http' if tls is None else 'https'}://{host}:{port}"

    def _address(self, path: str, basic: Basic | None) -> str:
        scheme, _, place = self.url.partition("://")
        return f"{scheme}://{basic.userinfo if basic else ''}{place}{path}"


def _everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
