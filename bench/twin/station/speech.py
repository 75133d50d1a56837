"""How one version of OCPP says what the station has to say. `v16.dialect` and `v2x.dialect` are the two of them."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from .messages import Message, Payload
from .session import Token

__all__ = ["BootCause", "Speech", "Status", "TokenAnswer"]

BootCause = Literal["power", "reset", "idle-reset", "triggered", "firmware"]


class Status(NamedTuple):
    """A status of a connector in the words of OCPP 1.6, which has more of them than its successors."""

    status: str
    error: str = "NoError"
    info: str | None = None


class TokenAnswer(NamedTuple):
    """What the back end says of a token; `group` is its parent or group id."""

    accepted: bool
    group: str | None


class Speech(Protocol):
    """Builds requests and reads their answers."""

    version: str
    connectors: tuple[int, ...]

    def boot(self, cause: BootCause) -> Message: ...
    def heartbeat(self) -> Message: ...
    def authorize(self, token: Token) -> Message: ...

    def token_answer(self, answer: Payload) -> TokenAnswer | None:
        """What an answer says of the token in its request; None when it says nothing."""
        ...

    def shown(self, status: Status) -> Status:
        """What the back end gets to see of a status."""
        ...

    def status(self, connector: int, status: Status, stamp: str) -> list[Message]:
        """The messages that tell a status."""
        ...
