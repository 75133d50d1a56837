"""The shipped CHAdeMO bench on emulators: a vehicle without a pilot charges, and its DC output is proven dead."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.host import BenchHost
from pilotbench.errors import BenchError

from on_the_twin import on_the_twin


def test_a_vehicle_without_a_pilot_charges_and_its_output_is_seen_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dc.toml"
    path.write_text(on_the_twin("dc-chademo"), encoding="utf-8")
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    host = BenchHost(path, options=RunOptions(directory=tmp_path / "run"))
    with host:
        with pytest.raises(BenchError, match="no pilot emulator, so nobody can present a card"):
            host.vehicle.present("04A2B3C4D5")
        host.vehicle.plug()
        host.vehicle.charge(20.0)
        charger = host.timeline.wait_for("chademo.charger", lambda told: told["current_a"] >= 19, within="20 s")
        assert charger.data["voltage_v"] > 300
        assert host.bench.outlet.live is True
        host.timeline.wait_for("supply.sample", within="3 s")
        assert host.bench.outlet.current_a is None, "the meter is in front of the charger"
    assert host.outcome_text == "safe: output proven dead (no voltage sensed)"


def test_a_charger_that_sleeps_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It said 0 V before it fell silent: that is not what is, and it is no danger either."""
    path = tmp_path / "dc.toml"
    path.write_text(on_the_twin("dc-chademo"), encoding="utf-8")
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    host = BenchHost(path, options=RunOptions(directory=tmp_path / "run"))
    with host:
        mark = host.timeline.now_ns()
        host.vehicle.plug()
        host.timeline.wait_for("chademo.charger", lambda told: told["voltage_v"] <= 10, since_ns=mark, within="10 s")
        host.vehicle.unplug()
        host.timeline.wait_for("chademo.silent", since_ns=mark, within="10 s")
        assert (host.bench.outlet.live, host.bench.outlet.may_be_live) == (None, False)
    assert "no voltage sensed" not in host.outcome_text
    assert "NOT SAFE" not in host.outcome_text
    assert "proven dead" not in host.outcome_text, "the meter sees the charger's supply, which is off, and no output"
