"""One way in which the simulated station deviates, as data: what it changes, where it shows, which rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["VERSIONS", "Deviation", "Trips", "fault", "oddity"]

VERSIONS = ("1.6", "2.0.1", "2.1")


@dataclass(frozen=True)
class Trips:
    """The rules that see a fault in one version.

    - `sure`: FAIL because of it. One of them at least has to; the first is the one it was made for.
    - `perhaps`: FAIL by the instant at which the fault meets the rest of the bench, or as a consequence.
    """

    sure: tuple[str, ...]
    perhaps: tuple[str, ...] = ()

    @property
    def allowed(self) -> frozenset[str]:
        """Whatever may FAIL."""
        return frozenset(self.sure + self.perhaps)


@dataclass(frozen=True)
class Deviation:
    """A fault or an oddity.

    - `course`: the case in which it shows.
    - `trips`: empty for an oddity.
    - `long`: a run with it takes minutes, because a rule's limit is a minute or more.
    - `bench`: what the bench file has to say instead, as key -> value in TOML; `device.NAME` -> nothing: without that
      device. Empty: any virtual bench will do.
    """

    name: str
    text: str
    course: str
    versions: tuple[str, ...]
    trips: dict[str, Trips]
    changes: dict[str, Any]
    long: bool = False
    bench: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_fault(self) -> bool:
        """Breaks a requirement."""
        return bool(self.trips)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "kind": "fault" if self.is_fault else "oddity",
            "text": self.text,
            "course": self.course,
            "long": self.long,
            "bench": dict(self.bench),
            "versions": list(self.versions),
            "trips": {version: list(trips.sure) for version, trips in self.trips.items()},
            "perhaps": {version: list(trips.perhaps) for version, trips in self.trips.items() if trips.perhaps},
        }


def _trips(sure: tuple[str, ...], perhaps: Iterable[str]) -> Trips:
    return Trips(sure, tuple(rule for rule in perhaps if rule not in sure))


def fault(
    name: str,
    text: str,
    course: str = "session",
    *,
    every: str = "",
    v16: str = "",
    v2: str = "",
    v201: str = "",
    v21: str = "",
    perhaps: str = "",
    long: bool = False,
    bench: Mapping[str, str] | None = None,
    **changes: Any,
) -> Deviation:
    """A fault that changes these knobs. Rules, parted by spaces: of every version, of 1.6, of both 2.x, of one of them.

    A version for which no rule is named is one in which the fault has no meaning, or nobody can see it. `long`: a run
    with it takes minutes. `bench`: see `Deviation`.
    """
    named = {"1.6": v16, "2.0.1": f"{v2} {v201}", "2.1": f"{v2} {v21}"}
    trips = {
        version: _trips((*every.split(), *own.split()), perhaps.split())
        for version, own in named.items()
        if every or own.strip()
    }
    return Deviation(name, text, course, tuple(trips), trips, changes, long, bench or {})


def oddity(
    name: str,
    text: str,
    course: str = "session",
    versions: Iterable[str] = VERSIONS,
    *,
    long: bool = False,
    bench: Mapping[str, str] | None = None,
    **changes: Any,
) -> Deviation:
    """Strange behaviour that conforms."""
    return Deviation(name, text, course, tuple(versions), {}, changes, long, bench or {})
