"""The driver of an EV Sim Remote, a J1772 vehicle simulator on USB (https://github.com/nsayer/ev_sim)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar, NoReturn

from ...bench.timeline import Gate, Source, Stamp
from ...errors import ConfigError, DeviceError
from ..base import DeviceState
from ..emergency import EmergencyRecipe, Step
from ..line_driver import LineDriver
from ..ports import wire_of
from ..roles import PilotCapability, Role
from ..serial_line import Block
from .ev_sim_report import Lines, Report, ReportError, letter_of, parse
from .ev_sim_watch import LevelWatch, Sighting

__all__ = ["EvSimPilot"]

RECEIPT_NS = 3_600_000_000
"""How long after a fact it is told at most: three windows of a second, the text, and the reader's turn."""
LOOK_EVERY_S = 0.5
SLACK_NS = 50_000_000
"""From the end of a window to the first byte of its report on the host at most: formatting, and the USB bridge."""
SAY_S = 0.6
"""For the text of a report (0.1 s), the same slack, and a reader that comes late."""
BAUD = 9600


class _Wanted:
    """What is waited for: `reports` reports in a row whose window began after `sent_ns` and that show `letter`."""

    def __init__(self, letter: str, sent_ns: int, reports: int) -> None:
        self.letter = letter
        self.sent_ns = sent_ns
        self.reports = reports
        self.shown = 0
        self.acknowledged = False
        self.last = "no report came since"
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class EvSimPilot(LineDriver):
    """Plays the vehicle on CP with one of four resistors, and reports the levels once or twice a second.

    The wire: 9600 8N1. `A`, `B`, `C` or `D` sets the resistor (open, 2740, 882, 240 ohm) and is not acknowledged; a
    report comes after each sampling window (1 s, or 0.5 s with the newer firmware) and is about 0.1 s long.

    A command counts as acknowledged by the first report whose whole window lies behind its writing and which shows the
    new state: by its level, and by its letter where the firmware sends one. The stamp of the stimulus reaches from the
    writing to the receipt of that report: up to 2.2 s (1.2 s). Without such a report it is a DeviceError, and the state
    is UNKNOWN. While the station drives nothing positive (0 V, -12 V) the older firmware cannot confirm anything.

    Levels are extremes over a window, duty and frequency means: a value is told when two reports in a row agree, and
    its stamp reaches from the begin of the window before them to the end of the first of the two. What lasts less than
    two windows may not be seen.

    No watchdog is known: the last resistor stays when nobody speaks to it any more. A restart of its processor leaves
    it at A. It has no faults, no PP, no card, no relays, no lock sense and no output sense.
    """

    role: ClassVar[Role] = "pilot"
    energising: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        evse: int = 1,
        report_timeout_s: float = 3.5,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        source.declare(("cp.", "pilot."), RECEIPT_NS)
        self._report_timeout_s = report_timeout_s
        self._busy = asyncio.Lock()
        self._fresh()

    def _fresh(self) -> None:
        self._lines: Lines[Block] = Lines(self._overrun)
        self._watch = LevelWatch(self._source, self.evse)
        self._resistor: str | None = None
        self._latest: Sighting | None = None
        self._agreed_ns = 0
        self._heard_ns = 0
        self._silent_since_ns = 0
        self._first: asyncio.Future[Sighting] | None = None
        self._wanted: _Wanted | None = None

    @property
    def capabilities(self) -> frozenset[PilotCapability]:
        """State D; nothing else beside CP."""
        return frozenset({"state_d"})

    @property
    def window_s(self) -> float:
        """How long its sampling windows are: 0.5 or 1.0 s; 1.0 before its first report."""
        return self._latest.report.window_s if self._latest else 1.0

    def emergency(self) -> EmergencyRecipe:
        """`A`, at once; read back last, since a report that shows it may take two seconds.

        No watchdog of the device helps: when nobody can write to it, its resistor stays.
        """
        wire, reach, why = wire_of(self.port, BAUD)
        note = "CP to A"
        shows = r'state: "A"|high_adc=(?:9[0-5][0-9]|96[0-2]) \}'
        return EmergencyRecipe(
            self.name,
            wire,
            (
                Step("pilot", note, b"A".hex()),
                Step("faults", f"{note}, as its next report shows", b"A".hex(), shows, 2300, 2, "state"),
            ),
            reach=reach,
            why=why,
        )

    # ---- life

    async def _open(self) -> None:
        self._fresh()
        self._first = asyncio.get_running_loop().create_future()
        await self._connect(BAUD)
        # the simulator ignores a line end, and most other devices say something to it
        self._write(b"\r")
        try:
            async with asyncio.timeout(self._report_timeout_s):
                found = await self._first
        except TimeoutError:
            silent = "; an EV Sim Remote reports by itself at least every 1.2 s. Is it powered, and is this its port?"
            raise self._nobody_there(self._report_timeout_s, "with a report of an EV Sim Remote", silent) from None
        self._listening = True
        report = found.report
        says = "its reports name the state" if report.letter else "its reports hold converter counts only"
        self._recognise({"model": "EV Sim Remote", "firmware": says})
        if _shows(report, "A"):
            self._resistor = "A"
            self._enter(DeviceState.ACTIVE, f"EV Sim Remote, found at state A; {says}")
        else:
            self._enter(DeviceState.UNKNOWN, f"EV Sim Remote, {_described(report)}: make it safe first")
        self._beside(self._keep(), "keeper")

    async def make_safe(self) -> None:
        """Resistor to A, written again and again until two reports in a row show it: one could be damaged.

        Raises:
            DeviceError: no reports show it; the state is UNKNOWN then.
        """
        self._require_open()
        await self._set("A", to_safe=True, reports=2, again=True)

    # ---- verbs

    async def resistor(self, state: str) -> None:
        """Show the resistor of state "A", "B", "C" or "D"; returns when a report shows it (up to 2.2 s).

        Raises:
            SafetyError: the gate refuses.
            DeviceError: no report shows it in time.
        """
        if state not in ("A", "B", "C", "D"):
            raise ConfigError(f"{self.name}: a vehicle shows state A, B, C or D, not {state!r}")
        self._require_open()
        await self._set(state, to_safe=state == "A" or (state == "B" and self._resistor in ("C", "D")), reports=1)

    async def faults(self, *, diode: bool = False, short_ohm: int | None = None, cp_open: bool = False) -> None:
        """Nothing to take away; any fault is a DeviceError."""
        self._require_open()
        if diode or short_ohm is not None or cp_open:
            self._lacks("inject faults on CP", "A pilot of kind pilot.line can")

    async def pp(self, ohm: int | None) -> None:
        """DeviceError: it has no PP."""
        self._lacks("show a PP resistor", "Use a station with a fixed cable, or a plug that is coded by itself")

    async def token(self, id: str, kind: str = "ISO14443") -> None:  # noqa: A002 - the word of OCPP
        """DeviceError: it presents no cards."""
        self._lacks("present a card", "Use a device of kind token.line")

    async def relay(self, n: int, on: bool) -> None:
        """DeviceError: it has no auxiliary relays."""
        self._lacks("switch a relay", "Use a device of kind power.relay")

    def _lacks(self, what: str, instead: str) -> NoReturn:
        raise DeviceError(f"cannot {what}: an EV Sim Remote has only CP. {instead}.", device=self.name, port=self.port)

    async def _set(self, letter: str, *, to_safe: bool, reports: int, again: bool = False) -> None:
        """Ask the gate, write (`again`: once in each window), and wait until `reports` reports in a row show it."""
        args = {"state": letter}
        async with self._busy:
            self._require_open()
            self._permit("resistor", args, to_safe=to_safe)
            wanted = self._wanted = _Wanted(letter, time.monotonic_ns(), reports)
            try:
                self._write(letter.encode())
                async with asyncio.timeout(self.window_s * (1 + reports + again) + SAY_S):
                    while again and not wanted.settled.done():
                        await asyncio.wait([wanted.settled], timeout=self.window_s)
                        self._write(letter.encode())
                    await wanted.settled
            except TimeoutError:
                raise self._not_shown(wanted) from None
            finally:
                self._wanted = None
        self._enter(DeviceState.ACTIVE, f"resistor of state {letter}, as its reports show")

    def _not_shown(self, wanted: _Wanted) -> DeviceError:
        self._resistor = None
        self._enter(DeviceState.UNKNOWN, f"{wanted.letter!r} was sent, and no report shows it")
        hidden = self._latest is not None and self._latest.report.letter is None and self._latest.report.high_v <= 1.0
        advice = (
            "The station drives no positive level, which hides the resistor from this firmware: switch the station on."
            if hidden
            else "The command may have taken effect. Check its cable to the station, and pull the plug if in doubt."
        )
        return DeviceError(
            f"no report confirmed state {wanted.letter} in time: {wanted.last}. {advice}",
            device=self.name,
            port=self.port,
            sent=wanted.letter,
            received=None if self._latest is None else self._latest.raw,
        )

    # ---- keeping an eye on it

    async def _keep(self) -> None:
        """Say when its reports stop, and go on saying so."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            latest = self._latest
            now_ns = time.monotonic_ns()
            if latest is None or now_ns - self._heard_ns < (2 * latest.report.window_s + SAY_S) * 1e9:
                continue
            self._watch.forget()
            self._source.gap(self._silent_since_ns, now_ns, f"{self.name} sends no reports")
            self._silent_since_ns = now_ns
            self._enter(DeviceState.DEGRADED, f"no report for {(now_ns - self._heard_ns) // 1_000_000} ms")

    # ---- what the reader hands over

    def _fail(self, error: DeviceError) -> None:
        for future in (self._first, self._wanted.settled if self._wanted else None):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # seen: nobody may be waiting any more

    def _overrun(self, began: Block) -> None:
        if self._latest is not None:
            self._watch.forget()
            self._source.gap(began.lo_ns, began.at_ns, f"{self.name} sent a line without an end")

    def _on_block(self, block: Block) -> None:
        for line, began in self._lines.feed(block.data, block) if block.data else ():
            self._on_line(line, began, block)
        self._nothing_until(block.at_ns)

    def _on_line(self, line: bytes, began: Block, block: Block) -> None:
        raw = line.decode("latin-1")
        try:
            report = parse(line)
        except ReportError as error:
            if self._latest is not None:  # before that it is the tail of a report that began before the port was open
                self._watch.forget()
                self._source.gap(began.lo_ns, block.at_ns, f"{self.name} sent {raw!r}: {error}")
            return
        from_ns = began.lo_ns - int(report.window_s * 1e9) - SLACK_NS
        sighting = Sighting(report, from_ns, began.at_ns, block, raw)
        agreed = self._watch.take(sighting)
        self._latest = sighting
        self._heard_ns = self._silent_since_ns = block.at_ns
        if self._first is not None and not self._first.done():
            self._first.set_result(sighting)
        if self._wanted is not None:
            self._confirm(self._wanted, sighting)
        elif agreed and self._resistor is not None:
            self._compare(self._resistor, sighting)
        if agreed:
            self._agreed_ns = from_ns

    def _confirm(self, wanted: _Wanted, sighting: Sighting) -> None:
        """A report while a command waits for one that shows it."""
        if sighting.from_ns < wanted.sent_ns:
            return  # it may still show what was before
        if not _shows(sighting.report, wanted.letter):
            wanted.last = _described(sighting.report)
            wanted.shown = 0
            return
        wanted.shown += 1
        if not wanted.acknowledged:
            wanted.acknowledged = True
            self._resistor = wanted.letter
            at_ns = sighting.block.at_ns
            self._stimulus("resistor", {"state": wanted.letter}, wanted.sent_ns, at_ns, wanted.letter)
        if wanted.shown >= wanted.reports and not wanted.settled.done():
            wanted.settled.set_result(None)

    def _compare(self, letter: str, sighting: Sighting) -> None:
        """Two reports agree, and no command waits: they must show what was set last."""
        report = sighting.report
        if report.letter is not None and report.letter != letter:
            why = f"it says state {report.letter} although {letter} was set: it restarted"
            stamp = Stamp(sighting.block.at_ns, min(self._agreed_ns, sighting.to_ns), sighting.to_ns)
            self._source.emit("pilot.reset", stamp, {"why": why}, evse=self.evse, raw=sighting.raw)
            self._resistor = report.letter
            self._enter(DeviceState.UNKNOWN, why)
        elif letter_of(report.high_v) not in (letter, None):
            self._enter(DeviceState.DEGRADED, f"{letter} was set, but {_described(report)}")
        elif self._state is DeviceState.DEGRADED:
            self._enter(DeviceState.ACTIVE, f"reports state {letter} again")


def _shows(report: Report, letter: str) -> bool:
    """Whether a report shows that resistor: by the level, and by the letter where there is one.

    A level at or below 0 V says nothing of the resistor, so there the letter alone counts.
    """
    if report.letter is None:
        return letter_of(report.high_v) == letter
    return report.letter == letter and (report.high_v <= 1.0 or letter_of(report.high_v) == letter)


def _described(report: Report) -> str:
    named = "" if report.letter is None else f"names state {report.letter}, "
    return f"its report {named}shows a level of {report.high_v:.1f} V"
