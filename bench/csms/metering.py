"""Measured values of a station beside the timeline: when the last ones came, and those that the meter has signed.

Signed data is kept as it came. Whether a signature is good is for a tool that knows the meter: no version of OCPP says
how to check it (1.6 section 7.39 ValueFormat; 2.x SignedMeterValueType, J02.FR.21).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .dialect import Payload
from .fields import instance_id, member, objects, string, text
from .service import Answers, Service
from .settings import Desk

__all__ = ["Metering", "SignedValue"]

KEEP = 500


class SignedValue(msgspec.Struct, frozen=True):
    """One signed value. `data`: as the station sent it; the rest None where the version or the station says nothing.

    - `tx`, `evse`: whose it is. `claim`: the station's time. `measurand`, `context`: as sent, None for the default.
    - `value`: the plain value beside it (2.x). `method`, `encoding`, `public_key`: SignedMeterValueType (2.x).
    """

    data: str
    tx: int | str | None
    evse: int | None
    claim: str | None
    measurand: str | None
    context: str | None
    value: float | None = None
    method: str | None = None
    encoding: str | None = None
    public_key: str | None = None


class Metering(Service):
    """MeterValues, and the values in messages of transactions. `signed`: the newest 500, the oldest first."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.signed: list[SignedValue] = []
        self.messages = 0

    def answers(self) -> Answers:
        """See `Service.answers`. Whatever the values are, the message is answered (J01.FR.18, 1.6 section 4.7)."""
        return {"MeterValues": lambda _, __: {}}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep what is signed."""
        if action == "MeterValues":
            self.messages += 1
            tx = payload.get("transactionId")
            evse = instance_id(payload.get("connectorId", payload.get("evseId")))
            self.signed.extend(_signed(payload.get("meterValue"), tx if isinstance(tx, int | str) else None, evse))
        elif action == "StopTransaction":
            tx = payload.get("transactionId")
            self.signed.extend(_signed(payload.get("transactionData"), tx if isinstance(tx, int) else None, None))
        elif action == "TransactionEvent" and "meterValue" in payload:
            tx = string(member(payload, "transactionInfo").get("transactionId"))
            evse = instance_id(member(payload, "evse").get("id"))
            self.signed.extend(_signed(payload.get("meterValue"), tx, evse))
        if len(self.signed) > KEEP:
            del self.signed[:-KEEP]
        return {}


def _signed(meter_values: object, tx: int | str | None, evse: int | None) -> Iterator[SignedValue]:
    for meter_value in objects(meter_values):
        claim = string(meter_value.get("timestamp"))
        for sample in objects(meter_value.get("sampledValue")):
            is_text = sample.get("format") == "SignedData"
            if not is_text and "signedMeterValue" not in sample:
                continue
            kind = string(sample.get("measurand")), string(sample.get("context"))
            if is_text:
                yield SignedValue(text(sample.get("value")), tx, evse, claim, *kind)
            else:
                signed, value = member(sample, "signedMeterValue"), sample.get("value")
                yield SignedValue(
                    text(signed.get("signedMeterData")),
                    tx,
                    evse,
                    claim,
                    *kind,
                    value=float(value) if isinstance(value, int | float) else None,
                    method=string(signed.get("signingMethod")),
                    encoding=string(signed.get("encodingMethod")),
                    public_key=string(signed.get("publicKey")),
                )
