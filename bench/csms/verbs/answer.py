"""What a request to a station goes through, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from ....errors import CsmsError

if TYPE_CHECKING:
    from ..service import Service

__all__ = ["Answer", "CallRefused", "Caller", "Period", "Schedule"]


S = TypeVar("S", bound="Service")


class Answer(msgspec.Struct, frozen=True):
    """A station's answer: `accepted`, its own word for it, the whole payload, and how long it took.

    `request_id` is the number that later messages about this request bear (firmware, logs, reports), if any.
    """

    accepted: bool
    status: str
    payload: dict[str, Any]
    latency_ms: float
    request_id: int | None = None


class Period(msgspec.Struct, frozen=True):
    """One period of a schedule: seconds after its start, the limit in the schedule's unit (None: a 2.1 period
    without one), and the phases used (None: not said)."""

    start_s: int
    limit: float | None
    phases: int | None


class Schedule(msgspec.Struct, frozen=True):
    """What a station will offer, as it computed it (composite schedule).

    `unit` is "A" per phase or "W"; `start` is ISO 8601 text; `evse` 0 is the station as a whole. Without `accepted`
    there are no periods.
    """

    accepted: bool
    status: str
    evse: int
    unit: str
    start: str
    duration_s: int
    periods: tuple[Period, ...]
    payload: dict[str, Any]

    def limit_at(self, after_s: float) -> float | None:
        """The limit that long after the schedule's start; None before its first period or after its end."""
        if after_s > self.duration_s:
            return None
        begun = [period for period in self.periods if period.start_s <= after_s]
        return begun[-1].limit if begun else None


class CallRefused(CsmsError):
    """The station answered a request by an error; `code` and `description` are its own words."""

    def __init__(self, message: str, *, code: str, description: str) -> None:
        super().__init__(message)
        self.code = code
        self.description = description


class Caller(Protocol):
    """What a version's verbs send through; it passes the gate, and records."""

    async def ask(
        self, action: str, payload: dict[str, Any], *, timeout_s: float | None = None, validate: bool = True
    ) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            SafetyError: the gate refused; nothing was sent.
            CsmsError: not connected, the payload does not fit its schema, or the connection was lost.
            CallRefused: the station answered by an error.
            StationTimeout: no answer within `timeout_s` seconds (None: as configured for the action).
        """
        ...

    def service(self, kind: type[S]) -> S:
        """What the back end knows of one subject of this station.

        Raises:
            CsmsError: its version has no such subject.
        """
        ...
