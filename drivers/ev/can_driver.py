"""What every driver on a CAN bus shares: the pump, cyclic frames, silence, and trouble on the bus."""

from __future__ import annotations

import asyncio
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

from ...bench.timeline import Gate, Source, Stamp
from ...errors import DeviceError, DeviceLost
from ..base import DeviceState, Driver, made_in_thread
from ..roles import Role
from .address import can_address
from .trouble import RECOVERED
from .wire import Arrival, CanWire, Frame, Refused, id_text
from .wires import open_wire

__all__ = ["CanDriver", "Cyclic"]

TICK_EVERY_NS = 50_000_000
SAY_TROUBLE_NS = 1_000_000_000
DEAF_NS = 200_000_000
"""The pump comes round every 50 ms, and an EV simulator without orders draws nothing after 500."""
ENQUIRE_EVERY_S = 1.0
RECEIPT_NS = 1_000_000_000
"""How long after a frame was on the bus it is told at most."""


class Cyclic(NamedTuple):
    """A frame to send every `every_s`; `make` gives its data, or None while there is nothing to say."""

    key: int
    every_s: float
    make: Callable[[], bytes | None]


class _Expected:
    """A frame that must come at least every `within_ns`."""

    def __init__(self, name: str, within_ns: int, seen_ns: int) -> None:
        self.name = name
        self.within_ns = within_ns
        self.seen_ns = seen_ns
        self.silent = False


