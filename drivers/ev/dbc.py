"""The driver of an EV simulator on CAN, behind an SLCAN adapter; its messages come from a DBC file."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ...bench.timeline import Gate, Source, Stamp
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState, Driver, made_in_thread
from ..roles import Role
from .dialect import Dialect

if TYPE_CHECKING:
    from .slcan import BlockSlcanBus, Frames

__all__ = ["DbcEv"]

COMMAND_EVERY_S = 0.1
STATUS_TIMEOUT_NS = 500_000_000
SAY_EVERY_NS = 500_000_000
TICK_EVERY_NS = 50_000_000
RECEIPT_NS = 1_000_000_000
"""How long after a frame was on the bus it is told at most."""

SAFE: Mapping[str, float | bool] = {"plugged": False, "s2_closed": False, "max_current_a": 0.0, "charge": False}


class DbcEv(Driver):
    """Sends the command frame every 100 ms and publishes what the status frame says.

    `ev.status` is published on change of any value and at least every 500 ms. Frames that the counter
    shows to be missing are a gap; no status for 500 ms is a gap and DEGRADED. `open` begins with
    the safe command: 0 A, no charging, not plugged.
    """

    role: ClassVar[Role] = "ev"
    energising: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        dbc: Path,
        roles: Mapping[str, str] | None = None,
        bitrate: int = 500_000,
        baud: int = 115200,
        answer_timeout_s: float = 1.0,
        evse: int = 1,
        state_dir: Path | None = None,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir)
        source.declare(("ev.",), RECEIPT_NS)
        self._dbc = dbc
        self._roles = roles
        self._bitrate = bitrate
        self._baud = baud
        self._answer_timeout_s = answer_timeout_s
        self._dialect: Dialect | None = None
        self._bus: BlockSlcanBus | None = None
        self._pump: threading.Thread | None = None
        self._cycle: asyncio.Task[None] | None = None
        self._stop = False
        self._forget()

    def _forget(self) -> None:
        self._wanted: dict[str, float | bool] = dict(SAFE)
        self._counter = 0
        self._seen_counter: int | None = None
        self._status_ns = 0
        self._said: dict[str, Any] | None = None
        self._said_ns = 0
        self._pump_ns = time.monotonic_ns()
        self._adapter: dict[str, str] = {}
        self._first = asyncio.Event()
        self._answered = asyncio.Event()

    # ---- life

    @property
    def alive(self) -> bool:
        pump = self._pump
        return (
            super().alive and pump is not None and pump.is_alive() and time.monotonic_ns() - self._pump_ns < 500_000_000
        )

    async def _open(self) -> None:
        self._forget()
        self._stop = False
        # importing python-can takes most of a second: the loop must not wait for it
        self._dialect, self._bus = await made_in_thread(self._make, lambda made: made[1].shutdown())
        loop = asyncio.get_running_loop()
        self._pump = threading.Thread(target=self._run, args=(self._bus, loop), name=f"{self.name} pump", daemon=True)
        self._pump.start()
        self._permit("ev.command", dict(SAFE), to_safe=True)
        self._bus_ask("V")
        self._bus_ask("N")
        self._send()
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                await self._first.wait()
        except TimeoutError:
            raise self._nobody_there(self._bus.seen) from None
        self.identity = {"dbc": self._dbc.name, **self._adapter}
        self._enter(DeviceState.ACTIVE, f"{self._dbc.stem} behind {self._adapter.get('adapter', 'an SLCAN adapter')}")
        self._say_command(time.monotonic_ns(), time.monotonic_ns())
        self._cycle = self._task(self._keep(), "cycle")

    def _make(self) -> tuple[Dialect, BlockSlcanBus]:
        from .slcan import BlockSlcanBus

        dialect = Dialect(self._dbc, self._roles)
        try:
            bus = BlockSlcanBus(self.name, self.port, bitrate=self._bitrate, baud=self._baud, state_dir=self._state_dir)
        except ValueError as error:
            raise ConfigError(f"{self.name}: {error}") from error
        return dialect, bus

    def _nobody_there(self, seen: bytes) -> DeviceError:
        within = f"within {self._answer_timeout_s:g} s"
        if self._adapter:
            message = (
                f"the SLCAN adapter answers, but no status frame came {within}. Is the EV simulator on, is the bus "
                f"terminated, and is {self._bitrate} bit/s right?"
            )
        elif seen.strip(b"\r\a"):
            message = (
                f"something answers, but {within} not as an SLCAN adapter does. Another device on this port, "
                "or another baud rate?"
            )
        else:
            message = f"no answer {within}. Is the CAN adapter plugged in, and is this its port?"
        return DeviceError(
            message, device=self.name, port=self.port, sent="V", received=seen.decode("latin-1") if seen else None
        )

    async def _close(self) -> None:
        cycle, self._cycle = self._cycle, None
        if cycle is not None:
            cycle.cancel()
            await asyncio.gather(cycle, return_exceptions=True)
        bus, self._bus = self._bus, None
        pump, self._pump = self._pump, None
        self._stop = True
        if bus is not None:
            bus.wake()
            await asyncio.to_thread(_end, bus, pump)

    async def make_safe(self) -> None:
        """Ask for 0 A and no charging; what flows then is for the meter to prove.

        Raises:
            DeviceError: the command could not be written.
        """
        await self.command(max_current_a=0.0, charge=False)

    # ---- the verb

    async def command(
        self,
        *,
        plugged: bool | None = None,
        s2_closed: bool | None = None,
        max_current_a: float | None = None,
        charge: bool | None = None,
    ) -> None:
        """Change what the cyclic command says; what is None stays. It is sent at once, then every 100 ms.

        `max_current_a` is per phase. Raises SafetyError when the gate refuses, DeviceError when the wire is gone.
        """
        self._require_open()
        given: dict[str, float | bool | None] = {
            "plugged": plugged,
            "s2_closed": s2_closed,
            "max_current_a": None if max_current_a is None else float(max_current_a),
            "charge": charge,
        }
        args = {key: value for key, value in given.items() if value is not None}
        highest = self._dialect.highest_current_a if self._dialect else 0.0
        if max_current_a is not None and not 0 <= max_current_a <= highest:
            raise ConfigError(f"{self.name}: max_current_a = {max_current_a} is outside 0..{highest:g} A")
        self._permit("ev.command", args, to_safe=not any(args.values()))
        before = self._wanted
        self._wanted = {**before, **args}
        sent_ns = time.monotonic_ns()
        try:
            raw = self._send()
        except DeviceError:
            self._enter(DeviceState.UNKNOWN, "a command could not be written")
            raise
        written_ns = time.monotonic_ns()
        self._stimulus("ev.command", args, sent_ns, written_ns, raw)
        if self._wanted != before:
            self._say_command(sent_ns, written_ns)

    def _say_command(self, sent_ns: int, written_ns: int) -> None:
        self._source.emit("ev.command", Stamp.host(written_ns, lo_ns=sent_ns), dict(self._wanted), evse=self.evse)

    def _send(self) -> str:
        from can import Message
        from can.exceptions import CanError

        if self._bus is None or self._dialect is None:
            raise DeviceError("is not open; open it first.", device=self.name, port=self.port)
        data = self._dialect.encode({"counter": self._counter, **self._wanted})
        self._counter = (self._counter + 1) % self._dialect.command_turn
        message = Message(
            arbitration_id=self._dialect.command_id, is_extended_id=self._dialect.command_extended, data=data
        )
        try:
            self._bus.send(message)
        except (CanError, OSError) as error:
            raise self._on_dead(error, self._pump_ns, time.monotonic_ns()) from error
        return f"{self._dialect.command_id:03X}#{data.hex().upper()}"

    def _bus_ask(self, command: str) -> None:
        from can.exceptions import CanError

        try:
            if self._bus is not None:
                self._bus.ask(command)
        except (CanError, OSError) as error:
            raise self._on_dead(error, self._pump_ns, time.monotonic_ns()) from error

    async def _keep(self) -> None:
        """The cyclic command, on an absolute schedule, and the watch over the status."""
        due = time.monotonic()
        while True:
            due = max(due + COMMAND_EVERY_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            try:
                self._send()
            except DeviceLost:
                return
            except DeviceError as error:
                self._enter(DeviceState.DEGRADED, str(error))
            # what the pump has not handed over yet may hold the status: judge by what it has read
            if self._pump_ns - self._status_ns > STATUS_TIMEOUT_NS and self._state is DeviceState.ACTIVE:
                self._source.gap(self._status_ns, self._pump_ns, f"no status of {self.name} for 500 ms")
                self._enter(DeviceState.DEGRADED, "no status frame for 500 ms")

    # ---- the pump, a thread

    def _run(self, bus: BlockSlcanBus, loop: asyncio.AbstractEventLoop) -> None:
        last_ns = time.monotonic_ns()
        try:
            while not self._stop:
                frames = bus.receive()
                last_ns = frames.block.at_ns
                if not self._stop:
                    loop.call_soon_threadsafe(self._on_frames, frames)
        except Exception as error:  # noqa: BLE001 - whatever ends the pump must be told, never swallowed
            if not self._stop:
                try:
                    loop.call_soon_threadsafe(self._on_dead, error, last_ns, time.monotonic_ns())
                except RuntimeError:
                    return  # the loop is closed: nobody listens any more

    # ---- what it hands over, on the loop

    def _on_dead(self, error: Exception, since_ns: int, now_ns: int) -> DeviceLost:
        return self._lost(error, since_ns, now_ns)

    def _on_frames(self, frames: Frames) -> None:
        if self._stop or self._dialect is None:
            return
        block = frames.block
        self._pump_ns = block.at_ns
        for text in frames.answers:
            self._on_answer(text)
        for text in frames.damaged:
            self._source.gap(block.lo_ns, block.at_ns, f"{self.name} received a damaged frame {text!r}")
        for message in frames.messages:
            if (
                message.arbitration_id == self._dialect.status_id
                and message.is_extended_id == self._dialect.status_extended
                and not message.is_remote_frame
            ):
                self._on_status(bytes(message.data), frames)
        if self._first.is_set() and block.at_ns - self._source.watermark_ns >= TICK_EVERY_NS:
            self._source.tick(block.at_ns)

    def _on_answer(self, text: str) -> None:
        if len(text) == 5 and text[0] == "V" and text[1:].isalnum():
            self._adapter["adapter"] = f"SLCAN {text}"
        elif len(text) == 5 and text[0] == "N" and text[1:].isalnum():
            self._adapter["serial"] = text[1:]

    def _on_status(self, data: bytes, frames: Frames) -> None:
        if self._dialect is None:
            return
        block = frames.block
        raw = f"{self._dialect.status_id:03X}#{data.hex().upper()}"
        try:
            values = self._dialect.decode(data)
        except ValueError as error:
            self._source.gap(block.lo_ns, block.at_ns, str(error))
            return
        counter = int(values["counter"])
        self._count(counter, block.at_ns)
        self._status_ns = block.at_ns
        status: dict[str, Any] = {
            "plugged": bool(values["plugged"]),
            "s2_wish": bool(values["s2_wish"]),
            "soc_pct": round(float(values["soc_pct"]), 3),
            "current_a": round(float(values["current_a"]), 3),
            "battery_v": round(float(values["battery_v"]), 3),
        }
        if status != self._said or block.at_ns - self._said_ns >= SAY_EVERY_NS:
            self._said, self._said_ns = status, block.at_ns
            stamp = Stamp.host(block.at_ns, lo_ns=block.lo_ns)
            self._source.emit("ev.status", stamp, {**status, "counter": counter}, evse=self.evse, raw=raw)
        self._first.set()

    def _count(self, counter: int, at_ns: int) -> None:
        """Frames that the counter shows to be missing, or a silence that is over, are a gap."""
        turn = self._dialect.status_turn if self._dialect else 16
        before, self._seen_counter = self._seen_counter, counter
        if before is None:
            return
        missing = (counter - before - 1) % turn
        if self._state is DeviceState.DEGRADED:
            self._source.gap(self._status_ns, at_ns, f"{self.name} was silent and is back")
            self._enter(DeviceState.ACTIVE, "status frames are back")
        elif missing:
            self._source.gap(self._status_ns, at_ns, f"{missing} status frames of {self.name} are missing")


def _end(bus: BlockSlcanBus, pump: threading.Thread | None) -> None:
    if pump is not None:
        pump.join(2.0)
    bus.shutdown()
