"""Charging profiles: stacking, combining and the limit that holds now (OCPP 1.6 sections 3.13 and 5.16; 2.x K01)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from .clock import parse_time

__all__ = ["MAX_INSTALLED", "MAX_PERIODS", "MAX_STACK_LEVEL", "STATION_MAX", "Profile", "Profiles", "ampere", "total"]

MAX_STACK_LEVEL = 8
MAX_PERIODS = 24
MAX_INSTALLED = 16
STATION_MAX = "ChargePointMaxProfile"
"""What 2.x calls ChargingStationMaxProfile."""
PURPOSES = (STATION_MAX, "TxDefaultProfile", "TxProfile")
_VOLT = 230.0
_EVERY = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


@dataclass(frozen=True)
class Profile:
    """One installed profile. `limits` are (offset from the schedule's start, ampere per phase)."""

    profile_id: int
    stack_level: int
    purpose: str
    kind: str
    connector: int
    limits: tuple[tuple[timedelta, float], ...]
    transaction_id: int | str | None = None
    start: datetime | None = None
    duration: timedelta | None = None
    recurrency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)

    @classmethod
    def parse(cls, connector: int, data: Mapping[str, Any], *, phases: int) -> Profile:
        """Read a charging profile of any version; watt are divided over the phases.

        Of several schedules, which are for ISO 15118 only, there may be none (2.x K01.FR.34).

        Raises:
            ValueError: it contradicts itself or the station's capabilities; says how.
        """
        schedule = _schedule(data)
        periods: list[Mapping[str, Any]] = schedule["chargingSchedulePeriod"]
        if not 0 <= int(data["stackLevel"]) <= MAX_STACK_LEVEL:
            raise ValueError(f"stackLevel {data['stackLevel']} is above {MAX_STACK_LEVEL}")
        if not periods or len(periods) > MAX_PERIODS or int(periods[0]["startPeriod"]) != 0:
            raise ValueError("a schedule needs 1 to 24 periods, the first at 0")
        duration, unit = schedule.get("duration"), str(schedule["chargingRateUnit"])
        purpose = str(data["chargingProfilePurpose"])
        profile = cls(
            profile_id=int(data["chargingProfileId"] if "chargingProfileId" in data else data["id"]),
            stack_level=int(data["stackLevel"]),
            purpose=STATION_MAX if purpose == "ChargingStationMaxProfile" else purpose,
            kind=str(data["chargingProfileKind"]),
            connector=connector,
            limits=tuple((timedelta(seconds=int(p["startPeriod"])), _ampere(p, unit, phases)) for p in periods),
            transaction_id=data.get("transactionId"),
            start=_time(schedule.get("startSchedule")),
            duration=None if duration is None else timedelta(seconds=int(duration)),
            recurrency=data.get("recurrencyKind"),
            valid_from=_time(data.get("validFrom")),
            valid_to=_time(data.get("validTo")),
            raw=data,
        )
        if profile.purpose not in PURPOSES:
            raise ValueError(f"purpose {purpose} is not one that a back end sets, or not one of this station")
        if profile.kind == "Recurring" and (profile.recurrency not in _EVERY or profile.start is None):
            raise ValueError("a recurring profile needs recurrencyKind and startSchedule")
        return profile

    def shared(self, among: int) -> Profile:
        """What each of `among` outlets may take of it."""
        return replace(self, limits=tuple((offset, amps / among) for offset, amps in self.limits))

    def limit_at(self, now: datetime, tx_start: datetime | None) -> float | None:
        """Ampere per phase at `now`, None when the profile says nothing about that moment."""
        if (self.valid_from and now < self.valid_from) or (self.valid_to and now >= self.valid_to):
            return None
        start = self._start(now, tx_start)
        if start is None or now < start:
            return None
        into = now - start
        if self.duration is not None and into >= self.duration:
            return None
        return [amps for offset, amps in self.limits if offset <= into][-1]

    def _start(self, now: datetime, tx_start: datetime | None) -> datetime | None:
        if self.kind == "Relative":
            return tx_start or now
        if self.kind == "Dynamic":
            return now
        if self.start is None:
            return tx_start or self.valid_from or now
        if self.kind == "Recurring" and now > self.start:
            every = _EVERY[self.recurrency or "Daily"]
            return self.start + ((now - self.start) // every) * every
        return self.start


class Profiles:
    """All profiles that hold at one outlet."""

    def __init__(self) -> None:
        self._installed: list[Profile] = []

    def install(self, profile: Profile) -> None:
        """Add a profile; one with the same purpose, level and connector, or with the same id, is replaced.

        Raises:
            ValueError: the purpose does not go with the connector, or there are too many.
        """
        if profile.purpose == STATION_MAX and profile.connector != 0:
            raise ValueError("a profile for the whole station belongs to connector or EVSE 0")
        if profile.purpose == "TxProfile" and profile.connector == 0:
            raise ValueError("TxProfile belongs to a connector or EVSE")
        kept = [p for p in self._installed if not _same_place(p, profile)]
        if len(kept) >= MAX_INSTALLED:
            raise ValueError(f"{MAX_INSTALLED} profiles are installed already")
        self._installed = [*kept, profile]

    def clear(
        self, profile_id: int | None, connector: int | None, purpose: str | None, stack_level: int | None
    ) -> bool:
        """Remove what matches: an id alone, or all of the other criteria given. True if anything was removed."""

        def matches(p: Profile) -> bool:
            if profile_id is not None:
                return p.profile_id == profile_id
            return (
                connector in (None, p.connector)
                and purpose in (None, p.purpose)
                and stack_level in (None, p.stack_level)
            )

        return self._remove(matches)

    def end_transaction(self) -> None:
        """Forget the profiles of the transaction that ended."""
        self._remove(lambda p: p.purpose == "TxProfile")

    def update(self, profile_id: int, amps: float) -> bool:
        """A dynamic profile has another limit now (2.1 K28); False if there is no such profile."""
        known = next((p for p in self._installed if p.profile_id == profile_id and p.kind == "Dynamic"), None)
        if known is None:
            return False
        self._installed = [replace(p, limits=((timedelta(0), amps),)) if p is known else p for p in self._installed]
        return True

    def installed(self) -> list[Profile]:
        """All of them."""
        return list(self._installed)

    def _remove(self, matches: Callable[[Profile], bool]) -> bool:
        kept = [p for p in self._installed if not matches(p)]
        removed = len(kept) < len(self._installed)
        self._installed = kept
        return removed

    def limit_a(self, now: datetime, tx_start: datetime | None) -> float | None:
        """The limit for the outlet in ampere per phase, None when no profile says anything.

        The minimum over ChargePointMaxProfile and TxProfile, or TxDefaultProfile where there is no TxProfile.
        """
        tx = self._prevailing("TxProfile", now, tx_start) if tx_start else None
        if tx is None:
            tx = self._prevailing("TxDefaultProfile", now, tx_start)
        station = self._prevailing(STATION_MAX, now, tx_start)
        return min((amps for amps in (tx, station) if amps is not None), default=None)

    def _prevailing(self, purpose: str, now: datetime, tx_start: datetime | None) -> float | None:
        candidates: Iterable[Profile] = (p for p in self._installed if p.purpose == purpose)
        # a default for the connector replaces the default of connector 0 on the same level
        for profile in sorted(candidates, key=lambda p: (p.stack_level, p.connector), reverse=True):
            amps = profile.limit_at(now, tx_start)
            if amps is not None:
                return amps
        return None

    def schedule(
        self, now: datetime, duration_s: int, tx_start: datetime | None, ceiling_a: float
    ) -> list[tuple[int, float]]:
        """The composite schedule as (second from now, ampere), starting at 0."""
        periods: list[tuple[int, float]] = []
        for second in range(0, max(duration_s, 1), max(1, duration_s // 3600)):
            limit = self.limit_a(now + timedelta(seconds=second), tx_start)
            amps = ceiling_a if limit is None else min(limit, ceiling_a)
            if not periods or abs(periods[-1][1] - amps) > 1e-9:
                periods.append((second, amps))
        return periods


def total(schedules: Iterable[list[tuple[int, float]]]) -> list[tuple[int, float]]:
    """What several outlets may take together: composite schedules of the same beginning, added."""
    all_of_them = list(schedules)
    summed: list[tuple[int, float]] = []
    for second in sorted({second for schedule in all_of_them for second, _ in schedule}):
        amps = sum([one for at, one in schedule if at <= second][-1] for schedule in all_of_them)
        if not summed or abs(summed[-1][1] - amps) > 1e-9:
            summed.append((second, amps))
    return summed


def _same_place(a: Profile, b: Profile) -> bool:
    return a.profile_id == b.profile_id or (
        a.purpose == b.purpose and a.stack_level == b.stack_level and a.connector == b.connector
    )


def _schedule(data: Mapping[str, Any]) -> Mapping[str, Any]:
    schedules: Any = data["chargingSchedule"]
    if not isinstance(schedules, list):
        return schedules
    listed = cast("list[Mapping[str, Any]]", schedules)
    if len(listed) != 1:
        raise ValueError("one schedule is expected, because the vehicle does not speak ISO 15118")
    return listed[0]


def _ampere(period: Mapping[str, Any], unit: str, phases: int) -> float:
    limit = period.get("limit", period.get("setpoint"))
    if limit is None:
        raise ValueError("a period without a limit has no effect")
    return ampere(float(limit), unit, int(period.get("numberPhases") or 3), phases)


def ampere(limit: float, unit: str, number_phases: int, phases: int) -> float:
    """A limit as ampere per phase."""
    if unit == "A":
        return limit
    used = min(number_phases, phases)
    return limit / (_VOLT * used)


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)
