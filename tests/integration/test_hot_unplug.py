"""Cables are pulled and put in again while a bench charges: nothing is made up, nobody hangs, nobody is blamed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.errors import DeviceLost, SafetyError

from copper import Copper

CARD = "04A2B3C4D5"
HANDS = """
[device.cards]
driver = "token.line"
port = "twin:cards"
evse = 1

[device.monitor]
driver = "evse.rapi"
port = "twin:monitor"
evse = 1

[envelope]
"""
BOARD = """
[device.board]
driver = "power.relay"
port = "twin:board"
relays = { 1 = "mains", 2 = "pe" }
inverted = [2]

[envelope]
relays = ["mains"]
"""
SOURCE = """
[device.source]
driver = "supply.scpi"
port = "twin:source"
voltage = "230 V"
current = "32 A"

[envelope]
"""
WIRE = {"ev": "can"}
"""Name of the twin's device where it is another than the bench's."""
DEVICES = {"pilot": {"kind": "pilot.line"}, "meter": {"kind": "meter.modbus"}, "can": {"kind": "ev.slcan"}}
NS = 10**9


class Session:
    """A bench that charges, and a hand that pulls cables. `said` is what closing it had to say."""

    def __init__(self, folder: Path, *changes: tuple[str, str]) -> None:
        text = virtual_bench().read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = folder / "bench.toml"
        path.write_text(text, encoding="utf-8")
        (folder / "run").mkdir()
        self.host = BenchHost(load_bench_file(path), options=RunOptions(directory=folder / "run"))
        self.host.start()
        self.timeline = self.host.timeline
        self.said: list[str] = []

    def flows(self, since_ns: int | None = None) -> None:
        """Wait for current."""
        since_ns = self.timeline.now_ns() if since_ns is None else since_ns
        self.timeline.wait_for("meter.sample", lambda m: max(m["current_a"]) > 5, since_ns=since_ns, within="15 s")

    def charge(self) -> None:
        since_ns = self.timeline.now_ns()
        self.host.vehicle.plug()
        self.host.vehicle.present(CARD)
        self.flows(since_ns)

    def pull(self, device: str) -> int:
        """Pull the cable of a device, and wait until the bench has missed it; when."""
        at_ns = self.timeline.now_ns()
        self.host.twin.fault("unplugged", device=WIRE.get(device, device))
        self.timeline.wait_for("device.state", device=device, state="FAULTED", since_ns=at_ns, within="3 s")
        return at_ns

    def put_in(self, device: str) -> None:
        self.host.twin.fault("unplugged", on=False, device=WIRE.get(device, device))

    def back(self, device: str, since_ns: int) -> None:
        """Wait until it is used again, and look at what was told of it."""
        if not self.timeline.seen("device.state", device=device, state="ACTIVE", since_ns=since_ns, within="16 s"):
            told = [e.data for e in self.timeline.events("device.state") if e.data["device"] == device]
            pytest.fail(f"{device} is not back: {told}")
        # The gap is told with the stamp of its telling: it is at hand once what follows it is.
        gaps = [event for event in self.timeline.events("gap") if event.source == device]
        last = gaps[-1].data
        assert "was gone and is back" in last["why"]
        assert last["from_ns"] < since_ns + NS // 10
        assert since_ns < last["to_ns"]

    def states(self, device: str, since_ns: int) -> list[str]:
        """Its states in order. One that is looked for in vain is told again with why; that is no other state."""
        told = self.timeline.events("device.state")
        states = [e.data["state"] for e in told if e.data["device"] == device and e.stamp.order_ns >= since_ns]
        return [state for state, _ in groupby(states)]

    def close(self) -> list[str]:
        try:
            self.host.close()
        except ExceptionGroup as group:
            self.said = [str(error) for error in group.exceptions]
        return self.said

    def verdicts(self) -> dict[str, set[str]]:
        """Rule -> its outcomes; INCONCLUSIVE with its reason."""
        assert self.host.report is not None
        found: dict[str, set[str]] = {}
        for verdict in self.host.report.verdicts:
            told = verdict.to_dict()
            reason = f"({told['reason']})" if told["verdict"] == "INCONCLUSIVE" else ""
            found.setdefault(told["rule"], set()).add(told["verdict"] + reason)
        return found

    def blamed(self) -> list[str]:
        """Rules that the station failed by: it did nothing wrong here."""
        return [rule for rule, outcomes in self.verdicts().items() if "FAIL" in outcomes]


Begins = Callable[..., Session]


@pytest.fixture
def begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begins]:
    """Starts a bench, with texts of the virtual one's file replaced."""
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    made: list[Session] = []

    def begin(*changes: tuple[str, str]) -> Session:
        made.append(Session(tmp_path, *changes))
        return made[-1]

    yield begin
    for session in made:
        session.close()


