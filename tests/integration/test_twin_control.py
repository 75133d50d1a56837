"""Faults of the twin through the bench: the facade, what stands on the timeline, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.bench.twin.faults import FAULTS
from pilotbench.bench.twin_control import parse_fault
from pilotbench.errors import SafetyError, TwinError


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "run"
    folder.mkdir()
    options = RunOptions(directory=folder, twin_faults=(parse_fault("pp-resistance:ohm=47.5"),))
    with BenchHost(load_bench_file(virtual_bench()), options=options) as host:
        yield host


def test_a_test_breaks_the_bench_and_mends_it(host: BenchHost):
    timeline, twin = host.timeline, host.twin
    [begun] = timeline.events("twin.fault")
    assert begun.data == {"name": "pp-resistance", "on": True, "device": None, "args": {"ohm": 47.5}}
    assert begun.evse == 1
    assert [fault["name"] for fault in twin.faults()] == list(FAULTS)
    mark = timeline.now_ns()
    host.vehicle.plug()
    timeline.wait_for("cp.state", state="B", since_ns=mark)
    done = twin.fault("cp-resistance", ohm=1200)
    assert done == {"evse": 1, "device": None, "args": {"ohm": 1200.0, "state": "any"}}
    told = timeline.wait_for("twin.fault", name="cp-resistance", since_ns=mark)
    seen = timeline.wait_for("cp.volts", since_ns=told.stamp.lo_ns, within="2 s")
    assert told.stamp.lo_ns == told.stamp.hi_ns <= seen.stamp.hi_ns
    assert seen.data["high_v"] == pytest.approx(0.7 + 11.3 * 1200 / 2200, abs=0.3)
    twin.fault("mains-cut", for_s=0.2)
    ended = timeline.wait_for("twin.fault", name="mains-cut", on=False, since_ns=mark, within="3 s")
    assert ended.evse == 1
    mark = timeline.now_ns()
    assert host.cut_supply("300 ms")
    assert timeline.wait_for("twin.fault", name="mains-cut", on=False, since_ns=mark, within="3 s").stamp.lo_ns > mark
    with pytest.raises(SafetyError, match=r"min_off = 0\.2 s would keep it"):
        host.cut_supply("100 ms")
    with pytest.raises(TwinError, match="did you mean 'cp-short'"):
        twin.fault("cp-shrot")
    with pytest.raises(TwinError, match="must lie in"):
        twin.fault("phase-loss", phase=4)
    twin.clear()
    off = [event.data["name"] for event in timeline.events("twin.fault") if not event.data["on"]]
    assert off == ["mains-cut", "mains-cut", "cp-resistance"]
