"""What a run shows while it goes on, and at its end."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..live import MessageLine, Snapshot
from ..report import last_line, measured_text, verdict_rows

if TYPE_CHECKING:
    from ..correlation import Report
    from ..host import BenchHost
    from ..report import CaseResult

__all__ = ["Display", "make_display"]

REFRESH_HZ = 8
LINES_SHOWN = 12
STYLE = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "NOT_APPLICABLE": "dim",
    "ERROR": "bold magenta",
}


class Display(Protocol):
    """Shows a run to somebody, or to nobody."""

    def follow(self, host: BenchHost) -> None: ...

    def unfollow(self) -> None: ...

    def note(self, text: str) -> None: ...

    def end(
        self, report: Report | None, results: list[CaseResult], problems: list[str], folder: Path, code: int
    ) -> None: ...


def make_display(*, quiet: bool, stream: TextIO) -> Display:
    """A screen for a terminal, lines for a pipe, nothing when `quiet`."""
    if quiet:
        return _Silent()
    console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
    if not stream.isatty():
        console = Console(file=stream, highlight=False, width=118)
    return _Screen(console) if stream.isatty() else _Lines(console)


class _Silent:
    def follow(self, host: BenchHost) -> None: ...

    def unfollow(self) -> None: ...

    def note(self, text: str) -> None: ...

    def end(
        self, report: Report | None, results: list[CaseResult], problems: list[str], folder: Path, code: int
    ) -> None: ...


class _Printing:
    """What lines and screen have in common: notes and the end."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        self._console.print(Text(text, style="cyan"))

    def end(
        self, report: Report | None, results: list[CaseResult], problems: list[str], folder: Path, code: int
    ) -> None:
        console = self._console
        if report is not None:
            console.print(_verdict_table(report))
            for verdict in report.verdicts:
                if verdict.verdict in ("FAIL", "INCONCLUSIVE", "ERROR"):
                    console.print(Text(verdict.text, style=STYLE[verdict.verdict.value]), soft_wrap=True)
                    console.print()
            console.print(f"digest  {report.digest}")
        for result in results:
            style = "green" if result.outcome == "passed" else "bold red"
            console.print(Text(f"case {result.name}: {result.outcome} {result.text}".rstrip(), style=style))
        for problem in problems:
            console.print(Text(f"ERROR {problem}", style="bold magenta"))
        if folder.is_dir():
            console.print(f"run     {folder}")
        console.print(last_line(report, code) if report is not None else f"exit    {code}")


class _Lines(_Printing):
    """One line per change of phase, CP or output, and per OCPP message: for pipes and logs."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, host: BenchHost) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._pump, args=(host,), name="display", daemon=True)
        self._thread.start()

    def unfollow(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(2)
            self._thread = None

    def _pump(self, host: BenchHost) -> None:
        seen = 0
        last: tuple[object, ...] = ()
        over = False
        while not over:
            over = self._stop.wait(1 / REFRESH_HZ)
            snapshot = host.snapshot
            now = (snapshot.state, snapshot.phase, snapshot.cp_state, snapshot.pwm_on, snapshot.output_live)
            if now != last:
                last = now
                self._console.print(Text(_state_line(snapshot), style="bold"))
            fresh = min(snapshot.message_count - seen, len(snapshot.messages))
            for message in snapshot.messages[len(snapshot.messages) - fresh :] if fresh else ():
                self._console.print(_message_text(message, 110))
            seen = snapshot.message_count


class _Screen(_Printing):
    """A live panel that refreshes itself."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._live: Live | None = None

    def follow(self, host: BenchHost) -> None:
        self._live = Live(
            console=self._console,
            refresh_per_second=REFRESH_HZ,
            get_renderable=lambda: _panel(host.snapshot),
            transient=False,
        )
        self._live.start()

    def unfollow(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _state_line(snapshot: Snapshot) -> str:
    duty = "static" if not snapshot.pwm_on else f"{snapshot.duty_pct or 0:.2f} %"
    current = f"{max(snapshot.current_a):.1f} A" if snapshot.current_a else "- A"
    output = {None: "unknown", True: "LIVE", False: "dead"}[snapshot.output_live]
    return (
        f"{snapshot.at_s:6.2f} s  {snapshot.state:11} {snapshot.phase:28} CP {snapshot.cp_state or '?'}"
        f"  PWM {duty:>8}  output {output:7}  {current:>7}  {snapshot.energy_wh or 0:6.1f} Wh"
    )


def _message_text(message: MessageLine, width: int) -> Text:
    arrow, style = ("▶", "blue") if message.to_station else ("◀", "green")
    text = Text(f"{message.at_s:6.2f} s  {arrow} {message.action} {message.gist}", style=style, no_wrap=True)
    text.truncate(width, overflow="ellipsis")
    return text


def _panel(snapshot: Snapshot) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    duty = f"{snapshot.duty_pct:.2f} %" if snapshot.pwm_on and snapshot.duty_pct is not None else "static"
    offer = f" = {snapshot.offered_a:.1f} A" if snapshot.pwm_on and snapshot.offered_a is not None else ""
    volts = f" ({snapshot.cp_high_v:.2f} V)" if snapshot.cp_high_v is not None else ""
    current = " / ".join(f"{value:.1f}" for value in snapshot.current_a) or "-"
    output = {None: "unknown", True: "[bold red]LIVE[/]", False: "[green]dead[/]"}[snapshot.output_live]
    facts.add_row("phase", f"[bold]{snapshot.phase or snapshot.state}[/]", "station", snapshot.station)
    facts.add_row("CP", f"{snapshot.cp_state or '?'}{volts}", "status", snapshot.station_status or "-")
    facts.add_row("PWM", duty + offer, "transaction", snapshot.transaction or "-")
    facts.add_row("output", output, "current", f"{current} A")
    facts.add_row("energy", f"{snapshot.energy_wh or 0:.1f} Wh", "power", f"{(snapshot.power_w or 0) / 1e3:.2f} kW")
    messages = Group(*(_message_text(message, 108) for message in snapshot.messages[-LINES_SHOWN:]))
    return Panel(Group(facts, Text(), messages), title=f"pilotbench  {snapshot.at_s:.1f} s", width=116)


def _verdict_table(report: Report) -> Table:
    untouched = sum(verdict.verdict == "NOT_APPLICABLE" for verdict in report.verdicts)
    caption = f"and {untouched} rules that nothing in this run triggered" if untouched else None
    table = Table(title="Verdicts", caption=caption, width=116, padding=(0, 0), box=SIMPLE_HEAD)
    for name in ("rule", "verdict", "measured", "limit", "margin", "subject"):
        table.add_column(name, no_wrap=True)
    for verdict, row in zip(report.verdicts, verdict_rows(report), strict=True):
        if verdict.verdict == "NOT_APPLICABLE":
            continue
        shown = verdict.verdict.value + (f" {verdict.reason.value}" if verdict.reason else "")
        if verdict.verdict == "FAIL" and not verdict.counts:
            shown += f" ({verdict.force})"
        values = (measured_text(row, key) for key in ("measured", "limit", "margin"))
        table.add_row(verdict.rule, Text(shown, style=STYLE[verdict.verdict.value]), *values, verdict.subject)
    return table
