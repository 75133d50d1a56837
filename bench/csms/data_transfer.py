"""Messages of vendors (1.6 section 4.3, 2.x P02): known vendors and messages are the policy's."""

from __future__ import annotations

from typing import Any

import msgspec

from .dialect import Payload
from .fields import string, text
from .service import Answers, Asked, Service
from .settings import Desk

__all__ = ["DataTransfers", "Transfer"]

KEEP = 200


class Transfer(msgspec.Struct, frozen=True):
    """One message of a vendor, and how it was answered. `data` is as it came: text in 1.6, anything in 2.x."""

    vendor: str
    message: str | None
    data: Any
    status: str


class DataTransfers(Service):
    """DataTransfer of the station. `heard`: the newest 200, the oldest first."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.transfers: list[Transfer] = []

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"DataTransfer": self._answer}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the message."""
        if action == "DataTransfer":
            vendor, message = text(payload.get("vendorId")), string(payload.get("messageId"))
            self.transfers.append(Transfer(vendor, message, payload.get("data"), text(reply.get("status"))))
            del self.transfers[:-KEEP]
        return {}

    def _answer(self, payload: Payload, how: Asked) -> Payload:
        vendors = self.desk.settings.policy.vendors
        messages = vendors.get(text(payload.get("vendorId")))
        if messages is None:
            return {"status": "UnknownVendorId"}
        named = string(payload.get("messageId"))
        return {"status": "Accepted" if not messages or named in messages else "UnknownMessageId"}
