"""How OCPP 1.6 says what the station has to say."""

from __future__ import annotations

from ..messages import Message, Payload, member
from ..session import Token
from ..speech import BootCause, Status, TokenAnswer

__all__ = ["Dialect16"]


class Dialect16:
    """Implements `speech.Speech`."""

    version: str = "1.6"

    def __init__(self, station: str, evses: int = 1) -> None:
        self._station = station
        self.connectors: tuple[int, ...] = tuple(range(evses + 1))

    def boot(self, cause: BootCause) -> Message:
        return Message(
            "BootNotification",
            {
                "chargePointModel": "Simulated AC station",
                "chargePointVendor": "pilotbench",
                "chargePointSerialNumber": self._station[:25],
                "firmwareVersion": "1",
            },
        )

    def heartbeat(self) -> Message:
        return Message("Heartbeat", {})

    def authorize(self, token: Token) -> Message:
        return Message("Authorize", {"idTag": token.id})

    def token_answer(self, answer: Payload) -> TokenAnswer | None:
        info = member(answer, "idTagInfo")
        return TokenAnswer(info["status"] == "Accepted", info.get("parentIdTag")) if info else None

    def shown(self, status: Status) -> Status:
        return status

    def status(self, connector: int, status: Status, stamp: str) -> list[Message]:
        payload = {
            "connectorId": connector,
            "errorCode": status.error,
            "status": status.status,
            "timestamp": stamp,
        }
        if status.info is not None:
            payload["info"] = status.info
        return [Message("StatusNotification", payload)]
