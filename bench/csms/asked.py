"""Tells a message that the station was asked to send from one it sends of its own accord.

A station answers the trigger first and sends the message afterwards (1.6 section 5.17), so what
comes after an accepted trigger, within half a minute, is the asked one: the next message of that
action, or for messages per connector the next of each connector.
"""

from __future__ import annotations

import msgspec

from .dialect import Place, Trigger

__all__ = ["AskedFor"]

WINDOW_NS = 30 * 10**9


class _Open(msgspec.Struct):
    trigger: Trigger
    until_ns: int
    seen: set[Place | None]


class AskedFor:
    """Messages a station has promised to send."""

    def __init__(self) -> None:
        self._open: list[_Open] = []

    def expect(self, trigger: Trigger, now_ns: int) -> None:
        """The station accepted a trigger at `now_ns`."""
        self._open.append(_Open(trigger, now_ns + WINDOW_NS, set()))

    def take(self, action: str, connector: Place | None, now_ns: int) -> bool:
        """Whether a message that arrived at `now_ns` is one of the promised; it then counts as delivered."""
        if not self._open:
            return False
        self._open = [promise for promise in self._open if promise.until_ns >= now_ns]
        for promise in self._open:
            wanted = promise.trigger
            if wanted.action != action or (wanted.connector is not None and wanted.connector != connector):
                continue
            if wanted.per_connector and wanted.connector is None:
                if connector in promise.seen:
                    continue
                promise.seen.add(connector)
            else:
                self._open.remove(promise)
            return True
        return False

    def forget(self) -> None:
        """The connection is gone, and with it the promises."""
        self._open.clear()
