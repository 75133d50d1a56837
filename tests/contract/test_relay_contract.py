"""Relay boards: duties, inverted wiring, read-back or none, PE with the supply off only, and the truth of the twin."""

from __future__ import annotations

import re
import socket
import time
from typing import Any

import pytest
import serial
from pilotbench.drivers.base import DeviceState
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import RELAYS, Rig

BOARDS = ["modbus", "numato", "lcus"]


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """What the relays are for hangs on them here."""
    wired = {"relays": {str(number): duty for number, duty in RELAYS.items()}, "inverted": [2]}
    rig.devices = {f"relays_{board}": {"kind": f"relay.{board}", **wired} for board in BOARDS}
    rig.devices["relays_modbus"]["unit"] = 3
    return rig


def opened(rig: Rig, board: str, port: str | None = None, **options: Any) -> Any:
    driver = rig.driver(f"power.relay/{board}", port or rig.twin.ready[f"relays_{board}"], **options)
    rig.run(driver.open())
    return driver


def break_(rig: Rig, name: str, board: str, on: bool = True) -> None:
    rig.twin.control(type="fault", name=name, on=on, device=f"relays_{board}")
    rig.twin.wait("fault")


def switched(rig: Rig, board: str) -> list[tuple[str, bool, bool]]:
    """Duty, on, and current in the coil, by the emulator's own log."""
    device = f"relays_{board}"
    return [
        (entry["duty"], entry["on"], entry["coil"])
        for entry in rig.twin.truth()
        if entry.get("device") == device and "relay" in entry
    ]


def facts(rig: Rig, name: str) -> list[Any]:
    return [entry["value"] for entry in rig.twin.truth() if entry.get("fact") == name]


def test_each_duty_acts_on_the_model(rig: Rig, board: str) -> None:
    driver = opened(rig, board)
    others = [other for other in BOARDS if other != board]
    for other in others:
        rig.run(opened(rig, other, name=f"other {other}").make_safe())  # their mains relays are off, too

    async def play() -> None:
        await driver.make_safe()
        for n, on in ((2, False), (2, True), (3, True), (3, False), (4, True), (4, False), (5, True)):
            await driver.switch(n, on)

    rig.run(play())
    rig.until(lambda: len(switched(rig, board)) >= 11, "the board did it all")
    assert switched(rig, board) == [
        ("rcd", False, False),
        ("dc-leak", False, False),
        ("mains", False, False),
        ("pe", True, False),
        ("pe", False, True),
        ("pe", True, False),
        ("rcd", True, True),
        ("rcd", False, False),
        ("dc-leak", True, True),
        ("dc-leak", False, False),
        ("aux", True, True),
    ]
    assert facts(rig, "pe")[-2:] == [False, True]
    assert [34.0, 0.0] in facts(rig, "leak")
    assert [0.0, 8.0] in facts(rig, "leak")
    assert driver.state is DeviceState.ACTIVE


def test_state_of_a_relay_says_whether_anybody_saw_it(rig: Rig, board: str) -> None:
    driver = opened(rig, board)
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    mains = [event.data for event in rig.topics("relay.state") if event.data["duty"] == "mains"]
    assert mains[-1] == {"n": 1, "duty": "mains", "on": True, "observed": board != "lcus"}
    assert mains[0]["on"] is False
    assert len(mains) == 2, "it is told on change only"


def test_only_steps_towards_safety_are_marked_so(rig: Rig, board: str) -> None:
    driver = opened(rig, board)
    rig.run(driver.make_safe())
    rig.gate.asked.clear()

    async def play() -> None:
        for n in (1, 3, 4, 5):
            await driver.switch(n, True)
            await driver.switch(n, False)
        await driver.switch(2, False)
        await driver.switch(2, True)

    rig.run(play())
    claims = [(asked.args["duty"], asked.args["on"]) for asked in rig.gate.asked if asked.to_safe]
    assert claims == [("mains", False), ("rcd", False), ("dc-leak", False)]
    assert {asked.verb for asked in rig.gate.asked} == {"relay"}


def test_board_that_answers_nothing_is_unknown_until_made_safe(rig: Rig) -> None:
    driver = opened(rig, "lcus")
    assert driver.state is DeviceState.UNKNOWN
    assert not rig.topics("relay.state")
    with pytest.raises(DeviceError, match="Make it safe first"):
        rig.run(driver.switch(1, True))
    rig.run(driver.make_safe())
    assert driver.state is DeviceState.ACTIVE
    assert "commanded, not observed" in rig.topics("device.state")[-1].data["why"]


def test_board_that_answers_nothing_comes_back_and_is_made_safe(rig: Rig) -> None:
    tap = rig.tap("relays_lcus")
    driver = opened(rig, "lcus", tap.port)
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    tap.unplug()
    rig.until(lambda: driver.gone, "it is missed")
    tap.written = b""
    tap.plug()
    rig.until(lambda: driver.state is DeviceState.ACTIVE, "it is back")
    assert tap.written == b"\xa0\x03\x00\xa3\xa0\x04\x00\xa4\xa0\x01\x00\xa1\xa0\x02\x00\xa2"
    rig.run(driver.close())


