"""A person's permission: until when, for whom and for what it holds; and that no wall clock makes it longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pilotbench.bench.safety import Envelope, EnvelopeGate
from pilotbench.bench.safety.arming import Arming, ArmToken, Boot, token_path, tokens_in
from pilotbench.bench.timeline import Stimulus
from pilotbench.errors import SafetyError

NONE: frozenset[str] = frozenset()
HOUR_NS = 3600 * 10**9

TOKEN = ArmToken(
    bench="lab",
    file="/lab.toml",
    digest="d1",
    user="ada",
    uid=os.getuid(),
    host="here",
    since="2026-01-01T08:00:00+00:00",
    until="2026-01-01T09:00:00+00:00",
    boot_id="boot-1",
    since_ns=HOUR_NS,
    until_ns=2 * HOUR_NS,
    faults=("diode",),
    csms=("reset",),
)


class Bench:
    """The permission of one bench, and the clocks of the machine it was given on."""

    def __init__(self, folder: Path) -> None:
        self.path = token_path(folder, Path("/lab.toml"))
        self.path.parent.mkdir()
        self.boot = Boot("boot-1", HOUR_NS + 1)
        self.arming = Arming(self.path, "d1", "pilotbench arm", lambda: self.boot, "here")

    def write(self, token: ArmToken = TOKEN, mode: int = 0o600, **changed: Any) -> None:
        self.path.unlink(missing_ok=True)
        self.path.touch(mode=mode)
        self.path.write_bytes(msgspec.json.encode(msgspec.structs.replace(token, **changed)))

    def why(self) -> str:
        return self.arming.refusal((NONE, NONE))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_holds_while_everything_is_as_it_was(bench: Bench) -> None:
    assert "nobody armed it" in bench.why()
    bench.write()
    assert bench.why() == ""
    bench.boot = Boot("boot-1", 2 * HOUR_NS - 1)
    assert bench.why() == ""
    bench.boot = Boot("boot-1", 2 * HOUR_NS)
    assert "expired" in bench.why()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"digest": "d2"}, "was changed since it was armed"),
        ({"uid": os.getuid() + 1}, "armed by ada on here"),
        ({"host": "there"}, "armed by ada on there"),
        ({"boot_id": "boot-0"}, "started again"),
        ({"since_ns": HOUR_NS + 2}, "expired"),  # of another clock than this one
        # The wall clock in it is for people: neither a later time there nor a clock that was set back counts.
        ({"until": "2099-01-01T00:00:00+00:00", "until_ns": HOUR_NS}, "expired"),
    ],
)
def test_it_does_not_hold(bench: Bench, changed: dict[str, Any], why: str) -> None:
    bench.write(**changed)
    assert why in bench.why()


def _readable(bench: Bench) -> None:
    bench.write(mode=0o644)


def _link(bench: Bench) -> None:
    other = bench.path.with_name("other.json")
    bench.write()
    bench.path.rename(other)
    bench.path.symlink_to(other)


def _folder(bench: Bench) -> None:
    bench.path.mkdir()


def _cut(bench: Bench) -> None:
    bench.write()
    bench.path.write_bytes(bench.path.read_bytes()[:-20])


def _more(bench: Bench) -> None:
    bench.write()
    bench.path.write_bytes(bench.path.read_bytes()[:-1] + b',"unlimited":true}')


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_readable, "not this user's alone"),
        (_link, "cannot be read"),
        (_folder, "not this user's alone"),
        (_cut, "cannot be read"),
        (_more, "cannot be read"),
    ],
)
def test_a_file_that_is_not_as_it_was_written_permits_nothing(
    bench: Bench, spoil: Callable[[Bench], None], why: str
) -> None:
    spoil(bench)
    assert why in bench.why()


def test_what_was_not_named_is_not_permitted_and_the_command_for_it_is_told(bench: Bench) -> None:
    bench.write()
    assert bench.arming.refusal((frozenset({"diode"}), frozenset({"reset"}))) == ""
    told = bench.arming.refusal((frozenset({"rcd", "diode"}), NONE))
    assert "not for rcd" in told
    assert "--faults diode,rcd --csms reset" in told
    assert "not for firmware" in bench.arming.refusal((NONE, frozenset({"firmware"})))


def test_once_ended_only_a_person_begins_it_again(bench: Bench) -> None:
    bench.write()
    bench.arming.end("the emergency stop is pressed")
    assert "emergency stop is pressed" in bench.why()
    assert not bench.path.exists()
    again = Arming(bench.path, "d1", "pilotbench arm", lambda: bench.boot, "here")
    assert "nobody armed it" in again.refusal((NONE, NONE))


def test_every_stimulus_asks_anew(bench: Bench) -> None:
    envelope = Envelope(
        current_a=16,
        phase_w=3680,
        power_w=11_040,
        contactor_cycles=9,
        min_off_s=0,
        fault_duration_s=10,
        faults=frozenset({"diode", "open"}),
        pp_ohm=frozenset({220}),
        relays=frozenset({"mains", "rcd"}),
        csms_forbidden=frozenset(),
        csms_allowed=frozenset({"reset", "firmware"}),
        verbs=frozenset({"heater.on"}),
        rapi=frozenset({"safety"}),
    )
    gate = EnvelopeGate(envelope, permission=bench.arming)

    def refused(device: str, verb: str, **args: Any) -> bool:
        try:
            gate.permit(Stimulus(device, verb, args))
        except SafetyError:
            return True
        return False

    energising: list[tuple[str, str, dict[str, Any]]] = [
        ("pilot", "resistor", {"state": "B"}),
        ("pilot", "resistor", {"state": "C"}),
        ("pilot", "pp", {"ohm": 220}),
        ("pilot", "token", {"id": "04"}),
        ("ev", "ev.command", {"max_current_a": 6.0}),
        ("psu", "supply.output", {"on": True}),
        ("psu", "supply.set", {"voltage_v": 230, "current_a": 16}),
        ("board", "relay", {"n": 1, "on": True, "duty": "mains"}),
        ("oven", "heater.on", {}),
        ("csms", "RemoteStartTransaction", {}),
        ("csms", "DataTransfer", {}),
    ]
    for device, verb, args in energising:
        assert refused(device, verb, **args), verb
    assert not refused("csms", "GetConfiguration")
    gate.permit(Stimulus("pilot", "resistor", {"state": "A"}, True))
    bench.write()
    for device, verb, args in energising:
        assert not refused(device, verb, **args), verb
    assert not refused("pilot", "faults", flags=["diode"])
    assert not refused("csms", "Reset", type="Hard")
    assert refused("pilot", "faults", flags=["diode", "open"])
    assert refused("board", "relay", n=3, on=True, duty="rcd")
    assert refused("evse", "rapi", command="FF D 0", group="safety")
    assert refused("csms", "UpdateFirmware")
    bench.write(faults=("diode", "open", "rcd", "rapi-safety"))
    assert not refused("pilot", "faults", flags=["diode", "open"])
    assert not refused("board", "relay", n=3, on=True, duty="rcd")
    assert not refused("evse", "rapi", command="FF D 0", group="safety")
    bench.path.unlink()
    for device, verb, args in energising:
        assert refused(device, verb, **args), verb


def test_what_is_armed_is_listed(bench: Bench, tmp_path: Path) -> None:
    assert tokens_in(tmp_path) == []
    bench.write()
    bench.path.with_name("bench-x.json").write_text("{")
    assert tokens_in(tmp_path) == [TOKEN]