def test_every_device_is_pulled_and_put_in_again_while_it_charges(begins: Begins) -> None:
    run = begins(("[envelope]\n", HANDS))
    host = run.host
    run.charge()
    threads = sorted(thread.name for thread in threading.enumerate())

    # What only looks may be away for a while, and the session goes on.
    watching = ("cards", "monitor", "meter")
    pulled = {device: run.pull(device) for device in watching}
    with pytest.raises(DeviceLost, match="is looked for"):
        host.vehicle.present(CARD)
    began_s, spent_s = time.monotonic(), time.process_time()
    run.timeline.seen("lab.nothing", within="1 s")
    share = (time.process_time() - spent_s) / (time.monotonic() - began_s)
    assert share < 0.4, f"{share:.0%} of a core while three devices are away"
    for device in watching:
        run.put_in(device)
    for device in watching:
        run.back(device, pulled[device])
        assert run.states(device, pulled[device]) == ["FAULTED", "ACTIVE"]
    run.flows()
    assert host.bench.outlet.live

    # The car's own controller comes back asking for nothing; it is told once more what it is to do.
    at_ns = run.pull("ev")
    run.put_in("ev")
    run.back("ev", at_ns)
    assert run.states("ev", at_ns) == ["FAULTED", "UNKNOWN", "ACTIVE"]
    run.timeline.wait_for("output", live=False, since_ns=at_ns, within="5 s")
    host.vehicle.charge()
    run.flows()

    # The pilot comes back at A: that ended the session, and the next one may begin.
    at_ns = run.pull("pilot")
    run.put_in("pilot")
    run.back("pilot", at_ns)
    assert run.states("pilot", at_ns) == ["FAULTED", "UNKNOWN", "ACTIVE"]
    run.timeline.wait_for("ocpp.tx.ended", since_ns=at_ns, within="8 s")
    host.vehicle.unplug()  # CP is at A; the cable still lies in the socket
    mark_ns = run.timeline.now_ns()
    host.vehicle.plug()
    run.timeline.wait_for("cp.state", state="B", since_ns=mark_ns, within="3 s")
    assert sorted(thread.name for thread in threading.enumerate()) == threads
    assert run.close() == [], "nothing was in danger"
    assert "output proven dead" in host.outcome_text
    assert run.blamed() == []
    verdicts = run.verdicts()
    for rule in ("pwm.fast", "pp.32A", "c1.stays_off"):
        assert verdicts[rule] == {"INCONCLUSIVE(GAP)"}, "it looks at the pilot all the time"
    assert verdicts["no_current.a"] == {"INCONCLUSIVE(PRECONDITION)"}
    for rule in ("boot.first", "heartbeat", "calls.one", "tx.start", "start.close", "energy.register"):
        assert verdicts[rule] == {"PASS"}, "it needs nobody who was away, or only while he was there"


def test_pilot_that_stays_away_ends_the_run(begins: Begins) -> None:
    """Nobody can say any more what the outlet does: the run is an error, and the station is not blamed."""
    run = begins(('device_lost = "2 s"', 'device_lost = "1 s"'))
    run.charge()
    at_ns = run.pull("pilot")
    with pytest.raises(SafetyError, match="pilot is lost for"):
        run.timeline.wait_for("lab.nothing", within="20 s")
    (trip,) = run.timeline.events("safety.trip")[:1]
    assert trip.data["cause"] == "device-lost"
    assert NS <= trip.stamp.order_ns - at_ns < 3 * NS
    began_s = time.monotonic()
    said = run.close()
    assert time.monotonic() - began_s < 15, "it hangs on nobody"
    assert any("the supervisor tripped: pilot is lost" in text for text in said)
    assert "NOT SAFE" in run.host.outcome_text
    assert run.blamed() == []


