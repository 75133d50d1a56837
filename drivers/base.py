"""What every driver is: a device with a name, a port, a state, and a gate that it asks itself.

::

    IDLE ──open──> ACTIVE <──> DEGRADED          it answers, but not as it should
      ^              │  │
      │              │  └────> FAULTED           gone, or it never came up
      └────close─────┴───────> UNKNOWN           nobody knows what its outputs do;
                                                 only the verified safe state leads out
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ..bench.timeline import Event, Gate, Source, Stamp, Stimulus
from ..errors import DeviceError, DeviceLost
from .emergency import EmergencyRecipe
from .ports import PortLock, require_port
from .roles import Role

__all__ = ["DeviceState", "Driver", "made_in_thread"]

T = TypeVar("T")

GONE_TICK_S = 0.1


async def made_in_thread(make: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Run `make` in a thread. When the caller gives up meanwhile, what was made all the same is undone first."""
    making = asyncio.ensure_future(asyncio.to_thread(make))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        await asyncio.wait([making])
        if not making.cancelled() and making.exception() is None:
            undo(making.result())
        raise


class DeviceState(StrEnum):
    """State of a device as the bench sees it; the value stands in `device.state`."""

    IDLE = "IDLE"
    ACTIVE = "ACTIVE"
    DEGRADED = "DEGRADED"
    FAULTED = "FAULTED"
    UNKNOWN = "UNKNOWN"


_MAY_FOLLOW: Mapping[DeviceState, frozenset[DeviceState]] = {
    DeviceState.IDLE: frozenset({DeviceState.ACTIVE, DeviceState.UNKNOWN, DeviceState.FAULTED}),
    DeviceState.ACTIVE: frozenset(
        {DeviceState.IDLE, DeviceState.DEGRADED, DeviceState.FAULTED, DeviceState.UNKNOWN},
    ),
    DeviceState.DEGRADED: frozenset(
        {DeviceState.IDLE, DeviceState.ACTIVE, DeviceState.FAULTED, DeviceState.UNKNOWN},
    ),
    DeviceState.FAULTED: frozenset({DeviceState.IDLE, DeviceState.ACTIVE, DeviceState.UNKNOWN}),
    DeviceState.UNKNOWN: frozenset({DeviceState.ACTIVE, DeviceState.FAULTED}),
}


