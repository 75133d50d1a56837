"""The gate on supplies, loads, relays and third-party verbs; each device counted apart; false claims of safety."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pilotbench.bench.safety import Envelope, EnvelopeGate
from pilotbench.bench.timeline import Stimulus, Timeline
from pilotbench.errors import SafetyError

ENVELOPE = Envelope(
    current_a=16.0,
    phase_w=3680.0,
    power_w=11_040.0,
    contactor_cycles=2,
    min_off_s=1.0,
    fault_duration_s=10.0,
    faults=frozenset({"diode"}),
    pp_ohm=frozenset({220}),
    relays=frozenset({7, "mains", "pe", "rcd"}),
    csms_forbidden=frozenset(),
    voltage_v=250.0,
    verbs=frozenset({"heater.on"}),
    rapi=frozenset({"one-time"}),
    duties={"board": {1: "mains", 2: "pe", 3: "rcd", 4: "dc-leak"}},
)


class Bench:
    """A gate with a clock that the test moves, and a timeline it looks at."""

    def __init__(self, envelope: Envelope = ENVELOPE) -> None:
        self.now_ns = 0
        self.gate = EnvelopeGate(envelope, lambda: self.now_ns)
        self.timeline = Timeline()
        self.timeline.subscribe(self.gate.look)

    def ask(self, device: str, verb: str, *, to_safe: bool = False, **args: Any) -> None:
        self.gate.permit(Stimulus(device, verb, args, to_safe))

    def done(self, device: str, verb: str, *, to_safe: bool = False, **args: Any) -> None:
        self.ask(device, verb, to_safe=to_safe, **args)
        self.timeline.source(device).note("stimulus", {"device": device, "verb": verb, "args": args})

    def refuses(self, match: str, device: str, verb: str, *, to_safe: bool = False, **args: Any) -> None:
        with pytest.raises(SafetyError, match=match):
            self.ask(device, verb, to_safe=to_safe, **args)

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.mark.parametrize(
    ("match", "verb", "args"),
    [
        ("voltage = 250", "supply.set", {"voltage_v": 251, "current_a": 1}),
        ("current = 16", "supply.set", {"voltage_v": 230, "current_a": 16.1}),
        ("voltage", "supply.set", {"voltage_v": -251.0, "current_a": 1}),
        ("voltage", "supply.set", {"voltage_v": float("nan"), "current_a": 1}),
        ("voltage", "supply.set", {"voltage_v": "230", "current_a": 1}),
        ("current", "supply.set", {"voltage_v": 230}),
        ("current", "load.set", {"current_a": 17}),
        ("current", "load.set", {}),
        ("current", "ev.command", {"max_current_a": float("inf")}),
        ("current", "ev.command", {"max_current_a": True}),
        ("voltage", "ev.command", {"max_current_a": 6.0, "voltage_v": 400.0}),
        ("rapi = ", "rapi", {"command": "FF D 0", "group": "safety"}),
        ("rapi = ", "rapi", {"command": "FF D 0"}),
        ("knows no bound for the verb 'heater.off'", "heater.off", {}),
        ("knows no bound", "supply.boost", {"voltage_v": 1}),
        ("relays = ", "relay", {"n": 8, "on": True}),
        ("relays = ", "relay", {"n": 7, "on": True, "duty": "dc-leak"}),
    ],
)
def test_outside_the_envelope_is_refused(match: str, verb: str, args: dict[str, Any]) -> None:
    Bench().refuses(match, "dev", verb, **args)


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("supply.set", {"voltage_v": 250, "current_a": 16}),
        ("supply.output", {"on": True}),
        ("load.set", {"current_a": 16}),
        ("load.input", {"on": True}),
        ("relay", {"n": 7, "on": True}),
        ("relay", {"n": 9, "on": True, "duty": "rcd"}),
        ("rapi", {"command": "GV", "group": "plain"}),
        ("rapi", {"command": "SL 2", "group": "one-time"}),
        ("heater.on", {"watts": 5000}),
    ],
)
def test_inside_the_envelope_passes(verb: str, args: dict[str, Any]) -> None:
    Bench().ask("dev", verb, **args)


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("resistor", {"state": "C"}),
        ("resistor", {"state": "D"}),
        ("faults", {"flags": ["diode"]}),
        ("pp", {"ohm": 220}),
        ("ev.command", {"max_current_a": 1.0}),
        ("ev.command", {"charge": True}),
        ("supply.output", {"on": True}),
        ("supply.set", {"voltage_v": 24, "current_a": 0}),
        ("load.input", {"on": True}),
        ("relay", {"n": 1, "on": True, "duty": "mains"}),
        ("relay", {"n": 2, "on": False, "duty": "pe"}),
        ("relay", {"n": 3, "on": True, "duty": "rcd"}),
        ("token", {"id": "04"}),
    ],
)
def test_a_false_claim_to_lead_to_safety_opens_no_sealed_gate(verb: str, args: dict[str, Any]) -> None:
    bench = Bench()
    bench.gate.seal()
    bench.refuses("made safe", "board", verb, to_safe=True, **args)


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("resistor", {"state": "A"}),
        ("faults", {"flags": []}),
        ("pp", {"ohm": None}),
        ("ev.command", {"plugged": False, "s2_closed": False, "max_current_a": 0.0, "charge": False}),
        ("supply.output", {"on": False}),
        ("load.input", {"on": False}),
        ("relay", {"n": 1, "on": False, "duty": "mains"}),
        ("relay", {"n": 2, "on": True, "duty": "pe"}),
        ("relay", {"n": 3, "on": False, "duty": "rcd"}),
        ("someone.elses", {}),
    ],
)
def test_what_leads_to_safety_passes_a_sealed_gate(verb: str, args: dict[str, Any]) -> None:
    bench = Bench()
    bench.gate.seal()
    bench.ask("board", verb, to_safe=True, **args)


def test_two_pilots_are_counted_apart() -> None:
    bench = Bench()
    for _ in range(2):
        bench.ask("left", "resistor", state="C")
        bench.ask("left", "resistor", state="B", to_safe=True)
        bench.ask("right", "resistor", state="C")
        bench.ask("right", "resistor", state="B", to_safe=True)
        bench.pass_s(2)
    bench.refuses("contactor_cycles", "left", "resistor", state="C")
    bench.refuses("contactor_cycles", "right", "resistor", state="C")
    bench.ask("third", "resistor", state="C")


def test_one_pilot_that_closed_opens_no_way_for_the_other() -> None:
    """S2 of one outlet closed must not make the other's closing look like no closing at all."""
    bench = Bench(msgspec.structs.replace(ENVELOPE, contactor_cycles=1))
    bench.ask("left", "resistor", state="C")
    bench.ask("right", "resistor", state="C")
    bench.ask("right", "resistor", state="B", to_safe=True)
    bench.refuses("contactor_cycles", "right", "resistor", state="C")