def test_meter_that_stays_away_ends_the_run_safely(begins: Begins) -> None:
    run = begins(('meter_silent = "5 s"', 'meter_silent = "1 s"'))
    run.charge()
    at_ns = run.pull("meter")
    with pytest.raises(SafetyError, match="no reading of meter for"):
        run.timeline.wait_for("lab.nothing", within="20 s")
    (trip,) = run.timeline.events("safety.trip")
    assert (trip.data["cause"], trip.data["device"]) == ("meter-silent", "meter")
    assert trip.stamp.order_ns - at_ns < 3 * NS
    run.timeline.wait_for("bench.state", state="safe", since_ns=at_ns, within="8 s")
    assert any("no reading of meter" in text for text in run.close())
    assert run.host.outcome_text == "safe: output proven dead (no voltage sensed)"
    verdicts = run.verdicts()
    assert run.blamed() == []
    assert verdicts["energy.agree"] == {"INCONCLUSIVE(GAP)"}
    assert verdicts["stop.open"] == {"PASS"}, "it needs no meter"


@pytest.mark.parametrize(
    ("device", "section"), [("board", BOARD), pytest.param("source", SOURCE, marks=pytest.mark.long)]
)
def test_what_feeds_the_station_comes_back_without_feeding_it(begins: Begins, device: str, section: str) -> None:
    """Its safe state is off, and only the start of a run switches it on."""
    run = begins(("[envelope]\n", section))
    run.charge()
    at_ns = run.pull(device)
    run.put_in(device)
    run.back(device, at_ns)
    trip = run.timeline.wait_for("safety.trip", since_ns=at_ns, within="3 s")
    assert (trip.data["cause"], trip.data["device"]) == ("supply-lost", device)
    done = [e.data for e in run.timeline.events("stimulus") if e.source == device and e.stamp.order_ns > at_ns]
    verb = "relay" if device == "board" else "supply.output"
    assert (done[0]["verb"], done[0]["args"]["on"]) == (verb, False)
    run.timeline.wait_for("bench.state", state="safe", since_ns=at_ns, within="10 s")
    assert any(f"{device} feeds the station" in text for text in run.close())
    assert run.blamed() == []


def test_emergency_stop_on_an_armed_bench_ends_the_run_and_the_arming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "bench" / "state"))
    devices = {**DEVICES, "pilot": {"kind": "pilot.line", "estop": True}}
    bench = Copper(tmp_path / "bench", ("[safe]\n", '[safe]\ne_stop = "pilot"\n'), devices=devices)
    try:
        assert bench.arm().code == 0
        host = bench.start()
        told = host.timeline.wait_for("estop", since_ns=0)
        assert (told.source, told.data["tripped"]) == ("pilot", False)
        host.vehicle.plug()
        assert bench.plugged()
        at_ns = host.timeline.now_ns()
        bench.twin.control(type="fault", name="e-stop", on=True)
        trip = host.timeline.wait_for("safety.trip", since_ns=at_ns, within="3 s")
        assert (trip.data["cause"], trip.data["device"]) == ("estop", "pilot")
        host.timeline.wait_for("bench.state", state="safe", since_ns=at_ns, within="5 s")
        assert not bench.plugged()
        # Released again it gives nothing back: this run is over, and a person has to arm the bench for the next one.
        bench.twin.control(type="fault", name="e-stop", on=False)
        host.timeline.wait_for("estop", tripped=False, since_ns=at_ns, within="3 s")
        with pytest.raises(SafetyError, match="the emergency stop at pilot is pressed"):
            host.vehicle.plug()
        disarmed = host.timeline.wait_for("safety.arm", state="disarmed", since_ns=at_ns, within="3 s")
        assert "the emergency stop at pilot is pressed" in disarmed.data["why"]
    finally:
        said = bench.close()
    assert any("the emergency stop at pilot is pressed" in text for text in said)


class Fed(Copper):
    """Its station is fed by a supply."""

    def _text(self, *changes: tuple[str, str]) -> str:
        section = SOURCE.replace("twin:source", self.twin.ready["source"])
        return super()._text(("[envelope]\n", section), *changes)


def test_supply_of_a_bench_that_nobody_armed_stays_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "bench" / "state"))
    bench = Fed(tmp_path / "bench", devices={**DEVICES, "source": {"kind": "supply.scpi"}})
    try:
        host = bench.start()
        told = [event.data["why"] for event in host.timeline.events("bench.state")]
        assert any("supply source stays off" in why and "pilotbench arm" in why for why in told), told
        assert {line["on"] for line in bench.twin.truth() if line.get("device") == "source"} <= {False}
    finally:
        bench.close()
