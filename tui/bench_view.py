"""What the screen needs of a bench: a snapshot to look at, and two façades to ask."""

from __future__ import annotations

from typing import Protocol

from ..bench.live import Snapshot

__all__ = ["BenchView", "StationAnswer"]


class StationAnswer(Protocol):
    """What a station said to a request of the back end."""

    @property
    def accepted(self) -> bool: ...

    @property
    def status(self) -> str: ...


class _Vehicle(Protocol):
    def plug(self, cable_a: int) -> None: ...

    def unplug(self) -> None: ...

    def present(self, id_tag: str) -> None: ...

    def charge(self) -> None: ...

    def pause(self) -> None: ...


class _BackEnd(Protocol):
    def set_limit(self, amps: float) -> StationAnswer: ...

    def remote_stop(self) -> StationAnswer: ...


class BenchView(Protocol):
    """The part of `BenchHost` that the screen uses. `snapshot` never blocks; the façades do."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def vehicle(self) -> _Vehicle: ...

    @property
    def csms(self) -> _BackEnd: ...
