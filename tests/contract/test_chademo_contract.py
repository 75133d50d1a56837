"""The vehicle's side of CHAdeMO against an emulated charger: its sequence, and how a charger may misbehave."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.ev.chademo_frames import Traits
from pilotbench.errors import DeviceError

from driver_rig import Rig
from twin_client import TwinProcess

STATE = re.compile(rb"t1028([0-9A-F]{16})\r")
OUTPUT = re.compile(rb"t1098[0-9A-F]+\r")


class Bench:
    """A rig whose twin has one charger."""

    def __init__(self, rig: Rig, twin: Callable[..., TwinProcess]) -> None:
        self.rig = rig
        self._start = twin
        self.driver: Any = None

    def charger(self, **settings: Any) -> TwinProcess:
        twin = self._start(devices={"dc": {"kind": "ev.chademo", **settings}})
        self.rig.use(twin)
        return twin

    def open(self, **options: Any) -> Any:
        port = options.pop("port", self.rig.twin.ready["dc"])
        self.driver = self.rig.driver("ev.chademo", port, name="car", **options)
        self.rig.run(self.driver.open())
        return self.driver

    def plug(self, current_a: float = 40.0) -> None:
        self.rig.run(self.driver.command(plugged=True, charge=True, max_current_a=current_a))

    def phase(self, phase: str, within_s: float = 5.0) -> dict[str, Any]:
        """The first time since the last stimulus that the car was in this phase."""
        since = self.rig.topics("stimulus")[-1].stamp.order_ns if self.rig.topics("stimulus") else 0
        wait = self.rig.timeline.wait_for(
            "chademo.vehicle", lambda e: e.data["phase"] == phase, timeout_s=within_s, since_ns=since
        )
        return self.rig.run(wait).data

    def charging(self, current_a: float) -> None:
        wait = self.rig.timeline.wait_for(
            "power.sample", lambda e: e.data["current_a"] >= current_a, timeout_s=6, since_ns=0
        )
        self.rig.run(wait)


@pytest.fixture
def bench(rig: Rig, twin: Callable[..., TwinProcess]) -> Bench:
    return Bench(rig, twin)


def test_a_session_from_plug_to_stop(bench: Bench) -> None:
    twin = bench.charger()
    car = bench.open()
    bench.plug(20.0)
    bench.charging(20.0)
    assert [s.args.get("voltage_v") for s in bench.rig.gate.asked] == [None, 410.0]
    rises = [e.data["current_a"] for e in bench.rig.topics("power.sample")]
    assert max(rises) == 20
    bench.rig.run(car.make_safe())
    assert car.state is DeviceState.ACTIVE
    bench.rig.until(lambda: twin.truth()[-1].get("command") == "handshake", "the charger has discharged its output")
    seen = [e.data["phase"] for e in bench.rig.topics("chademo.vehicle")]
    order = [phase for n, phase in enumerate(seen) if n == 0 or seen[n - 1] != phase]
    assert order[-7:] == ["permitted", "closed", "charging", "stopping", "stopped", "waiting", "checked"]
    truth = [entry for entry in twin.truth() if entry.get("device") == "dc"]
    said = [entry for entry in truth if entry["command"] == "0x102"]
    opened = next(
        n for n, entry in enumerate(said) if n and entry["contactor_open"] and not said[n - 1]["contactor_open"]
    )
    assert not said[opened]["permit"]
    dead = next(entry for entry in truth if entry["command"] == "output" and not entry["live"])
    assert dead["t_ns"] <= said[opened]["t_ns"] + 100_000_000
    assert not bench.rig.topics("gap")


def test_it_is_silent_until_it_is_plugged(bench: Bench) -> None:
    twin = bench.charger()
    car = bench.open()
    bench.rig.run(bench.rig.timeline.wait_for("ev.status", timeout_s=2, since_ns=0))
    bench.rig.run(car.make_safe())
    assert not [entry for entry in twin.truth() if entry.get("device") == "dc"]


@pytest.mark.parametrize(
    ("settings", "vehicle", "why"),
    [
        ({"faults": ["chademo-protocol"]}, {}, "protocol 9"),
        ({"available_v": 300}, {}, "needs 410 V, the charger gives 300 V"),
        ({"available_a": 5}, {"min_current_a": 10}, "needs 10 A, the charger gives 5 A"),
    ],
)
def test_what_does_not_fit_is_refused(
    bench: Bench, settings: dict[str, Any], vehicle: dict[str, Any], why: str
) -> None:
    bench.charger(**settings)
    bench.open(vehicle=Traits(**vehicle))
    bench.plug()
    data = bench.phase("refused")
    assert why in data["why"]
    assert not data["permit"]


def test_malfunction_of_the_charger_stops_the_car(bench: Bench) -> None:
    twin = bench.charger()
    bench.open()
    bench.plug()
    bench.charging(5)
    twin.control(type="fault", name="chademo-malfunction", on=True, device="dc")
    data = bench.phase("stopped")
    assert "malfunction" in data["why"]
    assert data["contactor_open"]


def test_charger_that_does_not_stop_is_told(bench: Bench) -> None:
    twin = bench.charger()
    car = bench.open(stop_timeout_s=0.6)
    bench.plug()
    bench.charging(8)
    twin.control(type="fault", name="chademo-no-stop", on=True, device="dc")
    twin.wait("fault")
    with pytest.raises(DeviceError, match=r"gave \d+ A, though it was told to stop 0\.6 s ago"):
        bench.rig.run(car.make_safe())
    assert car.state is DeviceState.UNKNOWN
    assert not bench.rig.topics("chademo.vehicle")[-1].data["contactor_open"], "not under load"
    twin.control(type="fault", name="chademo-no-stop", on=False, device="dc")
    bench.phase("stopped")
    bench.rig.run(car.make_safe())
    assert car.state is DeviceState.ACTIVE


def test_silence_of_the_charger_ends_the_charging(bench: Bench) -> None:
    twin = bench.charger()
    car = bench.open(stop_timeout_s=0.3)
    bench.plug()
    bench.charging(5)
    twin.control(type="fault", name="chademo-silent", on=True, device="dc")
    bench.rig.run(bench.rig.timeline.wait_for("gap", timeout_s=3, since_ns=bench.rig.rested_ns))
    assert car.state is DeviceState.DEGRADED
    assert "silent" in bench.phase("stopped")["why"]
    with pytest.raises(DeviceError, match="says nothing any more"):
        bench.rig.run(car.make_safe())
    assert over(bench)


def over(bench: Bench) -> bool:
    """The charger's last word is over, and it said nothing after that was told."""
    silent, told = bench.rig.topics("chademo.silent"), bench.rig.topics("chademo.charger")
    return bool(silent) and told[-1].stamp.order_ns < silent[-1].stamp.order_ns


