"""The pilot driver on a bad line, across restarts of the emulator, and its stamps against the emulator's own log."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.pilot.frame import seal
from pilotbench.drivers.pilot.line import LinePilot
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import Rig
from twin_client import TwinProcess


def opened(rig: Rig, port: str, **options: object) -> LinePilot:
    pilot = rig.driver("pilot.line", port, **options)
    rig.run(pilot.open())
    return pilot


def test_status_shows_what_was_set(rig: Rig) -> None:
    pilot = opened(rig, rig.twin.ready["pilot"])

    async def set_all() -> None:
        await pilot.pp(220)
        await pilot.resistor("C")
        await pilot.faults(diode=True, short_ohm=80)

    rig.run(set_all())
    status = rig.run(pilot.status())
    assert (status.resistor, status.faults, status.pp_ohm) == ("C", {"DIODE", "SHORT80"}, 220)
    rig.run(pilot.make_safe())
    assert rig.run(pilot.status()).safe


def test_only_steps_towards_safety_are_marked_so(rig: Rig) -> None:
    pilot = opened(rig, rig.twin.ready["pilot"])

    async def steps() -> None:
        for letter in ("B", "C", "B", "A"):
            await pilot.resistor(letter)
        await pilot.faults(cp_open=True)
        await pilot.faults()

    rig.run(steps())
    assert [asked.to_safe for asked in rig.gate.asked] == [False, False, True, True, False, True]


@pytest.mark.parametrize("bad", ["E", "a", ""])
def test_states_that_no_vehicle_shows_are_refused(rig: Rig, bad: str) -> None:
    pilot = opened(rig, rig.twin.ready["pilot"])
    with pytest.raises(ConfigError, match="A, B, C or D"):
        rig.run(pilot.resistor(bad))


def test_lost_answer_is_asked_for_again_with_the_same_number(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = opened(rig, tap.port)
    lost: list[bytes] = []

    def lose_one(data: bytes) -> bytes:
        if not lost and b" R B*" in tap.written and b" OK*" in data:
            lost.append(data)
            return b""
        return data

    tap.to_bench = lose_one
    rig.run(pilot.resistor("B"))
    assert lost
    sent = [line for line in tap.written.split(b"\n") if b" R B*" in line]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    (stimulus,) = rig.topics("stimulus")
    assert stimulus.stamp.hi_ns - stimulus.stamp.lo_ns > 250_000_000, "it may have happened at the first writing"
    assert pilot.state is DeviceState.ACTIVE


def test_damaged_command_is_repeated(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = opened(rig, tap.port)
    hit: list[bytes] = []

    def damage_one(data: bytes) -> bytes:
        if b" R D*" in data and not hit:
            hit.append(data)
            return data.replace(b" R D*", b" R C*")
        return data

    tap.to_device = damage_one
    rig.run(pilot.resistor("D"))
    assert hit
    assert rig.run(pilot.status()).resistor == "D"


def test_damaged_event_is_a_gap_and_never_a_value(rig: Rig) -> None:
    tap = rig.tap("pilot")
    station = rig.twin.station()
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100)
    pilot = opened(rig, tap.port)
    rig.run(rig.timeline.wait_for("cp.state", lambda e: e.data["state"] == "A", timeout_s=2, since_ns=0))
    tap.to_bench = lambda data: data.replace(b" CP 8", b" CP 9").replace(b" CP 9", b" CP 6")
    rig.run(pilot.resistor("B"))
    rig.run(rig.timeline.wait_for("gap", lambda e: "checksum" in e.data["why"], timeout_s=2, since_ns=0))
    assert {event.data["state"] for event in rig.topics("cp.state")} <= {"A", "E"}
    station.close()


def test_no_answer_makes_the_state_unknown_and_only_safety_leads_out(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = opened(rig, tap.port)
    tap.to_device = lambda data: b""
    with pytest.raises(DeviceError, match="may have taken effect") as caught:
        rig.run(pilot.resistor("C"))
    assert caught.value.sent == "R C"
    assert pilot.state is DeviceState.UNKNOWN
    assert not rig.topics("stimulus")
    tap.to_device = lambda data: data
    with pytest.raises(DeviceError, match="Make it safe first"):
        rig.run(pilot.resistor("C"))
    rig.run(pilot.make_safe())
    assert pilot.state is DeviceState.ACTIVE


def test_restart_of_the_emulator_is_a_new_epoch(rig: Rig) -> None:
    pilot = opened(rig, rig.twin.ready["pilot"])
    rig.run(pilot.resistor("C"))
    epoch = rig.topics("cp.state")[-1].stamp.epoch
    asked_ns = time.monotonic_ns()
    rig.twin.control(type="reset_pilot", boot_s=0.3)
    reset = rig.run(rig.timeline.wait_for("pilot.reset", timeout_s=3, since_ns=rig.rested_ns))
    assert "started" in reset.data["why"]
    assert reset.stamp.lo_ns <= time.monotonic_ns() - 1
    assert reset.stamp.hi_ns >= asked_ns
    assert pilot.state is DeviceState.UNKNOWN
    model = rig.run(rig.timeline.wait_for("clock.model", timeout_s=3, since_ns=rig.rested_ns))
    assert model.data["epoch"] > epoch
    rig.run(pilot.make_safe())
    assert pilot.state is DeviceState.ACTIVE
    assert rig.topics("cp.volts")[-1].stamp.epoch == model.data["epoch"]
    assert not [event for event in rig.events if event.late]


def test_expired_watchdog_is_told(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = opened(rig, tap.port, watchdog_ms=700)
    rig.run(pilot.resistor("C"))
    tap.to_device = lambda data: b""
    reset = rig.run(rig.timeline.wait_for("pilot.reset", timeout_s=4, since_ns=rig.rested_ns))
    assert reset.data["why"] == "its watchdog expired"
    assert reset.stamp.device_ns is not None
    assert pilot.state is DeviceState.UNKNOWN
    assert rig.topics("gap"), "pings that were not answered are a gap"
    tap.to_device = lambda data: data
    rig.run(pilot.make_safe())
    rig.run(pilot.resistor("B"))
    assert pilot.state is DeviceState.ACTIVE
    assert rig.run(pilot.status()).watchdog_ms == 700, "the watchdog's time is set again after every HELLO"


@pytest.fixture
def hangs(rig: Rig) -> Iterator[Callable[[LinePilot], None]]:
    """Lets the reader of a pilot hang, as in a driver of the kernel that does not come back, until the test is over."""
    over = threading.Event()

    def hang(pilot: LinePilot) -> None:
        read = pilot._line._port.read

        def wait(size: int = 1) -> bytes:
            over.wait(20.0)
            return read(size)

        pilot._line._port.read = wait

    yield hang
    over.set()


def told(rig: Rig, words: str) -> list[int]:
    """When the device said something, by its own log."""
    return [entry["t_ns"] for entry in rig.twin.truth() if words in str(entry.get("line", ""))]


def test_a_reader_that_hangs_does_not_feed_the_watchdog(rig: Rig, hangs: Callable[[LinePilot], None]) -> None:
    pilot = opened(rig, rig.twin.ready["pilot"], watchdog_ms=800)
    rig.run(pilot.resistor("C"))
    began_ns = time.monotonic_ns()
    hangs(pilot)
    rig.until(lambda: bool(told(rig, " WD*")), "the watchdog to expire")
    # Fed for the last time within the 100 ms that a reader may be late; the rest is for a busy machine.
    assert 700 < (told(rig, " WD*")[0] - began_ns) / 1e6 < 1300


def test_steps_to_the_safe_state_are_written_to_a_device_that_nobody_hears(
    rig: Rig, hangs: Callable[[LinePilot], None]
) -> None:
    pilot = opened(rig, rig.twin.ready["pilot"], watchdog_ms=5000)
    rig.run(pilot.resistor("C"))
    hangs(pilot)
    began = time.monotonic()
    # The first one is not answered either, and the second one cannot find each other again by a HELLO.
    for letter in ("B", "A"):
        with pytest.raises(DeviceError, match="did not acknowledge"):
            rig.run(pilot.resistor(letter))
    assert time.monotonic() - began < 2.5
    facts = [(entry["fact"], entry["value"]) for entry in rig.twin.truth() if "fact" in entry]
    assert [value for fact, value in facts if fact in ("s2", "plug")][-2:] == [False, False]


def test_board_that_reboots_when_its_port_is_opened(rig: Rig) -> None:
    """Two seconds of boot, in which it prints of its own and swallows what it is told."""
    rig.twin.control(type="reset_pilot", boot_s=2.0)
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    began = time.monotonic()
    rig.run(pilot.open())
    assert 1.0 < time.monotonic() - began < 3.5
    assert pilot.state is DeviceState.ACTIVE
    rig.run(pilot.resistor("B"))


def test_found_in_another_state_it_is_unknown_until_made_safe(rig: Rig) -> None:
    first = opened(rig, rig.twin.ready["pilot"])
    rig.run(first.resistor("C"))
    rig.run(first.close())
    second = opened(rig, rig.twin.ready["pilot"], name="second")
    assert second.state is DeviceState.UNKNOWN
    rig.run(second.make_safe())
    assert second.state is DeviceState.ACTIVE


def test_capability_that_is_missing_is_named(rig: Rig) -> None:
    def bare(data: bytes) -> bytes:
        answers = b""
        for line in data.split(b"\n"):
            if line.startswith(b"$"):
                seq, command = line[1:].split(b"*")[0].decode().split(" ", 1)
                text = {
                    "HELLO": "proto=1 model=bare serial=1 fw=1 clock_bits=64 cp_res_us=100",
                    "T": str(time.monotonic_ns() // 1000),
                    "S": "r=A f=NONE pp=OPEN high_mv=0 low_mv=0 duty=0 freq=0 wd=2000",
                }.get(command, "")
                answers += seal(f"${seq} OK {text}".rstrip())
        return answers

    tap = rig.tap("bare", device=None, answer=bare)
    pilot = opened(rig, tap.port)
    for call in (pilot.token("04A2"), pilot.relay(1, True)):
        with pytest.raises(DeviceError, match="has no capability"):
            rig.run(call)


def test_another_version_of_the_protocol_is_refused(rig: Rig) -> None:
    def newer(data: bytes) -> bytes:
        lines = [line for line in data.split(b"\n") if b"HELLO" in line]
        return b"".join(seal(f"{line.decode().split(' ')[0]} OK proto=2 model=x serial=1 fw=1") for line in lines)

    tap = rig.tap("newer", device=None, answer=newer)
    with pytest.raises(DeviceError, match="version 2"):
        rig.run(rig.driver("pilot.line", tap.port, hello_timeout_s=0.5).open())


def test_stamps_contain_the_truth(rig: Rig) -> None:
    """Every event's interval holds the instant at which the model says that the fact happened."""
    station = rig.twin.station()
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100)
    pilot = opened(rig, rig.twin.ready["pilot"])

    async def play() -> None:
        for duty in (10.0, 53.33, 26.67, 100.0):
            station.send(type="set", evse=1, pwm_pct=duty, contactor=duty == 53.33)
            for letter in ("B", "C", "B", "A"):
                await pilot.resistor(letter)
                await asyncio.sleep(0.06)

    rig.run(play())
    rig.run(pilot.close())
    station.close()
    truth = {entry["line"].strip(): entry for entry in rig.twin.truth() if "line" in entry}
    checked = 0
    for event in rig.events:
        if event.topic in ("cp.volts", "cp.pwm", "cp.state", "output", "lock"):
            entry = truth[(event.raw or "").strip()]
            assert event.stamp.lo_ns <= entry["t_ns"] <= event.stamp.hi_ns, json.dumps(entry)
            checked += 1
    assert checked > 20
    assert {event.data["state"] for event in rig.topics("cp.state")} >= {"A", "B", "C"}
    assert any(event.data["live"] for event in rig.topics("output"))


