"""Reports that somebody waits for: device model, in one NotifyReport or several (use cases B07, B08)."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from ....errors import CsmsError, StationTimeout
from ..dialect import Payload
from ..fields import integer
from ..service import Service
from ..settings import Desk
from .report_parts import Report, ReportParts

__all__ = ["Awaited", "AwaitedReports"]


class Awaited:
    """One report on its way."""

    def __init__(self, station: str, patience_s: float) -> None:
        self._station = station
        self._patience_s = patience_s
        self._parts = ReportParts()
        self._news = asyncio.Event()
        self._report: Report | None = None
        self._lost: str | None = None

    async def whole(self) -> Report:
        """The report, once every part of it has come.

        Raises:
            StationTimeout: no part came for as long as an answer may take.
            CsmsError: the station restarted meanwhile.
        """
        while self._report is None or not self._report.complete:
            if self._lost is not None:
                raise CsmsError(f"{self._station} did not finish its report: {self._lost}. Ask for it again.")
            self._news.clear()
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._news.wait()
            except TimeoutError as exc:
                missing = self._report.missing if self._report else []
                what = f"; parts {missing} are missing" if missing else ""
                raise StationTimeout(
                    f"{self._station} accepted to report, and for {self._patience_s:g} s no part came{what}. "
                    "See whether it still sends."
                ) from exc
        return self._report

    def take(self, payload: Payload) -> None:
        """A part came."""
        taken = self._parts.take(payload)
        if taken is not None:
            self._report = taken[0]
            self._news.set()

    def lose(self, why: str) -> None:
        """No more parts will come."""
        self._lost = why
        self._news.set()


class AwaitedReports(Service):
    """The reports that are waited for, by the number of their request. Nothing is kept of any other."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self._waiting: dict[int, Awaited] = {}

    @contextmanager
    def awaited(self, number: int) -> Generator[Awaited]:
        """Collect the report to a request that is about to be sent: a part may come as soon as its answer."""
        self._waiting[number] = one = Awaited(self.station, self.desk.settings.call_timeout_s)
        try:
            yield one
        finally:
            del self._waiting[number]

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """See `Service.settled`."""
        if action == "NotifyReport":
            one = self._waiting.get(integer(payload.get("requestId")) or 0)
            if one is not None:
                one.take(payload)
        return {}

    def booted(self) -> None:
        """See `Service.booted`."""
        for one in self._waiting.values():
            one.lose("it restarted")