def test_what_a_charger_said_of_its_output_is_over_when_only_its_other_frame_comes(bench: Bench) -> None:
    bench.charger()
    tap = bench.rig.tap("dc")
    bench.open(port=tap.port)
    bench.plug()
    bench.charging(5)
    tap.to_bench = lambda data: OUTPUT.sub(b"", data)
    bench.rig.until(lambda: over(bench), "it is told", within_s=4)
    assert "silent" in bench.phase("stopped")["why"]
    tap.to_bench = lambda data: data
    bench.rig.until(lambda: not over(bench), "it is heard again", within_s=4)


def test_a_charger_that_went_to_sleep_has_no_word_left(bench: Bench) -> None:
    twin = bench.charger()
    car = bench.open()
    bench.plug()
    bench.charging(5)
    bench.rig.run(car.command(plugged=False))
    bench.rig.until(lambda: twin.truth()[-1].get("command") == "idle", "it sleeps", within_s=8)
    bench.rig.until(lambda: over(bench), "it is told", within_s=4)
    assert bench.rig.topics("chademo.charger")[-1].data["voltage_v"] <= 10
    assert car.state is DeviceState.ACTIVE


def test_charger_that_never_answers(bench: Bench) -> None:
    bench.charger(faults=["chademo-silent"])
    car = bench.open(charger_timeout_s=0.4)
    bench.plug()
    bench.rig.run(
        bench.rig.timeline.wait_for("device.state", lambda e: e.data["state"] == "DEGRADED", timeout_s=3, since_ns=0)
    )
    assert not bench.rig.topics("chademo.vehicle")[-1].data["permit"]
    bench.rig.run(car.make_safe())


def test_contactors_of_the_bench(bench: Bench) -> None:
    bench.charger()
    car = bench.open(contactors="bench")
    bench.plug(10.0)
    bench.rig.run(bench.rig.timeline.wait_for("ev.status", lambda e: e.data["s2_wish"], timeout_s=3, since_ns=0))
    assert bench.rig.topics("chademo.vehicle")[-1].data["contactor_open"]
    bench.rig.run(car.command(s2_closed=True))
    bench.charging(10)


def test_guardian_withdraws_the_permission(bench: Bench) -> None:
    bench.charger()
    recipe = bench.open().emergency()
    last = bytes.fromhex(recipe.steps[-1].send_hex)
    (data,) = STATE.findall(last)
    state = bytes.fromhex(data.decode())
    assert (state[3], state[5] & 1) == (0, 0)


def test_a_car_that_leaves_while_it_charges_stops_first(bench: Bench) -> None:
    """The connector is locked until no current flows, and nothing is told of the charger that it did not say."""
    twin = bench.charger()
    car = bench.open()
    bench.plug(10.0)
    bench.charging(8.0)
    bench.rig.run(car.command(plugged=False))
    told = bench.rig.topics("chademo.charger")
    assert told[-1].data["current_a"] < 5
    dead = bench.rig.timeline.wait_for(
        "power.sample", lambda e: e.data["voltage_v"] <= 10, timeout_s=5, since_ns=told[-1].stamp.order_ns
    )
    bench.rig.run(dead)
    assert {event.data["protocol"] for event in bench.rig.topics("chademo.charger")} == {2}
    states = [event["command"] for event in twin.truth() if event.get("command") in ("stopping", "discharging")]
    assert states == ["stopping", "discharging"]


def test_a_car_does_not_leave_a_charger_that_does_not_stop(bench: Bench) -> None:
    bench.charger(faults=["chademo-no-stop"])
    car = bench.open(stop_timeout_s=0.5)
    bench.plug(10.0)
    bench.charging(8.0)
    with pytest.raises(DeviceError, match="Cut its supply"):
        bench.rig.run(car.command(plugged=False))
    assert car.state is DeviceState.UNKNOWN
    assert bench.rig.topics("ev.command")[-1].data["plugged"] is True
