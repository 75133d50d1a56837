"""Firmware updates and log uploads: one of each at a time, told step by step (1.6 sections 4.4 and 4.5, 2.x L01, N01).

The firmware that is downloaded is not run; after the restart that an installation needs, the boot says so.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime

from .clock import StationClock
from .link import Link
from .transfer import download, upload

__all__ = ["FileJobs"]

Tell = Callable[[str], Awaitable[None]]

_INSTALL_S = 0.3
_LOG = b"".join(f"2026-01-01T00:00:{n:02d}Z simulated station, line {n} of its log\n".encode() for n in range(60))


class FileJobs:
    """Runs the jobs; what is told, and how, is the version's matter."""

    def __init__(self, link: Link, clock: StationClock) -> None:
        self._link = link
        self._clock = clock
        self._firmware: asyncio.Task[None] | None = None
        self._log: asyncio.Task[None] | None = None
        self.firmware_status = "Idle"
        self.log_status = "Idle"

    @property
    def updating(self) -> bool:
        return self.firmware_status not in ("Idle", "DownloadFailed", "Installed")

    @property
    def uploading(self) -> bool:
        return self.log_status not in ("Idle", "Uploaded", "UploadFailure")

    def cancel(self) -> None:
        """The supply is gone."""
        for task in (self._firmware, self._log):
            if task is not None:
                task.cancel()
        self.firmware_status = self.log_status = "Idle"

    def update(
        self,
        url: str,
        retrieve: datetime,
        install: datetime | None,
        attempts: int,
        pause_s: float,
        tell: Tell,
        restart: Callable[[], Awaitable[None]],
        *,
        signed: bool,
    ) -> None:
        """Download and "install" a firmware; one that is under way is given up."""
        if self._firmware is not None:
            self._firmware.cancel()

        async def say(status: str) -> None:
            self.firmware_status = status
            await tell(status)

        async def work() -> None:
            if retrieve > self._clock.now():
                await say("DownloadScheduled")
                await asyncio.sleep((retrieve - self._clock.now()).total_seconds())
            await say("Downloading")
            content: bytes | str = ""
            for attempt in range(max(attempts, 1)):
                content = await download(url, self._context(url))
                if isinstance(content, bytes):
                    break
                print(f"station: firmware: {content}", file=sys.stderr, flush=True)
                if attempt + 1 < attempts:
                    await asyncio.sleep(pause_s)
            if isinstance(content, str):
                await say("DownloadFailed")
                self.firmware_status = "Idle"
                return
            await say("Downloaded")
            if signed:
                await say("SignatureVerified")
            if install is not None and install > self._clock.now():
                await say("InstallScheduled")
                await asyncio.sleep((install - self._clock.now()).total_seconds())
            await say("Installing")
            await asyncio.sleep(_INSTALL_S)
            await restart()
            await say("Installed")
            self.firmware_status = "Idle"

        self._firmware = asyncio.create_task(work(), name="station.firmware")

    def send_log(self, url: str, name: str, attempts: int, pause_s: float, tell: Tell) -> None:
        """Upload the log; one that is under way is given up."""
        if self._log is not None:
            self._log.cancel()

        async def say(status: str) -> None:
            self.log_status = status
            await tell(status)

        async def work() -> None:
            await say("Uploading")
            why: str | None = None
            for attempt in range(max(attempts, 1)):
                why = await upload(url, name, _LOG, self._context(url))
                if why is None:
                    break
                print(f"station: log: {why}", file=sys.stderr, flush=True)
                if attempt + 1 < attempts:
                    await asyncio.sleep(pause_s)
            await say("Uploaded" if why is None else "UploadFailure")
            self.log_status = "Idle"

        self._log = asyncio.create_task(work(), name="station.log")

    def _context(self, url: str) -> ssl.SSLContext | None:
        return self._link.trust.context() if url.startswith("https:") else None
