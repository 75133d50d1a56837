"""The back end that misbehaves, as a test sees it: scripted answers, faults of the connection, raw texts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from ..errors import CsmsError
from .csms.misbehave import Script

if TYPE_CHECKING:
    from .assembly import Bench
    from .csms import StationLink

__all__ = ["LinkFacade", "script_on"]

T = TypeVar("T")


class _Host(Protocol):
    @property
    def bench(self) -> Bench: ...

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T: ...


def script_on(host: _Host, action: str, station: str | None = None) -> Script:
    """A script on the next requests of an action (`csms.misbehave.Script`), installed on the bench's loop.

    Raises:
        CsmsError: no OCPP version has a request of this name from a station.
    """

    async def install() -> Script:
        return host.bench.csms.on(action, station)

    return host.call(install())


class LinkFacade:
    """The connection of one station, to make it worse; see `csms.misbehave.faults.LinkFaults` for each word.

    Raises (every word):
        CsmsError: the station is not connected, or a value is none; says what to write.
    """

    def __init__(self, host: _Host, station: str | None = None) -> None:
        self._host = host
        self._station = station

    def reset(self) -> None:
        """Cut the connection by a TCP RST."""
        self._do(lambda link: link.faults.reset())

    def restart(self, duration: str = "5 s") -> None:
        """Restart in order: close with code 1012, and take no connection for this time. No misbehaviour."""
        self._do(lambda link: link.faults.restart(duration))

    def half_open(self, limit: str = "10 min") -> None:
        """Forget the connection without a word; the socket stays open until the station gives it up."""
        self._do(lambda link: link.faults.half_open(limit))

    def blackhole(self, duration: str) -> None:
        """Read and write nothing for this time."""
        self._do(lambda link: link.faults.blackhole(duration))

    def bandwidth(self, bytes_per_s: int, duration: str) -> None:
        """Pass so many bytes a second each way, for this time."""
        self._do(lambda link: link.faults.bandwidth(bytes_per_s, duration))

    def latency(self, lo: str, hi: str, *, seed: int = 0, duration: str) -> None:
        """Let each piece take between `lo` and `hi` each way, for this time."""
        self._do(lambda link: link.faults.latency(lo, hi, seed=seed, duration=duration))

    def stop(self) -> None:
        """End every fault that lasts."""
        self._do(lambda link: link.faults.stop())

    def send_raw(self, text: str) -> bool:
        """Send a text that need not be a message, if the gate lets it; returns whether it was written.

        Raises:
            SafetyError: the gate refuses what it may be read as.
        """
        if not isinstance(cast(object, text), str):
            raise CsmsError(f"send_raw sends a text frame: give it a str, not {type(text).__name__}.")
        return self._do(lambda link: link.send_raw(text)) is not None

    def _do(self, act: Callable[[StationLink], T]) -> T:
        async def work() -> T:
            bench = self._host.bench
            return act(bench.csms.station(self._station or bench.file.station.id))

        return self._host.call(work())
