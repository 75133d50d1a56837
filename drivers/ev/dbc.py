"""The driver of an EV simulator on CAN; a DBC file and a mapping of its signals say what it speaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...bench.timeline import Gate, Source, Stamp
from ...errors import DeviceError
from ..base import DeviceState
from ..emergency import EmergencyRecipe
from .can_driver import CanDriver, Cyclic
from .can_emergency import EmergencyFrame, can_recipe
from .dialect import TIMEOUT_S, Dialect, Mapped, Received, Sent
from .ev_command import ev_args
from .wire import CanWire, Frame, id_text

__all__ = ["SAFE", "DbcEv"]

SAY_EVERY_NS = 500_000_000
CONFIRM_S = 0.5
EMERGENCY_FRAMES = 3
"""How often the guardian sends a message with a counter: one that does not count on may be ignored."""

SAFE: Mapping[str, float | bool] = {"plugged": False, "s2_closed": False, "max_current_a": 0.0, "charge": False}


class DbcEv(CanDriver):
    """Sends what it is commanded in cyclic frames and publishes what the EV simulator says.

    `send`, `receive` and `fixed` map the signals of `dbc` to roles (see `Dialect`); without them the shipped
    `pilotbench-ev.dbc` is expected. `ev.status` is published on change of any value and at least every 500 ms. Frames
    that a counter shows to be missing are a gap; a message that does not come for `timeout_s` is a gap and DEGRADED.
    An EV simulator that has no wish of its own for S2 wishes what `charge` says.
    `open` begins with the safe command: 0 A, no charging, not plugged.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        dbc: Path,
        send: Mapped | None = None,
        receive: Mapped | None = None,
        fixed: Mapping[str, float | str] | None = None,
        timeout_s: float = TIMEOUT_S,
        bitrate: int = 500_000,
        baud: int = 115200,
        record_frames: bool = False,
        answer_timeout_s: float = 1.0,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        self._dbc = dbc
        self._mapping = (send, receive, fixed)
        self._timeout_s = timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._dialect: Dialect | None = None
        super().__init__(
            name, source, gate, port=port, bitrate=bitrate, baud=baud, record_frames=record_frames, evse=evse,
            state_dir=state_dir, reconnect=reconnect,
        )  # fmt: skip

    def _reset(self) -> None:
        super()._reset()
        self._wanted: dict[str, float | bool] = dict(SAFE)
        self._counts: dict[int, int] = {}
        self._counters: dict[int, int] = {}
        self._values: dict[str, Any] = {}
        self._heard: set[int] = set()
        self._said: dict[str, Any] | None = None
        self._said_ns = 0
        self._first = asyncio.Event()
        self._next = asyncio.Event()
        self._known = False

    # ---- life

    def _read_dialect(self) -> Dialect:
        send, receive, fixed = self._mapping
        return Dialect(self._dbc, send, receive, fixed, self._timeout_s)

    def _prepare(self) -> frozenset[int]:
        self._dialect = self._read_dialect()
        return frozenset(self._dialect.received)

    async def _greet(self) -> None:
        assert self._dialect is not None
        self._permit("ev.command", dict(SAFE), to_safe=True)
        self._send_all()
        slowest_s = max(told.cycle_s for told in self._dialect.received.values())
        try:
            async with asyncio.timeout(max(self._answer_timeout_s, 2 * slowest_s)):
                await self._first.wait()
        except TimeoutError:
            raise self._nobody_there() from None
        assert self._wire is not None
        self._recognise({"dbc": self._dbc.name, **self._wire.identity})
        self._known = True
        for told in self._dialect.received.values():
            self._expect(told.key, told.name, told.timeout_s)
        now_ns = time.monotonic_ns()
        self._say_command(now_ns, now_ns)

    def _introduction(self, wire: CanWire) -> str:
        return f"{self._dbc.stem} {super()._introduction(wire)}"

    def _nobody_there(self) -> DeviceError:
        assert self._dialect is not None
        assert self._wire is not None
        if not self._wire.answers:
            return self._no_adapter(self._answer_timeout_s)
        missing = ", ".join(told.name for key, told in self._dialect.received.items() if key not in self._heard)
        there = "the SLCAN adapter answers" if self._address.interface == "slcan" else "the bus is open"
        return DeviceError(
            f"{there}, but no status frame came within {self._answer_timeout_s:g} s ({missing}). Is the EV simulator "
            f"on, is the bus terminated, and is {self._bitrate} bit/s right?",
            device=self.name,
            port=self.port,
        )

    async def make_safe(self) -> None:
        """Ask for 0 A and no charging; what flows then is for the meter to prove.

        Raises:
            DeviceError: the command could not be written; or, when its state is UNKNOWN, it tells nothing afterwards.
        """
        await self.command(max_current_a=0.0, charge=False)
        if self.state is DeviceState.UNKNOWN:
            self._next.clear()
            try:
                async with asyncio.timeout(CONFIRM_S):
                    await self._next.wait()
            except TimeoutError:
                raise DeviceError(
                    "it was told to draw nothing, and says nothing.", device=self.name, port=self.port
                ) from None
            self._enter(DeviceState.ACTIVE, "asked for 0 A, and it answers")

    def emergency(self) -> EmergencyRecipe:
        """How the guardian asks for 0 A and no charging. Needs no open port.

        Raises:
            ConfigError: the DBC file or the mapping is wrong.
        """
        frames: list[EmergencyFrame] = []
        for sent in self._read_dialect().sent:
            for count in range(EMERGENCY_FRAMES if sent.turn > 1 else 1):
                frames.append(EmergencyFrame(f"{sent.name}: 0 A, no charging", sent.key, sent.encode(SAFE, count)))
        return can_recipe(self.name, self._address, frames, bitrate=self._bitrate, baud=self._baud)

    # ---- the verb

    async def command(
        self,
        *,
        plugged: bool | None = None,
        s2_closed: bool | None = None,
        max_current_a: float | None = None,
        charge: bool | None = None,
    ) -> None:
        """Change what the cyclic command says; what is None stays. It is sent at once, and then in its cycle.

        `max_current_a` is per phase. Raises SafetyError when the gate refuses, DeviceError when the wire is gone.
        """
        self._require_open()
        highest = self._dialect.highest_current_a if self._dialect else 0.0
        args = ev_args(self.name, highest, plugged, s2_closed, max_current_a, charge)
        self._permit("ev.command", args, to_safe=not any(args.values()))
        before = self._wanted
        self._wanted = {**before, **args}
        sent_ns = time.monotonic_ns()
        try:
            raw = self._send_all()
        except DeviceError:
            self._enter(DeviceState.UNKNOWN, "a command could not be written")
            raise
        written_ns = time.monotonic_ns()
        self._stimulus("ev.command", args, sent_ns, written_ns, raw)
        if self._wanted != before:
            self._say_command(sent_ns, written_ns)

    def _say_command(self, sent_ns: int, written_ns: int) -> None:
        self._source.emit("ev.command", Stamp.host(written_ns, lo_ns=sent_ns), dict(self._wanted), evse=self.evse)

    # ---- frames

    def _cyclic(self) -> list[Cyclic]:
        assert self._dialect is not None
        return [Cyclic(sent.key, sent.cycle_s, lambda sent=sent: self._encode(sent)) for sent in self._dialect.sent]

    def _encode(self, sent: Sent) -> bytes:
        count = self._counts.get(sent.key, 0)
        self._counts[sent.key] = count + 1
        return sent.encode(self._wanted, count)

    def _send_all(self) -> str:
        assert self._dialect is not None
        return " ".join(self._send(sent.key, self._encode(sent)) for sent in self._dialect.sent)

    def _on_frame(self, frame: Frame, since_ns: int | None) -> None:
        assert self._dialect is not None
        told = self._dialect.received[frame.key]
        try:
            values = told.decode(frame.data)
        except ValueError as error:
            self._source.gap(frame.lo_ns, frame.at_ns, str(error))
            return
        if "counter" in values:
            self._count(told, int(values["counter"] or 0), frame, since_ns)
        self._values |= values
        self._heard.add(frame.key)
        if len(self._heard) < len(self._dialect.received):
            return
        self._first.set()
        self._next.set()
        if not self._known:
            return  # whose frames these are is seen first
        status = self._status()
        if status != self._said or frame.at_ns - self._said_ns >= SAY_EVERY_NS:
            self._said, self._said_ns = status, frame.at_ns
            stamp = Stamp.host(frame.at_ns, lo_ns=frame.lo_ns)
            counter = self._values.get("counter")
            raw = f"{id_text(frame.key)}#{frame.data.hex().upper()}"
            self._source.emit("ev.status", stamp, {**status, "counter": counter}, evse=self.evse, raw=raw)

    def _status(self) -> dict[str, Any]:
        values = self._values
        plugged = values.get("plugged", self._wanted["plugged"])
        # without a wish of its own: what the bench asks; an unknown wish is none
        wish = values.get("s2_wish", False) if self._dialect and self._dialect.has_wish else self._wanted["charge"]
        numbers = {key: values.get(key) for key in ("soc_pct", "current_a", "battery_v")}
        rounded = {key: None if value is None else round(float(value), 3) for key, value in numbers.items()}
        return {"plugged": plugged, "s2_wish": bool(wish), **rounded}

    def _count(self, told: Received, counter: int, frame: Frame, since_ns: int | None) -> None:
        before = self._counters.get(frame.key)
        self._counters[frame.key] = counter
        if before is None or since_ns is None:
            return
        missing = (counter - before - 1) % told.turn
        if missing:
            self._source.gap(since_ns, frame.at_ns, f"{missing} {told.name} frames of {self.name} are missing")
