"""The driver of a pilot emulator that speaks the pilot line protocol (`docs/pilot-protocol.md`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ...bench.timeline import Gate, Interval, Source, Stamp
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState
from ..emergency import EmergencyRecipe
from ..framed_line import FramedDriver
from ..line_splitter import LineSplitter
from ..roles import PilotCapability, Role
from ..serial_line import Block
from .frame import MAX_LINE, EventFrame
from .identity import PilotIdentity, PilotStatus
from .line_emergency import line_recipe
from .link import Answer, CommandLink, NoAnswer
from .observer import Observer

__all__ = ["LinePilot"]

PING_EVERY_S = 0.5
BURST = 8
RECEIPT_NS = 25_000_000
"""How long after a fact a line about it is read at most: the sense's delay, the wire, and the reader's turn."""
LATE_S, DEAF_S, SURELY_DEAF_S, LISTEN_AGAIN_S = 0.1, 0.25, 0.5, 0.05
"""A reader comes round every 50 ms. Later than the first the device is not pinged, than the second nothing is asked of
it, than the third that is told; and when to look again."""
PP_OHMS = (100, 220, 680, 1500)


class LinePilot(FramedDriver):
    """Plays the vehicle on CP and PP, and reports what it measures there.

    Its outputs are in the safe state when the resistor is A and no fault is set; the device itself goes
    there when nobody feeds its watchdog for `watchdog_ms` (200..10000). `mains_relay`: the one of its relays that
    switches the station's supply, if one does. After `open` it is ACTIVE when
    it was found in the safe state, else UNKNOWN until `make_safe`. Restarted by itself, it is made safe at once.
    """

    role: ClassVar[Role] = "pilot"
    what: ClassVar[str] = "pilot emulator"
    energising: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        baud: int = 115200,
        evse: int = 1,
        watchdog_ms: int = 2000,
        mains_relay: int | None = None,
        hello_timeout_s: float = 4.0,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        source.declare(("cp.", "output", "lock", "pilot.", "clock."), RECEIPT_NS)
        if not 200 <= watchdog_ms <= 10000:
            raise ConfigError(f"{name}: watchdog_ms = {watchdog_ms} is outside 200..10000")
        self._baud = baud
        self._watchdog_ms = watchdog_ms
        self.mains_relay = mains_relay
        self._hello_timeout_s = hello_timeout_s
        self._poke = asyncio.Event()
        self._who: PilotIdentity | None = None
        self._resistor: str | None = None
        self._making_safe = asyncio.Lock()
        self._restarted = False
        self._fresh()

    def _fresh(self) -> None:
        self._splitter = LineSplitter(MAX_LINE)
        self._observer = Observer(self._source, self.evse, self._conflict)
        self._link = CommandLink(self.name, self.port, self._write, self._resync, lambda: self._deaf_s() > DEAF_S)

    # ---- life

    def emergency(self) -> EmergencyRecipe:
        return line_recipe(self.name, self.port, self._baud, mains_relay=self.mains_relay)

    @property
    def capabilities(self) -> frozenset[PilotCapability]:
        """What this emulator can do beside CP; before `open` what the protocol knows."""
        always: set[PilotCapability] = {"pp", "faults", "state_d"}
        if self._who is None:
            return frozenset({*always, "token", "relay", "lock", "output"})
        told: tuple[tuple[str, PilotCapability], ...] = (
            ("token", "token"),
            ("relay", "relay"),
            ("lock", "lock"),
            ("sense", "output"),
        )
        always.update(name for word, name in told if word in self._who.capabilities)
        return frozenset(always)

    @property
    def clock_offset(self) -> Interval | None:
        """Bench clock minus the device's, in nanoseconds, as it is known now; None before the first ping."""
        return self._observer.clock.offset_at(time.monotonic_ns())

    @property
    def who(self) -> PilotIdentity:
        """The identity as the device gave it; after `open` only."""
        self._require_open()
        if self._who is None:
            raise DeviceError("has not said who it is.", device=self.name, port=self.port)
        return self._who

    async def _open(self) -> None:
        epoch = self._observer.clock.epoch
        self._fresh()
        self._who = None
        # a domain is named once on a timeline: what was read before the port was closed is another epoch
        self._observer.clock.epoch = epoch + 1
        await self._connect(self._baud)
        await self._hello()
        self._observer.say_clock(self._link.heard_ns)
        found = await self._status()
        self._resistor = found.resistor
        if found.safe:
            self._enter(DeviceState.ACTIVE, f"{self.identity['model']} {self.identity['serial']}, found at state A")
        else:
            why = f"found at state {found.resistor}, faults {sorted(found.faults) or 'none'}: make it safe first"
            self._enter(DeviceState.UNKNOWN, why)
        self._beside(self._keep(), "keeper")

    async def make_safe(self) -> None:
        """Resistor to A, then every fault off, then read back that it is so.

        Raises:
            DeviceError: not acknowledged or not so; the state is UNKNOWN then.
        """
        self._require_open()
        async with self._making_safe:  # what runs beside it would end after the next verb
            await self._make_safe()

    async def _make_safe(self) -> None:
        try:
            await self._do("resistor", {"state": "A"}, "R A", to_safe=True)
            await self._do("faults", {"flags": []}, "F NONE", to_safe=True)
        except NoAnswer:
            # the device may just have restarted: say HELLO again, once
            await self._do("resistor", {"state": "A"}, "R A", to_safe=True)
            await self._do("faults", {"flags": []}, "F NONE", to_safe=True)
        status = await self.status()
        if not status.safe:
            self._enter(DeviceState.UNKNOWN, "acknowledged A without faults, but reads back otherwise")
            raise DeviceError(
                f"acknowledged state A without faults, but reads back {status.resistor} with "
                f"{sorted(status.faults) or 'no faults'}. Pull the plug, and check the emulator.",
                device=self.name,
                port=self.port,
            )
        self._restarted = False
        self._enter(DeviceState.ACTIVE, "at state A without faults, read back")

    # ---- verbs

    async def resistor(self, state: str) -> None:
        """Show the resistor of state "A", "B", "C" or "D".

        Raises:
            SafetyError: the gate refuses.
            DeviceError: refused or not acknowledged.
        """
        if state not in ("A", "B", "C", "D"):
            raise ConfigError(f"{self.name}: a vehicle shows state A, B, C or D, not {state!r}")
        to_safe = state == "A" or (state == "B" and self._resistor in ("C", "D"))
        await self._do("resistor", {"state": state}, f"R {state}", to_safe=to_safe)

    async def faults(self, *, diode: bool = False, short_ohm: int | None = None, cp_open: bool = False) -> None:
        """Set the faults beside the resistor; what is not named is off.

        `diode`: the diode shorted; `short_ohm`: CP to PE through 0 or 80 ohm; `cp_open`: CP interrupted
        while plugged. Raises like `resistor`.
        """
        if short_ohm not in (None, 0, 80):
            raise ConfigError(f"{self.name}: CP to PE goes through 0 or 80 ohm, not {short_ohm}")
        flags = [
            flag
            for flag, wanted in (("diode", diode), (f"short{short_ohm}", short_ohm is not None), ("open", cp_open))
            if wanted
        ]
        text = f"F {','.join(flags).upper() or 'NONE'}"
        await self._do("faults", {"flags": flags}, text, to_safe=not flags)

    async def pp(self, ohm: int | None) -> None:
        """Show a PP resistor of 100, 220, 680 or 1500 ohm; None = no plug. Raises like `resistor`."""
        if ohm is not None and ohm not in PP_OHMS:
            raise ConfigError(f"{self.name}: PP is one of {', '.join(map(str, PP_OHMS))} ohm or None, not {ohm}")
        await self._do("pp", {"ohm": ohm}, f"P {'OPEN' if ohm is None else ohm}")

    async def token(self, id: str, kind: str = "ISO14443") -> None:  # noqa: A002 - the word of OCPP
        """Present a card: up to 36 printable characters without spaces. Raises like `resistor`."""
        for word in (id, kind):
            if not 1 <= len(word) <= 36 or not word.isascii() or not word.isprintable() or " " in word or "*" in word:
                raise ConfigError(f"{self.name}: {word!r} is not 1 to 36 printable ASCII characters without space or *")
        self._require_capability("token", "present a card")
        await self._do("token", {"id": id, "kind": kind}, f"TOKEN {kind} {id}")

    async def relay(self, n: int, on: bool) -> None:
        """Switch auxiliary relay `n`, from 1. Raises like `resistor`."""
        self._require_capability("relay", "switch a relay")
        if not 1 <= n <= self.who.relays:
            raise ConfigError(f"{self.name} has relays 1 to {self.who.relays}, not {n}")
        await self._do("relay", {"n": n, "on": on}, f"RELAY {n} {int(on)}", to_safe=not on)

    async def status(self) -> PilotStatus:
        """What is set and what is measured, read from the device now."""
        self._require_open()
        return await self._status()

    async def _status(self) -> PilotStatus:
        answer = await self._link.command("S")
        try:
            status = PilotStatus.parse(answer.words)
        except ValueError as error:
            raise DeviceError(
                f"its status cannot be read: {error}.",
                device=self.name,
                port=self.port,
                sent="S",
                received=" ".join(answer.words),
            ) from error
        self._observer.reads(status.output, Stamp.host(answer.at_ns, lo_ns=answer.sent_ns))
        return status

    def _require_capability(self, capability: str, what: str) -> None:
        if capability not in self.who.capabilities:
            raise DeviceError(
                f"cannot {what}: {self.who.model} {self.who.serial} has no capability {capability!r}.",
                device=self.name,
                port=self.port,
            )

    async def _do(self, verb: str, args: dict[str, Any], text: str, *, to_safe: bool = False) -> None:
        """Ask the gate, send, and record the stimulus at the moment of its acknowledgement."""
        self._require_open()
        self._permit(verb, args, to_safe=to_safe)

        def acknowledged(answer: Answer) -> None:
            if verb == "resistor":
                self._resistor = args["state"]
            self._stimulus(verb, args, answer.sent_ns, answer.at_ns, answer.sent)

        try:
            await self._link.command(text, acknowledged)
        except NoAnswer:
            if self._loss is None:
                self._enter(DeviceState.UNKNOWN, f"{text!r} was sent and not acknowledged")
            raise

    # ---- finding the device again, and keeping it fed

    async def _settle(self, command: Callable[[str], Any]) -> None:
        """Our watchdog time, and a burst of pings."""
        await super()._settle(command)
        for _ in range(BURST):
            await self._ping(command)

    async def _ping(self, command: Callable[..., Any]) -> None:
        await command("T", self._on_ping)

    async def _keep(self) -> None:
        """A ping each 500 ms, or four in the watchdog's time: it keeps the clock and feeds the watchdog."""
        every_s = min(PING_EVERY_S, self._watchdog_ms / 4000)
        due = time.monotonic()
        while True:
            due = max(due + every_s, time.monotonic())
            try:
                async with asyncio.timeout(due - time.monotonic()):
                    await self._poke.wait()
            except TimeoutError:
                pass
            self._poke.clear()
            deaf_s = self._deaf_s()
            if LATE_S < deaf_s <= SURELY_DEAF_S:
                due = time.monotonic() + LISTEN_AGAIN_S - every_s
                continue
            try:
                if deaf_s > SURELY_DEAF_S:
                    why = f"is not fed: what reads its port has not moved for {deaf_s:.1f} s"
                    raise DeviceError(why, device=self.name, port=self.port)
                await self._ping(self._link.command)
                if self._restarted and self._state is DeviceState.UNKNOWN:
                    await self.make_safe()
            except DeviceLost:
                return
            except DeviceError as error:
                self._silent(error)
            else:
                if self._state is DeviceState.DEGRADED:
                    self._enter(DeviceState.ACTIVE, "answers again")

    def _deaf_s(self) -> float:
        """How long ago the reader last came round. A bench that is deaf must not feed the watchdog of what it does not
        hear: that would keep on what nobody watches.
        """
        beat_ns = self.beat_ns
        return 0.0 if beat_ns is None else (time.monotonic_ns() - beat_ns) / 1e9

    def _silent(self, error: DeviceError) -> None:
        now_ns = time.monotonic_ns()
        silent_ms = (now_ns - self._link.heard_ns) // 1_000_000
        self._source.gap(self._link.heard_ns, now_ns, f"{self.name} does not answer: {error}")
        if silent_ms > self._watchdog_ms:
            self._resistor = None
            self._enter(DeviceState.UNKNOWN, f"no answer for {silent_ms} ms, longer than its watchdog")
        else:
            self._enter(DeviceState.DEGRADED, f"no answer for {silent_ms} ms")

    # ---- what the reader hands over

    def _fail(self, error: DeviceError) -> None:
        super()._fail(error)
        self._observer.release()

    def _on_dead(self, error: Exception, since_ns: int, now_ns: int) -> DeviceLost:
        self._observer.release()  # what it holds came before the gap
        return super()._on_dead(error, since_ns, now_ns)

    def _on_block(self, block: Block) -> None:
        self._split(self._splitter, block, self._on_line)
        if self._listening:
            self._observer.quiet_until(block.at_ns)

    def _on_event(self, frame: EventFrame, block: Block, raw: str) -> None:
        if frame.name == "BOOT":
            cause = frame.words[0] if frame.words else "unknown cause"
            # it was alive when it last answered: the restart is later than that
            since_ns = min(self._link.heard_ns, block.lo_ns)
            self._observer.restart()
            self._reset(Stamp.host(block.at_ns, lo_ns=since_ns), f"the emulator started: {cause}", raw)
        elif frame.name == "WD":
            stamp = self._observer.stamp_of(frame, block)
            self._reset(stamp, "its watchdog expired", raw)
        else:
            self._observer.event(frame, block, raw)

    def _reset(self, stamp: Stamp, why: str, raw: str) -> None:
        self._resistor = "A"
        self._restarted = True
        self._source.emit("pilot.reset", stamp, {"why": why}, evse=self.evse, raw=raw)
        self._enter(DeviceState.UNKNOWN, f"{why}; its resistor is A, what was set is gone")
        self._link.restarted(why)
        self._poke.set()

    def _identify(self, words: Sequence[str]) -> None:
        who = PilotIdentity.parse(words)
        self._recognise({"model": who.model, "serial": who.serial, "firmware": who.firmware})
        self._who = who
        self._observer.begin(who)

    def _on_ping(self, answer: Answer) -> None:
        if len(answer.words) != 1 or not answer.words[0].isdigit():
            self._source.gap(answer.sent_ns, answer.at_ns, f"{self.name} answered a ping with {answer.words}")
            return
        if not self._observer.ping(answer.sent_ns, int(answer.words[0]), answer.at_ns):
            # what it stamped since the last ping that agreed may be of either clock
            self._source.gap(self._observer.clock.agreed_ns, answer.at_ns, f"the clock of {self.name} stepped")
            self._enter(DeviceState.UNKNOWN, "its clock stepped: it may have restarted unseen")
        self._observer.release()

    def _conflict(self, why: str) -> None:
        self._enter(DeviceState.DEGRADED, why)
