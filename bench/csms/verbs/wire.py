"""Small things that the verbs of every version put into their requests."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from ....errors import CsmsError
from .access import ListEntry

__all__ = [
    "amps_of",
    "given",
    "hashes",
    "list_entries",
    "number_of",
    "operational",
    "purpose_of",
    "request_ids",
    "utc_text",
]


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
    """A limit as it shall stand in JSON: without the noise of binary fractions.

    Raises:
        CsmsError: it is no number, or not finite.
    """
    if isinstance(limit, bool) or not isinstance(cast(object, limit), int | float) or not math.isfinite(limit):
        raise CsmsError(f"a limit is a number without its unit, as in 16 or 9.5, not {limit!r}.")
    return round(float(limit), 6)


def amps_of(limit: float) -> float | int:
    """A limit of the current, which has no direction: 0 or more.

    Raises:
        CsmsError: it is below 0, or no number.
    """
    amps = number_of(limit)
    if amps < 0:
        raise CsmsError(f"a limit of {limit!r} A is below 0; 0 lets no current flow (discharging: set_point, in 2.1).")
    return amps


def purpose_of(word: str, names: Mapping[str, str]) -> str:
    """What OCPP calls the purpose of a profile.

    Raises:
        CsmsError: there is no such purpose.
    """
    if word not in names:
        raise CsmsError(f"there is no purpose {word!r} of a limit; there are {', '.join(map(repr, names))}.")
    return names[word]


def hashes(hash_data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What names a certificate, without what a list says of it beside that.

    Raises:
        CsmsError: it is no table.
    """
    if not isinstance(cast(object, hash_data), Mapping):
        raise CsmsError(f"{hash_data!r} names no certificate; give an entry of list_certificates().")
    return given({name: hash_data.get(name) for name in names})


def operational(operative: object) -> str:
    """Operative or Inoperative. A text is refused: any would count as true, "Inoperative" too.

    Raises:
        CsmsError: it is neither True nor False.
    """
    if not isinstance(operative, bool):
        raise CsmsError(f"set_availability takes True (operative) or False (inoperative), not {operative!r}.")
    return "Operative" if operative else "Inoperative"


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
        if not isinstance(cast(object, data), Mapping):
            raise CsmsError(f"entry {number} of the local list is {data!r}; it is a token, or a table with one.")
        if unknown := set(data) - set(ListEntry.__struct_fields__):
            known = ", ".join(ListEntry.__struct_fields__)
            raise CsmsError(f"entry {number} of the local list has {sorted(unknown)[0]!r}; known are {known}.")
        try:
            found.append(msgspec.convert(data, ListEntry))
        except msgspec.ValidationError as exc:
            raise CsmsError(f"entry {number} of the local list cannot be used: {exc}.") from exc
    return found