@pytest.mark.parametrize("observing", ["modbus", "numato"])
def test_contact_that_does_not_follow_is_found_by_reading_back(rig: Rig, observing: str) -> None:
    driver = opened(rig, observing)
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    break_(rig, "stuck", observing)
    with pytest.raises(DeviceError, match=r"PE left as it is|reads back the opposite") as caught:
        rig.run(driver.make_safe())
    assert "relay 1 (mains)" in str(caught.value)
    assert driver.state is DeviceState.UNKNOWN
    break_(rig, "stuck", observing, on=False)
    rig.run(driver.make_safe())
    assert driver.state is DeviceState.ACTIVE


@pytest.mark.parametrize("observing", ["modbus", "numato"])
def test_relay_that_falls_off_by_itself_is_noticed(rig: Rig, observing: str) -> None:
    driver = opened(rig, observing, poll_s=0.1)
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    break_(rig, "reset", observing)
    rig.until(lambda: driver.state is DeviceState.UNKNOWN, "it fell off")
    assert "relay 1 (mains) off, and not by the bench" in rig.topics("device.state")[-1].data["why"]


def test_earth_stays_open_while_the_mains_relay_does_not_go_off(rig: Rig) -> None:
    driver = opened(rig, "modbus")
    rig.run(driver.make_safe())
    rig.run(driver.switch(2, False))
    rig.run(driver.switch(1, True))
    break_(rig, "stuck", "modbus")
    with pytest.raises(DeviceError, match="PE left as it is"):
        rig.run(driver.make_safe())
    assert ("pe", True, False) not in switched(rig, "modbus")[-3:]


def test_board_without_a_mains_relay_does_not_close_earth_when_it_comes_back(rig: Rig) -> None:
    """Whether the supply is off, another device knows; whoever makes the bench safe calls it after that."""
    tap = rig.tap("relays_modbus")
    driver = opened(rig, "modbus", tap.port, relays={2: "pe"})
    rig.run(driver.make_safe())
    rig.run(driver.switch(2, False))
    tap.unplug()
    rig.until(lambda: driver.gone, "it is missed")
    tap.plug()
    rig.until(lambda: "could not be made safe" in rig.topics("device.state")[-1].data["why"], "it is back")
    assert driver.state is DeviceState.UNKNOWN
    assert switched(rig, "modbus")[-1] == ("pe", False, True)
    rig.run(driver.make_safe())
    assert switched(rig, "modbus")[-1] == ("pe", True, False)


def test_unanswered_switch_is_unknown(rig: Rig) -> None:
    for board in ("modbus", "numato"):
        tap = rig.tap(f"relays_{board}")
        driver = opened(rig, board, tap.port, timeout_s=0.1, poll_s=60.0)
        rig.run(driver.make_safe())
        tap.to_device = lambda data: b""
        with pytest.raises(DeviceError, match=r"no answer within|did not answer within"):
            rig.run(driver.switch(1, True))
        assert driver.state is DeviceState.UNKNOWN
        tap.to_device = lambda data: data
        rig.run(driver.make_safe())
        assert driver.state is DeviceState.ACTIVE


def test_several_coils_with_one_function(rig: Rig) -> None:
    tap = rig.tap("relays_modbus")
    driver = opened(rig, "modbus", tap.port, write_several=True)
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    assert b"\x03\x0f\x00\x01\x00\x01\x01\x01" in tap.written
    assert rig.topics("relay.state")[-1].data["on"] is True


