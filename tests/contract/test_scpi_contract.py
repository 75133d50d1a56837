"""SCPI supply and load: the error queue, the read-back, what they measure, and answers that come late."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.power.asking import NoAnswer
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import Rig


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """The station hangs on the supply here."""
    rig.devices = {"supply": {"kind": "supply.scpi"}, "load": {"kind": "load.scpi"}}
    return rig


def opened(rig: Rig, port: str | None = None, kind: str = "supply.scpi", **options: Any) -> Any:
    driver = rig.driver(kind, port or rig.twin.ready[kind.partition(".")[0]], **options)
    rig.run(driver.open())
    return driver


def break_(rig: Rig, name: str, device: str = "supply", on: bool = True) -> None:
    rig.twin.control(type="fault", name=name, on=on, device=device)
    rig.twin.wait("fault")


def told(rig: Rig, device: str) -> list[tuple[str, Any]]:
    """What the emulator understood and did, by its own log."""
    return [
        (entry["command"], entry.get("on", entry.get("value")))
        for entry in rig.twin.truth()
        if entry.get("device") == device
    ]


def test_supply_feeds_the_station(rig: Rig) -> None:
    supply = opened(rig)
    assert supply.identity == {"model": "Pilotbench Virtual supply", "serial": "VS0001", "firmware": "1.0"}

    async def play() -> None:
        await supply.set(235.0, 16.0)
        await supply.output(True)
        await rig.timeline.wait_for("power.sample", lambda e: e.data["on"], timeout_s=3)
        await supply.make_safe()

    rig.run(play())
    sample = next(event for event in rig.topics("power.sample") if event.data["on"])
    assert sample.data == {"voltage_v": 235.0, "current_a": 0.0, "power_w": 0.0, "on": True}
    assert sample.stamp.hi_ns - sample.stamp.lo_ns >= 300_000_000
    assert told(rig, "supply") == [("VOLT", 235.0), ("CURR", 16.0), ("OUTP ON", True), ("OUTP OFF", False)]
    assert [asked.to_safe for asked in rig.gate.asked] == [False, False, True]
    facts = [(entry["fact"], entry["value"]) for entry in rig.twin.truth() if entry.get("fact") == "mains"]
    assert facts == [("mains", False), ("mains", True), ("mains", False)]


def test_load_draws_at_the_outlet(rig: Rig) -> None:
    load = opened(rig, kind="load.scpi")

    async def play() -> None:
        await load.draw(10.0)
        await load.input(True)
        await load.make_safe()

    rig.run(play())
    assert told(rig, "load") == [("CURR", 10.0), ("INP ON", True), ("INP OFF", False)]
    assert [asked.verb for asked in rig.gate.asked] == ["load.set", "load.input", "load.input"]


def test_entry_of_the_error_queue_is_an_error_with_its_text(rig: Rig) -> None:
    supply = opened(rig)
    with pytest.raises(DeviceError, match=r"-222,.Data out of range") as caught:
        rig.run(supply.set(1000.0, 16.0))
    assert caught.value.sent == "VOLT 1000.000"
    assert not rig.topics("stimulus")
    with pytest.raises(DeviceError, match=r"-222"):
        rig.run(supply.set(230.0, 99.0))
    (half,) = rig.topics("stimulus")
    assert half.data["args"] == {"voltage_v": 230.0}, "what it took before it refused was done"
    rig.run(supply.set(230.0, 16.0))
    assert supply.state is DeviceState.ACTIVE


def test_command_that_it_does_not_know_is_told_when_it_is_opened(rig: Rig) -> None:
    with pytest.raises(DeviceError, match=r"-113,.Undefined header") as caught:
        opened(rig, setup=["*CLS", "SYST:RWL"])
    assert caught.value.sent == "SYST:RWL"


def test_contact_that_does_not_follow_is_found_by_reading_back(rig: Rig) -> None:
    supply = opened(rig)
    rig.run(supply.output(True))
    break_(rig, "stuck")
    with pytest.raises(DeviceError, match="reads back '1'"):
        rig.run(supply.make_safe())
    assert supply.state is DeviceState.UNKNOWN
    assert len(rig.topics("stimulus")) == 1
    break_(rig, "stuck", on=False)
    rig.run(supply.make_safe())
    assert supply.state is DeviceState.ACTIVE


@pytest.mark.parametrize(("asked", "answer"), [(b'"', b'-310,"System error"\n'), (b"1", b"?\n")])
def test_switch_that_failed_is_unknown_and_old_trouble_does_not_keep_it_from_its_safe_state(
    rig: Rig, asked: bytes, answer: bytes
) -> None:
    """Something older stood in the error queue, or the read-back was damaged: twice, at its on and at its off."""
    tap = rig.tap("supply")
    supply = opened(rig, tap.port, timeout_s=0.1, poll_s=60.0)
    spoil = 1

    def spoil_one(data: bytes) -> bytes:
        nonlocal spoil
        if spoil and asked in data:
            spoil -= 1
            return answer
        return data

    tap.to_bench = spoil_one
    with pytest.raises(DeviceError, match=r"refused it|cannot be read"):
        rig.run(supply.output(True))
    assert supply.state is DeviceState.UNKNOWN
    assert told(rig, "supply")[-1] == ("OUTP ON", True), "and it was on"
    spoil, asked = 1, b'"' if asked == b'"' else b"0\n"
    rig.run(supply.make_safe())
    assert spoil == 0
    assert supply.state is DeviceState.ACTIVE
    assert told(rig, "supply")[-1] == ("OUTP OFF", False)


def test_output_that_goes_off_by_itself_is_noticed(rig: Rig) -> None:
    supply = opened(rig, poll_s=0.1)
    rig.run(supply.output(True))
    break_(rig, "trip")
    rig.until(lambda: supply.state is DeviceState.UNKNOWN, "it tripped")
    assert "went off by itself" in rig.topics("device.state")[-1].data["why"]


def test_found_on_it_is_unknown_until_made_safe(rig: Rig) -> None:
    first = opened(rig)
    rig.run(first.output(True))
    rig.run(first.close())
    second = opened(rig, name="second")
    assert second.state is DeviceState.UNKNOWN
    with pytest.raises(DeviceError, match="Make it safe first"):
        rig.run(second.output(True))
    rig.run(second.make_safe())
    assert second.state is DeviceState.ACTIVE


def test_unanswered_switch_is_unknown(rig: Rig) -> None:
    tap = rig.tap("supply")
    supply = opened(rig, tap.port, timeout_s=0.1, poll_s=60.0)
    tap.to_device = lambda data: b""
    with pytest.raises(NoAnswer, match="did not answer within"):
        rig.run(supply.output(True))
    assert supply.state is DeviceState.UNKNOWN
    tap.to_device = lambda data: data
    rig.run(supply.make_safe())
    assert supply.state is DeviceState.ACTIVE


def test_late_answer_is_never_the_next_ones(rig: Rig) -> None:
    tap = rig.tap("supply")
    supply = opened(rig, tap.port, timeout_s=0.1, poll_s=60.0)
    rig.until(lambda: bool(rig.topics("power.sample")), "the first poll")

    async def late() -> str:
        tap.hold_s = 0.15
        with pytest.raises(NoAnswer):
            await supply._ask("VOLT?")
        return (await supply._ask("*IDN?")).text

    assert rig.run(late()).startswith("Pilotbench,")


def test_silence_degrades_and_its_end_is_told(rig: Rig) -> None:
    tap = rig.tap("supply")
    supply = opened(rig, tap.port, timeout_s=0.1, poll_s=0.1)
    rig.until(lambda: bool(rig.topics("power.sample")), "the first poll")
    tap.to_device = lambda data: b""
    rig.until(lambda: supply.state is DeviceState.DEGRADED, "silence")
    tap.to_device = lambda data: data
    rig.until(lambda: supply.state is DeviceState.ACTIVE, "it answers again")
    assert [event for event in rig.topics("gap") if "did not answer" in event.data["why"]]
    assert not [event for event in rig.events if event.late]


def test_value_that_is_no_number_is_a_gap_and_no_sample(rig: Rig) -> None:
    tap = rig.tap("supply")
    tap.to_bench = lambda data: re.sub(rb"[+]0\.0+E\+00\n", b"9.91E37\n", data)
    supply = opened(rig, tap.port, poll_s=0.1)
    rig.until(lambda: supply.state is DeviceState.DEGRADED, "no number")
    assert not rig.topics("power.sample")


def test_other_commands_from_the_bench_file(rig: Rig) -> None:
    tap = rig.tap("supply")
    commands = {"voltage": "SOURCE:VOLTAGE:LEVEL {}", "off": "OUTPUT:STATE 0", "measure_power": "MEAS:POW?"}
    supply = opened(rig, tap.port, commands=commands, poll_s=0.1)
    rig.run(supply.set(230.0, 6.0))
    rig.run(supply.make_safe())
    rig.until(lambda: bool(rig.topics("power.sample")), "a poll")
    for text in (b"SOURCE:VOLTAGE:LEVEL 230.000\n", b"OUTPUT:STATE 0\n", b"MEAS:POW?\n"):
        assert text in tap.written


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"commands": {"voltages": "V {}"}}, "did you mean 'voltage'"),
        ({"commands": {"current": "CURR"}}, "needs one {}"),
        ({"commands": {"off": ""}}, "must not be empty"),
        ({"commands": {"off": "OUTP OFF\nOUTP ON"}}, "no line of printable ASCII"),
        ({"poll_s": 0.0}, r"outside 0.05\.\.60"),
        ({"parity": "X"}, "none of N, E, O"),
    ],
)
def test_what_cannot_be_is_said_before_it_is_opened(rig: Rig, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        rig.driver("supply.scpi", "/dev/null", **options)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_values_that_nobody_can_mean(rig: Rig, value: float) -> None:
    with pytest.raises(ConfigError, match="no value from 0 on"):
        rig.run(opened(rig).set(value, 1.0))


@pytest.mark.parametrize("kind", ["supply.scpi", "load.scpi"])
def test_emergency_recipe_switches_it_off(rig: Rig, kind: str) -> None:
    """The plain bytes of the recipe, written to the port, and its expectation held against what comes back."""
    device = kind.partition(".")[0]
    port = rig.twin.ready[device]
    driver = rig.driver(kind, port)
    rig.run(driver.open())
    rig.run(driver.output(True) if device == "supply" else driver.input(True))
    rig.run(driver.close())
    recipe = rig.driver(kind, port, name="never opened").emergency()
    (step,) = recipe.steps
    assert (recipe.reach, recipe.wire.address, step.phase, step.proves) == (
        "local",
        port,
        "supply" if device == "supply" else "request",
        "state",
    )
    import serial

    with serial.Serial(port, recipe.wire.baud, timeout=1) as wire:
        wire.write(bytes.fromhex(recipe.flush_hex) + b"OUT")  # half of a command that was cut
        wire.write(bytes.fromhex(recipe.flush_hex) + bytes.fromhex(step.send_hex))
        assert step.expect is not None
        assert re.search(step.expect, wire.readline().decode("latin-1"))
    assert told(rig, device)[-1][1] is False