def test_contact_of_the_emergency_stop_is_told_when_it_changes(rig: Rig, twin: Callable[..., TwinProcess]) -> None:
    process = twin(devices={"pilot": {"kind": "pilot.line", "estop": True}, "plain": {"kind": "pilot.line"}})
    rig.use(process)
    pilot = opened(rig, process.ready["pilot"])
    rig.run(rig.timeline.wait_for("estop", timeout_s=2, since_ns=0))
    pressed_ns = time.monotonic_ns()
    process.control(type="fault", name="e-stop", on=True)
    pressed = rig.run(rig.timeline.wait_for("estop", lambda e: e.data["tripped"], timeout_s=2, since_ns=pressed_ns))
    assert pressed_ns <= pressed.stamp.hi_ns
    assert pressed.stamp.lo_ns < time.monotonic_ns()
    rig.run(asyncio.sleep(1.2))  # it is repeated twice a second
    process.control(type="fault", name="e-stop", on=False)
    rig.run(rig.timeline.wait_for("estop", lambda e: not e.data["tripped"], timeout_s=2, since_ns=pressed_ns))
    assert [event.data["tripped"] for event in rig.topics("estop")] == [False, True, False]
    assert rig.run(pilot.status()).safe


def test_state_of_the_emergency_stop_that_was_lost_on_the_wire_comes_again(
    rig: Rig, twin: Callable[..., TwinProcess]
) -> None:
    process = twin(devices={"pilot": {"kind": "pilot.line", "estop": True}})
    rig.use(process)
    tap = rig.tap("pilot")
    lost: list[bytes] = []

    def lose_one(data: bytes) -> bytes:
        if b" ESTOP 1*" in data and not lost:
            lost.append(data)
            return b""
        return data

    tap.to_bench = lose_one
    opened(rig, tap.port)
    process.control(type="fault", name="e-stop", on=True)
    rig.run(rig.timeline.wait_for("estop", lambda e: e.data["tripped"], timeout_s=2, since_ns=0))
    assert lost


def test_a_live_output_whose_event_was_lost_on_the_wire_is_read_back(rig: Rig) -> None:
    tap = rig.tap("pilot")
    station = rig.twin.station()
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100)
    pilot = opened(rig, tap.port)
    rig.run(rig.timeline.wait_for("output", lambda e: e.data["live"] is False, timeout_s=2, since_ns=0))
    tap.to_bench = lambda data: data.replace(b" OUT ", b" OU? ")
    station.send(type="set", evse=1, contactor=True)
    rig.run(rig.timeline.wait_for("gap", lambda e: "OU?" in e.data["why"], timeout_s=2, since_ns=0))
    assert {event.data["live"] for event in rig.topics("output")} == {False}
    rig.run(pilot.make_safe())
    assert rig.topics("output")[-1].data["live"] is True
    station.close()