def test_minimum_off_time_is_of_the_device_and_of_supplies_too() -> None:
    bench = Bench()
    for device, verb, on, off in (
        ("pilot", "resistor", {"state": "C"}, {"state": "B"}),
        ("supply", "supply.output", {"on": True}, {"on": False}),
        ("board", "relay", {"n": 1, "on": True, "duty": "mains"}, {"n": 1, "on": False, "duty": "mains"}),
    ):
        bench.ask(device, verb, **on)
        bench.ask(device, verb, to_safe=True, **off)
        bench.pass_s(0.9)
        bench.refuses("min_off", device, verb, **on)
        bench.pass_s(0.2)
        bench.ask(device, verb, **on)


def test_a_fault_of_one_device_is_not_ended_by_another() -> None:
    bench = Bench()
    bench.ask("left", "faults", flags=["diode"])
    bench.ask("right", "faults", flags=[], to_safe=True)
    bench.ask("board", "relay", n=3, on=True, duty="rcd")
    bench.pass_s(10.1)
    assert bench.gate.overdue_devices == ["board", "left"]
    bench.done("left", "faults", flags=[], to_safe=True)
    bench.ask("board", "relay", n=3, on=False, duty="rcd", to_safe=True)
    assert bench.gate.overdue_devices == ["board"]  # asked for, and not acknowledged
    bench.done("board", "relay", n=3, on=False, duty="rcd", to_safe=True)
    assert not bench.gate.fault_overdue