class CanDriver(Driver):
    """A device on a CAN bus.

    `port` is a serial port with an SLCAN adapter, or `interface:channel` (see `address`). With `record_frames` every
    frame on the bus is told, batched, as `can.frames`.

    Subclasses prepare in `_prepare` (in a thread), say in `_greet` what must be there, give `_cyclic` frames, and take
    frames they `_expect` in `_on_frame`.
    """

    energising: ClassVar[bool] = True
    role: ClassVar[Role] = "ev"
    topics: ClassVar[tuple[str, ...]] = ("ev.", "can.")

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        bitrate: int = 500_000,
        baud: int = 115200,
        record_frames: bool = False,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        self._address = can_address(port)
        super().__init__(
            name, source, gate, port=self._address.port, evse=evse, state_dir=state_dir, reconnect=reconnect
        )
        source.declare(self.topics, RECEIPT_NS)
        self._bitrate = bitrate
        self._baud = baud
        self._record_frames = record_frames
        self._wire: CanWire | None = None
        self._pump: threading.Thread | None = None
        self._cycle: asyncio.Task[None] | None = None
        self._stop = False
        self._reset()

    def _reset(self) -> None:
        self._pump_ns = self._told_ns = time.monotonic_ns()
        self._expected: dict[int, _Expected] = {}
        self._complaints: dict[str, str] = {}
        self._trouble_ns: dict[str, int] = {}
        self._trouble_more: dict[str, int] = {}
        self._answers = asyncio.Event()

    # ---- for subclasses to fill in

    @abstractmethod
    def _prepare(self) -> frozenset[int]:
        """Read what is needed, in a thread; the frames to listen to."""

    @abstractmethod
    async def _greet(self) -> None:
        """Bring the device into its safe state, see that it is there, and `_recognise` it; the wire is open then."""

    @abstractmethod
    def _cyclic(self) -> list[Cyclic]:
        """The frames that are sent again and again once it is open."""

    @abstractmethod
    def _on_frame(self, frame: Frame, since_ns: int | None) -> None:
        """A frame that is listened to came, on the loop.

        `since_ns`: when the one before it came; None for the first one, for the first after a silence that was told,
        and where none is expected.
        """

    def _on_silence(self, key: int) -> None:
        """An expected frame does not come any more."""

    # ---- life

    @property
    def alive(self) -> bool:
        pump = self._pump
        running = pump is not None and pump.is_alive() and time.monotonic_ns() - self._pump_ns < 500_000_000
        return super().alive and running

    @property
    def beat_ns(self) -> int | None:
        pump = self._pump
        return self._pump_ns if pump is not None and pump.is_alive() else None

    async def _open(self) -> None:
        self._reset()
        self._stop = False
        wire = await made_in_thread(self._make, CanWire.close)
        self._wire = wire
        loop = asyncio.get_running_loop()
        self._pump = threading.Thread(target=self._run, args=(wire, loop), name=f"{self.name} pump", daemon=True)
        self._pump.start()
        await self._greet()
        self._enter(DeviceState.ACTIVE, self._introduction(wire))
        self._cycle = self._task(self._keep(), "cycle")

    def _introduction(self, wire: CanWire) -> str:
        return f"behind {wire.identity.get('adapter', 'an SLCAN adapter')}"

    def _make(self) -> CanWire:
        watch = self._prepare()
        wire = open_wire(self.name, self._address, bitrate=self._bitrate, baud=self._baud, state_dir=self._state_dir)
        wire.watch, wire.record = watch, self._record_frames
        return wire

    async def _close(self) -> None:
        cycle, self._cycle = self._cycle, None
        wire, self._wire = self._wire, None
        pump, self._pump = self._pump, None
        self._stop = True
        ends: list[asyncio.Future[None]] = []
        if wire is not None:
            # begun first, and shielded: a close that is cancelled must close all the same
            wire.wake()
            ends.append(asyncio.shield(asyncio.get_running_loop().run_in_executor(None, _end, wire, pump)))
        if cycle is not None:
            cycle.cancel()
            ends.append(cycle)
        await asyncio.gather(*ends, return_exceptions=True)

    async def _adapter_answers(self, within_s: float) -> None:
        """Wait for a sign of the adapter itself.

        Raises:
            DeviceError: there is none.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._answers.wait()
        except TimeoutError:
            raise self._no_adapter(within_s) from None

    def _no_adapter(self, within_s: float) -> DeviceError:
        seen = self._wire.seen if self._wire is not None else b""
        within = f"within {within_s:g} s"
        if seen.strip(b"\r\a"):
            message = (
                f"something answers, but {within} not as an SLCAN adapter does. Another device on this port, "
                "or another baud rate?"
            )
        else:
            message = f"no answer {within}. Is the CAN adapter plugged in, and is this its port?"
        return DeviceError(
            message, device=self.name, port=self.port, sent="V", received=seen.decode("latin-1") if seen else None
        )

    # ---- sending

    def _send(self, key: int, data: bytes) -> str:
        """Write one frame; what was written, as `201#0011`.

        Raises:
            DeviceLost: the adapter is gone.
            DeviceError: not open.
        """
        if self._wire is None:
            raise DeviceError("is not open; open it first.", device=self.name, port=self.port)
        raw = f"{id_text(key)}#{data.hex().upper()}"
        try:
            self._wire.send(key, data)
        except Refused as error:
            self._trouble("refused", str(error), time.monotonic_ns())
        except OSError as error:
            raise self._gone(error, self._pump_ns, time.monotonic_ns()) from error
        if self._record_frames:
            self._source.note("can.frames", {"dir": "tx", "count": 1, "frames": raw}, evse=self.evse)
        return raw

    async def _keep(self) -> None:
        """Cyclic frames on an absolute schedule, the watch over silence, and a question to the adapter now and then."""
        cyclic = self._cyclic()
        now = time.monotonic()
        due = [now + frame.every_s for frame in cyclic]
        enquire = now + ENQUIRE_EVERY_S
        while True:
            now = time.monotonic()
            await asyncio.sleep(max(0.0, min([*due, enquire, now + 0.1]) - now))
            now = time.monotonic()
            try:
                for n, frame in enumerate(cyclic):
                    if due[n] <= now:
                        due[n] = max(due[n] + frame.every_s, now)
                        # A bench that is deaf must not keep up with orders what it does not hear.
                        deaf = time.monotonic_ns() - self._pump_ns > DEAF_NS
                        data = None if deaf else frame.make()
                        if data is not None:
                            self._send(frame.key, data)
                if enquire <= now and self._wire is not None:
                    enquire = now + ENQUIRE_EVERY_S
                    self._enquire(self._wire)
            except DeviceLost:
                return
            self._look_for_silence()

    def _enquire(self, wire: CanWire) -> None:
        try:
            wire.enquire()
        except OSError as error:
            raise self._gone(error, self._pump_ns, time.monotonic_ns()) from error

    # ---- the pump, a thread

    def _run(self, wire: CanWire, loop: asyncio.AbstractEventLoop) -> None:
        last_ns = handed_ns = time.monotonic_ns()
        try:
            while not self._stop:
                arrival = wire.receive()
                self._pump_ns = last_ns = arrival.at_ns
                # a wake-up of the loop costs more than reading a block: only for what somebody waits for
                if not self._stop and (arrival.tells or last_ns - handed_ns >= TICK_EVERY_NS):
                    handed_ns = last_ns
                    loop.call_soon_threadsafe(self._on_arrival, arrival)
        except Exception as error:  # noqa: BLE001 - whatever ends the pump must be told, never swallowed
            if not self._stop:
                try:
                    loop.call_soon_threadsafe(self._gone, error, last_ns, time.monotonic_ns())
                except RuntimeError:
                    return  # the loop is closed: nobody listens any more

    # ---- what it hands over, on the loop

    def _gone(self, error: Exception, since_ns: int, now_ns: int) -> DeviceLost:
        if not self.gone and self.is_open:
            self._tell_trouble("lost", str(error), now_ns, now_ns)
        return self._lost(error, since_ns, now_ns)

    def _on_arrival(self, arrival: Arrival) -> None:
        if self._stop:
            return
        at_ns = self._told_ns = arrival.at_ns
        if self._wire is not None and self._wire.answers:
            self._answers.set()
        if arrival.raw:
            stamp = Stamp.host(at_ns, lo_ns=arrival.lo_ns)
            # one text, not a list of lists: ten minutes of a full bus are kept in memory
            frames = {"dir": "rx", "count": len(arrival.raw), "frames": " ".join(arrival.raw).upper()}
            self._source.emit("can.frames", stamp, frames, evse=self.evse)
        for kind, detail in arrival.troubles:
            self._trouble(kind, detail, at_ns, arrival.lo_ns)
        for text in arrival.damaged:
            self._source.gap(arrival.lo_ns, at_ns, f"{self.name} received a damaged frame {text!r}")
        for frame in arrival.frames:
            self._take(frame)
        if at_ns - self._source.watermark_ns >= TICK_EVERY_NS and self._tells_from_now:
            self._source.tick(at_ns)

    @property
    def _tells_from_now(self) -> bool:
        """Whether it may be promised that nothing older comes: not before the device was seen to be there."""
        return self._cycle is not None

    # ---- silence

    def _expect(self, key: int, name: str, within_s: float) -> None:
        """From now on this frame must come; silence for `within_s` is a gap and DEGRADED."""
        self._expected[key] = _Expected(name, int(within_s * 1e9), self._told_ns)

    def _expect_no_more(self, key: int) -> None:
        expected = self._expected.pop(key, None)
        if expected is not None and expected.silent:
            self._settle(f"silence {key:X}")

    def _take(self, frame: Frame) -> None:
        expected = self._expected.get(frame.key)
        since_ns = None
        if expected is not None:
            if expected.silent:
                expected.silent = False
                why = f"{expected.name} of {self.name} was silent and is back"
                self._source.gap(expected.seen_ns, frame.at_ns, why)
                self._settle(f"silence {frame.key:X}")
            else:
                since_ns = expected.seen_ns
            expected.seen_ns = max(expected.seen_ns, frame.at_ns)
        self._settle("bus-off")  # whoever has left the bus receives nothing
        self._on_frame(frame, since_ns)

    def _look_for_silence(self) -> None:
        # what the pump has not handed over yet may hold the frame: judge by what has been handed over
        for key, expected in list(self._expected.items()):
            if not expected.silent and self._told_ns - expected.seen_ns > expected.within_ns:
                expected.silent = True
                why = f"no {expected.name} of {self.name} for {expected.within_ns // 1_000_000} ms"
                self._source.gap(expected.seen_ns, self._told_ns, why)
                self._complain(f"silence {key:X}", why)
                self._on_silence(key)

    # ---- trouble, and the state that follows from it

    def _trouble(self, kind: str, detail: str, at_ns: int, lo_ns: int | None = None) -> None:
        """Tell what the adapter says, each kind once a second at most, and take the state that follows."""
        if kind == RECOVERED:
            self._settle("passive")
            self._settle("bus-off")
            return
        if kind == "overrun":
            self._source.gap(at_ns if lo_ns is None else lo_ns, at_ns, f"{self.name} lost frames: {detail}")
        told_ns = self._trouble_ns.get(kind)
        if told_ns is not None and at_ns - told_ns < SAY_TROUBLE_NS:
            self._trouble_more[kind] = self._trouble_more.get(kind, 0) + 1
        else:
            self._trouble_ns[kind] = at_ns
            more = self._trouble_more.pop(kind, 0)
            self._tell_trouble(kind, f"{detail} ({more} more before this)" if more else detail, at_ns, lo_ns)
        if kind in ("passive", "bus-off"):
            self._complain(kind, detail)

    def _tell_trouble(self, kind: str, detail: str, at_ns: int, lo_ns: int | None) -> None:
        stamp = Stamp.host(at_ns, lo_ns=lo_ns)
        self._source.emit("can.error", stamp, {"kind": kind, "detail": detail}, evse=self.evse)

    def _complain(self, about: str, why: str) -> None:
        """Something is wrong: DEGRADED until it is settled."""
        self._complaints[about] = why
        if self._state is DeviceState.ACTIVE:
            self._enter(DeviceState.DEGRADED, why)

    def _settle(self, about: str) -> None:
        settled = self._complaints.pop(about, None) is not None and not self._complaints
        if settled and self._state is DeviceState.DEGRADED:
            self._enter(DeviceState.ACTIVE, "frames come again, without complaint")


def _end(wire: CanWire, pump: threading.Thread | None) -> None:
    if pump is not None:
        pump.join(2.0)
    wire.close()
