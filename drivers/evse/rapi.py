"""The driver that watches an OpenEVSE station through its RAPI port (RAPI 5.2.1, serial 115200 8N1)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, ClassVar

from ...bench.timeline import Gate, Source, Stamp
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState
from ..line_driver import LineDriver
from ..line_splitter import LineSplitter
from ..roles import Role
from ..serial_line import Block
from .rapi_command import classify
from .rapi_frame import MAX_LINE, FrameError, Notice, Reply, parse
from .rapi_link import Answer, NoAnswer, RapiLink
from .rapi_reading import EMPTY, ReadingError, read_answer, read_notice

__all__ = ["POLLED", "RapiMonitor"]

POLLED = ("GS", "GG", "GC", "GE", "GP", "GU", "GF")
ASK_EVERY_S = 0.4
RECEIPT_NS = 200_000_000
"""How long after its reading a notice is told at most, beside the age of polled values."""


class RapiMonitor(LineDriver):
    """Asks a station every `poll_s` seconds how it sees itself, and tells each of its own notices.

    `evse.monitor` has all values of a round (`via` poll), or those of a notice (`via` AT, AB, AN, WF). What is polled
    was so in `[first request - age_s, last answer]`: `age_s` covers the averaging of the station's ammeter, 1.5 s
    unless it is known better. A reading that a station does not have (it answers NK) is None.

    It plays no part in a session and energises nothing. `command` sends any other request; every one that does more
    than read passes the gate as verb `rapi` with the group it belongs to: "plain", "one-time" (writes what cannot be
    written again or is lost by it, such as `SC 32 M`) or "safety" (`FF D 0` and whatever else takes a check away, and
    everything that is not known). It is sent in the one spelling that was classified, never as it was given.
    """

    role: ClassVar[Role] = "monitor"
    powered_by_station: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        baud: int = 115200,
        poll_s: float = 1.0,
        timeout_s: float = 0.5,
        age_s: float = 1.5,
        open_timeout_s: float = 4.0,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        if not 0.1 <= poll_s <= 3600:
            raise ConfigError(f"{name}: poll_s = {poll_s} is outside 0.1..3600")
        if not 0.02 <= timeout_s <= 10:
            raise ConfigError(f"{name}: timeout_s = {timeout_s} is outside 0.02..10")
        if age_s < 0:
            raise ConfigError(f"{name}: age_s = {age_s} is negative")
        source.declare(("evse.",), int((age_s + len(POLLED) * timeout_s) * 1e9) + RECEIPT_NS)
        self._baud = baud
        self._poll_s = poll_s
        self._timeout_s = timeout_s
        self._age_ns = int(age_s * 1e9)
        self._open_timeout_s = open_timeout_s
        self._fresh()

    def _fresh(self) -> None:
        self._splitter = LineSplitter(MAX_LINE)
        self._link = RapiLink(self.name, self.port, self._write, self._stray)
        self._good_ns = 0
        self._lacks: set[str] = set()

    # ---- life

    async def _open(self) -> None:
        self._fresh()
        await self._connect(self._baud)
        version = await self._greet()
        identity = {"model": "OpenEVSE", "firmware": version[0], "protocol": version[1]}
        answer = await self._link.ask("GI", self._timeout_s)
        if answer.ok and answer.words:
            identity["serial"] = "".join(answer.words)
        self._recognise(identity)
        self._listening = True
        await self._round()
        self._enter(DeviceState.ACTIVE, f"OpenEVSE, firmware {version[0]}, RAPI {version[1]}")
        self._beside(self._poll(), "poll")

    async def _greet(self) -> tuple[str, str]:
        """Ask for its version until it answers: a board that resets when its port is opened is deaf for a while."""
        deadline = time.monotonic() + self._open_timeout_s
        while True:
            try:
                answer = await self._link.ask("GV", min(ASK_EVERY_S, self._open_timeout_s))
            except NoAnswer:
                if time.monotonic() >= deadline:
                    what = "as a RAPI station of version 3 or later does (with checksum and sequence id)"
                    silent = (
                        ". Is the station powered, is this its RAPI port, and is its radio module unplugged from it?"
                    )
                    raise self._nobody_there(self._open_timeout_s, what, silent, sent="GV") from None
                continue
            if answer.ok and len(answer.words) == 2:
                return answer.words[0], answer.words[1]
            raise DeviceError(
                "answers, but does not say its version as an OpenEVSE does.",
                device=self.name,
                port=self.port,
                sent="GV",
                received=answer.raw,
            )

    # ---- asking

    async def command(self, text: str) -> tuple[str, ...]:
        """Send one command, as in `GS`, `SC 16 V` or raw with its checksum; returns the values of its answer.

        Raises:
            SafetyError: it does more than read, and the gate does not permit its group.
            DeviceError: refused by the station (NK), not answered (it may have taken effect), or not to be sent.
        """
        self._require_open()
        group, command = classify(text)
        if command is None:
            raise DeviceError(
                f"{text!r} is not sent: it is no single RAPI command such as 'GS' or 'SC 16 V'.",
                device=self.name,
                port=self.port,
            )
        args = {"command": command, "group": group}
        if group != "get":
            self._permit("rapi", args)

        def acknowledged(answer: Answer) -> None:
            if group != "get":
                # a refused `SC 99` all the same sets the greatest current that it has
                self._stimulus("rapi", args, answer.sent_ns, answer.at_ns, f"{command} | {answer.raw}")

        try:
            answer = await self._link.ask(command, self._timeout_s, acknowledged)
        except FrameError as error:
            raise DeviceError(f"{text!r} is not sent: {error}.", device=self.name, port=self.port) from error
        if not answer.ok:
            raise DeviceError(
                "refused it (NK): its firmware does not have it, or not in its present state.",
                device=self.name,
                port=self.port,
                sent=command,
                received=answer.raw,
            )
        return answer.words

    async def _poll(self) -> None:
        """Absolute schedule: a slot that was missed is left out, the others do not move."""
        begun = time.monotonic()
        slot = 0
        while True:
            slot = max(slot + 1, int((time.monotonic() - begun) / self._poll_s) + 1)
            await asyncio.sleep(begun + slot * self._poll_s - time.monotonic())
            try:
                await self._round()
            except DeviceLost:
                return
            except DeviceError as error:
                now_ns = time.monotonic_ns()
                self._source.gap(self._good_ns or now_ns, now_ns, str(error))
                self._enter(DeviceState.DEGRADED, str(error))
            else:
                self._enter(DeviceState.ACTIVE, "answers")

    async def _round(self) -> None:
        """Ask for everything once; the values are told when the last answer is read."""
        asked = [command for command in POLLED if command not in self._lacks]
        values: dict[str, Any] = {}
        answers: list[Answer] = []
        for command in asked:
            last = command == asked[-1]

            def take(answer: Answer, command: str = command, last: bool = last) -> None:
                answers.append(answer)
                try:
                    if answer.ok:
                        values.update(read_answer(command, answer.words))
                    else:
                        self._lacks.add(command)
                finally:
                    if last:
                        self._tell(values, answers)

            try:
                await self._link.ask(command, self._timeout_s, take)
            except NoAnswer as error:
                now_ns = time.monotonic_ns()
                self._source.gap(self._good_ns or now_ns, now_ns, f"{error} Asking once more.")
                await self._link.ask(command, self._timeout_s, take)

    def _tell(self, values: dict[str, Any], answers: list[Answer]) -> None:
        last_ns = answers[-1].at_ns
        self._good_ns = last_ns
        stamp = Stamp.host(last_ns, lo_ns=answers[0].sent_ns - self._age_ns)
        raw = " | ".join(answer.raw for answer in answers)
        self._source.emit("evse.monitor", stamp, {**EMPTY, **values, "via": "poll"}, evse=self.evse, raw=raw)

    # ---- what the reader hands over

    def _fail(self, error: DeviceError) -> None:
        self._link.dead(error)

    def _stray(self, reply: Reply, raw: str) -> None:
        """An answer that is nobody's: too late, or to what arrived damaged."""
        if self._listening:
            now_ns = time.monotonic_ns()
            self._source.gap(now_ns, now_ns, f"{self.name} sent {raw!r}: an answer to nothing that is asked now")

    def _on_block(self, block: Block) -> None:
        self._split(self._splitter, block, self._on_line)
        self._nothing_until(block.at_ns)

    def _on_line(self, line: bytes, block: Block) -> None:
        raw = line.decode("latin-1")
        try:
            message = parse(line)
            if isinstance(message, Reply):
                self._link.take(message, block.at_ns, raw)
            elif self._listening:
                self._on_notice(message, block, raw)
        except (FrameError, ReadingError) as error:
            if self._listening:
                self._source.gap(block.lo_ns, block.at_ns, f"{self.name} sent {raw!r}: {error}")

    def _on_notice(self, notice: Notice, block: Block, raw: str) -> None:
        values = {**EMPTY, **read_notice(notice.name, notice.words), "via": notice.name}
        self._source.emit("evse.monitor", Stamp.host(block.at_ns, lo_ns=block.lo_ns), values, evse=self.evse, raw=raw)
