"""What every driver is: a device with a name, a port, a state, and a gate that it asks itself.

A device that is gone is looked for again every 0.5 s, on the same path or address, until it is back or
closed. What a driver does for that:

- `_open` may be called again after `_close`, as often as it takes;
- when its wire fails it calls `_lost`, once or more often; everything else follows from there;
- in `_open` it calls `_recognise` as soon as it knows who answers and before it publishes anything
  that this device observes: that ends the gap, or refuses another device.

Meanwhile its verbs raise DeviceLost. A device that can energise comes back UNKNOWN and is made safe at
once, by its own `make_safe`, which ends with `_enter(ACTIVE)`; until then only steps to the safe state pass.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ..bench.timeline import ClosedGate, Event, Gate, Source, Stamp, Stimulus
from ..errors import BenchError, DeviceError, DeviceLost
from .absence import Absence
from .emergency import EmergencyRecipe
from .ports import PortLock, port_exists, require_port
from .roles import Role
from .state import MAY_FOLLOW, DeviceState

__all__ = ["DeviceState", "Driver", "made_in_thread"]

T = TypeVar("T")

RETURN_EVERY_S = 0.5
"""How often a device that is gone is looked for."""


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


class Driver(ABC):
    """One instrument.

    Subclasses implement `_open`, `_close` and, where the device can energise, `make_safe`. Verbs call
    `_require_open`, then `_permit`, then write. All public coroutines run on the bench's loop.

    `state_dir` holds the port locks; None means the one of `ports.default_state_dir`. With `reconnect` a
    device that is gone is looked for again; without, it stays FAULTED until it is closed and opened.
    """

    role: ClassVar[Role] = "monitor"
    """The part it plays on a bench; see `roles`."""

    energising: ClassVar[bool] = False
    """True when a verb of this driver can put voltage on an outlet or current through it."""

    powered_by_station: ClassVar[bool] = False
    """True for a part of the station itself, which is silent without the station's supply. On a bench that switches
    that supply it is opened once this is on, and until the station has booted it may be silent."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "_permit" in vars(cls):
            raise TypeError(f"{cls.__name__} overrides _permit, through which a driver asks the gate; call it instead")

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate | None,
        *,
        port: str,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        self.name = name
        self.port = port
        self.evse = evse
        self.identity: dict[str, str] = {}
        self._source = source
        self._gate: Gate = ClosedGate() if gate is None else gate  # without one it only reads
        self._state_dir = state_dir
        self._returns = reconnect
        self._state = DeviceState.IDLE
        self._why = ""
        self._opened = False
        self._lock: PortLock | None = None
        self._loss: DeviceLost | None = None
        self._absence: Absence | None = None
        self._come: tuple[DeviceState, str] | None = None
        self._return: asyncio.Task[None] | None = None

    @property
    def state(self) -> DeviceState:
        return self._state

    @property
    def is_open(self) -> bool:
        """True from `open` to `close`, also while the device is gone."""
        return self._opened

    @property
    def gone(self) -> bool:
        """True while an opened device is lost, and not back."""
        return self._loss is not None

    @property
    def alive(self) -> bool:
        """True while the device is open, not lost, and whatever reads it runs."""
        return self.is_open and self._loss is None

    @property
    def beat_ns(self) -> int | None:
        """When the thread that reads the device last came round; None while none runs.

        The guardian's heartbeat rests on it: a thread that runs must set it every 50 ms, whether anything came or not.
        """
        return None

    async def open(self) -> None:
        """Take the port for this process alone, find the device, and check that it is the right one.

        Raises:
            DeviceError: no such port, port in use (names the holder), no answer, or the wrong device.
        """
        if self._opened:
            raise DeviceError("is open already; close it first.", device=self.name, port=self.port)
        self._loss = None
        self._opened = True
        try:
            require_port(self.name, self.port)
            self._lock = self._take_port()
            self._source.tick(time.monotonic_ns())  # what it tells is waited for from here on
            await self._open_or_say()
        except BaseException as error:
            await self._shut()
            self._enter(DeviceState.FAULTED, f"did not open: {error}")
            raise

    async def _open_or_say(self) -> None:
        """`_open`; what a driver did not think of becomes a sentence that names the place."""
        try:
            await self._open()
        except (BenchError, asyncio.CancelledError):
            raise
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise DeviceError(
                f"its driver broke when it was opened: {type(error).__name__}: {error} "
                f"({Path(place.filename).name}:{place.lineno}).",
                device=self.name,
                port=self.port,
            ) from error

    async def close(self) -> None:
        """Give the port back. May be called at any time and more than once; raises nothing.

        A device whose outputs nobody knows stays UNKNOWN: closing it proves nothing.
        """
        if self._opened:
            await self._shut()
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

    async def _safe_alone(self) -> None:
        """`make_safe` for a device that came back, without what rests on the state of other devices."""
        await self.make_safe()

    @abstractmethod
    async def _open(self) -> None:
        """Open the wire, identify the device (`_recognise`), start its readers, enter ACTIVE (or UNKNOWN).

        Also called when a device that was gone is looked for: once for each attempt.
        """

    @abstractmethod
    async def _close(self) -> None:
        """Stop readers and tasks and close the wire; called once for each `_open`, finished or not."""

    async def _shut(self) -> None:
        self._opened = False
        looking, self._return = self._return, None
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        await self._wire_down()
        if self._absence is not None:
            self._absence.forget()
            self._absence = None
        self._loss = None

    async def _wire_down(self) -> None:
        """Close the wire and let others have the port; raises nothing."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            # whoever gives up waiting must not leave half of it open
            await asyncio.gather(closing, return_exceptions=True)
            raise
        except Exception as error:  # noqa: BLE001 - of any driver
            # a dead device must not keep the others from being closed, nor itself from being looked for
            self._source.note("gap", {"from_ns": 0, "to_ns": 0, "why": f"{self.name} did not close cleanly: {error}"})
        finally:
            lock.release()

    # ---- for subclasses

    def _take_port(self) -> PortLock:
        """The right to the port, kept until the wire is closed; what several devices share overrides it."""
        return PortLock.take(self.name, self.port, self._state_dir)

    def _enter(self, state: DeviceState, why: str) -> None:
        """Change the state, if that transition exists, and say so on the timeline.

        While the device is gone it stays FAULTED; what `_open` enters is kept for when it is back.
        """
        if self._loss is not None and state not in (DeviceState.FAULTED, DeviceState.IDLE):
            self._come = (state, why)
            return
        if state is self._state:
            return
        if state not in MAY_FOLLOW[self._state]:
            return
        self._say(state, why)

    def _say(self, state: DeviceState, why: str) -> None:
        self._state = state
        self._why = why
        self._source.note("device.state", {"device": self.name, "state": state.value, "why": why}, evse=self.evse)

    def _recognise(self, identity: dict[str, str]) -> None:
        """Say who answers. For a device that was gone this ends the gap.

        Raises:
            DeviceError: it is not the device that went.
        """
        if self._absence is not None:
            if not _same(self.identity, identity):
                raise DeviceError(
                    f"another device stands on this port now: {_words(identity)} instead of {_words(self.identity)}. "
                    "Plug the right one in; or close this device and open it, if it was replaced on purpose.",
                    device=self.name,
                    port=self.port,
                )
            self._absence.over()
        self.identity = identity

    def _require_open(self) -> None:
        """Refuse a verb on a device that is closed or lost."""
        if self._loss is not None:
            what = "It is looked for" if self._returns else "Plug it in again, close it and open it"
            raise DeviceLost(f"{self._why}. {what}.", device=self.name, port=self.port) from self._loss
        if not self._opened:
            raise DeviceError("is not open; open it first.", device=self.name, port=self.port)

    def _permit(self, verb: str, args: dict[str, Any], *, to_safe: bool = False) -> None:
        """Ask the gate before anything is written.

        Raises:
            SafetyError: the gate refuses.
            DeviceError: nobody knows what the outputs do, and this step does not lead to the safe state.
        """
        if self.energising and self._state is DeviceState.UNKNOWN and not to_safe:
            raise DeviceError(
                f"{verb} {args} is refused while nobody knows what its outputs do ({self._why}). Make it safe first.",
                device=self.name,
                port=self.port,
            )
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
        """The device is gone: a gap from `since_ns` on, and FAULTED. Returns what verbs will raise.

        May be called for each consequence of one loss; the first one counts. Then it is looked for.
        """
        loss = DeviceLost(f"is gone: {error}.", device=self.name, port=self.port)
        loss.__cause__ = error
        if not self._opened:
            return loss
        if self._loss is not None:
            self._loss = loss  # maybe gone again while it was on its way back
            return loss
        self._loss = loss
        self._absence = Absence(self._source, self.name, since_ns, now_ns, str(error))
        self._enter(DeviceState.FAULTED, f"is gone: {error}")
        if self._returns and (self._return is None or self._return.done()):
            self._return = asyncio.create_task(self._look_for_it(), name=f"{self.name} return")
        return loss

    async def _look_for_it(self) -> None:
        """Until it is back and, if it can energise, safe; or until it is closed."""
        while self._loss is not None:
            await self._wire_down()
            await asyncio.sleep(RETURN_EVERY_S)
            if not port_exists(self.port):
                continue
            loss, self._come = self._loss, None
            try:
                self._lock = self._take_port()
                await self._open()
                self._recognise(self.identity)  # for a driver that cannot tell two devices from each other
            except Exception as error:  # noqa: BLE001 - a driver that breaks here must go on looking, and be heard
                self._not_back(str(error) if isinstance(error, BenchError) else repr(error))
            else:
                if self._loss is loss:
                    await self._back()
                else:
                    self._not_back(str(self._loss))

    def _not_back(self, error: str) -> None:
        """Something is on the port again, but not as it should: said once for each reason."""
        if self._absence is not None:
            self._absence.goes_on()
        why = f"is not back: {error.partition(' Received: ')[0]}"
        if why != self._why:
            self._say(DeviceState.FAULTED, why)

    async def _back(self) -> None:
        state, why = self._come or (DeviceState.ACTIVE, "it answers")
        self._loss = self._absence = None
        if not self.energising:
            self._enter(state, f"is back: {why}")
            return
        self._enter(DeviceState.UNKNOWN, f"is back: {why}; what its outputs did meanwhile nobody knows")
        try:
            await self._safe_alone()
        except Exception as error:  # noqa: BLE001 - it stays UNKNOWN, and the loss of it again is looked after
            if self._loss is None:
                self._say(DeviceState.UNKNOWN, f"is back, but could not be made safe: {error}")
        else:
            self._enter(DeviceState.ACTIVE, "is back and made safe")


def _same(before: dict[str, str], now: dict[str, str]) -> bool:
    """One and the same device: by its serial number where it has one; its firmware may have been changed."""
    if not before:
        return True
    keys = ("model", "serial") if "serial" in before else before.keys() - {"firmware"}
    return all(before.get(key) == now.get(key) for key in keys)


def _words(identity: dict[str, str]) -> str:
    return " ".join(identity.values()) or "a device without a name"
