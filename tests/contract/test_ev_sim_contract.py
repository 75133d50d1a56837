"""An EV Sim Remote acknowledges nothing: its reports must show what was commanded, and stamps must hold the truth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.bench.timeline import Event
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.pilot.ev_sim import EvSimPilot
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import Rig
from twin_client import TwinProcess


@pytest.fixture
def bare(rig: Rig, twin: Callable[..., TwinProcess]) -> Callable[..., TwinProcess]:
    """A twin with nothing but the simulator, and a station that drives CP when `pwm_pct` is given."""

    def start(pwm_pct: float | None = None, **settings: Any) -> TwinProcess:
        process = twin("bare", devices={"ev_sim": {"kind": "pilot.ev_sim", **settings}})
        rig.use(process)
        if pwm_pct is not None:
            rig.station = process.station()
            rig.station.hello()
            rig.station.send(type="set", evse=1, pwm_pct=pwm_pct)
        return process

    return start


def by_line(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """A change of whole lines, for a wire that brings eight characters at a time."""
    rest = b""

    def take(data: bytes) -> bytes:
        nonlocal rest
        *lines, rest = (rest + data).split(b"\n")
        return b"".join(change(line) + b"\n" for line in lines)

    return take


def opened(rig: Rig, port: str, **options: object) -> EvSimPilot:
    pilot = rig.driver("pilot.ev_sim", port, **options)
    rig.run(pilot.open())
    return pilot


@pytest.mark.parametrize("reports", ["volts", pytest.param("counts", marks=pytest.mark.long)])
def test_stamps_contain_the_truth(rig: Rig, bare: Callable[..., TwinProcess], reports: str) -> None:
    """Each state that was told was there at an instant within its stamp, and so was each command's effect."""
    process = bare(53.33, reports=reports)
    pilot = opened(rig, process.ready["ev_sim"])

    def told(letter: str) -> Callable[[Event], bool]:
        return lambda event: event.data["state"] == letter

    for letter in ("A", "B", "C") if reports == "counts" else ("A", "B", "C", "D"):
        rig.run(pilot.resistor(letter))
        rig.run(rig.timeline.wait_for("cp.state", told(letter), timeout_s=5, since_ns=0))
    rig.run(pilot.close())
    edges = [entry for entry in rig.twin.truth() if entry.get("fact") == "cp"]
    shown = {12: "A", 9: "B", 6: "C", 3: "D"}
    moved = [(entry["t_ns"], shown.get(round(entry["value"][0]))) for entry in edges]
    checked = 0
    for event in rig.topics("cp.state")[1:]:
        assert any(
            event.stamp.lo_ns <= t_ns <= event.stamp.hi_ns and letter == event.data["state"] for t_ns, letter in moved
        ), event
        checked += 1
    commanded = [entry for entry in rig.twin.truth() if entry.get("command") in ("A", "B", "C", "D")]
    stimuli = rig.topics("stimulus")
    assert [event.data["args"]["state"] for event in stimuli] == [entry["resistor"] for entry in commanded]
    for event, entry in zip(stimuli, commanded, strict=True):
        assert event.stamp.lo_ns <= entry["t_ns"] <= event.stamp.hi_ns
        assert event.stamp.hi_ns - event.stamp.lo_ns < (2.5 * pilot.window_s + 0.5) * 1e9
    assert checked >= 2
    assert not [event for event in rig.events if event.late]
    assert not rig.topics("gap")
    assert rig.topics("cp.pwm")[-1].data["duty_pct"] == pytest.approx(53.33, abs=0.3)


def test_a_command_that_no_report_confirms_is_an_error_and_unknown(rig: Rig) -> None:
    tap = rig.tap("ev_sim")
    pilot = opened(rig, tap.port)
    tap.to_device = lambda data: b""
    with pytest.raises(DeviceError, match=r"no report confirmed state C.*names state A") as caught:
        rig.run(pilot.resistor("C"))
    assert caught.value.sent == "C"
    assert pilot.state is DeviceState.UNKNOWN
    assert not rig.topics("stimulus")
    tap.to_device = lambda data: data
    with pytest.raises(DeviceError, match="Make it safe first"):
        rig.run(pilot.resistor("C"))
    rig.run(pilot.make_safe())
    assert pilot.state is DeviceState.ACTIVE


def test_a_report_that_began_before_the_command_confirms_nothing(rig: Rig) -> None:
    """The letter is there at once; only a window that lies wholly behind the writing counts."""
    tap = rig.tap("ev_sim")
    pilot = opened(rig, tap.port)
    rig.run(pilot.resistor("B"))
    (event,) = rig.topics("stimulus")
    assert event.stamp.hi_ns - event.stamp.lo_ns > 500_000_000


def test_a_dead_pilot_signal_hides_the_resistor_from_the_older_firmware(
    rig: Rig, bare: Callable[..., TwinProcess]
) -> None:
    process = bare(None, reports="counts")
    pilot = opened(rig, process.ready["ev_sim"])
    assert pilot.state is DeviceState.UNKNOWN
    with pytest.raises(DeviceError, match="switch the station on"):
        rig.run(pilot.make_safe())
    assert pilot.state is DeviceState.UNKNOWN


