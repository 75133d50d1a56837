"""Who shares a segment: meters on one port have one wire and one lock; the last one to leave closes both."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ...errors import DeviceError
from ..ports import PortLock, is_address
from .segment import Segment
from .wire import Link

if TYPE_CHECKING:
    from ..base import Driver

__all__ = ["Segments", "share_segments"]


class Segments:
    """The segments of one bench. Whoever is not given one has one of its own, and shares with nobody."""

    def __init__(self) -> None:
        self._segments: dict[str, Segment] = {}
        self._locks: dict[str, PortLock] = {}
        self._holders: dict[str, int] = {}

    def take(self, device: str, port: str, state_dir: Path | None) -> PortLock:
        """The right to a port, for this user beside the others. Raises as `PortLock.take`."""
        key = _key(port)
        if key not in self._locks:
            self._locks[key] = PortLock.take(device, port, state_dir)
        self._holders[key] = self._holders.get(key, 0) + 1
        return _Share(self._locks[key], lambda: self._give_back(key))

    def _give_back(self, key: str) -> None:
        self._holders[key] -= 1
        if self._holders[key] == 0:
            del self._holders[key]
            self._locks.pop(key).release()

    def join(
        self, device: str, port: str, unit: int, link: Link, on_lost: Callable[[], None], state_dir: Path | None
    ) -> Segment:
        """The segment on a port, made by the first one who asks for it.

        Raises:
            DeviceError: another device polls this unit, or talks another speed on the same line.
        """
        segment = self._segments.get(port)
        if segment is None:
            segment = self._segments[port] = Segment(device, port, link, state_dir=state_dir)
        elif segment.framing == "rtu" and segment.link != link:
            others = ", ".join(name for name, _ in segment.users.values())
            raise DeviceError(
                f"is to talk with {link}, but {others} on the same line talks with {segment.link}. One line has one "
                "speed: set the meters alike, and give `baud` and `parity` in the bench file.",
                device=device,
                port=port,
            )
        if unit in segment.users:
            raise DeviceError(
                f"unit {unit} on this line is {segment.users[unit][0]!r} already. Give each meter a unit of its own.",
                device=device,
                port=port,
            )
        segment.users[unit] = (device, on_lost)
        return segment

    def leave(self, segment: Segment, unit: int) -> None:
        """Ask this unit no more; the last one closes the wire. `Segment.closed` waits for what is still under way."""
        segment.users.pop(unit, None)
        if segment.users:
            return
        for port, known in tuple(self._segments.items()):
            if known is segment:
                del self._segments[port]
        segment.close()


@runtime_checkable
class OnSegment(Protocol):
    """A driver that is one unit on a wire."""

    segments: Segments


class _Share(PortLock):
    """One user's part of a port that several use."""

    def __init__(self, of: PortLock, give_back: Callable[[], None]) -> None:
        super().__init__(-1, of.path)
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


def share_segments(drivers: Iterable[Driver]) -> None:
    """Let those among `drivers` that are units on the same wire share it; call it before they are opened."""
    segments = Segments()
    for driver in drivers:
        if isinstance(driver, OnSegment):
            driver.segments = segments


def _key(port: str) -> str:
    return port if is_address(port) else os.path.realpath(port)
