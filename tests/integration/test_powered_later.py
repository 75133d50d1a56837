"""A monitor that is a part of the station, on a bench that switches the station's supply."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.bench.twin_control import parse_fault
from pilotbench.bench.upkeep.doctor import examine
from pilotbench.errors import DeviceError, StationTimeout

from hosts import Starts

MONITORED = """
[device.monitor]
driver = "evse.rapi"
port = "twin:monitor"

[device.board]
driver = "power.relay"
port = "twin:board"
relays = { 1 = "mains", 2 = "pe" }
inverted = [2]

[envelope]
"""
SWITCHED = ("[envelope]\n", MONITORED + 'relays = ["mains"]\n')
LEFT_OFF = ("[envelope]\n", MONITORED)


def states(host: BenchHost) -> list[str]:
    return [event.data["state"] for event in host.timeline.events("device.state") if event.data["device"] == "monitor"]


def test_it_is_opened_once_the_bench_has_switched_the_supply_on(starts: Starts) -> None:
    host = starts(SWITCHED)
    said = {event.data["why"]: event.stamp.order_ns for event in host.timeline.events("bench.state")}
    assert "monitor is a part of the station, and is opened once its supply is on" in said
    first = host.timeline.events("evse.monitor")[0]
    assert first.stamp.order_ns > said["mains relay 1 of board switched on"]
    assert states(host)[-1] == "ACTIVE"
    mark = host.timeline.now_ns()
    host.vehicle.plug()
    host.timeline.wait_for("evse.monitor", state="B", since_ns=mark, within="5 s")


def test_one_that_is_silent_although_the_station_has_booted(starts: Starts) -> None:
    with pytest.raises(DeviceError, match=r"monitor .*: no answer within 4 s\. Is the station powered"):
        starts(SWITCHED, twin_faults=(parse_fault("deaf:device=monitor"),))


def test_one_that_never_answers_is_told_with_the_station_that_never_came(starts: Starts) -> None:
    with pytest.raises(StationTimeout) as raised:
        starts(LEFT_OFF, ('boot_within = "15 s"', 'boot_within = "1 s"'))
    assert "monitor, a part of it, did not answer either." in raised.value.__notes__


def test_the_doctor_sees_nothing_bad_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "bench.toml"
    old, new = SWITCHED
    path.write_text(virtual_bench().read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    findings = asyncio.run(examine(load_bench_file(path), tmp_path, 0.2, lambda _: None))
    found = next(finding for finding in findings if finding.subject == "monitor")
    assert (found.state, "no answer within 4 s" in found.detail) == ("note", True)
    assert "a run opens this once that is on" in found.fix
