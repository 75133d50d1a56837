"""Payment in OCPP 2.1: settlements and receipts (C21), and companies behind VAT numbers (C18)."""

from __future__ import annotations

from urllib.parse import quote

from ..dialect import Payload
from ..fields import integer, text
from ..service import Answers, Asked, Service
from ..settings import Desk

__all__ = ["Payments"]

LONGEST = 20
"""Characters of a VAT number in the answer; a longer one has been recorded as a violation and fits no company."""

KEEP = 200


class Payments(Service):
    """NotifySettlement and VatNumberValidation.

    `settlements`: the newest 200, as sent, by the reference of the payment provider.
    """

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.settlements: dict[str, Payload] = {}

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"NotifySettlement": self._settled, "VatNumberValidation": self._validated}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the settlement."""
        if action == "NotifySettlement":
            self.settlements[text(payload.get("pspRef"))] = payload
            if len(self.settlements) > KEEP:
                self.settlements.pop(next(iter(self.settlements)))
        return {}

    def _settled(self, payload: Payload, how: Asked) -> Payload:
        # C21.FR.03: a receipt of the back end's, for a station that leaves it to the back end and offers none itself.
        url = self.desk.settings.policy.receipt_url
        if url is None or "receiptUrl" in payload or payload.get("status") != "Settled":
            return {}
        reference = text(payload.get("pspRef"))
        receipt = text(payload.get("receiptId")) or reference[:50]
        return {"receiptUrl": url.replace("{receipt}", quote(reference, safe="")), "receiptId": receipt}

    def _validated(self, payload: Payload, how: Asked) -> Payload:
        number = text(payload.get("vatNumber"))[:LONGEST]
        companies = {known.casefold(): company for known, company in self.desk.settings.policy.vat_companies.items()}
        company = companies.get(number.casefold())
        # C18.FR.10: the outlet comes back as it was.
        evse = integer(payload.get("evseId"))
        place = {} if evse is None or evse < 0 else {"evseId": evse}
        if company is None:
            return {"vatNumber": number, "status": "Rejected", **place}
        return {"vatNumber": number, "status": "Accepted", "company": dict(company), **place}