def test_level_and_letter_must_both_show_the_state(rig: Rig, bare: Callable[..., TwinProcess]) -> None:
    bare(100.0)
    tap = rig.tap("ev_sim")
    pilot = opened(rig, tap.port)
    tap.to_bench = by_line(lambda line: re.sub(rb"max_volts: \d+", b"max_volts: 12", line))
    with pytest.raises(DeviceError, match=r"names state B, shows a level of 12\.\d V"):
        rig.run(pilot.resistor("B"))


def test_a_restart_is_told_and_unknown(rig: Rig) -> None:
    pilot = opened(rig, rig.twin.ready["ev_sim"])
    rig.run(pilot.resistor("C"))
    rig.twin.control(type="fault", name="reset", device="ev_sim")
    reset = rig.run(rig.timeline.wait_for("pilot.reset", timeout_s=4, since_ns=rig.rested_ns))
    assert "restarted" in reset.data["why"]
    assert pilot.state is DeviceState.UNKNOWN
    (entry,) = [entry for entry in rig.twin.truth() if entry.get("command") == "reset"]
    assert reset.stamp.lo_ns <= entry["t_ns"] <= reset.stamp.hi_ns
    rig.run(pilot.make_safe())
    assert pilot.state is DeviceState.ACTIVE


def test_reports_that_stop_are_a_gap_and_degraded(rig: Rig) -> None:
    pilot = opened(rig, rig.twin.ready["ev_sim"])
    rig.twin.control(type="fault", name="silent", device="ev_sim")
    rig.until(lambda: pilot.state is DeviceState.DEGRADED, "silence is told")
    assert "sends no reports" in rig.topics("gap")[-1].data["why"]
    rig.twin.control(type="fault", name="silent", on=False, device="ev_sim")
    rig.until(lambda: pilot.state is DeviceState.ACTIVE, "it reports again")


def test_damaged_reports_are_gaps_and_never_data(rig: Rig, bare: Callable[..., TwinProcess]) -> None:
    bare(100.0)
    tap = rig.tap("ev_sim")
    pilot = opened(rig, tap.port)
    rig.until(lambda: len(rig.topics("cp.state")) > 0, "the first state")
    told = 0

    def damage(line: bytes) -> bytes:
        """Of four reports one has other digits and still reads as a report, and one is none."""
        nonlocal told
        told += 1
        if told % 4 == 1:
            return re.sub(rb"volts: \d+", b"volts: 6", line)
        return line.replace(b"state: ", b"stXte: ") if told % 4 == 3 else line

    tap.to_bench = by_line(damage)
    rig.until(lambda: len(rig.topics("gap")) >= 3, "three gaps")
    assert {event.data["state"] for event in rig.topics("cp.state")} == {"A"}
    assert pilot.state in (DeviceState.ACTIVE, DeviceState.DEGRADED)


def test_what_it_lacks_it_says(rig: Rig) -> None:
    pilot = opened(rig, rig.twin.ready["ev_sim"])
    assert pilot.capabilities == {"state_d"}
    rig.run(pilot.faults())  # nothing to take away
    for call, what in (
        (lambda: pilot.faults(diode=True), "inject faults"),
        (lambda: pilot.pp(220), "PP resistor"),
        (lambda: pilot.token("04A2"), "card.*token.line"),
        (lambda: pilot.relay(1, True), "relay.*power.relay"),
    ):
        with pytest.raises(DeviceError, match=f"cannot .*{what}"):
            rig.run(call())
    with pytest.raises(ConfigError, match="A, B, C or D"):
        rig.run(pilot.resistor("E"))
    assert not rig.gate.asked


def test_its_emergency_recipe_is_recognised_in_its_own_reports(rig: Rig, bare: Callable[..., TwinProcess]) -> None:
    """The letter A at once; its proof is found in a report that shows A, and in none that shows B."""
    recipe = rig.driver("pilot.ev_sim", "/dev/nowhere").emergency()
    assert recipe is not None
    assert [(step.phase, bytes.fromhex(step.send_hex)) for step in recipe.steps] == [("pilot", b"A"), ("faults", b"A")]
    shows = recipe.steps[-1].expect
    assert shows is not None
    at_a = (
        '{ state: "A", state_changes: 0, low_count: 0, high_count: 0, min_volts: 12.010, max_volts: 12.020 }',
        "{ state_changes=2000, low_count=50000, high_count=100000, low_adc=172, high_adc=931 }",
    )
    at_b = (
        '{ state: "B", state_changes: 0, low_count: 0, high_count: 0, min_volts: 9.010, max_volts: 9.020 }',
        "{ state_changes=2000, low_count=50000, high_count=100000, low_adc=172, high_adc=844 }",
        "{ state_changes=2000, low_count=50000, high_count=100000, low_adc=172, high_adc=963 }",
    )
    assert all(re.search(shows, text) for text in at_a)
    assert not any(re.search(shows, text) for text in at_b)
