"""Real ports and nobody armed: every way that a program could take to energise the outlet, each of them tried.

The twin's emulators stand behind the ports, and their own log is asked what reached the wire.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.assembly import RunOptions, envelope_of
from pilotbench.bench.cli.arm import ArmRequest, arm_command
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.bench.safety import EnvelopeGate
from pilotbench.bench.timeline import Stimulus, Timeline
from pilotbench.drivers import registry
from pilotbench.drivers.base import DeviceState, Driver
from pilotbench.drivers.pilot.line import LinePilot
from pilotbench.errors import BenchError, ConfigError, SafetyError

from copper import Copper


@pytest.fixture(scope="module")
def copper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copper]:
    """One bench for the whole module; nobody has armed it until the last tests do."""
    folder = tmp_path_factory.mktemp("copper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBENCH_STATE_DIR", str(folder / "state"))
        bench = Copper(folder, ("pp_ohm = [220", "relays = [1]\npp_ohm = [220"))
        try:
            bench.start()
            yield bench
        finally:
            bench.close()


@pytest.fixture
def host(copper: Copper) -> BenchHost:
    return copper.host


def driver(host: BenchHost, name: str) -> Any:
    """What a fixture would hand out: the driver itself."""
    return next(one for one in host.bench.instruments if one.name == name)


def on_loop(host: BenchHost, work: Any) -> Any:
    return host.call(work)


PROFILE = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
        },
    },
}

WAYS: dict[str, Callable[[BenchHost], Any]] = {
    "the vehicle plugs": lambda host: host.vehicle.plug(),
    "the vehicle wants to charge": lambda host: host.vehicle.charge(6.0),
    "the vehicle's faults": lambda host: host.vehicle.faults(diode=True),
    "a card": lambda host: host.vehicle.present("04A2B3C4D5"),
    "the pilot's driver": lambda host: on_loop(host, driver(host, "pilot").resistor("C")),
    "its faults": lambda host: on_loop(host, driver(host, "pilot").faults(diode=True)),
    "its PP": lambda host: on_loop(host, driver(host, "pilot").pp(220)),
    "its relay": lambda host: on_loop(host, driver(host, "pilot").relay(1, True)),
    "its own sending": lambda host: on_loop(host, driver(host, "pilot")._do("resistor", {"state": "C"}, "R C")),
    "its own sending, called safe": lambda host: on_loop(
        host, driver(host, "pilot")._do("resistor", {"state": "C"}, "R C", to_safe=True)
    ),
    "the EV's driver": lambda host: on_loop(host, driver(host, "ev").command(plugged=True, max_current_a=6.0)),
    "a remote start": lambda host: host.csms.remote_start(1, "04A2B3C4D5"),
    "a limit": lambda host: host.csms.set_limit(6),
    "a raw limit": lambda host: host.csms.call("SetChargingProfile", PROFILE),
    "a raw start": lambda host: host.csms.call("RemoteStartTransaction", {"idTag": "04A2B3C4D5"}),
    "a reset": lambda host: host.csms.reset("Hard"),
    "a vendor's message": lambda host: host.csms.data_transfer("Vendor", "go", "now"),
    "a setting": lambda host: host.csms.set_variable("HeartbeatInterval", "60"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_energises_until_a_person_arms(copper: Copper, way: str) -> None:
    with pytest.raises(SafetyError, match=r"not armed: nobody armed it.*pilotbench arm --bench"):
        WAYS[way](copper.host)
    assert not copper.plugged()
    assert not [line for line in copper.twin.truth() if line.get("fact") in ("pp", "s2", "faults") and line["value"]]


def test_reading_and_the_safe_state_need_no_permission(host: BenchHost) -> None:
    host.csms.get_variable("HeartbeatInterval")
    on_loop(host, driver(host, "pilot").make_safe())
    on_loop(host, driver(host, "ev").make_safe())
    on_loop(host, driver(host, "pilot").status())


def test_a_driver_of_ones_own_on_the_same_port_finds_it_taken(copper: Copper, tmp_path: Path) -> None:
    port = driver(copper.host, "pilot").port

    async def second() -> None:
        source = Timeline().source("second")
        await LinePilot("second", source, None, port=port).open()

    with pytest.raises(BenchError, match="in use"):
        copper.host.call(second())


def test_a_second_run_of_the_bench_finds_it_taken(copper: Copper, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="in use"):
        BenchHost(copper.file, options=RunOptions(directory=tmp_path)).start()


def test_the_twins_doors_are_shut_on_a_real_bench(copper: Copper, tmp_path: Path) -> None:
    for options in ({"external_station": True}, {"station_fault": "late-open"}, {"oddity": "early-start"}):
        with pytest.raises(ConfigError, match="this bench is real"):
            BenchHost(copper.file, options=RunOptions(directory=tmp_path, **options))
    assert copper.host.bench.twin is None
    assert not (tmp_path / "dut-port.json").exists()


class Bold(Driver):
    """A third party's driver that was written without a thought of the gate."""

    role = "load"
    energising = True

    async def _open(self) -> None:
        self._enter(DeviceState.ACTIVE, "here")

    async def _close(self) -> None:
        pass

    async def make_safe(self) -> None:
        await self.input(False)

    async def draw(self, current_a: float) -> None:
        pass

    async def input(self, on: bool) -> None:
        pass

    async def heat(self, on: bool) -> None:
        self._stimulus("heater.on", {"on": on}, 1, 2, "HEAT")


