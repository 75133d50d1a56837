"""Names of files as a station gives them, and what they become on this machine's disk."""

from __future__ import annotations

import re
from email.message import Message

__all__ = ["disposition_name", "holds_path", "safe_name"]

LONGEST = 100
SUFFIX = 20
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


def holds_path(name: str) -> bool:
    """Whether a name says where to put the file, and not only what it is called."""
    return "/" in name or "\\" in name or "\0" in name or name in (".", "..")


def safe_name(name: str, default: str) -> str:
    """A name made of letters, digits and `._-`, at most 100 long, neither hidden nor an option of a command.

    What is odd becomes `_`; of a name that is too long the end stays, because it says what the file is.
    `default` stands for a name of which nothing remains.
    """
    cleaned = _ODD.sub("_", name).lstrip("._-")
    if len(cleaned) > LONGEST:
        cleaned = cleaned[: LONGEST - SUFFIX] + cleaned[-SUFFIX:]
    return cleaned or default


def disposition_name(header: str | None) -> str | None:
    """The file name in a Content-Disposition header (RFC 6266); None when it has none."""
    if not header:
        return None
    message = Message()
    message["content-disposition"] = header.replace("\r", " ").replace("\n", " ")
    return message.get_filename()
