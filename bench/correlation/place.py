"""Where in the text of a pack a rule and its keys stand."""

from __future__ import annotations

import re

__all__ = ["line_of"]

_HEADER = re.compile(r"""\s*\[\s*(\w+)\s*\.\s*(?:"([^"]*)"|'([^']*)'|([^\]]+?))\s*\]""")


def line_of(text: str, table: str, name: str, key: str = "") -> int | None:
    """Line (from 1) of `key` in `[table."name"]`, or of that header; None when it is not found."""
    header: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        match = _HEADER.match(line)
        if match:
            if header is not None:
                return header
            if match.group(1) == table and name in match.groups()[1:]:
                header = number
                if not key:
                    return number
        elif header is not None and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return header
