"""The live screen: everything about one bench at a glance, and the keys that act on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer

from ..bench.live import Snapshot
from ..errors import BenchError
from . import verbs
from .bench_view import BenchView
from .beside import beside
from .news import news
from .text import plain
from .widgets.devices import Devices
from .widgets.gauges import GaugePanel, meter_gauges, pilot_gauges, station_gauges
from .widgets.messages import Messages
from .widgets.status_line import StatusLine
from .widgets.top_bar import TopBar
from .widgets.verdicts import Verdicts
from .widgets.why import WhyScreen

__all__ = ["LiveScreen"]

POLL_S = 0.1
ERROR_SHOWN_S = 12.0
TOAST_LIMIT = 400


class LiveScreen(Screen[None]):
    """Polls the snapshot ten times a second; a widget redraws only when what it shows has changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plug", "Plug", tooltip="put the plug in, with a 32 A cable"),
        Binding("a", "authorise", "Authorise", tooltip="hold a card to the reader"),
        Binding("s", "pause_or_resume", "Pause/resume", tooltip="the vehicle opens or closes S2"),
        Binding("l", "limit", "Limit 16 A", tooltip="SetChargingProfile with one constant limit"),
        Binding("r", "remote_stop", "Remote stop", tooltip="RemoteStopTransaction"),
        Binding("u", "unplug", "Unplug", tooltip="pull the plug at once"),
        Binding("w", "why", "Why", show=False, tooltip="why rules did not pass"),
        Binding("q", "app.quit", "Quit", tooltip="leave; the bench is made safe"),
    ]

    def __init__(self, bench: BenchView, *, clock_s: Callable[[], float]) -> None:
        super().__init__()
        self._bench = bench
        self._clock_s = clock_s
        self._shown = Snapshot()
        self._changed_s = clock_s()
        self._under_way: set[str] = set()
        self._pause_asked = False

    def compose(self) -> ComposeResult:
        yield TopBar()
        with Horizontal(id="gauges"):
            yield GaugePanel("Control pilot", pilot_gauges, of_outlet=True)
            yield GaugePanel("Energy", meter_gauges, of_outlet=True)
            yield GaugePanel("Station", station_gauges, classes="-wide")
        with Horizontal(id="lists"):
            yield Messages()
            with Vertical(id="side"):
                yield Devices()
                yield Verdicts()
        yield StatusLine()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(Messages).focus()
        self._show(self._bench.snapshot)
        self.set_interval(POLL_S, self.poll)

    def poll(self) -> None:
        """Show the newest snapshot."""
        snapshot = self._bench.snapshot
        if snapshot.version != self._shown.version:
            self._changed_s = self._clock_s()
            self._show(snapshot)
        self.query_one(TopBar).show(snapshot, self._clock_s() - self._changed_s)

    def _show(self, snapshot: Snapshot) -> None:
        for text in news(self._shown, snapshot):
            self.say(text, "error")
        self._shown = snapshot
        if snapshot.cp_state not in ("C", "D"):
            self._pause_asked = False
        self.query_one(TopBar).show(snapshot, 0.0)
        for panel in self.query(GaugePanel):
            panel.show(snapshot)
        self.query_one(Devices).show(snapshot.devices)
        self.query_one(Verdicts).show(snapshot.verdicts)
        self.query_one(Messages).show(snapshot.messages, snapshot.message_count)

    def say(self, text: str, severity: str = "information") -> None:
        """Put a text into the status line; anything but plain information pops up as well."""
        self.query_one(StatusLine).show(text, severity)
        if severity == "error":
            self.notify(plain(text, TOAST_LIMIT), severity="error", timeout=ERROR_SHOWN_S, markup=False)
        elif severity == "warning":
            self.notify(plain(text, TOAST_LIMIT), severity="warning", markup=False)

    def ask(self, verb: verbs.Verb) -> None:
        """Start a verb, unless it makes no sense now or is still under way."""
        refused = verb.refuse(self._bench.snapshot)
        if refused is None and verb.name in self._under_way:
            refused = f"{verb.name}: still waiting for the answer to the last one."
        if refused is not None:
            self.say(refused, "warning")
            return
        self._under_way.add(verb.name)
        self.say(f"{verb.name} …")
        self.run_worker(self._carry_out(verb), name=verb.name, group="verbs", exit_on_error=False)

    async def _carry_out(self, verb: verbs.Verb) -> None:
        try:
            outcome = await beside(lambda: verb.act(self._bench), verb.name)
        except BenchError as error:
            outcome = verbs.Outcome(f"{verb.name} failed. {error}", "error")
        except Exception as error:  # noqa: BLE001 - a defect of ours must not take the screen away from a live output
            outcome = verbs.Outcome(
                f"{verb.name} failed with {type(error).__name__}: {error}. This is a defect of pilotbench.", "error"
            )
        finally:
            self._under_way.discard(verb.name)
        self.say(outcome.text, outcome.severity)

    def action_plug(self) -> None:
        self.ask(verbs.PLUG)

    def action_authorise(self) -> None:
        self.ask(verbs.AUTHORISE)

    def action_pause_or_resume(self) -> None:
        # CP stays at C while the current ramps down after a pause: the second press must mean "resume".
        charging = self._bench.snapshot.cp_state in ("C", "D")
        pause = not charging or not self._pause_asked
        self._pause_asked = charging and pause
        self.ask(verbs.PAUSE if charging and pause else verbs.RESUME)

    def action_limit(self) -> None:
        self.ask(verbs.LIMIT)

    def action_remote_stop(self) -> None:
        self.ask(verbs.REMOTE_STOP)

    def action_unplug(self) -> None:
        self.ask(verbs.UNPLUG)

    def action_why(self) -> None:
        self.app.push_screen(WhyScreen(self._bench.snapshot.verdicts))
