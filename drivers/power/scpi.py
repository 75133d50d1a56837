"""The drivers of SCPI power supplies (AC and DC) and electronic loads; which one, its command set says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, NotRequired, TypedDict, Unpack

from ...bench.timeline import Gate, Source, Stamp
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState
from ..emergency import EmergencyRecipe, Step
from ..ports import wire_of
from ..roles import Role
from .asking import Answer, NoAnswer
from .commands import LOAD, SUPPLY, CommandSet, command_set
from .text_device import TextDevice

__all__ = ["ScpiLoad", "ScpiSupply"]

NO_NUMBER = 9.9e37
"""From here on a value means infinity or not a number (SCPI-1999 volume 1 section 7.2.1.4)."""
IN_QUEUE = 32
EMERGENCY_MS = 250


class ScpiOptions(TypedDict):
    """Keywords of a SCPI instrument; those with a default may be left out."""

    port: str
    baud: NotRequired[int]
    parity: NotRequired[str]
    commands: NotRequired[Mapping[str, str] | None]
    setup: NotRequired[Sequence[str] | None]
    poll_s: NotRequired[float]
    timeout_s: NotRequired[float]
    settle_s: NotRequired[float]
    evse: NotRequired[int]
    state_dir: NotRequired[Path | None]
    reconnect: NotRequired[bool]


class _Scpi(TextDevice):
    """An instrument with one output or input, polled every `poll_s` for `power.sample`.

    After each command the error queue is asked: an entry is a DeviceError with its text. After each switch the
    state is read back. After `open` it is ACTIVE when it was found off, else UNKNOWN until `make_safe`.
    `settle_s`: how old a value may be that it measures, at most.
    """

    energising: ClassVar[bool] = True
    basis: ClassVar[CommandSet]
    verb: ClassVar[str]
    contact: ClassVar[str]
    phase: ClassVar[Literal["supply", "request"]]

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        baud: int = 9600,
        parity: str = "N",
        commands: Mapping[str, str] | None = None,
        setup: Sequence[str] | None = None,
        poll_s: float = 0.5,
        timeout_s: float = 1.0,
        settle_s: float = 0.3,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(
            name, source, gate, port=port, baud=baud, parity=parity, poll_s=poll_s, timeout_s=timeout_s,
            evse=evse, state_dir=state_dir, reconnect=reconnect,
        )  # fmt: skip
        self._say_it = command_set(name, self.basis, commands or {}, setup)
        self._settle_ns = int(settle_s * 1e9)
        # the three questions of a poll, each as late as it may be, and once more what a late answer costs
        source.declare(("power.",), self._settle_ns + int(7 * timeout_s * 1e9))
        self._wanted: bool | None = None
        self._busy = asyncio.Lock()  # a poll must not look between a switch and its read-back

    # ---- life

    async def _greet(self) -> None:
        asked = self._say_it.identity
        try:
            words = _identity(await self._ask(asked))
            if words is None:  # the answer to what was asked before the port was closed last
                self._asking.doubt()
                words = _identity(await self._ask(asked))
        except NoAnswer:
            words = None
        if words is None:
            raise self._not_there(asked, "a SCPI instrument")
        maker, model, serial, firmware = words
        self._recognise({"model": f"{maker} {model}", "serial": serial, "firmware": firmware})
        for line in self._say_it.setup:
            await self._tell(line)
        on = await self._is_on()
        self._wanted = on
        if on:
            self._enter(DeviceState.UNKNOWN, f"{maker} {model}, found with its {self.contact} on: make it safe first")
        else:
            self._enter(DeviceState.ACTIVE, f"{maker} {model} {serial}, found with its {self.contact} off")

    async def make_safe(self) -> None:
        """Switch it off, and read back that it is.

        Raises:
            DeviceError: refused, not acknowledged, or not so; the state is UNKNOWN then.
        """
        try:
            await self._switch(False)
        except DeviceLost:
            raise
        except DeviceError:
            # one answer was lost, or its error queue held something older, which is empty now
            await self._switch(False)
        self._enter(DeviceState.ACTIVE, f"its {self.contact} is off, read back")

    def emergency(self) -> EmergencyRecipe:
        say = self._say_it
        step = Step(
            self.phase,
            f"{self.contact} off, read back",
            f"{say.off}\n{say.is_on}\n".encode().hex(),
            r"(^|\n)(0|OFF)\r?\n",
            within_ms=EMERGENCY_MS,
            attempts=12,
            proves="state",
        )
        wire, reach, why = wire_of(self.port, self._baud, parity=self._parity)
        return EmergencyRecipe(self.name, wire, (step,), flush_hex=b"\n".hex(), reach=reach, why=why)

    # ---- what the verbs are made of

    async def _set(self, values: dict[str, float]) -> None:
        """Set voltage and current, in that order, as one stimulus."""
        self._require_open()
        for key, value in values.items():
            if not math.isfinite(value) or value < 0:
                raise ConfigError(f"{self.name}: {key} = {value} is no value from 0 on")
        self._permit(f"{self.verb}.set", dict(values), to_safe=not any(values.values()))
        texts: list[str] = []
        for key, value in values.items():
            text: str = getattr(self._say_it, key.partition("_")[0])
            if not text:
                raise DeviceError(f"has no command for {key}; name it in `commands`.", device=self.name, port=self.port)
            texts.append(text.replace("{}", f"{value:.3f}"))
        done: dict[str, float] = {}
        answers: list[Answer] = []
        try:
            for (key, value), text in zip(values.items(), texts, strict=True):
                answers.append(await self._sent(text))
                done[key] = value
        except NoAnswer as error:
            self._enter(DeviceState.UNKNOWN, f"a setting was sent and not acknowledged: {error}")
            raise
        finally:
            if answers:
                raw = "; ".join(texts[: len(answers)])
                self._stimulus(f"{self.verb}.set", done, answers[0].sent_ns, answers[-1].at_ns, raw)

    async def _switch(self, on: bool) -> None:
        self._require_open()
        verb = f"{self.verb}.{self.contact}"
        self._permit(verb, {"on": on}, to_safe=not on)
        text = self._say_it.on if on else self._say_it.off
        async with self._busy:
            try:
                told = await self._sent(text)
                answer = await self._ask(self._say_it.is_on)
                found = self._as_switch(answer)
            except DeviceLost:
                raise
            except DeviceError as error:
                self._enter(DeviceState.UNKNOWN, f"{text!r} was sent and not acknowledged: {error}")
                raise
            self._wanted = on
        if found is not on:
            self._enter(DeviceState.UNKNOWN, f"accepted {text!r}, but reads back {answer.text!r}")
            raise DeviceError(
                f"accepted {text!r}, but its {self.contact} reads back {answer.text!r}. A protection or an interlock "
                "of the instrument may hold it; switch it by hand, and look at its panel.",
                device=self.name,
                port=self.port,
                sent=self._say_it.is_on,
                received=answer.text,
            )
        self._stimulus(verb, {"on": on}, told.sent_ns, answer.at_ns, text)

    async def _ask(self, question: str) -> Answer:
        return await self._asking.ask(question.encode() + b"\n")

    async def _tell(self, command: str) -> None:
        await self._sent(command)

    async def _sent(self, command: str) -> Answer:
        """Send a command and look into the error queue; returns the answer that shows it empty.

        Raises:
            DeviceError: the instrument put an error into its queue.
        """
        say = self._say_it
        if not say.error:
            sent_ns = await self._asking.tell(command.encode() + b"\n")
            return Answer("", sent_ns, sent_ns)
        answer = await self._asking.ask(command.encode() + b"\n", say.error.encode() + b"\n")
        if _code(answer.text) == 0:
            return answer
        errors = [answer.text]
        while len(errors) < IN_QUEUE and _code((again := await self._ask(say.error)).text) != 0:
            errors.append(again.text)
        raise DeviceError(
            f"refused it: {'; '.join(errors)}. Correct `commands` in the bench file, or what was asked for.",
            device=self.name,
            port=self.port,
            sent=command,
            received=answer.text,
        )

    async def _is_on(self) -> bool:
        return self._as_switch(await self._ask(self._say_it.is_on))

    def _as_switch(self, answer: Answer) -> bool:
        match answer.text.upper():
            case "1" | "ON":
                return True
            case "0" | "OFF":
                return False
            case _:
                raise self._unreadable(self._say_it.is_on, answer)

    def _unreadable(self, question: str, answer: Answer) -> DeviceError:
        self._asking.doubt()
        return DeviceError(
            "its answer cannot be read. Correct `commands` in the bench file.",
            device=self.name,
            port=self.port,
            sent=question,
            received=answer.text,
        )

    # ---- what it measures

    async def _number(self, question: str) -> tuple[float, Answer]:
        answer = await self._ask(question)
        try:
            value = float(answer.text.split(",")[0])
        except ValueError:
            raise self._unreadable(question, answer) from None
        if not abs(value) < NO_NUMBER:
            raise DeviceError(
                "measures no number now.", device=self.name, port=self.port, sent=question, received=answer.text
            )
        return value, answer

    async def _look(self) -> None:
        async with self._busy:
            await self._sample()

    async def _sample(self) -> None:
        say = self._say_it
        voltage_v, first = await self._number(say.measure_voltage)
        current_a, _ = await self._number(say.measure_current)
        power_w = (await self._number(say.measure_power))[0] if say.measure_power else voltage_v * current_a
        last = await self._ask(say.is_on)
        on = self._as_switch(last)
        data = {
            "voltage_v": round(voltage_v, 6),
            "current_a": round(current_a, 6),
            "power_w": round(power_w, 6),
            "on": on,
        }
        stamp = Stamp.host(last.at_ns, lo_ns=first.sent_ns - self._settle_ns)
        self._source.emit("power.sample", stamp, data, evse=self.evse, raw=f"{first.text} {last.text}")
        if on is not self._wanted and self._wanted is not None:
            if on:
                self._enter(DeviceState.UNKNOWN, f"its {self.contact} is on, and not by the bench: make it safe first")
            elif self._state is DeviceState.ACTIVE:
                self._enter(DeviceState.UNKNOWN, f"its {self.contact} went off by itself: a protection, or its panel")
            self._wanted = on


class ScpiSupply(_Scpi):
    """A power supply or AC source; volt (rms when it is AC) and ampere. Safe = output off, read back."""

    role: ClassVar[Role] = "supply"
    basis: ClassVar[CommandSet] = SUPPLY
    verb: ClassVar[str] = "supply"
    contact: ClassVar[str] = "output"
    phase: ClassVar[Literal["supply", "request"]] = "supply"

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        starts_with: tuple[float, float] | None = None,
        **options: Unpack[ScpiOptions],
    ) -> None:
        super().__init__(name, source, gate, **options)
        self.starts_with = starts_with
        """Volt and ampere that the bench starts it with; None = it stays off until somebody switches it on."""

    async def set(self, voltage_v: float, current_a: float) -> None:
        """Set voltage and current limit; it takes effect at once when the output is on.

        Raises:
            ConfigError: a value is negative or no number.
            SafetyError: the gate refuses.
            DeviceError: refused (its error queue says why) or not acknowledged.
        """
        await self._set({"voltage_v": float(voltage_v), "current_a": float(current_a)})

    async def output(self, on: bool) -> None:
        """Switch the output, and read back that it is so. Raises like `set`."""
        await self._switch(on)


class ScpiLoad(_Scpi):
    """An electronic load in constant-current mode; ampere. Safe = input off, read back."""

    role: ClassVar[Role] = "load"
    basis: ClassVar[CommandSet] = LOAD
    verb: ClassVar[str] = "load"
    contact: ClassVar[str] = "input"
    phase: ClassVar[Literal["supply", "request"]] = "request"

    async def draw(self, current_a: float) -> None:
        """Set the current; it flows when the input is on. Raises like `ScpiSupply.set`."""
        await self._set({"current_a": float(current_a)})

    async def input(self, on: bool) -> None:
        """Switch the input, and read back that it is so. Raises like `ScpiSupply.set`."""
        await self._switch(on)


def _identity(answer: Answer) -> list[str] | None:
    """Maker, model, serial number, firmware (IEEE 488.2 section 10.14); None when it is none."""
    words = [word.strip() for word in answer.text.split(",")]
    return words if len(words) == 4 and words[0] and words[1] else None


def _code(text: str) -> int:
    """The number of an entry of the error queue; what is none counts as an error."""
    number = text.partition(",")[0].strip()
    try:
        return int(number)
    except ValueError:
        return -1
