"""What the screen needs of a bench: a snapshot to look at, and two façades to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..bench.live import Snapshot

__all__ = ["BenchView"]


class _Vehicle(Protocol):
    def plug(self, cable_a: int = 32) -> None: ...

    def unplug(self) -> None: ...

    def present(self, id_tag: str, kind: str = "ISO14443") -> None: ...

    def charge(self, max_current_a: float | None = None) -> None: ...

    def pause(self) -> None: ...


class _BackEnd(Protocol):
    def limit(
        self, limit_a: float, *, evse: int = 1, tx: Any = None, purpose: str | None = None
    ) -> Mapping[str, Any]: ...

    def remote_stop(self, tx: Any = None, evse: int = 1) -> Mapping[str, Any]: ...


class BenchView(Protocol):
    """The part of `BenchHost` that the screen uses. `snapshot` never blocks; the façades do."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def vehicle(self) -> _Vehicle: ...

    @property
    def csms(self) -> _BackEnd: ...
