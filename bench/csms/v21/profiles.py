"""Dynamic charging profiles of OCPP 2.1 (K28): their limit changes while they stay in place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from ..dialect import Fact, Payload, Request
from ..fields import instance_id, integer, member, objects
from ..v2x.asked_facts import profile_fact
from ..v2x.requests import describe, numbers, verdict

__all__ = ["DynamicProfiles"]

MOST = 256
"""Profiles remembered; the oldest is forgotten first."""


class _Profile(msgspec.Struct, frozen=True):
    evse: int | None
    unit: str
    phases: int | None
    fixed: dict[str, Any]


class DynamicProfiles:
    """The profiles that one station accepted, by their number."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._known: OrderedDict[int, _Profile] = OrderedDict()

    def describe(self, payload: Payload) -> Request:
        """An update as the gate sees it. The limit of a profile that is not known is taken for ampere, the stricter."""
        known = self._profile(payload.get("chargingProfileId"))
        update = _limits(known, member(payload, "scheduleUpdate"))
        unit, phases = (known.unit.upper(), known.phases) if known else (None, None)
        seen = describe("UpdateDynamicSchedule", payload, unit, phases)
        # An update, or a refusal of one, that names no limit changes none.
        to_safe = seen.to_safe or not seen.bounds
        return Request({"evse": known.evse if known else None, **update}, to_safe, seen.bounds)

    def answered(self, action: str, payload: Payload, accepted: bool, status: str) -> Iterator[Fact]:
        """Remember an accepted profile; tell the new limit of an update (K28.FR.06)."""
        if action == "SetChargingProfile" and accepted:
            self._remember(payload)
        elif action == "UpdateDynamicSchedule":
            yield self._updated(payload, accepted, status, own=False)

    def replied(self, action: str, payload: Payload, reply: Payload) -> Iterator[Fact]:
        """The station asked for new limits itself, and applies what it is told (K28.FR.08)."""
        if action == "PullDynamicScheduleUpdate":
            accepted, status = verdict(reply)
            yield self._updated({**payload, **reply}, accepted, status, own=True)

    def _profile(self, number: Any) -> _Profile | None:
        return self._known.get(number) if type(number) is int else None

    def _remember(self, payload: Payload) -> None:
        profile = member(payload, "chargingProfile")
        number = integer(profile.get("id"))
        schedules = objects(profile.get("chargingSchedule"))
        if number is None:
            return
        fixed: dict[str, Any] = {"purpose": profile.get("chargingProfilePurpose"), "tx": profile.get("transactionId")}
        fixed |= {"stack_level": profile.get("stackLevel"), "profile_id": number}
        # A dynamic profile has one schedule (K28.FR.01).
        unit = "w" if schedules and schedules[0].get("chargingRateUnit") == "W" else "a"
        periods = [period for schedule in schedules for period in objects(schedule.get("chargingSchedulePeriod"))]
        phases = min((count for period in periods if (count := instance_id(period.get("numberPhases")))), default=None)
        self._known[number] = _Profile(instance_id(payload.get("evseId")), unit, phases, fixed)
        self._known.move_to_end(number)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _updated(self, payload: Payload, accepted: bool, status: str, *, own: bool) -> Fact:
        number = payload.get("chargingProfileId")
        known = self._profile(number)
        if known is None:
            # Of what, and in which unit: not known, so no number is told.
            fixed: dict[str, Any] = {"purpose": None, "tx": None, "stack_level": None, "profile_id": number}
            evse, limits = None, {"limit_a": None, "max_limit_a": None}
        else:
            evse, fixed = known.evse, known.fixed
            limits = _limits(known, member(payload, "scheduleUpdate"))
        fact = profile_fact(self._station, evse, {**limits, **fixed, "accepted": accepted, "status": status})
        return msgspec.structs.replace(fact, own=own)


def _limits(known: _Profile | None, update: Payload) -> dict[str, Any]:
    unit, listed = known.unit if known else "a", numbers(update)
    return {f"limit_{unit}": next(iter(listed), None), f"max_limit_{unit}": max(listed, default=None)}
