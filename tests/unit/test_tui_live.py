"""The live screen, headless: what it shows for given snapshots, and what its keys ask of the bench.

The goldens are SVG screenshots. Make them anew with ``PILOTBENCH_UPDATE_GOLDENS=1 pytest tests/unit/test_tui_live.py``
and look at them before committing.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import textual
from pilotbench.bench.csms.verbs import Answer
from pilotbench.bench.live import MessageLine, Snapshot, VerdictLine
from pilotbench.errors import BenchError, SafetyError, StationTimeout
from pilotbench.tui.app import LiveApp, make_app
from pilotbench.tui.text import energy, plain
from pilotbench.tui.widgets.gauges import GaugePanel
from pilotbench.tui.widgets.messages import Messages
from pilotbench.tui.widgets.status_line import StatusLine
from pilotbench.tui.widgets.top_bar import TopBar
from pilotbench.tui.widgets.verdicts import Verdicts
from pilotbench.tui.widgets.why import WhyScreen
from textual.pilot import Pilot
from textual.widgets import Static

GOLDENS = Path(__file__).parent / "goldens"
UPDATE = os.environ.get("PILOTBENCH_UPDATE_GOLDENS") == "1"
WAIT_S = 10.0

EMPTY = Snapshot()

CHARGING = Snapshot(
    version=7,
    at_s=83.4,
    state="ready",
    cp_state="C",
    cp_high_v=5.98,
    pwm_on=True,
    duty_pct=53.33,
    offered_a=32.0,
    output_live=True,
    locked=True,
    current_a=(31.42, 31.38, 31.51),
    power_w=21_690.0,
    energy_wh=57.3,
    soc_pct=30.4,
    station="CP001 connected",
    station_status="Charging",
    transaction="1",
    devices=(("ev", "ACTIVE", ""), ("meter", "ACTIVE", ""), ("pilot", "ACTIVE", "")),
    messages=(
        MessageLine(0.41, False, "BootNotification", "chargePointModel=Twin chargePointVendor=pilotbench"),
        MessageLine(0.42, True, "BootNotification.conf", "interval=30 status=Accepted"),
        MessageLine(4.10, False, "StatusNotification", "connectorId=1 errorCode=NoError status=Preparing"),
        MessageLine(4.11, True, "StatusNotification.conf", ""),
        MessageLine(6.50, False, "Authorize", "idTag=04A2B3C4D5"),
        MessageLine(6.51, True, "Authorize.conf", "idTagInfo={status=Accepted}"),
        MessageLine(6.60, False, "StartTransaction", "connectorId=1 idTag=04A2B3C4D5 meterStart=0"),
        MessageLine(6.61, True, "StartTransaction.conf", "idTagInfo={status=Accepted} transactionId=1"),
        MessageLine(9.00, True, "SetChargingProfile", "connectorId=1 csChargingProfiles={stackLevel=0}"),
        MessageLine(9.02, False, "SetChargingProfile.conf", "status=Accepted"),
    ),
    message_count=10,
    verdicts=(
        VerdictLine(4.2, "plug-preparing", "PASS", "plug to Preparing 0.11 s, limit 2 s"),
        VerdictLine(8.9, "output-on", "PASS", "C2 to output on 0.41 .. 0.42 s, limit 3 s"),
    ),
)

FAULT = msgspec.structs.replace(
    CHARGING,
    version=9,
    at_s=91.0,
    state="unsafe",
    cp_state="E",
    cp_high_v=0.02,
    pwm_on=False,
    duty_pct=100.0,
    offered_a=None,
    station="CP001 offline",
    station_status="Faulted",
    devices=(
        ("ev", "ACTIVE", ""),
        ("meter", "FAULTED", "no answer on /dev/ttyUSB1 for 3 s; check the RS-485 wiring"),
        ("pilot", "DEGRADED", "2 lines with a wrong checksum"),
    ),
    messages=(*CHARGING.messages, MessageLine(90.2, False, "VIOLATION", "schema: status is not of the enumeration")),
    message_count=11,
    verdicts=(
        *CHARGING.verdicts,
        VerdictLine(90.4, "output-off", "FAIL", "output-off: C to B, output off 163 ms, limit 100 ms\n  90.200 CP B"),
        VerdictLine(90.5, "energy-agrees", "INCONCLUSIVE", "interval wider than the limit"),
    ),
    overruns=2,
)


class FakeBench:
    """A source of snapshots whose façades write down what they are asked."""

    def __init__(self, snapshot: Snapshot = EMPTY) -> None:
        self.snapshot = snapshot
        self.asked: list[tuple[object, ...]] = []
        self.raises: Exception | None = None
        self.blocks: threading.Event | None = None
        self.status = "Accepted"
        self.vehicle = self
        self.csms = self

    def _note(self, *asked: object) -> None:
        self.asked.append((*asked,))
        assert threading.current_thread() is not threading.main_thread()
        if self.blocks is not None:
            self.blocks.wait(WAIT_S)
        if self.raises is not None:
            raise self.raises

    def plug(self, cable_a: int = 32) -> None:
        self._note("plug", cable_a)

    def unplug(self) -> None:
        self._note("unplug")

    def present(self, id_tag: str, kind: str = "ISO14443") -> None:
        self._note("present", id_tag)

    def charge(self, max_current_a: float | None = None) -> None:
        self._note("charge")

    def pause(self) -> None:
        self._note("pause")

    def set_limit(self, amps: float, *, evse: int = 1, tx: Any = None, purpose: str | None = None) -> Answer:
        self._note("set_limit", amps)
        return Answer(self.status == "Accepted", self.status, {"status": self.status}, 1.0)

    def remote_stop(self, tx: Any = None, evse: int = 1) -> Answer:
        self._note("remote_stop")
        return Answer(self.status == "Accepted", self.status, {"status": self.status}, 1.0)


Steps = Callable[[LiveApp, "Pilot[None]"], Awaitable[None]]


def screen(bench: FakeBench, steps: Steps, size: tuple[int, int] = (120, 40), *, toasts: bool = False) -> LiveApp:
    """Open the screen on `bench`, take the steps, close it."""
    app = make_app(bench, clock_s=lambda: 1000.0)
    app.animation_level = "none"

    async def run() -> None:
        async with app.run_test(size=size, notifications=toasts) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(run())
    return app


async def until(pilot: Pilot[None], reached: Callable[[], bool]) -> None:
    """Let the app run until something is so; fails after `WAIT_S`."""
    deadline = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline, "it did not come about"
        await pilot.pause(0.01)


def said(app: LiveApp) -> str:
    return app.screen_stack[1].query_one(StatusLine).text


def visible(app: LiveApp) -> str:
    """The characters on the screen, a line a row."""
    width, height = app.size
    return "\n".join(
        "".join(segment.text for segment in strip).ljust(width)
        for strip in app.screen._compositor.render_strips()[:height]
    )


def bound(number: int) -> tuple[MessageLine, ...]:
    return tuple(MessageLine(n / 10, n % 2 == 0, "Heartbeat", f"n={n}") for n in range(number))


# what is shown


@pytest.mark.parametrize(
    ("name", "snapshot", "size"),
    [
        ("empty-80x24", EMPTY, (80, 24)),
        ("charging-80x24", CHARGING, (80, 24)),
        ("charging-120x40", CHARGING, (120, 40)),
        ("charging-160x45", CHARGING, (160, 45)),
        ("fault-120x40", FAULT, (120, 40)),
    ],
)
def test_golden(name: str, snapshot: Snapshot, size: tuple[int, int]) -> None:
    shot: list[str] = []

    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.pause()
        shot.append(app.export_screenshot(simplify=True))

    screen(FakeBench(snapshot), look, size)
    golden = GOLDENS / f"tui-live-{name}.svg"
    if UPDATE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shot[0], encoding="utf-8")
    assert shot[0] == golden.read_text(encoding="utf-8"), (
        f"the screen differs from {golden.name} (textual {textual.__version__} here); "
        "if that is meant, run with PILOTBENCH_UPDATE_GOLDENS=1 and look at the new file"
    )


def test_a_charging_vehicle_is_shown_with_words_and_numbers() -> None:
    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        text = visible(app)
        for expected in (
            "OUTPUT LIVE", "C2 ready", "5.98 V", "53.33 %", "32.0 A", "locked", "31.42 A", "31.38 A", "31.51 A",
            "21.69 kW", "57.3 Wh", "30.4 %", "CP001 connected", "Charging", "BootNotification", "✔ PASS",
            "plug-preparing", "ACTIVE", "1:23",
        ):  # fmt: skip
            assert expected in text, expected

    screen(FakeBench(CHARGING), look)


def test_of_several_outlets_the_one_that_is_shown_is_named() -> None:
    bench = FakeBench(CHARGING)

    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        assert "outlet" not in visible(app)
        bench.snapshot = msgspec.structs.replace(CHARGING, version=CHARGING.version + 1, outlets=2)
        await until(pilot, lambda: visible(app).count("outlet 1 of 2") == 2)

    screen(bench, look)


def test_an_unknown_bench_claims_nothing() -> None:
    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        text = visible(app)
        assert "OUTPUT unknown" in text
        assert "dead" not in text
        assert "not connected" in text

    screen(FakeBench(EMPTY), look)


def test_a_fault_is_told_and_shown() -> None:
    bench = FakeBench(CHARGING)

    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        bench.snapshot = FAULT
        await until(pilot, lambda: "✖ The bench is NOT SAFE" in visible(app) and "w why" in visible(app))
        wanted = ("✖ FAULTED", "▲ DEGRADED", "no answer on", "unsafe", "✘ FAIL", "E  error", "2 overruns")
        await until(pilot, lambda: all(text in visible(app) for text in wanted))
        told = " ".join(notification.message for notification in app._notifications)
        assert "pilot is DEGRADED" in told
        assert "meter is FAULTED: no answer on /dev/ttyUSB1" in told

    screen(bench, look)


def test_no_news_for_a_while_is_said() -> None:
    now = [1000.0]
    app = make_app(FakeBench(CHARGING), clock_s=lambda: now[0])

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "last change" not in visible(app)
            now[0] += 7.0
            await until(pilot, lambda: "last change 7 s ago" in visible(app))

    asyncio.run(run())


def test_only_what_changed_is_redrawn() -> None:
    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        warmer = msgspec.structs.replace(CHARGING, version=8, power_w=11_000.0)
        changed = [panel.show(warmer) for panel in app.screen.query(GaugePanel)]
        assert changed == [False, True, False]
        assert not app.screen.query_one(Verdicts).show(warmer.verdicts)
        assert not app.screen.query_one(Messages).show(warmer.messages, warmer.message_count)
        assert not app.screen.query_one(TopBar).show(warmer, 0.0)

    screen(FakeBench(CHARGING), look)


def test_five_thousand_messages_render_only_what_is_in_sight() -> None:
    bench = FakeBench(msgspec.structs.replace(CHARGING, messages=bound(5000), message_count=5000))

    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        messages = app.screen.query_one(Messages)
        assert len(messages.lines) == 5000
        assert "n=4999" in visible(app)
        assert "OCPP messages  5000" in visible(app)
        assert 0 < len(messages._strips) < 100
        await pilot.press("home")
        await until(pilot, lambda: "n=0 " in visible(app))
        bench.snapshot = msgspec.structs.replace(
            bench.snapshot, version=99, messages=(MessageLine(1, True, "Reset", "late"),), message_count=5001
        )
        await until(pilot, lambda: len(messages.lines) == 5001)
        assert "n=0 " in visible(app), "a new line must not scroll away what somebody reads"
        assert "End follows" in visible(app)
        await pilot.press("end")
        await until(pilot, lambda: "late" in visible(app))

    screen(bench, look)


def test_skipped_messages_are_counted() -> None:
    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        assert "… 990 not shown here" in visible(app)

    screen(FakeBench(msgspec.structs.replace(CHARGING, message_count=1000)), look)


def test_the_first_line_too_many_scrolls_the_list() -> None:
    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        messages = app.screen.query_one(Messages)
        for count in range(11, 61):
            messages.show((MessageLine(count, False, "Heartbeat", f"n={count}."),), count)
            await pilot.pause()
            assert f"n={count}." in visible(app)

    screen(FakeBench(CHARGING), look)


def test_the_oldest_lines_go_when_there_are_too_many() -> None:
    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        messages = app.screen.query_one(Messages)
        messages._kept = 100
        messages.show(bound(400), 410)
        assert len(messages.lines) == 100
        await pilot.pause()
        assert "n=399" in visible(app)

    screen(FakeBench(CHARGING), look)


def test_long_and_hostile_texts_stay_in_their_place() -> None:
    long = "x" * 5000
    nasty = "[red]\x1b[2J\x07" + "漢" * 60
    snapshot = msgspec.structs.replace(
        FAULT,
        station=f"{nasty} connected",
        station_status=long,
        transaction=long,
        phase=nasty,
        devices=(("meter" + long, "FAULTED", long), ("pilot", "STRANGE", nasty)),
        messages=(MessageLine(1.0, False, nasty, long), MessageLine(2.0, True, "DataTransfer", nasty + "\n" + long)),
        message_count=2,
        verdicts=(VerdictLine(1.0, long, "FAIL", long), VerdictLine(1.0, "r", "NEW_KIND", nasty)),
    )

    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        text = visible(app)
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "[red]" in text, "square brackets are text, not markup"
        assert "OUTPUT LIVE" in text
        assert "Control pilot" in text
        assert len(text.splitlines()) == 24
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, WhyScreen))

    screen(FakeBench(snapshot), look, (80, 24), toasts=True)


def test_resize_to_the_smallest_screen_keeps_the_newest_line_in_sight() -> None:
    bench = FakeBench(msgspec.structs.replace(CHARGING, messages=bound(200), message_count=200))

    async def look(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.screen.size.width == 80)
        await pilot.pause()
        text = visible(app)
        assert "n=199" in text
        for expected in ("OUTPUT LIVE", "31.42 A", "CP001 connected", "✔ PASS", "● ACTIVE", "Unplug", "Quit"):
            assert expected in text, expected

    screen(bench, look, (160, 45))


# what the keys do


PLUGGED_OFF = msgspec.structs.replace(CHARGING, cp_state="B")
UNPLUGGED = msgspec.structs.replace(CHARGING, cp_state="A", output_live=False)


@pytest.mark.parametrize(
    ("key", "snapshot", "asked", "answer"),
    [
        ("p", UNPLUGGED, ("plug", 32), "Plugged in with a 32 A cable"),
        ("a", PLUGGED_OFF, ("present", "04A2B3C4D5"), "Card 04A2B3C4D5 presented"),
        ("s", CHARGING, ("pause",), "pauses"),
        ("s", PLUGGED_OFF, ("charge",), "wants to charge"),
        ("l", CHARGING, ("set_limit", 16.0), "Limit 16 A: the station answered Accepted"),
        ("r", CHARGING, ("remote_stop",), "Remote stop: the station answered Accepted"),
        ("u", CHARGING, ("unplug",), "Unplugged"),
    ],
)
def test_a_key_asks_its_verb(key: str, snapshot: Snapshot, asked: tuple[object, ...], answer: str) -> None:
    bench = FakeBench(snapshot)

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await until(pilot, lambda: answer in said(app))

    screen(bench, steps)
    assert bench.asked == [asked]


@pytest.mark.parametrize(
    ("key", "snapshot", "answer"),
    [
        ("p", CHARGING, "plugged in already (CP state C). Press u"),
        ("u", UNPLUGGED, "No vehicle is plugged in (CP state A). Press p"),
        ("s", UNPLUGGED, "No vehicle is plugged in (CP state A). Press p"),
    ],
)
def test_a_key_that_makes_no_sense_says_so(key: str, snapshot: Snapshot, answer: str) -> None:
    bench = FakeBench(snapshot)

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await until(pilot, lambda: answer in said(app))

    screen(bench, steps)
    assert bench.asked == []


def test_pause_twice_resumes_although_cp_is_still_at_c() -> None:
    bench = FakeBench(CHARGING)

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await until(pilot, lambda: "pauses" in said(app))
        await pilot.press("s")
        await until(pilot, lambda: "wants to charge" in said(app))

    screen(bench, steps)
    assert bench.asked == [("pause",), ("charge",)]


@pytest.mark.parametrize(
    "error",
    [
        SafetyError("the envelope of virtual.toml refuses a 32 A cable: [envelope] max_current is 20 A."),
        StationTimeout("no transaction is open on EVSE 1."),
        BenchError("the bench is not up: [call] start() first."),
    ],
)
def test_an_error_of_the_bench_is_shown_as_a_paragraph_and_stays(error: BenchError) -> None:
    bench = FakeBench(PLUGGED_OFF)
    bench.raises = error

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await until(pilot, lambda: str(error) in said(app))
        assert str(error) in " ".join(notification.message for notification in app._notifications)
        assert "Traceback" not in visible(app)
        await until(pilot, lambda: f"✖ Remote stop failed. {error}" in visible(app))

    screen(bench, steps, toasts=True)


def test_a_defect_keeps_the_screen_open() -> None:
    bench = FakeBench(CHARGING)
    bench.raises = KeyError("connector")

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("u")
        await until(pilot, lambda: "KeyError" in said(app) and "defect of pilotbench" in said(app))
        bench.raises = None
        await pilot.press("u")
        await until(pilot, lambda: "Unplugged" in said(app))

    screen(bench, steps)


def test_a_refusal_of_the_station_is_no_success() -> None:
    bench = FakeBench(CHARGING)
    bench.status = "Rejected"

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await until(pilot, lambda: "answered Rejected" in said(app))
        assert [notification.severity for notification in app._notifications] == ["warning"]

    screen(bench, steps)


def test_a_slow_verb_blocks_neither_the_screen_nor_other_keys_nor_quitting() -> None:
    bench = FakeBench(CHARGING)
    bench.blocks = threading.Event()
    began = time.monotonic()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await until(pilot, lambda: bench.asked == [("remote_stop",)])
        await pilot.press("r")
        await until(pilot, lambda: "still waiting" in said(app))
        await pilot.press("u")
        await until(pilot, lambda: bench.asked == [("remote_stop",), ("unplug",)])
        bench.snapshot = msgspec.structs.replace(CHARGING, version=8, power_w=1234.0)
        await until(pilot, lambda: "1.23 kW" in visible(app))
        await pilot.press("q")

    try:
        screen(bench, steps)
        assert time.monotonic() - began < WAIT_S / 2, "quitting waited for the station"
    finally:
        bench.blocks.set()


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
@pytest.mark.parametrize(("live", "note"), [(True, "The output is LIVE."), (False, ""), (None, "unknown")])
def test_quitting_says_that_the_bench_is_being_made_safe(
    key: str, live: bool | None, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await until(pilot, lambda: not app.is_running or bool(app._exit))

    app = screen(FakeBench(msgspec.structs.replace(CHARGING, output_live=live)), steps)
    farewell = " ".join(capsys.readouterr().err.split())
    assert note in farewell
    assert "being made safe" in farewell
    assert app.return_code == 0


def test_why_shows_the_whole_text_of_what_did_not_pass() -> None:
    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, WhyScreen))
        shown = str(app.screen.query_one(Static).content)
        assert "90.200 CP B" in shown
        assert "energy-agrees" in shown
        assert "plug-preparing" not in shown
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, WhyScreen))

    screen(FakeBench(FAULT), steps)


# the small helpers


def test_plain_text_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[2Jb\nc\td\u202e") == "a·[2Jb c d·"
    assert plain("x" * 10, limit=4) == "xxxx…"


def test_energy_changes_to_kwh() -> None:
    assert [energy(value) for value in (None, 0.04, 999.94, 1000.0, 12_345.6)] == [
        "–", "0.0 Wh", "999.9 Wh", "1.000 kWh", "12.346 kWh",
    ]  # fmt: skip
