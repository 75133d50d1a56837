"""The back end with all that stands beside it: its state, its authority and passwords, and the file port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .csms import Csms, CsmsState, Settings
from .csms.files import FileDesk
from .csms.security import Security
from .csms.security.private_files import write_private
from .timeline import Gate, PollClock, Timeline

__all__ = ["BackEnd", "BackEndPlan", "make_back_end"]


class BackEndPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a bench file or a command line says of a back end.

    - `host`, `port`, `files_port`: where it listens; port 0 takes a free one. `public_host`: how stations reach this
      machine, where that is not `host`.
    - `security_profile`: the least one it accepts. `tls_port`: of a second port with TLS, for profiles 0 and 1.
    - `stations`: who may connect; None: everybody. `passwords`: by station id; `password`: of every other station.
    - `ping_interval_s`: send pings; None: none are sent.
    """

    host: str = "127.0.0.1"
    port: int = 0
    files_port: int = 0
    public_host: str | None = None
    security_profile: int = 0
    tls_port: int | None = None
    hosts: Sequence[str] = ()
    stations: Sequence[str] | None = None
    passwords: Mapping[str, str] = {}
    password: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    trusted: Sequence[Path] = ()
    ping_interval_s: float | None = None
    settings: Settings = Settings()


class BackEnd(msgspec.Struct, frozen=True):
    """Everything that is started and closed together."""

    csms: Csms
    state: CsmsState
    files: FileDesk
    security: Security

    async def start(self) -> None:
        """Listen, for stations and for files.

        Raises:
            CsmsError: an address cannot be listened on.
        """
        await self.csms.start()
        await self.files.start()

    def papers(self, station: str, folder: Path) -> dict[str, str]:
        """PEM files that a station of this machine needs for the security profile, by the names of the DUT port.

        `ca` from profile 2 on; `cert` and `key` with profile 3, made here and written to `folder` (mode 0600).
        """
        if self.security.profile < 2:
            return {}
        papers = {"ca": str(self.security.pki.root_file)}
        if self.security.profile == 3:
            for name, text in zip(("cert", "key"), self.security.pki.make_station(station), strict=True):
                path = folder / f"station-{name}.pem"
                write_private(path, text.encode())
                papers[name] = str(path)
        return papers

    async def close(self) -> None:
        """Close every connection and transfer, and stop listening; may be called twice."""
        try:
            await self.csms.close()
        finally:
            await self.files.close()


def make_back_end(plan: BackEndPlan, folder: Path, timeline: Timeline, gate: Gate, poll: PollClock) -> BackEnd:
    """Put a back end together; it listens once it is started. `folder` keeps its state, keys and uploads.

    Raises:
        CsmsError: something of the plan is wrong, or the folder cannot be used.
    """
    state = CsmsState(folder)
    security = Security(
        folder / "security",
        profile=plan.security_profile,
        tls_port=plan.tls_port,
        hosts=[*plan.hosts, *([plan.public_host] if plan.public_host else [])],
        passwords=plan.passwords,
        password=plan.password,
        certificate=plan.certificate,
        key=plan.key,
        trusted=plan.trusted,
    )
    files = FileDesk(
        timeline.source("csms"),
        folder / "files",
        host=plan.host,
        port=plan.files_port,
        # N01.FR.15: a station trusts the back end's own root for secure transports.
        tls=security.tls(2) if plan.security_profile >= 2 else None,
        public_host=plan.public_host,
    )
    chosen: dict[str, Any] = {"security": security, "pki": security.pki}
    csms = Csms(
        timeline,
        gate,
        poll,
        state=state,
        host=plan.host,
        port=plan.port,
        stations=plan.stations,
        settings=plan.settings,
        ping_interval_s=plan.ping_interval_s,
        **chosen,
    )
    return BackEnd(csms, state, files, security)