def test_a_fault_that_is_set_again_is_not_younger() -> None:
    bench = Bench()
    for _ in range(3):
        bench.ask("left", "faults", flags=["diode"])
        bench.pass_s(4)
    assert bench.gate.overdue_devices == ["left"]


def test_pe_is_switched_only_with_the_supply_off() -> None:
    bench = Bench()
    opening = {"n": 2, "on": False, "duty": "pe"}
    bench.refuses("nothing on this bench has switched", "board", "relay", **opening)
    bench.done("board", "relay", n=1, on=True, duty="mains")
    bench.refuses(r"supply is on \(board relay 1\)", "board", "relay", **opening)
    bench.ask("board", "relay", n=1, on=False, duty="mains", to_safe=True)
    bench.refuses("supply is on", "board", "relay", **opening)  # permitted is not done
    bench.done("board", "relay", n=1, on=False, duty="mains", to_safe=True)
    bench.ask("board", "relay", **opening)
    bench.refuses("min_off", "board", "relay", n=1, on=True, duty="mains")


def test_pe_stays_while_a_second_supply_is_on_or_the_outlet_is_live() -> None:
    bench = Bench()
    opening = {"n": 2, "on": False, "duty": "pe"}
    bench.done("board", "relay", n=1, on=False, duty="mains", to_safe=True)
    bench.ask("psu", "supply.output", on=True)
    bench.refuses(r"supply is on \(psu output\)", "board", "relay", **opening)
    bench.done("psu", "supply.output", on=False, to_safe=True)
    bench.timeline.source("pilot").note("output", {"live": True})
    bench.refuses("the outlet is live", "board", "relay", **opening)
    bench.timeline.source("pilot").note("output", {"live": False})
    bench.ask("board", "relay", **opening)


def test_what_a_relay_switches_is_said_by_the_bench_file() -> None:
    bench = Bench()
    bench.refuses(
        "says that relay 2 switches 'aux', and the bench file says 'pe'", "board", "relay", n=2, on=False, duty="aux"
    )
    bench.refuses("nothing on this bench has switched", "board", "relay", n=2, on=False)  # the driver says nothing
    bench.refuses("relays = ", "board", "relay", n=4, on=True)
    numbers = Bench(msgspec.structs.replace(ENVELOPE, relays=frozenset({1, 2, 3, 4})))
    numbers.ask("board", "relay", n=1, on=True)
    for risky in (2, 3, 4):
        numbers.refuses("relays = ", "board", "relay", n=risky, on=risky != 2)


def test_idle_means_nothing_that_was_let_pass_is_still_on() -> None:
    bench = Bench()
    assert bench.gate.idle
    for device, verb, on, off in (
        ("pilot", "resistor", {"state": "B"}, {"state": "A"}),
        ("pilot", "faults", {"flags": ["diode"]}, {"flags": []}),
        ("psu", "supply.output", {"on": True}, {"on": False}),
    ):
        bench.ask(device, verb, **on)
        assert not bench.gate.idle
        bench.done(device, verb, to_safe=True, **off)
        assert bench.gate.idle


def test_a_held_gate_lets_only_reading_and_safety_pass() -> None:
    gate = EnvelopeGate(ENVELOPE, lambda: 0, held="the emergency stop has not reported")
    with pytest.raises(SafetyError, match="has not reported"):
        gate.permit(Stimulus("pilot", "resistor", {"state": "B"}))
    with pytest.raises(SafetyError, match="has not reported"):
        gate.permit(Stimulus("csms", "RemoteStartTransaction", {}))
    gate.permit(Stimulus("pilot", "resistor", {"state": "A"}, True))
    gate.permit(Stimulus("csms", "GetConfiguration", {}))
    gate.held = ""
    gate.permit(Stimulus("pilot", "resistor", {"state": "B"}))
