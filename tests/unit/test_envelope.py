"""The gate: what lies outside the envelope is refused, what leads to the safe state never."""

from __future__ import annotations

from typing import Any

import pytest
from pilotbench.bench.safety import Envelope, EnvelopeGate
from pilotbench.bench.timeline import ClosedGate, Event, Stamp, Stimulus
from pilotbench.errors import SafetyError

ENVELOPE = Envelope(
    current_a=16.0,
    phase_w=3680.0,
    power_w=11_040.0,
    contactor_cycles=3,
    min_off_s=1.0,
    fault_duration_s=10.0,
    faults=frozenset({"diode"}),
    pp_ohm=frozenset({220}),
    relays=frozenset({1}),
    csms_forbidden=frozenset({"UpdateFirmware"}),
)


class Clock:
    """A bench clock that the test moves."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def gate() -> tuple[EnvelopeGate, Clock]:
    clock = Clock()
    return EnvelopeGate(ENVELOPE, clock), clock


def stimulus(verb: str, device: str = "pilot", to_safe: bool = False, **args: Any) -> Stimulus:
    return Stimulus(device, verb, args, to_safe)


@pytest.mark.parametrize(
    ("wanted", "bound"),
    [
        (stimulus("ev.command", device="ev", max_current_a=16.1), "current"),
        (stimulus("faults", flags=["diode", "short0"]), "faults"),
        (stimulus("pp", ohm=100), "pp_ohm"),
        (stimulus("relay", n=2, on=True), "relays"),
        (stimulus("UpdateFirmware", device="csms"), "csms_forbidden"),
        (stimulus("SetChargingProfile", device="csms", limit_a=20), "current"),
        (
            stimulus(
                "SetChargingProfile",
                device="csms",
                csChargingProfiles={
                    "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.0}, {"startPeriod": 9, "limit": 32}],
                    }
                },
            ),
            "current",
        ),
        (stimulus("SetChargingProfile", device="csms", schedule={"chargingRateUnit": "W", "limit": 11041}), "current"),
        (stimulus("SetChargingProfile", device="csms", limit_a=6, max_limit_a=20), "current"),
        (stimulus("SetChargingProfile", device="csms", limit_w=4000, max_limit_w=11041), "current"),
        (stimulus("SetChargingProfile", device="csms", limit_w=11041), "current"),
        (stimulus("pp", device="csms", ohm=100), "pp_ohm"),
        (stimulus("burn", device="pilot"), "burn"),
    ],
)
def test_outside_the_envelope_is_refused_and_the_bound_is_named(wanted: Stimulus, bound: str) -> None:
    with pytest.raises(SafetyError, match=bound):
        gate()[0].permit(wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        stimulus("ev.command", device="ev", max_current_a=16.0, charge=True),
        stimulus("faults", flags=["diode"]),
        stimulus("pp", ohm=220),
        stimulus("pp", ohm=None),
        stimulus("relay", n=1, on=True),
        stimulus("token", id="04"),
        stimulus("SetChargingProfile", device="csms", limit_a=16),
        stimulus(
            "SetChargingProfile",
            device="csms",
            chargingSchedule={"chargingRateUnit": "W", "period": [{"limit": 11000}]},
        ),
    ],
)
def test_inside_the_envelope_passes(wanted: Stimulus) -> None:
    gate()[0].permit(wanted)


def test_s2_may_not_close_more_often_than_allowed() -> None:
    held, clock = gate()
    for _ in range(3):
        held.permit(stimulus("resistor", state="C"))
        held.permit(stimulus("resistor", state="B", to_safe=True))
        clock.pass_s(2)
    with pytest.raises(SafetyError, match="contactor_cycles"):
        held.permit(stimulus("resistor", state="C"))


def test_s2_may_not_close_again_too_soon() -> None:
    held, clock = gate()
    held.permit(stimulus("resistor", state="C"))
    held.permit(stimulus("resistor", state="B"))
    clock.pass_s(0.9)
    with pytest.raises(SafetyError, match="min_off"):
        held.permit(stimulus("resistor", state="C"))
    clock.pass_s(0.2)
    held.permit(stimulus("resistor", state="C"))


def test_going_from_c_to_d_is_no_new_cycle() -> None:
    held, _clock = gate()
    for state in ("C", "D", "C", "D", "C"):
        held.permit(stimulus("resistor", state=state))


def test_a_fault_that_stays_too_long_is_overdue_until_it_is_taken_back() -> None:
    held, clock = gate()
    held.permit(stimulus("faults", flags=["diode"]))
    clock.pass_s(10)
    assert not held.fault_overdue
    clock.pass_s(0.1)
    assert held.fault_overdue
    held.permit(stimulus("faults", flags=[], to_safe=True))
    assert held.fault_overdue  # asked for, and not acknowledged
    data = {"device": "pilot", "verb": "faults", "args": {"flags": []}}
    held.look(Event("stimulus", "pilot", 1, Stamp.host(clock.now_ns), data))
    assert not held.fault_overdue


def test_a_sealed_gate_lets_only_steps_to_the_safe_state_pass() -> None:
    held, _clock = gate()
    held.seal()
    with pytest.raises(SafetyError, match="being made safe"):
        held.permit(stimulus("resistor", state="B"))
    held.permit(stimulus("resistor", state="A", to_safe=True))


def test_a_driver_without_a_gate_is_read_only() -> None:
    closed = ClosedGate()
    with pytest.raises(SafetyError, match="read-only"):
        closed.permit(stimulus("resistor", state="C"))
    closed.permit(stimulus("resistor", state="A", to_safe=True))
