"""What the station's parts ask of its configuration, whatever the version calls it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = ["BackOff", "Settings"]


class BackOff(NamedTuple):
    """How long to wait before connecting again: `wait_s` plus a random part, doubled `repeats` times."""

    wait_s: float
    random_s: float
    repeats: int


class Settings(Protocol):
    """Read anew at each use, because the back end may change them. Seconds."""

    @property
    def heartbeat_s(self) -> float: ...
    @property
    def ping_s(self) -> float: ...
    @property
    def connection_timeout_s(self) -> float: ...
    @property
    def sample_interval_s(self) -> float: ...
    @property
    def status_hold_s(self) -> float: ...
    @property
    def offline_threshold_s(self) -> float:
        """After a longer time offline every status is told again; infinite where the version knows no such thing."""
        ...

    @property
    def attempts(self) -> int: ...
    @property
    def attempt_interval_s(self) -> float: ...
    @property
    def asks_for_remote_start(self) -> bool: ...
    @property
    def unplug_stops(self) -> bool: ...
    @property
    def unplug_unlocks(self) -> bool: ...
    @property
    def refusal_stops(self) -> bool: ...
    @property
    def list_first(self) -> bool:
        """A token of the local list is accepted without asking."""
        ...

    @property
    def list_offline(self) -> bool:
        """A token of the local list is accepted while there is no connection."""
        ...

    @property
    def back_off(self) -> BackOff | None:
        """None where the version prescribes nothing."""
        ...

    def set_heartbeat(self, seconds: int) -> None: ...
