"""What is done wrong, on purpose, with one request of a station."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

__all__ = ["Handler", "Plan"]

Handler = Callable[[Any, dict[str, Any], dict[str, Any]], "dict[str, Any] | Awaitable[dict[str, Any]]"]
"""`handler(link, payload, proposed) -> reply`: replaces the answer to a request. It may be a coroutine function, and
may send requests to the station (`link.call`) before it answers."""


class Plan(msgspec.Struct, frozen=True):
    """What becomes of the answer to one request.

    - `delay_s`: seconds to wait before anything else.
    - `reply`: the payload to answer, or the handler that makes it; None: what the back end proposes.
    - `silence`: no answer at all.
    - `error`: code and description of the CALLERROR that goes out instead.
    - `wrong_id`: the answer bears an id that no request has.
    - `malformed`: the text that goes out instead, `{id}` in it stands for the message id; True: the answer, cut off.
    - `duplicate`: the answer goes out twice.
    - `close`: close code of the closing handshake that follows the answer, or comes in its place.
    - `half_open`: the back end forgets the connection without a word, after the answer or in its place.
    """

    delay_s: float = 0.0
    reply: dict[str, Any] | Handler | None = None
    silence: bool = False
    error: tuple[str, str] | None = None
    wrong_id: bool = False
    malformed: str | Literal[True] | None = None
    duplicate: bool = False
    close: int | None = None
    half_open: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for yet."""
        return self == NOTHING

    @property
    def answers(self) -> bool:
        """Whether something is sent for the request: the proper answer, or what stands for it."""
        if self.silence:
            return False
        instead = self.close is not None or self.half_open
        return not instead or bool(
            self.reply is not None or self.error or self.wrong_id or self.malformed is not None or self.duplicate
        )


NOTHING = Plan()
