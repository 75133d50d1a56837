"""The driver of a relay board: mains, protective earth and residual currents, each relay with its duty."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from ...bench.timeline import Gate, Source, Stamp
from ...bench.timeline.hints import did_you_mean
from ...errors import BenchError, ConfigError, DeviceError, DeviceLost
from ..base import DeviceState, Driver
from ..emergency import EmergencyRecipe, Phase, Step
from ..meter.segments import Segments
from ..meter.wire import Link
from ..ports import PortLock
from ..roles import DUTIES, Duty, Role
from .boards import Board, Done
from .coils import CoilBoard
from .serial_boards import LcusBoard, NumatoBoard
from .stop_contact import StopContact

__all__ = ["BOARDS", "RelayBoard"]

BOARDS = ("modbus", "lcus", "numato")
FAULTS: tuple[Duty, ...] = ("rcd", "dc-leak")
TICK_S = 0.1
TICK_LAG_NS = 100_000_000
RECEIPT_NS = 1_000_000_000
EMERGENCY_MS = 250


class RelayBoard(Driver):
    """Relays by number, each with a duty: "mains", "pe", "rcd", "dc-leak" or "aux".

    `switch(n, on)` speaks of what the relay is for: mains on = the station is fed, pe on = protective earth is
    connected, rcd and dc-leak on = the residual current flows. `inverted` names the relays that are wired through their
    normally-closed contact: on when the coil has no current. Wire every relay so that a coil without current is the
    healthy position: mains, rcd and dc-leak normally open, pe normally closed and in `inverted`.

    A relay has the number that its board gives it: a coil's address from 0 (modbus), 1.. (lcus), 0.. (numato).
    `board = "lcus"` answers nothing: its `relay.state` is commanded and not observed, after `open` it is UNKNOWN until
    `make_safe`, and another device on its port is not found out. The others are read back after each command and every
    `poll_s`; one that is found otherwise than commanded makes the board UNKNOWN.

    `e_stop_input`: address of the discrete input of a modbus board that has voltage while the emergency stop is not
    pressed. It is read four times a second; one that cannot be read for 1 s is told as pressed.

    `make_safe`: residual currents off, mains off, then PE on. PE only if all mains relays of this board went off; where
    it has none, whoever calls sees to it that the supply is off before.
    """

    role: ClassVar[Role] = "relay"
    energising: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        relays: Mapping[int, Duty],
        board: Literal["modbus", "lcus", "numato"] = "modbus",
        inverted: Collection[int] = (),
        unit: int = 1,
        baud: int | None = None,
        parity: str = "N",
        stop_bits: int = 1,
        write_several: bool = False,
        e_stop_input: int | None = None,
        poll_s: float = 1.0,
        timeout_s: float = 0.5,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        if board not in BOARDS:
            raise ConfigError(f"{name}: there is no board {board!r}{did_you_mean(board, BOARDS)}; known: {BOARDS}")
        if not relays:
            raise ConfigError(f"{name}: relays is empty; say which relay has which duty")
        for value, least, most, key in ((poll_s, 0.05, 60, "poll_s"), (timeout_s, 0.02, 10, "timeout_s")):
            if not least <= value <= most:
                raise ConfigError(f"{name}: {key} = {value} is outside {least}..{most}")
        if not 1 <= unit <= 247:
            raise ConfigError(f"{name}: unit {unit} is outside 1..247")
        if parity not in ("N", "E", "O"):
            raise ConfigError(f"{name}: parity {parity!r} is none of N, E, O")
        self.relays: Mapping[int, Duty] = dict(sorted(relays.items()))
        self._inverted = frozenset(inverted)
        self.segments = Segments()
        self._poll_s = poll_s
        self._stop: StopContact | None = None
        if board == "modbus":
            coils = CoilBoard(
                name,
                port,
                self._lost,
                lambda: self.segments,
                unit=unit,
                link=Link(baud or 9600, parity, stop_bits),
                write_several=write_several,
                first=min(relays),
                timeout_s=timeout_s,
                state_dir=state_dir,
            )
            self._board: Board = coils
            if e_stop_input is not None:
                self._stop = StopContact(source, coils, e_stop_input, evse)
        elif e_stop_input is not None:
            raise ConfigError(f"{name}: e_stop_input is for a modbus board; a {board} board has no input that is read")
        else:
            make = LcusBoard if board == "lcus" else NumatoBoard
            self._board = make(name, port, self._lost, baud=baud, timeout_s=timeout_s, state_dir=state_dir)
        self._check()
        source.declare(("relay.",), RECEIPT_NS + int(4 * timeout_s * 1e9))
        self._on: dict[int, bool] = {}
        self._told: dict[int, bool] = {}
        self._good_ns = 0
        self._busy = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None

    def _check(self) -> None:
        numbers = self._board.numbers
        for n, duty in self.relays.items():
            if n not in numbers:
                raise ConfigError(
                    f"{self.name}: relay {n} is outside {numbers[0]}..{numbers[-1]}, the numbers of this board"
                )
            if duty not in DUTIES:
                raise ConfigError(
                    f"{self.name}: relay {n} has the duty {duty!r}{did_you_mean(duty, DUTIES)}; known: {DUTIES}"
                )
        unknown = sorted(self._inverted - self.relays.keys())
        if unknown:
            raise ConfigError(f"{self.name}: inverted names relays that have no duty: {unknown}")

    # ---- life

    @property
    def observed(self) -> bool:
        """True when the board is read back."""
        return self._board.observed

    @property
    def alive(self) -> bool:
        return super().alive and self._board.alive

    @property
    def beat_ns(self) -> int | None:
        return self._board.beat_ns

    def _take_port(self) -> PortLock:
        return self._board.take_port() or super()._take_port()

    async def _open(self) -> None:
        self._on.clear()
        self._told.clear()
        identity = await self._board.open()
        self._recognise(identity)
        self._good_ns = time.monotonic_ns()
        if self._board.observed:
            self._on |= await self._read()
        if self._stop is not None:
            await self._stop.begin()
        wrong = self._unhealthy()
        if not self._board.observed:
            self._enter(DeviceState.UNKNOWN, "commanded, not observed: make it safe first")
        elif wrong:
            self._enter(DeviceState.UNKNOWN, f"found with {', '.join(map(self._text, wrong))}: make it safe first")
        else:
            self._enter(DeviceState.ACTIVE, f"{identity['model']}, every relay healthy")
        self._keeper = self._task(self._keep(), "keeper")

    async def _close(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
        await self._board.close()
        if keeper is not None:
            await asyncio.gather(keeper, return_exceptions=True)

    def _unhealthy(self) -> list[int]:
        """Relays that are not in their healthy position, as far as known. Of `aux` nobody knows which one that is."""
        return [n for n, on in self._on.items() if self.relays[n] != "aux" and on is not (self.relays[n] == "pe")]

    def _text(self, n: int) -> str:
        state = "unknown" if n not in self._on else "on" if self._on[n] else "off"
        return f"relay {n} ({self.relays[n]}) {state}"

    # ---- verbs

    async def switch(self, n: int, on: bool) -> None:
        """Switch relay `n` for its duty, and read back that it is so where the board can be read.

        Raises:
            ConfigError: no duty was given to this relay.
            SafetyError: the gate refuses; PE is switched with the supply off only.
            DeviceError: refused, not acknowledged, or read back otherwise (the state is UNKNOWN then).
        """
        duty = self.relays.get(n)
        if duty is None:
            raise ConfigError(f"{self.name} has relays {', '.join(map(self._text, self.relays))}; {n} is none of them")
        await self._switch(n, on, to_safe=not on and duty not in ("pe", "aux"))

    async def make_safe(self) -> None:
        """Residual currents off, mains off, PE on; what fails does not stop the rest.

        Raises:
            DeviceError: something was not acknowledged or not read back; the state is UNKNOWN then.
        """
        await self._make_safe(with_earth=True)

    async def _safe_alone(self) -> None:
        # whether another device's supply is off, nobody knows here
        await self._make_safe(with_earth="mains" in self.relays.values())

    async def _make_safe(self, *, with_earth: bool) -> None:
        self._require_open()
        trouble: list[str] = []
        for duty in (*FAULTS, "mains"):
            for n in self._with(duty):
                await self._try(n, False, trouble)
        earths = [n for n in self._with("pe") if self._on.get(n) is not True]
        mains_on = [n for n in self._with("mains") if self._on.get(n) is not False]
        if earths and (mains_on or not with_earth):
            trouble.append("PE left as it is, because the supply is not known to be off")
        else:
            for n in self._with("pe"):
                await self._try(n, True, trouble)
        if trouble:
            why = "; ".join(trouble)
            self._enter(DeviceState.UNKNOWN, why)
            raise DeviceError(f"not safe: {why}", device=self.name, port=self.port)
        seen = "read back" if self._board.observed else "commanded, not observed"
        self._enter(DeviceState.ACTIVE, f"residual currents off, mains off, PE on: {seen}")

    def _with(self, duty: str) -> list[int]:
        return [n for n, given in self.relays.items() if given == duty]

    async def _try(self, n: int, on: bool, trouble: list[str]) -> None:
        try:
            await self._switch(n, on, to_safe=True)
        except DeviceLost:
            raise
        except BenchError as first:
            try:
                await self._switch(n, on, to_safe=True)
            except DeviceLost:
                raise
            except BenchError:
                trouble.append(f"relay {n} ({self.relays[n]}): {first}")

    async def _switch(self, n: int, on: bool, *, to_safe: bool) -> None:
        self._require_open()
        args: dict[str, Any] = {"n": n, "on": on, "duty": self.relays[n]}
        self._permit("relay", args, to_safe=to_safe)
        async with self._busy:
            try:
                done = await self._board.put(n, on is not (n in self._inverted))
                if self._board.observed:
                    read = await self._read([n])
                    if read[n] is not on:
                        raise DeviceError(
                            f"accepted {'on' if on else 'off'} for relay {n} ({args['duty']}), and reads back the "
                            "opposite. Look at the board and its wiring.",
                            device=self.name,
                            port=self.port,
                            sent=done.raw,
                        )
            except DeviceLost:
                raise
            except DeviceError as error:
                self._on.pop(n, None)
                self._enter(DeviceState.UNKNOWN, f"relay {n} ({args['duty']}): {error}")
                raise
            self._on[n] = on
        self._stimulus("relay", args, done.sent_ns, done.at_ns, done.raw)
        self._tell(n, on, done)

    # ---- what it does, as far as it says

    async def _read(self, numbers: Collection[int] | None = None) -> dict[int, bool]:
        """Which relays are on, for their duty."""
        coils, _ = await self._board.look(self.relays if numbers is None else numbers)
        return {n: coils[n] is not (n in self._inverted) for n in (self.relays if numbers is None else numbers)}

    def _tell(self, n: int, on: bool, done: Done) -> None:
        if self._told.get(n) is on:
            return
        self._told[n] = on
        data = {"n": n, "duty": self.relays[n], "on": on, "observed": self._board.observed}
        self._source.emit("relay.state", Stamp.host(done.at_ns, lo_ns=done.sent_ns), data, evse=self.evse, raw=done.raw)

    async def _keep(self) -> None:
        """Polls what can be read, and goes on to promise that nothing older comes."""
        due_s = time.monotonic()
        while True:
            if self._stop is not None:
                try:
                    await self._stop.look()
                except DeviceLost:
                    return
            if self._board.observed and time.monotonic() >= due_s:
                due_s = max(due_s + self._poll_s, time.monotonic())
                try:
                    await self._poll()
                except DeviceLost:
                    return  # told, and looked for again
                except DeviceError as error:
                    self._source.gap(self._good_ns, time.monotonic_ns(), str(error))
                    if self._state is not DeviceState.UNKNOWN:
                        self._enter(DeviceState.DEGRADED, str(error))
                else:
                    if self._state is DeviceState.DEGRADED:
                        self._enter(DeviceState.ACTIVE, "answers again")
            if not self._busy.locked():
                self._source.tick(time.monotonic_ns() - TICK_LAG_NS)
            await asyncio.sleep(TICK_S)

    async def _poll(self) -> None:
        async with self._busy:
            coils, done = await self._board.look(self.relays)
            self._good_ns = done.at_ns
            for n in self.relays:
                on = coils[n] is not (n in self._inverted)
                before = self._on.get(n)
                self._on[n] = on
                self._tell(n, on, done)
                if before is not None and before is not on:
                    self._enter(DeviceState.UNKNOWN, f"{self._text(n)}, and not by the bench: make it safe first")

    # ---- without this driver

    def emergency(self) -> EmergencyRecipe | None:
        order: tuple[tuple[Duty, Phase], ...] = (
            ("mains", "supply"), ("rcd", "faults"), ("dc-leak", "faults"), ("pe", "faults"),
        )  # fmt: skip
        steps: list[Step] = []
        for duty, phase in order:
            for n in self._with(duty):
                on = duty == "pe"
                energised = on is not (n in self._inverted)
                note = f"{duty} relay {n} {'on' if on else 'off'}"
                sent, expect = self._board.step(n, energised)
                check = self._board.check(n, energised)
                said = note if expect is not None else f"{note}, commanded, not observed"
                proves = "state" if self._board.observed and check is None else ""
                steps.append(_step(phase, said, sent, expect, proves, supply_off=on))
                if check is not None:
                    steps.append(_step(phase, f"{note}, read back", *check, "state", supply_off=on))
        if not steps:
            return None  # aux relays only: which position would be the safe one?
        wire, reach, why = self._board.wire()
        return EmergencyRecipe(self.name, wire, tuple(steps), reach=reach, why=why)


def _step(
    phase: Phase, note: str, sent: bytes, expect: str | None, proves: Literal["", "state"], *, supply_off: bool
) -> Step:
    return Step(
        phase, note, sent.hex(), expect, within_ms=EMERGENCY_MS, attempts=10, proves=proves, supply_off=supply_off
    )
