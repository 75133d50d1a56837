"""What a station of 2.x lists of itself in several messages: display messages, and what it knows of a customer."""

from __future__ import annotations

from ..dialect import Payload
from ..fields import integer, member, objects, text
from ..service import Answers, Service
from ..settings import Desk
from .report_parts import ReportParts

__all__ = ["CustomerInformation", "DisplayMessages"]


class DisplayMessages(Service):
    """Messages on the display of a station (O). `messages`: MessageInfoType by id, as set or as listed."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.messages: dict[int, Payload] = {}
        self.reports = ReportParts(numbered=False)

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"NotifyDisplayMessages": lambda _, __: {}}

    def reported(self, request_id: int) -> list[Payload] | None:
        """The messages of a report; None until it has come whole."""
        report = self.reports.of(request_id)
        return report.entries("messageInfo") if report is not None and report.complete else None

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take a part of a list."""
        if action == "NotifyDisplayMessages":
            self.reports.take(payload)
            for message in objects(payload.get("messageInfo")):
                self._put(message)
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """A message that the station shows, or shows no longer."""
        if answer.get("status") == "Accepted" and action == "SetDisplayMessage":
            self._put(member(payload, "message"))
        elif answer.get("status") in ("Accepted", "Unknown") and action == "ClearDisplayMessage":
            self.messages.pop(integer(payload.get("id")) or 0, None)

    def _put(self, message: Payload) -> None:
        number = integer(message.get("id"))
        if number is not None:
            self.messages[number] = message


class CustomerInformation(Service):
    """What a station has stored of a customer (N09, N10): text in parts."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.reports = ReportParts()

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"NotifyCustomerInformation": lambda _, __: {}}

    def reported(self, request_id: int) -> str | None:
        """The whole text; None until every part has come."""
        report = self.reports.of(request_id)
        if report is None or not report.complete:
            return None
        return "".join(text(part) for part in report.entries("data"))

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take a part."""
        if action == "NotifyCustomerInformation":
            self.reports.take(payload)
        return {}
