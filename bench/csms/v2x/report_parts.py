"""Reports that come in several messages: complete when every part has come, in whatever order.

A part names its request; most kinds number their parts (`seqNo`, from 0), and every part but the last says that more
follows (`tbc`). Kinds without numbers are complete with the part that ends them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec

from ..dialect import Payload
from ..fields import integer

__all__ = ["Report", "ReportParts"]

MOST_REPORTS = 64
"""Reports remembered; the one that was longest without a part is forgotten first."""


class Report(msgspec.Struct):
    """One report. `parts`: by number, in the order of arrival where parts have none."""

    request_id: int
    parts: dict[int, Payload] = {}
    last: int | None = None

    @property
    def complete(self) -> bool:
        """Whether every part has come."""
        return self.last is not None and all(number in self.parts for number in range(self.last + 1))

    @property
    def missing(self) -> list[int]:
        """Numbers that are known to be missing; the end may be missing beside them."""
        highest = max(self.parts, default=-1) if self.last is None else self.last
        return [number for number in range(highest + 1) if number not in self.parts]

    def entries(self, field: str) -> list[Any]:
        """Everything that the parts list in `field`, in the order of their numbers."""
        found: list[Any] = []
        for number in sorted(self.parts):
            listed = self.parts[number].get(field)
            if isinstance(listed, list):
                found += listed
            elif listed is not None:
                found.append(listed)
        return found


class ReportParts:
    """The reports of one kind from one station, by the number of their request."""

    def __init__(self, *, numbered: bool = True) -> None:
        self._numbered = numbered
        self._reports: OrderedDict[int, Report] = OrderedDict()

    @property
    def reports(self) -> Sequence[Report]:
        """All that are remembered, the one with the newest part last."""
        return tuple(self._reports.values())

    def of(self, request_id: int) -> Report | None:
        """The report to a request."""
        return self._reports.get(request_id)

    def take(self, payload: Payload) -> tuple[Report, bool] | None:
        """Take one part; returns its report, and whether the part is new. None: it names no request or number.

        A number that comes again with another content begins the report anew: the request's number was used again.
        """
        request_id = integer(payload.get("requestId"))
        number = integer(payload.get("seqNo")) if self._numbered else -1
        if request_id is None or number is None:
            return None
        report = self._reports.get(request_id)
        if report is None or self._anew(report, number, payload):
            report = self._reports[request_id] = Report(request_id)
        self._reports.move_to_end(request_id)
        if len(self._reports) > MOST_REPORTS:
            self._reports.popitem(last=False)
        if not self._numbered:
            number = len(report.parts)
        new = number not in report.parts
        report.parts[number] = payload
        if payload.get("tbc") is not True:
            report.last = number
        return report, new

    def _anew(self, report: Report, number: int, payload: Payload) -> bool:
        if not self._numbered:
            return report.complete
        return number in report.parts and report.parts[number] != payload
