"""Start, stop and limit charging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from .answer import Answer, Schedule

__all__ = ["OWN_IDS", "Charging", "Dynamic", "Purpose", "Tx", "Unit", "own_id"]

Purpose = Literal["station", "default", "transaction"]
"""Whom a limit binds: the whole station, every transaction to come, or one that runs."""

Tx = int | str
"""A transaction as its events name it: a number in OCPP 1.6, a text in 2.x."""

Unit = Literal["A", "W"]


OWN_IDS: dict[Purpose, int] = {"transaction": 1, "default": 2, "station": 3}


def own_id(purpose: Purpose, evse: int) -> int:
    """The id of the profile by which `set_limit` limits an outlet (counted from 1) for a purpose."""
    return OWN_IDS[purpose] + (0 if purpose == "station" else 10 * max(0, evse - 1))


class Charging(Protocol):
    """Every version. Currents in ampere per phase."""

    async def remote_start(
        self,
        evse: int | None,
        id_token: str,
        *,
        limit_a: float | None = None,
        token_type: str = "ISO14443",
        group: str | None = None,
    ) -> Answer:
        """Start a transaction for a token, with a limit for it if one is given.

        `token_type` and `group` (a group token of the same type) are of 2.x; 1.6 knows neither and gets none.
        In 2.x `request_id` of the answer is the remoteStartId.
        """
        ...

    async def remote_stop(self, tx: Tx) -> Answer:
        """Stop a transaction."""
        ...

    async def set_limit(
        self,
        amps: float,
        *,
        evse: int = 1,
        tx: Tx | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int | None = None,
        phases: int | None = None,
    ) -> Answer:
        """Limit the current per phase from now on, by a charging profile with one period without end.

        `amps` is 0 or more, in steps of 0.1. Without `purpose`: the limit of the transaction when `tx` is given, else
        the default for every transaction to come. The station's own limit is always sent to EVSE 0. A profile replaces
        the one with its id, whatever that was for; without `profile_id` each purpose and outlet has its own (`own_id`).
        """
        ...

    async def clear_limits(
        self,
        *,
        evse: int | None = None,
        profile_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Answer:
        """Remove the charging profiles that fit everything given; all of them when nothing is."""
        ...

    async def composite_schedule(self, evse: int, duration_s: int, *, unit: Unit | None = None) -> Schedule:
        """What the station will offer over the next `duration_s` seconds, all its profiles together."""
        ...

    async def get_profiles(
        self,
        *,
        evse: int | None = None,
        profile_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Answer:
        """2.x: have the profiles that fit reported (ReportChargingProfiles, which bear the answer's `request_id`)."""
        ...


class Dynamic(Protocol):
    """2.1: profiles whose limit changes while they stay (K28), and power set points for V2X (Q). Watts: all phases."""

    async def dynamic_profile(
        self,
        amps: float,
        *,
        evse: int = 1,
        tx: Tx | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int = 1,
        update_s: int | None = None,
    ) -> Answer:
        """Set a profile of kind Dynamic that begins with a limit; the station pulls updates every `update_s` seconds.

        Without `update_s` it waits for `dynamic_limit`.
        """
        ...

    async def dynamic_limit(
        self,
        profile_id: int,
        *,
        limit: float | None = None,
        discharge_limit: float | None = None,
        setpoint: float | None = None,
    ) -> Answer:
        """Give a Dynamic profile new values (UpdateDynamicSchedule), in the unit of the profile.

        `discharge_limit` is 0 or less; `setpoint` is positive when the vehicle charges.
        """
        ...

    async def set_point(
        self,
        watts: float,
        *,
        tx: Tx,
        evse: int = 1,
        stack_level: int = 0,
        profile_id: int = 1,
    ) -> Answer:
        """Charge (positive) or discharge (negative) a vehicle at a power (operation mode CentralSetpoint).

        The profile is Dynamic: `dynamic_limit(profile_id, setpoint=...)` moves the set point.
        """
        ...

    async def priority_charging(self, tx: Tx, active: bool) -> Answer:
        """Let a transaction charge by its PriorityCharging profile, or by its usual one again."""
        ...

    async def allow_energy_transfer(self, tx: Tx, modes: Sequence[str]) -> Answer:
        """Say which energy transfer modes a transaction may use, e.g. ["AC_three_phase", "AC_BPT"]."""
        ...
