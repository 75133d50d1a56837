"""A time that somebody else's message claims, as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["parse_claim"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_claim(text: object) -> tuple[int, int] | None:
    """An RFC 3339 time as nanoseconds since 1970, and its resolution in nanoseconds; None for anything else.

    A time without a zone is none: OCPP asks for one (1.6 section 3.14 recommends UTC).
    """
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    fraction = text.partition(".")[2]
    digits = len(fraction) - len(fraction.lstrip("0123456789"))
    micros = (moment - _EPOCH) // _MICROSECOND
    return micros * 1000, 10 ** (9 - min(digits, 9))
