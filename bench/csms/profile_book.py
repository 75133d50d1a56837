"""Charging profiles that a station holds, as far as the back end put them there and the station agreed (K01-K10)."""

from __future__ import annotations

import msgspec

from .dialect import Payload
from .fields import integer, member, objects, string

__all__ = ["InstalledProfile", "ProfileBook", "exceeds"]

MOST = 256


class InstalledProfile(msgspec.Struct):
    """One profile and its outlet (0: the station, or each outlet for a default). `payload`: ChargingProfileType.

    `remote_start_id`: it came with a remote start whose transaction is not known yet.
    """

    evse: int
    payload: Payload
    remote_start_id: int | None = None

    @property
    def number(self) -> int:
        """Its id."""
        return integer(self.payload.get("id")) or 0

    @property
    def slot(self) -> tuple[object, ...]:
        """What no two profiles may share while both are valid (K01.FR.06, K01.FR.39)."""
        purpose = self.payload.get("chargingProfilePurpose")
        where = self.payload.get("transactionId") if purpose == "TxProfile" else self.evse
        return purpose, self.payload.get("stackLevel"), where


class ProfileBook:
    """The profiles of one station by their id, in the order in which they came."""

    def __init__(self) -> None:
        self._profiles: dict[int, InstalledProfile] = {}

    @property
    def profiles(self) -> list[InstalledProfile]:
        """All that are in place."""
        return list(self._profiles.values())

    def of(self, number: int) -> InstalledProfile | None:
        """A profile by its id."""
        return self._profiles.get(number)

    def for_transaction(self, tx: str) -> list[InstalledProfile]:
        """The profiles of one transaction, the lowest stack level first."""
        own = [one for one in self._profiles.values() if one.payload.get("transactionId") == tx]
        return sorted(own, key=lambda one: integer(one.payload.get("stackLevel")) or 0)

    def conflict(self, evse: int, profile: Payload) -> InstalledProfile | None:
        """A profile with another id that has the place this one would take; None: the place is free."""
        wanted = InstalledProfile(evse, profile)
        return next((one for one in self.profiles if one.slot == wanted.slot and one.number != wanted.number), None)

    def put(self, evse: int, profile: Payload, remote_start_id: int | None = None) -> None:
        """A profile was accepted; one with the same id is replaced (K01.FR.05)."""
        installed = InstalledProfile(evse, profile, remote_start_id)
        self._profiles.pop(installed.number, None)
        self._profiles[installed.number] = installed
        if len(self._profiles) > MOST:
            self._profiles.pop(next(iter(self._profiles)))

    def bind(self, remote_start_id: int, tx: str) -> None:
        """The transaction of a remote start is known: its profile belongs to it (F01.FR.08, K05)."""
        for one in self._profiles.values():
            if one.remote_start_id == remote_start_id and string(one.payload.get("transactionId")) is None:
                one.payload = {**one.payload, "transactionId": tx}

    def ended(self, tx: str) -> None:
        """A transaction is over, and so are its profiles."""
        for one in self.for_transaction(tx):
            del self._profiles[one.number]

    def cleared(self, request: Payload) -> None:
        """ClearChargingProfile was accepted: by id, or all that fit everything given (K10)."""
        number = integer(request.get("chargingProfileId"))
        if number is not None:
            self._profiles.pop(number, None)
            return
        wanted = member(request, "chargingProfileCriteria")
        for one in self.profiles:
            fits = (
                wanted.get("evseId", one.evse) == one.evse,
                wanted.get("stackLevel", one.payload.get("stackLevel")) == one.payload.get("stackLevel"),
                wanted.get("chargingProfilePurpose", one.slot[0]) == one.slot[0],
            )
            if all(fits):
                del self._profiles[one.number]


def exceeds(schedule: Payload, allowed: Payload) -> bool:
    """Whether a schedule asks for more than another one allows at any time; in another unit that is not known."""
    if schedule.get("chargingRateUnit") != allowed.get("chargingRateUnit"):
        return False
    bounds = _steps(allowed)
    for start, limit in _steps(schedule):
        after = [end for end, _ in _steps(schedule) if end > start]
        until = min(after, default=None)
        for index, (begin, bound) in enumerate(bounds):
            end = bounds[index + 1][0] if index + 1 < len(bounds) else None
            overlaps = (until is None or begin < until) and (end is None or end > start)
            if overlaps and limit > bound:
                return True
    return False


def _steps(schedule: Payload) -> list[tuple[int, float]]:
    steps: list[tuple[int, float]] = []
    for period in objects(schedule.get("chargingSchedulePeriod")):
        start, limit = integer(period.get("startPeriod")), period.get("limit")
        if start is not None and isinstance(limit, int | float):
            steps.append((start, float(limit)))
    return sorted(steps)
