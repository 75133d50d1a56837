"""Which security profile each station agreed to, and whether it keeps to it (use case A05)."""

from __future__ import annotations

import msgspec

from .records import Records

__all__ = ["Profiles"]


class Profiles:
    """Profiles announced over OCPP, kept over restarts."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._now: dict[str, int] = {}

    def now(self, station: str) -> int | None:
        """The profile of its last connection since the back end started; None: there was none."""
        return self._now.get(station)

    def announced(self, station: str) -> int | None:
        """The profile the station agreed to change to; None: it was never asked."""
        return self._records.of(station).announced

    def reached(self, station: str) -> bool:
        """Whether it has connected with that profile since."""
        return self._records.of(station).reached

    def announce(self, station: str, profile: int) -> None:
        """The station agreed to use another profile from its next connection on."""
        record = self._records.of(station)
        if record.announced != profile:
            self._records.keep(station, msgspec.structs.replace(record, announced=profile, reached=False))

    def connected(self, station: str, profile: int) -> None:
        """The station was let in with this profile."""
        self._now[station] = profile
        record = self._records.of(station)
        if record.announced is not None and profile >= record.announced and not record.reached:
            self._records.keep(station, msgspec.structs.replace(record, reached=True))

    def complaint(self, station: str, profile: int) -> tuple[str, bool] | None:
        """What is wrong with a connection of this profile, and whether a strict back end must refuse it.

        None: nothing. A station that never got through with the new profile may fall back (1.6 A05.FR.08).
        """
        record = self._records.of(station)
        if record.announced is None or profile >= record.announced:
            return None
        if not record.reached:
            return (
                f"it agreed to security profile {record.announced} and comes with {profile}, without having used it; "
                "it may fall back when it could not connect (A05.FR.08)",
                False,
            )
        return (
            f"it has used security profile {record.announced} and comes back with {profile}, which a back end lets "
            "no station do (1.6 A05.FR.09, 2.x A05.FR.07)",
            True,
        )

    def forget(self, station: str) -> None:
        """The station was set back by hand: any profile is right again."""
        record = self._records.of(station)
        self._records.keep(station, msgspec.structs.replace(record, announced=None, reached=False))
