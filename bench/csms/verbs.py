"""What a person or a test can ask of a station, in words that hold for every OCPP version."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from ...errors import CsmsError

__all__ = ["Answer", "CallRefused", "Caller", "Purpose", "Verbs"]

Purpose = Literal["station", "default", "transaction"]
"""Whom a limit binds: the whole station, every transaction to come, or one that runs."""


class Answer(msgspec.Struct, frozen=True):
    """A station's answer: `accepted`, its own word for it, the whole payload, and how long it took."""

    accepted: bool
    status: str
    payload: dict[str, Any]
    latency_ms: float


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


class Verbs(Protocol):
    """Requests to one station. `evse` counts from 1; 0 is the station as a whole. Each raises as `Caller.ask`."""

    async def remote_start(self, evse: int | None, id_tag: str, *, limit_a: float | None = None) -> Answer:
        """Start a transaction for `id_tag`, with a limit for it if one is given."""
        ...

    async def remote_stop(self, tx: int | str) -> Answer:
        """Stop a transaction."""
        ...

    async def set_charging_profile(
        self,
        evse: int,
        limit_a: float,
        *,
        tx: int | str | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int = 1,
        phases: int | None = None,
    ) -> Answer:
        """Limit the current per phase. Without `purpose`: of the transaction when `tx` is given, else the default."""
        ...

    async def clear_charging_profile(
        self,
        *,
        evse: int | None = None,
        profile_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Answer:
        """Remove the profiles that fit everything given."""
        ...

    async def get_configuration(self, keys: list[str] | None = None) -> dict[str, str]:
        """Read settings of the station; None reads all."""
        ...

    async def change_configuration(self, key: str, value: str) -> Answer:
        """Write a setting, and read it back when the station accepts it."""
        ...

    async def trigger(self, message: str, evse: int | None = None) -> Answer:
        """Ask the station to send a message now."""
        ...

    async def reset(self, kind: Literal["Soft", "Hard"] = "Soft") -> Answer:
        """Restart the station."""
        ...

    async def change_availability(self, evse: int, operative: bool) -> Answer:
        """Take an outlet (0: the station) into or out of service."""
        ...

    async def unlock(self, evse: int) -> Answer:
        """Release the plug of an outlet."""
        ...

    async def data_transfer(self, vendor: str, message: str | None = None, data: str | None = None) -> Answer:
        """Send a vendor's own message."""
        ...

    async def call(
        self, action: str, payload: dict[str, Any], *, timeout_s: float | None = None, validate: bool = True
    ) -> dict[str, Any]:
        """Send any request as it is; `validate=False` also one that breaks its schema. Returns the answer's payload."""
        ...

    async def identify(self) -> None:
        """Ask a station that has not booted who it is."""
        ...

    async def read_back(self) -> None:
        """Read the whole configuration; it goes onto the timeline."""
        ...
