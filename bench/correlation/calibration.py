"""Whether an instrument's accuracy is still vouched for."""

from __future__ import annotations

from datetime import UTC, date, datetime

from .facts import Calibration, Facts

__all__ = ["expired"]


def expired(facts: Facts, source: str, wall_ns: int | None) -> Calibration | None:
    """The calibration of `source` if it ran out, or does not begin yet, on the day (UTC) of `wall_ns`; else None.

    `wall_ns`: nanoseconds since 1970. None too where the bench file states no date, or the day is not known. Whether
    the bench file allows it anyway stands in the result (`allowed`): then the verdict says so, and stands.
    """
    found = facts.calibrations.get(source)
    if found is None or wall_ns is None:
        return None
    today = datetime.fromtimestamp(wall_ns // 10**9, UTC).date()
    over = bool(found.due) and today > date.fromisoformat(found.due)
    early = bool(found.calibrated) and today < date.fromisoformat(found.calibrated)
    return found if over or early else None