def test_modbus_tcp(rig: Rig) -> None:
    rig.devices = {"relays_modbus": {"kind": "relay.modbus", "wire": "tcp", "relays": {"1": "mains"}}}
    driver = opened(rig, "modbus", unit=1, relays={1: "mains"}, inverted=[])
    assert rig.twin.ready["relays_modbus"].startswith("tcp://")
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    assert switched(rig, "modbus") == [("mains", False, False), ("mains", True, True)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"relays": {}}, "relays is empty"),
        ({"relays": {1: "main"}}, "did you mean 'mains'"),
        ({"board": "lcus", "relays": {0: "mains"}}, r"relay 0 is outside 1\.\.16"),
        ({"inverted": [9]}, r"no duty: \[9\]"),
        ({"board": "numatos"}, "did you mean 'numato'"),
        ({"unit": 0}, r"outside 1\.\.247"),
        ({"poll_s": 0}, r"outside 0\.05\.\.60"),
    ],
)
def test_what_cannot_be_is_said_before_it_is_opened(rig: Rig, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        rig.driver("power.relay/modbus", "/dev/null", **{"inverted": [], **options})


def test_relay_without_a_duty_is_refused(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="7 is none of them"):
        rig.run(opened(rig, "modbus").switch(7, True))


def test_emergency_recipe_opens_the_mains_and_closes_earth_last(rig: Rig, board: str) -> None:
    """The plain bytes of the recipe, written to the port, and each expectation held against what comes back."""
    port = rig.twin.ready[f"relays_{board}"]
    driver = opened(rig, board)
    rig.run(driver.make_safe())
    for n in (1, 3, 4):
        rig.run(driver.switch(n, True))
    rig.run(driver.close())
    recipe = rig.driver(f"power.relay/{board}", port, name="never opened").emergency()
    each = [("supply", False), ("faults", False), ("faults", False), ("faults", True)]
    checked = 2 if board == "modbus" else 1  # the echo of a write does not say that the coil follows
    assert [(step.phase, step.supply_off) for step in recipe.steps] == [entry for entry in each for _ in range(checked)]
    assert [step.proves for step in recipe.steps if step.proves] == ["state"] * (0 if board == "lcus" else 4)
    before = len(switched(rig, board))
    with serial.Serial(port, recipe.wire.baud, timeout=0.02) as wire:
        for step in recipe.steps:
            wire.write(bytes.fromhex(step.send_hex))
            came = b""
            for _ in range(50 if step.expect else 0):
                came += wire.read(64)
                if step.expect and re.search(step.expect, came.decode("latin-1"), re.DOTALL):
                    break
            else:
                assert step.expect is None, came
                assert "not observed" in step.note
        rig.until(lambda: len(switched(rig, board)) == before + 4, "the board did it all")
    assert [(duty, on) for duty, on, _ in switched(rig, board)[before:]] == [
        ("mains", False),
        ("rcd", False),
        ("dc-leak", False),
        ("pe", True),
    ]


def test_emergency_recipe_finds_a_relay_that_does_not_follow(rig: Rig) -> None:
    """It takes the command and echoes it, as a board does whose contact is welded."""
    driver = opened(rig, "modbus")
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    rig.run(driver.close())
    break_(rig, "stuck", "modbus")
    write, read, *_ = driver.emergency().steps
    with serial.Serial(rig.twin.ready["relays_modbus"], 9600, timeout=0.3) as wire:
        for step, proven in ((write, True), (read, False)):
            wire.write(bytes.fromhex(step.send_hex))
            came = wire.read(64).decode("latin-1")
            assert came
            assert bool(re.search(step.expect, came, re.DOTALL)) is proven


def test_emergency_recipe_on_modbus_tcp(rig: Rig) -> None:
    rig.devices = {"relays_modbus": {"kind": "relay.modbus", "wire": "tcp", "relays": {"1": "mains"}}}
    port = rig.twin.ready["relays_modbus"]
    steps = rig.driver("power.relay/modbus", port, unit=1, relays={1: "mains"}, inverted=[]).emergency().steps
    host, _, number = port.partition("://")[2].rpartition(":")
    with socket.create_connection((host, int(number)), timeout=2) as wire:
        for step in steps:
            wire.sendall(bytes.fromhex(step.send_hex))
            assert re.search(step.expect, wire.recv(64).decode("latin-1"), re.DOTALL)
    assert [step.note for step in steps] == ["mains relay 1 off", "mains relay 1 off, read back"]
    assert switched(rig, "modbus") == [("mains", False, False)]


def test_aux_relays_alone_have_no_emergency(rig: Rig) -> None:
    assert rig.driver("power.relay/modbus", "/dev/null", relays={5: "aux"}, inverted=[]).emergency() is None
    assert set(RELAYS.values()) == {"mains", "pe", "rcd", "dc-leak", "aux"}


def test_contact_of_the_emergency_stop_at_an_input(rig: Rig) -> None:
    rig.devices["relays_modbus"]["estop_input"] = 2
    driver = opened(rig, "modbus", e_stop_input=2, timeout_s=0.1)
    assert [event.data["tripped"] for event in rig.topics("estop")] == [False], "told as soon as it is open"
    before_ns = time.monotonic_ns()
    break_(rig, "e-stop", "modbus")
    pressed_ns = time.monotonic_ns()
    pressed = rig.run(rig.timeline.wait_for("estop", lambda e: e.data["tripped"], timeout_s=2, since_ns=before_ns))
    assert (pressed.data["input"], pressed.data["why"]) == ("2", "its contact is open")
    assert pressed.stamp.lo_ns <= pressed_ns
    assert before_ns <= pressed.stamp.hi_ns
    break_(rig, "e-stop", "modbus", on=False)
    rig.until(lambda: not rig.topics("estop")[-1].data["tripped"], "released")
    break_(rig, "deaf", "modbus")
    rig.until(lambda: rig.topics("estop")[-1].data["tripped"], "what cannot be read reads as pressed")
    assert "not read for" in rig.topics("estop")[-1].data["why"]
    break_(rig, "deaf", "modbus", on=False)
    rig.until(lambda: not rig.topics("estop")[-1].data["tripped"], "read again")
    rig.run(driver.close())


def test_input_that_the_board_does_not_have_and_boards_without_any(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="illegal data address"):
        opened(rig, "modbus", e_stop_input=99)
    with pytest.raises(ConfigError, match="numato board has no input"):
        rig.driver("power.relay/numato", "/dev/null", e_stop_input=0)
