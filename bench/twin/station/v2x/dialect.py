"""How OCPP 2.0.1 and 2.1 say what the station has to say.

The state of a connector goes by StatusNotification in 2.0.1 and by NotifyEvent with AvailabilityState in 2.1, which
prefers it (2.1 B01.FR.05, B04.FR.01); both are allowed in both. A failure is told beside it as the variable Problem.
"""

from __future__ import annotations

import itertools
from typing import Any

from ..messages import Message, Payload, member
from ..session import Token
from ..speech import BootCause, Status, TokenAnswer

__all__ = ["Dialect2x", "connector_of", "event", "id_token"]

_REASONS: dict[BootCause, str] = {
    "power": "PowerUp",
    "reset": "RemoteReset",
    "idle-reset": "ScheduledReset",
    "triggered": "Triggered",
    "firmware": "FirmwareUpdate",
}
_OCCUPIED = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"})
_PROBLEMS = {
    "ConnectorLockFailure": "ConnectorPlugRetentionLock",
    "PowerSwitchFailure": "PowerContactor",
    "OtherError": "CPPWMController",
}


def connector_of(evse: int) -> dict[str, int]:
    """The one connector of an EVSE."""
    return {"id": evse, "connectorId": 1}


def id_token(token: Token) -> dict[str, Any]:
    """IdTokenType."""
    return {"idToken": token.id, "type": token.kind}


def event(number: int, stamp: str, component: dict[str, Any], variable: str, value: str) -> dict[str, Any]:
    """EventDataType of something that the station tells by itself."""
    return {
        "eventId": number,
        "timestamp": stamp,
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": variable},
    }


class Dialect2x:
    """Implements `speech.Speech`."""

    def __init__(self, version: str, station: str, evses: int = 1) -> None:
        self.version = version
        self.connectors: tuple[int, ...] = tuple(range(1, evses + 1))
        self._station = station
        self._events = itertools.count(1)
        self._problems: dict[int, str | None] = {}

    def boot(self, cause: BootCause) -> Message:
        station = {
            "model": "Simulated AC station",
            "vendorName": "pilotbench",
            "serialNumber": self._station[:25],
            "firmwareVersion": "1",
        }
        return Message("BootNotification", {"reason": _REASONS[cause], "chargingStation": station})

    def heartbeat(self) -> Message:
        return Message("Heartbeat", {})

    def authorize(self, token: Token) -> Message:
        return Message("Authorize", {"idToken": id_token(token)})

    def token_answer(self, answer: Payload) -> TokenAnswer | None:
        info = member(answer, "idTokenInfo")
        if not info:
            return None
        return TokenAnswer(info["status"] == "Accepted", member(info, "groupIdToken").get("idToken"))

    def shown(self, status: Status) -> Status:
        word = "Occupied" if status.status in _OCCUPIED else status.status
        return Status(word, status.error if word == "Faulted" else "NoError")

    def status(self, connector: int, status: Status, stamp: str) -> list[Message]:
        shown = self.shown(status)
        messages: list[Message] = []
        if self.version == "2.1":
            component = {"name": "Connector", "evse": connector_of(connector)}
            messages.append(self.notify(stamp, component, "AvailabilityState", shown.status))
        else:
            payload = {"timestamp": stamp, "connectorStatus": shown.status, "evseId": connector, "connectorId": 1}
            messages.append(Message("StatusNotification", payload))
        problem = _PROBLEMS.get(shown.error)
        before = self._problems.get(connector)
        if problem != before:
            if before is not None:
                messages.append(self._tell_problem(connector, stamp, before, False, None))
            if problem is not None:
                messages.append(self._tell_problem(connector, stamp, problem, True, status.info))
            self._problems[connector] = problem
        return messages

    def notify(self, stamp: str, component: dict[str, Any], variable: str, value: str, **more: Any) -> Message:
        """A NotifyEvent with one variable."""
        data = {**event(next(self._events), stamp, component, variable, value), **more}
        return Message("NotifyEvent", {"generatedAt": stamp, "seqNo": 0, "tbc": False, "eventData": [data]})

    def _tell_problem(self, connector: int, stamp: str, name: str, active: bool, info: str | None) -> Message:
        more: dict[str, Any] = {} if active else {"cleared": True}
        if info is not None:
            more["techInfo"] = info
        component = {"name": name, "evse": connector_of(connector)}
        return self.notify(stamp, component, "Problem", "true" if active else "false", **more)
