"""The station's wall clock: follows the back end as OCPP 1.6 section 4.2 recommends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["StationClock", "parse_time", "text_of"]


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone counts as UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def text_of(moment: datetime) -> str:
    """Write a time as OCPP wants it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class StationClock:
    """Wall clock with an offset that is set from the back end's `currentTime`; `ahead_s` is its error beside that."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self._ahead = timedelta(seconds=ahead_s)
        self._offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset + self._ahead

    def stamp(self) -> str:
        """Now, as text."""
        return text_of(self.now())

    def follow(self, current_time: str) -> None:
        """Take over the back end's time if it differs by more than a second; text that is no time changes nothing."""
        try:
            theirs = parse_time(current_time)
        except ValueError:
            return
        if abs(theirs + self._ahead - self.now()) > timedelta(seconds=1):
            self._offset = theirs - datetime.now(UTC)