class Driver(ABC):
    """One instrument.

    Subclasses implement `_open`, `_close` and, where the device can energise, `make_safe`. Verbs call
    `_require_open`, then `_permit`, then write. All public coroutines run on the bench's loop.

    `state_dir` holds the port locks; None means the one of `ports.default_state_dir`.
    """

    role: ClassVar[Role] = "monitor"
    """The part it plays on a bench; see `roles`."""

    energising: ClassVar[bool] = False
    """True when a verb of this driver can put voltage on an outlet or current through it."""

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        evse: int = 1,
        state_dir: Path | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.evse = evse
        self.identity: dict[str, str] = {}
        self._source = source
        self._gate = gate
        self._state_dir = state_dir
        self._state = DeviceState.IDLE
        self._why = ""
        self._loss: DeviceLost | None = None
        self._lock: PortLock | None = None

    @property
    def state(self) -> DeviceState:
        return self._state

    @property
    def is_open(self) -> bool:
        return self._lock is not None

    @property
    def alive(self) -> bool:
        """True while the device is open, not lost, and whatever reads it runs."""
        return self.is_open and self._loss is None

    async def open(self) -> None:
        """Take the port for this process alone, find the device, and check that it is the right one.

        Raises:
            DeviceError: no such port, port in use (names the holder), no answer, or the wrong device.
        """
        if self._lock is not None:
            raise DeviceError("is open already; close it first.", device=self.name, port=self.port)
        self._loss = None
        lock: PortLock | None = None
        try:
            require_port(self.name, self.port)
            lock = PortLock.take(self.name, self.port, self._state_dir)
            self._lock = lock
            self._source.tick(time.monotonic_ns())  # what it tells is waited for from here on
            await self._open()
        except BaseException as error:
            if lock is not None:
                await self._shut(lock)
            self._enter(DeviceState.FAULTED, f"did not open: {error}")
            raise

    async def close(self) -> None:
        """Give the port back. May be called at any time and more than once; raises nothing.

        A device whose outputs nobody knows stays UNKNOWN: closing it proves nothing.
        """
        if self._lock is not None:
            await self._shut(self._lock)
        if self._state not in (DeviceState.IDLE, DeviceState.UNKNOWN):
            self._enter(DeviceState.IDLE, "closed")

    async def make_safe(self) -> None:
        """Bring the device to its safe state and check that it is there; may be repeated.

        Raises:
            DeviceError: it did not acknowledge; its state is UNKNOWN then, or FAULTED when it is gone.
        """
        self._require_open()

    def emergency(self) -> EmergencyRecipe | None:
        """How to bring it to its safe state without this driver; None when it cannot energise.

        It is asked before anything is opened, and must not touch the wire.
        """
        return None

    @abstractmethod
    async def _open(self) -> None:
        """Open the wire, identify the device, start its readers, enter ACTIVE (or UNKNOWN)."""

    @abstractmethod
    async def _close(self) -> None:
        """Stop readers and tasks and close the wire; called once for each `_open`, finished or not."""

    async def _shut(self, lock: PortLock) -> None:
        self._lock = None
        try:
            await self._close()
        except (OSError, DeviceError) as error:
            # a dead device must not keep the others from being closed
            self._source.note("gap", {"from_ns": 0, "to_ns": 0, "why": f"{self.name} did not close cleanly: {error}"})
        finally:
            lock.release()

    # ---- for subclasses

    def _enter(self, state: DeviceState, why: str) -> None:
        """Change the state, if that transition exists, and say so on the timeline."""
        if state is self._state:
            return
        if state not in _MAY_FOLLOW[self._state]:
            return
        self._state = state
        self._why = why
        self._source.note("device.state", {"device": self.name, "state": state.value, "why": why}, evse=self.evse)

    def _relock(self) -> None:
        """Take the port anew: plugged in again, the same path may lead to another device node."""
        require_port(self.name, self.port)
        if self._lock is not None:
            self._lock.release()
            self._lock = PortLock.take(self.name, self.port, self._state_dir)

    def _require_open(self) -> None:
        """Refuse a verb on a device that is closed or lost."""
        if self._loss is not None:
            raise DeviceLost(
                f"{self._why}. Plug it in again, close it and open it.", device=self.name, port=self.port
            ) from self._loss
        if self._lock is None:
            raise DeviceError("is not open; open it first.", device=self.name, port=self.port)

    def _permit(self, verb: str, args: dict[str, Any], *, to_safe: bool = False) -> None:
        """Ask the gate before anything is written; raises SafetyError."""
        self._gate.permit(Stimulus(self.name, verb, args, to_safe))

    def _stimulus(self, verb: str, args: dict[str, Any], sent_ns: int, acked_ns: int, raw: str) -> Event:
        """Record what was done: it took effect between the write and its acknowledgement."""
        stamp = Stamp(acked_ns, min(sent_ns, acked_ns), acked_ns)
        return self._source.emit(
            "stimulus", stamp, {"device": self.name, "verb": verb, "args": args}, evse=self.evse, raw=raw
        )

    def _task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run `work` beside the verbs; when it breaks, the device is FAULTED and that is told."""
        task = asyncio.create_task(work, name=f"{self.name} {name}")
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            now_ns = time.monotonic_ns()
            self._lost(RuntimeError(f"{task.get_name()} broke: {error!r}"), now_ns, now_ns)

    def _lost(self, error: Exception, since_ns: int, now_ns: int) -> DeviceLost:
        """The device is gone: a gap from `since_ns` on, and FAULTED. Returns what verbs will raise."""
        loss = DeviceLost(f"is gone: {error}.", device=self.name, port=self.port)
        loss.__cause__ = error
        if self._loss is None and self._lock is not None:
            self._loss = loss
            self._source.gap(since_ns, now_ns, f"{self.name} is gone: {error}")
            self._enter(DeviceState.FAULTED, f"is gone: {error}")
            self._nothing_new(loss)
        return loss

    def _nothing_new(self, loss: DeviceLost) -> None:
        """A device that is gone tells nothing: said again and again, so that no rule waits for it."""
        if self._loss is loss and self._lock is not None:
            self._source.tick(time.monotonic_ns())
            asyncio.get_running_loop().call_later(GONE_TICK_S, self._nothing_new, loss)
