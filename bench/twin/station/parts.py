"""The parts of the station that requests of the back end act on."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from .clock import StationClock
from .file_jobs import FileJobs
from .keys import Keys
from .link import Link
from .local_list import LocalList
from .messages import Message
from .posts import Posts
from .speech import BootCause
from .status import StatusReporter
from .transaction import TransactionQueue

__all__ = ["Parts"]


class Parts(Protocol):
    """What `app.Station` shows to the versions."""

    name: str
    link: Link
    posts: Posts
    reporter: StatusReporter
    queue: TransactionQueue
    clock: StationClock
    local_list: LocalList
    keys: Keys
    jobs: FileJobs

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task that dies with the supply."""
        ...

    def send_soon(self, message: Message) -> None:
        """Send a request whose answer does not matter; it is dropped when there is no connection."""
        ...

    def renew_certificate(self, chain_pem: str, key_pem: str) -> None:
        """Connect again with this certificate, if certificates are what we show (security profile 3)."""
        ...

    async def reset(self, reason: str, *, idle: bool = False) -> None:
        """End what runs with this reason, leave, and boot anew."""
        ...

    async def reset_and_resume(self) -> None:
        """Interrupt what runs, boot anew, and take it up again (2.1 B13)."""
        ...

    async def restart(self, cause: BootCause) -> None:
        """Leave and boot anew; returns when the boot has been accepted."""
        ...
