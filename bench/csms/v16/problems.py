"""Faults that a station of OCPP 1.6 names in its StatusNotification, and when they are over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialect import Fact, Payload
from ..fields import instance_id, integer, string, text

__all__ = ["Problems"]

WORDS = {
    "ConnectorLockFailure": "lock",
    "EVCommunicationError": "ev",
    "GroundFailure": "ground",
    "HighTemperature": "over-temperature",
    "InternalError": "internal",
    "OverCurrentFailure": "over-current",
    "OverVoltage": "over-voltage",
    "PowerMeterFailure": "meter",
    "PowerSwitchFailure": "power-switch",
    "ReaderFailure": "reader",
    "ResetFailure": "internal",
    "UnderVoltage": "under-voltage",
    "WeakSignal": "signal",
}
"""ChargePointErrorCode (1.6 section 7.6) -> the word that every version has; any other code is "other"."""


class Problems:
    """What each connector of one station has named and not taken back.

    A StatusNotification carries one error code (section 6.47): another code does not end the first, NoError ends all.
    """

    def __init__(self, station: str) -> None:
        self._station = station
        self._open: dict[int | None, dict[str, None]] = {}

    def heard(self, payload: Payload) -> Iterator[Fact]:
        """The faults in a StatusNotification: one that begins or goes on, or those that are over."""
        code, connector = text(payload.get("errorCode")), integer(payload.get("connectorId"))
        if not code:
            return
        if code != "NoError":
            self._open.setdefault(connector, {})[code] = None
            yield self._fact(payload, connector, code, True)
            return
        for over in self._open.pop(connector, {}):
            yield self._fact(payload, connector, over, False)

    def forget(self) -> None:
        """The station restarted: what it has now, it will say."""
        self._open.clear()

    def _fact(self, payload: Payload, connector: int | None, code: str, active: bool) -> Fact:
        data: dict[str, Any] = {
            "station": self._station,
            "connector": connector,
            "component": None,
            "variable": None,
            "problem": WORDS.get(code, "other"),
            "active": active,
            "code": code,
            "vendor_code": string(payload.get("vendorErrorCode")),
            "info": string(payload.get("info")),
            "claim": string(payload.get("timestamp")),
            "via": "StatusNotification",
        }
        return Fact("ocpp.problem", data, instance_id(connector))
