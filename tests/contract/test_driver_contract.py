"""What every driver owes the bench, tried on the twin's wires through a cable that can be cut."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

import pytest
import serial
from pilotbench.bench.timeline import ClosedGate, Stimulus
from pilotbench.drivers.base import DeviceState
from pilotbench.errors import ConfigError, DeviceError, DeviceLost, SafetyError

from driver_rig import WIRES, Rig
from wire_tap import SocketBridge

PATIENCE = {
    "pilot.line": {"hello_timeout_s": 0.5},
    "meter.modbus": {"timeout_s": 0.15},
    "ev.dbc": {"answer_timeout_s": 0.5},
    "ev.chademo": {"answer_timeout_s": 0.5},
    "pilot.ev_sim": {"report_timeout_s": 0.5},
    "token.line": {"hello_timeout_s": 0.5},
    "evse.rapi": {"open_timeout_s": 0.5},
    "supply.scpi": {"timeout_s": 0.15},
    "load.scpi": {"timeout_s": 0.15},
    "power.relay/modbus": {"timeout_s": 0.15},
    "power.relay/numato": {"timeout_s": 0.15},
}
"""A shorter wait for devices that will not answer."""

FIRST_EVENT = {
    "pilot.line": "cp.state",
    "pilot.ev_sim": "cp.state",
    "meter.modbus": "meter.sample",
    "ev.dbc": "ev.status",
    "ev.chademo": "ev.status",
    "token.line": "tick",
    "evse.rapi": "evse.monitor",
    "supply.scpi": "power.sample",
    "load.scpi": "power.sample",
    "power.relay/modbus": "relay.state",
    "power.relay/numato": "relay.state",
}


class RefusingGate:
    """Refuses everything that does not lead to the safe state."""

    def permit(self, stimulus: Stimulus) -> None:
        if not stimulus.to_safe:
            raise SafetyError(f"refused: {stimulus.verb}")


async def until(rig: Rig, driver: Any, state: DeviceState, timeout_s: float = 5.0) -> None:
    """Wait for a device state, past or to come."""
    if driver.state is not state:
        await rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == state and e.source == driver.name, timeout_s=timeout_s
        )


def test_opens_and_says_who_it_is(rig: Rig, kind: str) -> None:
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]])
    assert driver.state is DeviceState.IDLE
    rig.run(driver.open())
    assert driver.state is DeviceState.ACTIVE
    assert driver.alive
    assert driver.identity
    assert [event.data["state"] for event in rig.topics("device.state")] == ["ACTIVE"]
    rig.run(rig.timeline.wait_for(FIRST_EVENT[kind], timeout_s=2, since_ns=0))


def test_it_is_waited_for_from_its_opening_on(rig: Rig, kind: str) -> None:
    """Its first promise comes before anything that it observes, so that nobody hurries ahead of that."""
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]])
    rig.run(driver.open())
    rig.run(rig.timeline.wait_for(FIRST_EVENT[kind], timeout_s=2, since_ns=0))
    said = [event.topic for event in rig.events if event.source == driver.name and event.topic != "source"]
    assert said[0] == "tick"
    assert not [event for event in rig.events if event.late]


def test_second_opener_is_told_who_holds_the_port(rig: Rig, kind: str) -> None:
    port = rig.twin.ready[WIRES[kind]]
    rig.run(rig.driver(kind, port).open())
    other = rig.driver(kind, os.path.realpath(port), name="other")
    with pytest.raises(DeviceError, match=rf"in use by .*pid {os.getpid()}, since \d{{4}}-") as caught:
        rig.run(other.open())
    assert (caught.value.device, caught.value.port) == ("other", os.path.realpath(port))
    assert other.state is DeviceState.FAULTED


def test_opening_twice_is_refused_and_harms_nothing(rig: Rig, kind: str) -> None:
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]])
    rig.run(driver.open())
    with pytest.raises(DeviceError, match="open already"):
        rig.run(driver.open())
    assert driver.state is DeviceState.ACTIVE
    assert driver.alive


def test_port_of_a_program_that_uses_no_lock_file(rig: Rig, kind: str) -> None:
    port = rig.twin.ready[WIRES[kind]]
    with serial.Serial(port, exclusive=True), pytest.raises(DeviceError, match="in use by another program"):
        rig.run(rig.driver(kind, port).open())


def test_port_of_a_process_that_died_is_free(rig: Rig, kind: str) -> None:
    port = rig.twin.ready[WIRES[kind]]
    holder = (
        "import sys, pathlib; from pilotbench.drivers.ports import PortLock; "
        "lock = PortLock.take('x', sys.argv[1], pathlib.Path(sys.argv[2])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, port, str(rig.state_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(DeviceError, match=f"pid {process.pid}"):
            rig.run(rig.driver(kind, port).open())
        process.kill()
    rig.run(rig.driver(kind, port, name="second").open())


def test_missing_port_names_the_ports_there_are(rig: Rig, kind: str) -> None:
    there = rig.twin.ready[WIRES[kind]]
    missing = os.path.join(os.path.dirname(there), "nowhere")
    with pytest.raises(DeviceError, match="no such port") as caught:
        rig.run(rig.driver(kind, missing).open())
    assert missing in str(caught.value)
    assert there in str(caught.value)


def test_silent_port(rig: Rig, kind: str) -> None:
    tap = rig.tap("silent", device=None)
    driver = rig.driver(kind, tap.port, **PATIENCE[kind])
    with pytest.raises(DeviceError, match=r"no answer|does not answer") as caught:
        rig.run(driver.open())
    assert caught.value.received is None
    assert driver.state is DeviceState.FAULTED
    assert tap.written


def test_wrong_device_on_the_port(rig: Rig, kind: str) -> None:
    tap = rig.tap("wrong", device=None, answer=lambda data: b"login: \r\n")
    driver = rig.driver(kind, tap.port, **PATIENCE[kind])
    with pytest.raises(DeviceError, match="something answers") as caught:
        rig.run(driver.open())
    assert caught.value.received
    assert "login" in caught.value.received or "6c 6f 67 69 6e" in caught.value.received


def test_close_may_be_repeated_and_opening_again_works(rig: Rig, kind: str) -> None:
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]])
    rig.run(driver.close())
    for _ in range(3):
        rig.run(driver.open())
        assert driver.state is DeviceState.ACTIVE
        rig.run(driver.close())
        rig.run(driver.close())
        assert driver.state is DeviceState.IDLE
        assert not driver.alive
    assert not [event for event in rig.events if event.late]


def test_closed_driver_refuses(rig: Rig, kind: str) -> None:
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]])
    with pytest.raises(DeviceError, match="not open"):
        rig.run(driver.make_safe())


VERBS = [
    ("pilot.line", "resistor", lambda d: d.resistor("C"), b" R "),
    ("pilot.line", "faults", lambda d: d.faults(diode=True), b" F "),
    ("pilot.line", "pp", lambda d: d.pp(220), b" P "),
    ("pilot.line", "token", lambda d: d.token("04A2B3C4D5"), b" TOKEN "),
    ("pilot.line", "relay", lambda d: d.relay(1, True), b" RELAY "),
    ("pilot.ev_sim", "resistor", lambda d: d.resistor("C"), b"C"),
    ("token.line", "token", lambda d: d.token("04A2B3C4D5"), b" PRESENT ISO14443 04A2B3C4D5"),
    ("evse.rapi", "rapi", lambda d: d.command("sc 16 v"), b"$SC 16 V :"),
    ("supply.scpi", "supply.set", lambda d: d.set(230.0, 16.0), b"VOLT 230.000\n"),
    ("supply.scpi", "supply.output", lambda d: d.output(True), b"OUTP ON\n"),
    ("load.scpi", "load.set", lambda d: d.draw(6.0), b"CURR 6.000\n"),
    ("power.relay/modbus", "relay", lambda d: d.switch(1, True), b"\x03\x05\x00\x01\xff\x00"),
    ("power.relay/numato", "relay", lambda d: d.switch(1, True), b"relay on 1\r"),
    ("load.scpi", "load.input", lambda d: d.input(True), b"INP ON\n"),
    ("ev.dbc", "ev.command", lambda d: d.command(max_current_a=16.0, charge=True), b"t200840A0"),
    ("ev.chademo", "ev.command", lambda d: d.command(plugged=True, charge=True, max_current_a=16.0), b"t1028029A01"),
]


@pytest.mark.parametrize(("of", "verb", "call", "on_the_wire"), VERBS, ids=[verb for _, verb, _, _ in VERBS])
def test_gate_is_asked_before_a_byte_is_written(rig: Rig, of: str, verb: str, call: Any, on_the_wire: bytes) -> None:
    tap = rig.tap(WIRES[of])
    driver = rig.driver(of, tap.port, gate=RefusingGate())
    rig.run(driver.open())
    with pytest.raises(SafetyError, match=f"refused: {verb}"):
        rig.run(call(driver))
    rig.run(asyncio.sleep(0.25))  # two cycles of the EV's command: it must not creep in later
    assert on_the_wire not in tap.written
    assert not rig.topics("stimulus")


@pytest.mark.parametrize(("of", "verb", "call", "on_the_wire"), VERBS, ids=[verb for _, verb, _, _ in VERBS])
def test_permitted_verb_reaches_the_wire_and_is_recorded(
    rig: Rig, of: str, verb: str, call: Any, on_the_wire: bytes
) -> None:
    tap = rig.tap(WIRES[of])
    driver = rig.driver(of, tap.port)
    rig.run(driver.open())
    before_ns = time.monotonic_ns()
    rig.run(call(driver))
    assert rig.gate.asked[-1].verb == verb
    rig.until(lambda: on_the_wire in tap.written, "it is on the wire")  # CAN frames go out in the order of their cycle
    (event,) = rig.topics("stimulus")
    assert event.data["verb"] == verb
    assert event.data["args"] == rig.gate.asked[-1].args
    assert before_ns <= event.stamp.lo_ns <= event.stamp.hi_ns <= time.monotonic_ns()
    assert not event.late


def test_making_safe_may_be_repeated_and_needs_no_permission(rig: Rig, kind: str) -> None:
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]], gate=ClosedGate())
    rig.run(driver.open())
    rig.run(driver.make_safe())
    rig.run(driver.make_safe())
    assert driver.state is DeviceState.ACTIVE


def test_unplugged_is_told_and_hangs_nothing(rig: Rig, kind: str) -> None:
    tap = rig.tap(WIRES[kind])
    driver = rig.driver(kind, tap.port)
    rig.run(driver.open())
    rig.run(rig.timeline.wait_for(FIRST_EVENT[kind], timeout_s=2, since_ns=0))
    pulled_ns = time.monotonic_ns()
    tap.unplug()
    rig.run(until(rig, driver, DeviceState.FAULTED, 3.0))
    assert time.monotonic_ns() - pulled_ns < 1_000_000_000
    assert not driver.alive
    (gap,) = [event for event in rig.topics("gap") if "gone" in event.data["why"]]
    assert gap.data["from_ns"] <= pulled_ns <= gap.data["to_ns"]
    with pytest.raises(DeviceLost) as caught:
        rig.run(driver.make_safe(), 3.0)
    assert caught.value.port == tap.port
    rig.run(driver.close(), 3.0)
    assert driver.state is DeviceState.IDLE


def test_no_rule_waits_for_one_that_is_gone(rig: Rig, kind: str) -> None:
    """Its source goes on to promise that nothing older comes, and stops when it is closed."""
    tap = rig.tap(WIRES[kind])
    driver = rig.driver(kind, tap.port)
    rig.run(driver.open())
    tap.unplug()
    rig.run(until(rig, driver, DeviceState.FAULTED))
    gone_ns = time.monotonic_ns()
    rig.run(
        rig.timeline.wait_for(
            "tick", lambda e: e.source == driver.name and e.data["upto_ns"] > gone_ns + 10**8, timeout_s=3, since_ns=0
        )
    )
    rig.run(driver.close())
    last = rig.topics("tick")[-1]
    rig.run(asyncio.sleep(0.25))
    assert rig.topics("tick")[-1] == last


def test_plugged_in_again_it_opens_again(rig: Rig, kind: str) -> None:
    tap = rig.tap(WIRES[kind])
    driver = rig.driver(kind, tap.port)
    rig.run(driver.open())
    tap.unplug()
    rig.run(until(rig, driver, DeviceState.FAULTED))
    rig.run(driver.close())
    with pytest.raises(DeviceError, match="no such port"):
        rig.run(driver.open())
    tap.plug()
    rig.run(driver.open())
    assert driver.state is DeviceState.ACTIVE


def test_stamps_are_in_order_and_watermarks_are_kept(rig: Rig, kind: str) -> None:
    driver = rig.driver(kind, rig.twin.ready[WIRES[kind]])
    rig.run(driver.open())
    rig.run(rig.timeline.wait_for("tick", lambda e: e.data["upto_ns"] > 0, timeout_s=2, since_ns=rig.rested_ns))
    rig.run(asyncio.sleep(1.2))
    rig.run(driver.close())
    mine = [event for event in rig.events if event.source == driver.name]
    assert [event.seq for event in mine] == list(range(1, len(mine) + 1))
    orders = [event.stamp.order_ns for event in mine]
    assert orders == sorted(orders)
    assert all(event.stamp.lo_ns <= event.stamp.hi_ns <= event.stamp.order_ns for event in mine)
    assert not [event for event in mine if event.late]
    ticks = [event.data["upto_ns"] for event in mine if event.topic == "tick"]
    assert len(ticks) > 8
    assert max(b - a for a, b in pairwise(ticks)) < 1_000_000_000
    assert not [event.data for event in mine if event.topic == "gap"]


def test_the_same_over_a_socket(rig: Rig, kind: str) -> None:
    bridge = SocketBridge(rig.twin.ready[WIRES[kind]])
    driver = rig.driver(kind, bridge.url)
    rig.run(driver.open())
    rig.run(rig.timeline.wait_for(FIRST_EVENT[kind], timeout_s=2, since_ns=0))
    with pytest.raises(DeviceError, match=f"in use by .*pid {os.getpid()}"):
        rig.run(rig.driver(kind, bridge.url, name="other").open())
    rig.run(driver.make_safe())
    bridge.close()
    rig.run(until(rig, driver, DeviceState.FAULTED))
    rig.run(driver.close())


def test_unknown_kind_and_unknown_option_say_what_there_is(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'pilot\.line'"):
        rig.driver("pilot.lines", "/dev/null", name="x")
    with pytest.raises(ConfigError, match="unexpected option 'bauds'"):
        rig.driver("pilot.line", "/dev/null", bauds=9600)
