"""Small things that the verbs of every version put into their requests."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ....errors import CsmsError
from .access import ListEntry

__all__ = ["given", "list_entries", "number_of", "request_ids", "utc_text"]


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None."""
    return {key: value for key, value in values.items() if value is not None}


def utc_text(before: timedelta = timedelta()) -> str:
    """Now, or some time ago, as OCPP writes it: whole seconds in UTC."""
    return (datetime.now(UTC) - before).isoformat(timespec="seconds").replace("+00:00", "Z")


def request_ids() -> Iterator[int]:
    """Numbers for requests, growing over restarts of the back end: a station may still speak of an older one."""
    return itertools.count(int(time.time()))


def number_of(limit: float) -> float | int:
    """A limit as it shall stand in JSON: without the noise of binary fractions."""
    return round(float(limit), 6)


def list_entries(entries: Sequence[ListEntry | dict[str, Any] | str]) -> list[ListEntry]:
    """Entries of a local list, read from plain data.

    Raises:
        CsmsError: an entry has no token, or a key that an entry does not have.
    """
    found: list[ListEntry] = []
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, ListEntry):
            found.append(entry)
            continue
        data = {"token": entry} if isinstance(entry, str) else entry
        if unknown := set(data) - set(ListEntry.__struct_fields__):
            known = ", ".join(ListEntry.__struct_fields__)
            raise CsmsError(f"entry {number} of the local list has {sorted(unknown)[0]!r}; known are {known}.")
        try:
            found.append(msgspec.convert(data, ListEntry))
        except msgspec.ValidationError as exc:
            raise CsmsError(f"entry {number} of the local list cannot be used: {exc}.") from exc
    return found
