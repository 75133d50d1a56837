"""The slips of a station, put together: what it says passes here on its way to the wire."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from typing import Any

from ..messages import Message, Payload
from .answers import ANSWERS
from .kinds import Memory, Slip
from .statuses import STATUSES
from .transactions import TRANSACTIONS
from .values import VALUES

__all__ = ["SLIPS", "Slips"]

SLIPS: dict[str, Slip] = {**TRANSACTIONS, **STATUSES, **VALUES, **ANSWERS}
_CYCLE = 4


class Slips:
    """Applies the slips named, one after the other. `ids` is how message ids are made: "uuid", "count" or "cycle".

    One object lasts as long as the station, over connections.

    Raises:
        KeyError: there is no slip of such a name.
    """

    def __init__(self, names: Iterable[str] = (), ids: str = "uuid") -> None:
        self._slips: list[tuple[Slip, Memory]] = [(SLIPS[name], {}) for name in names]
        self._ids = ids
        self._numbers = itertools.count(1)

    def message_id(self) -> str:
        """The id of the next request."""
        if self._ids == "uuid":
            return str(uuid.uuid4())
        number = next(self._numbers)
        return str(1 + number % _CYCLE) if self._ids == "cycle" else str(number)

    def said(self, message: Message) -> list[Message]:
        """What is sent in place of a message."""
        messages = [message]
        for slip, memory in self._slips:
            messages = [changed for one in messages for changed in slip.say(one, memory)]
        return messages

    @property
    def between_s(self) -> float:
        """Seconds between messages that are sent in place of one."""
        return max((slip.between_s for slip, _ in self._slips), default=0.0)

    def beside(self, action: str) -> bool:
        """Whether a second request goes out right behind this one."""
        return any(action in slip.beside for slip, _ in self._slips)

    def heard(self, action: str, request: Payload) -> Payload:
        """What a request is taken for."""
        for slip, _ in self._slips:
            if action in slip.heard:
                request = slip.heard[action](request)
        return request

    def instead(self, action: str) -> dict[str, Any] | None:
        """The answer to a request with which nothing is done; None: it is done."""
        return next((slip.instead[action] for slip, _ in self._slips if action in slip.instead), None)

    def answered(self, action: str, request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
        """What is answered in place of an answer."""
        for slip, memory in self._slips:
            if action in slip.answers:
                answer = slip.answers[action](request, answer)
            if action in slip.recalled:
                answer = slip.recalled[action](request, answer, memory)
        return answer
