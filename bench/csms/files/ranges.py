"""The Range header of HTTP (RFC 9110 section 14): which part of a file a client wants."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Span", "Unsatisfiable", "wanted"]

_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*\Z", re.ASCII | re.IGNORECASE)


class Span(NamedTuple):
    """Bytes `first` to `last`, both included, counted from 0."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes these are."""
        return self.last - self.first + 1


class Unsatisfiable(ValueError):
    """The file has none of the bytes wanted: 416."""


def wanted(header: str | None, size: int) -> Span | None:
    """The part of a file of `size` bytes that is wanted; None: all of it.

    A header that is not understood is as good as none (14.2), and so are several ranges at once: nobody
    resumes a download with them.

    Raises:
        Unsatisfiable: the header is good, and the file too short.
    """
    found = _ONE.match(header) if header else None
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        count = min(int(last), size)
        if count == 0:
            raise Unsatisfiable(f"the last {last} bytes of {size}")
        return Span(size - count, size - 1)
    begin, end = int(first), int(last) if last else size - 1
    if last and end < begin:
        return None
    if begin >= size:
        raise Unsatisfiable(f"bytes from {begin} on of {size}")
    return Span(begin, min(end, size - 1))