class Asks(Bold):
    async def heat(self, on: bool) -> None:
        self._permit("heater.on", {"on": on}, to_safe=not on)
        self._stimulus("heater.on", {"on": on}, 1, 2, "HEAT")


def test_a_third_party_driver_that_never_asks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Timeline().source("oven")
    module = "ovens_of_another_package"
    monkeypatch.setitem(sys.modules, module, sys.modules[__name__])
    points = {
        kind: EntryPoint(kind, f"{module}:{made.__name__}", registry.GROUP)
        for kind, made in {"oven.bold": Bold, "oven.asks": Asks}.items()
    }
    monkeypatch.setattr(registry, "_points", lambda kind: [points[kind]])
    with pytest.raises(ConfigError, match="never asks the gate"):
        registry.create("oven.bold", "oven", source, None, port="/dev/null")
    assert registry.create("oven.asks", "oven", source, None, port="/dev/null").name == "oven"


def test_a_driver_cannot_take_the_asking_out_of_its_base() -> None:
    with pytest.raises(TypeError, match="overrides _permit"):
        type("Sly", (LinePilot,), {"_permit": lambda *args, **more: None})


def test_a_driver_without_a_gate_only_reads() -> None:
    oven = Asks("oven", Timeline().source("oven"), None, port="/dev/null")

    async def heat(on: bool) -> None:
        await oven.heat(on)

    for on in (True, False):
        work = heat(on)
        if on:
            with pytest.raises(SafetyError, match="read-only"):
                work.send(None)
        else:
            with pytest.raises(StopIteration):
                work.send(None)


def test_arming_from_a_test_is_refused(copper: Copper) -> None:
    with pytest.raises(ConfigError, match="a program cannot arm"):
        arm_command(ArmRequest(copper.path, "1h", at_the_bench="lab"))


def test_the_gate_of_a_run_is_asked_anew_each_time(copper: Copper) -> None:
    """Armed by a person: it plugs; not for faults; disarmed: it is made safe and the run is over."""
    host = copper.host
    assert copper.arm().code == 0
    host.vehicle.plug()
    assert copper.plugged()
    host.timeline.wait_for("safety.arm", state="armed", since_ns=0)
    with pytest.raises(SafetyError, match="armed, but not for diode"):
        host.vehicle.faults(diode=True)
    assert copper.arm("--faults", "diode").code == 0
    host.vehicle.faults(diode=True)
    mark = host.timeline.now_ns()
    assert copper.disarm().code == 0
    trip = host.timeline.wait_for("safety.trip", since_ns=mark)
    assert trip.data["why"] == "it was disarmed"
    host.timeline.wait_for("bench.state", state="safe", since_ns=mark)
    assert not copper.plugged()
    with pytest.raises(SafetyError, match="the supervisor tripped: it was disarmed"):
        host.vehicle.plug()
    assert copper.arm().code == 0
    with pytest.raises(SafetyError, match="this run is over"):
        host.vehicle.plug()
    said = copper.close()
    assert any("the supervisor tripped: it was disarmed" in text for text in said), said


CLOSED = "resistor, C"


def test_what_a_driver_did_without_asking_is_seen_as_such() -> None:
    """The net below: it records what it did, and the gate never let it."""
    gate = EnvelopeGate(envelope_of(load_bench_file(virtual_bench())))
    gate.permit(Stimulus("pilot", "resistor", {"state": "A"}, True))
    seen: list[str | None] = []
    timeline = Timeline()
    timeline.subscribe(lambda event: seen.append(gate.unasked(event)))

    def done(*verbs: str) -> list[str | None]:
        seen.clear()
        for verb in verbs:
            args = {"state": "A"} if verb == "resistor" else {"state": "C"} if verb == CLOSED else {}
            told = {"device": "pilot", "verb": "resistor" if verb == CLOSED else verb, "args": args}
            timeline.source("pilot").note("stimulus", told)
        return [one for one in seen if one]

    assert done("resistor", "heater.on") == ["pilot: heater.on"]
    assert done("resistor", "resistor") == ["pilot: resistor", "pilot: resistor"], "it was permitted once, before"
    gate.permit(Stimulus("pilot", "resistor", {"state": "A"}, True))
    gate.permit(Stimulus("pilot", "resistor", {"state": "A"}, True))
    assert done("resistor", "resistor", "resistor") == ["pilot: resistor"]
    gate.permit(Stimulus("pilot", "resistor", {"state": "A"}, True))
    assert done(CLOSED, "resistor") == ["pilot: resistor"], "a step to the safe state pays for no other"
