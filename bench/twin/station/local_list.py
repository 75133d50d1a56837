"""The local authorisation list: a small one, kept as long as the process lives (1.6 section 3.5.2, 2.x D01)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_ENTRIES", "Entry", "LocalList"]

MAX_ENTRIES = 64


@dataclass(frozen=True)
class Entry:
    """What the list says of a token; without `status` it is to be removed."""

    id: str
    status: str | None = None
    group: str | None = None


class LocalList:
    """The list and its version number, 0 until one was sent (2.x D02.FR.02)."""

    def __init__(self) -> None:
        self.version = 0
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, token: str) -> Entry | None:
        """The entry of a token."""
        return self._entries.get(token)

    def update(self, version: int, entries: list[Entry], *, full: bool) -> str:
        """Replace or amend the list; returns Accepted, VersionMismatch or Failed."""
        if version <= 0 or (not full and version <= self.version):
            return "VersionMismatch" if version > 0 else "Failed"
        ids = [entry.id for entry in entries]
        if len(set(ids)) < len(ids) or (full and any(entry.status is None for entry in entries)):
            return "Failed"
        merged = {} if full else dict(self._entries)
        for entry in entries:
            if entry.status is None:
                merged.pop(entry.id, None)
            else:
                merged[entry.id] = entry
        if len(merged) > MAX_ENTRIES:
            return "Failed"
        self._entries = merged
        self.version = version
        return "Accepted"
