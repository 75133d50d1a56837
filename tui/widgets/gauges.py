"""Gauges: a panel of labelled values, with a bar beside those that have a scale, where there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.text import Text
from textual.widget import Widget

from ...bench.live import Snapshot
from ..text import UNKNOWN, amount, energy, plain
from .style import LOCK, OUTPUT

__all__ = ["Gauge", "GaugePanel", "meter_gauges", "pilot_gauges", "station_gauges"]

BAR_MIN = 6
VALUE_WIDTH = 14
CP_WORDS = {
    "A": "no vehicle",
    "B": "not ready",
    "C": "ready",
    "D": "ready, vent",
    "E": "error, 0 V",
    "F": "unavailable",
}
BENCH_STYLES = {"unsafe": "bold white on red", "making-safe": "bold yellow", "safe": "green", "ready": "green"}


class Gauge(NamedTuple):
    """One line of a panel; `share` of the full scale (0..1) draws a bar."""

    label: str
    value: str
    style: str = ""
    share: float | None = None


class GaugePanel(Widget):
    """Some gauges under a title, which says of which outlet they are where there are several."""

    def __init__(
        self,
        title: str,
        read: Callable[[Snapshot], tuple[Gauge, ...]],
        *,
        of_outlet: bool = False,
        classes: str | None = None,
    ) -> None:
        super().__init__(classes=classes)
        self.border_title = self._title = title
        self._of_outlet = of_outlet
        self._read = read
        self._gauges = read(Snapshot())

    def show(self, snapshot: Snapshot) -> bool:
        """Show a snapshot; True when that changed anything."""
        if snapshot.outlets > 1 and self._of_outlet:
            self.border_title = f"{self._title}  outlet {snapshot.outlet} of {snapshot.outlets}"
        gauges = self._read(snapshot)
        if gauges == self._gauges:
            return False
        self._gauges = gauges
        self.refresh()
        return True

    def render(self) -> Text:
        width = self.content_size.width
        labels = max(len(gauge.label) for gauge in self._gauges) + 1
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, gauge in enumerate(self._gauges):
            if number:
                text.append("\n")
            text.append(f"{gauge.label:{labels}}", "dim")
            bar = width - labels - VALUE_WIDTH - 1
            if gauge.share is None or bar < BAR_MIN:
                text.append_text(_cut(gauge.value, width - labels, gauge.style))
            else:
                text.append_text(_cut(gauge.value, VALUE_WIDTH, gauge.style))
                text.append(" " * (VALUE_WIDTH + 1 - len(gauge.value)))
                filled = round(min(max(gauge.share, 0.0), 1.0) * bar)
                text.append("━" * filled, "cyan")
                text.append("─" * (bar - filled), "bright_black")
        return text


def _cut(value: str, width: int, style: str) -> Text:
    text = Text(value, style)
    text.truncate(max(width, 1), overflow="ellipsis")
    return text


def pilot_gauges(snapshot: Snapshot) -> tuple[Gauge, ...]:
    """What CP, the output and the lock say."""
    output, lock = OUTPUT[snapshot.output_live], LOCK[snapshot.locked]
    duty_pct = snapshot.duty_pct if snapshot.pwm_on else None
    offered_a = snapshot.offered_a if snapshot.pwm_on else None
    return (
        Gauge("CP state", *_cp_state(snapshot)),
        Gauge("CP high", amount(snapshot.cp_high_v, "V", 2), "", _share(snapshot.cp_high_v, 12)),
        Gauge("PWM duty", amount(duty_pct, "%", 2) if snapshot.pwm_on else "off, static", "", _share(duty_pct, 100)),
        Gauge("offered", amount(offered_a, "A"), "", _share(offered_a, 32)),
        Gauge("output", f"{output.shape} {output.word}", output.style),
        Gauge("lock", f"{lock.shape} {lock.word}", lock.style),
    )


def meter_gauges(snapshot: Snapshot) -> tuple[Gauge, ...]:
    """What the bench meter and the vehicle say."""
    currents: list[float | None] = [*snapshot.current_a[:3], None, None, None]
    return (
        *(Gauge(f"L{n + 1}", amount(currents[n], "A", 2), "", _share(currents[n], 32)) for n in range(3)),
        Gauge("power", amount(_kilo(snapshot.power_w), "kW", 2), "", _share(snapshot.power_w, 22_080)),
        Gauge("energy", energy(snapshot.energy_wh)),
        Gauge("SoC", amount(snapshot.soc_pct, "%"), "", _share(snapshot.soc_pct, 100)),
    )


def station_gauges(snapshot: Snapshot) -> tuple[Gauge, ...]:
    """What the station said about itself, and where the run is."""
    offline = "connected" not in snapshot.station and "Accepted" not in snapshot.station
    overran = f"{snapshot.overruns} overruns" if snapshot.overruns else "in time"
    return (
        Gauge("station", plain(snapshot.station), "yellow" if offline else "green"),
        Gauge("status", plain(snapshot.station_status) or UNKNOWN, _status_style(snapshot.station_status)),
        Gauge("tx", plain(snapshot.transaction) if snapshot.transaction is not None else "none"),
        Gauge("phase", plain(snapshot.phase) or UNKNOWN),
        Gauge("bench", plain(snapshot.state), BENCH_STYLES.get(snapshot.state, "")),
        Gauge("twin", overran, "bold yellow" if snapshot.overruns else "dim"),
    )


def _cp_state(snapshot: Snapshot) -> tuple[str, str]:
    state = snapshot.cp_state
    if state is None:
        return "? unknown", "yellow"
    if state in "EF":
        return f"{state}  {CP_WORDS[state]}", "bold red"
    # x1 without PWM, x2 with it (IEC 61851-1 Annex A)
    word = CP_WORDS.get(state, "")
    return f"{state}{2 if snapshot.pwm_on else 1} {word}", "bold green" if state in "CD" else "bold"


def _status_style(status: str) -> str:
    if status == "Faulted":
        return "bold red"
    return "yellow" if status in ("Unavailable", "") else ""


def _kilo(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _share(value: float | None, full: float) -> float:
    return 0.0 if value is None else value / full
