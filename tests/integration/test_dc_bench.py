"""The shipped CHAdeMO bench on emulators: a vehicle without a pilot charges, and its DC output is proven dead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import HW_CONFIGS
from pilotbench.bench.host import BenchHost
from pilotbench.errors import BenchError


def virtual(folder: Path) -> Path:
    head, devices = (HW_CONFIGS / "dc-chademo.toml").read_text(encoding="utf-8").split("[device.", 1)
    wires: dict[str, str] = {}
    devices = re.sub(
        r'^port = "(.*)"',
        lambda found: f'port = "twin:{wires.setdefault(found[1], f"wire{len(wires)}")}"',
        devices,
        flags=re.MULTILINE,
    )
    head = head.replace('listen = "192.168.50.1"\nport = 9000', 'listen = "127.0.0.1"\nport = 0')
    path = folder / "dc.toml"
    path.write_text(f"{head}[device.{devices}\n[twin]\nseed = 1\n", encoding="utf-8")
    return path


def test_a_vehicle_without_a_pilot_charges_and_its_output_is_seen_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    host = BenchHost(virtual(tmp_path), options=RunOptions(directory=tmp_path / "run"))
    with host:
        with pytest.raises(BenchError, match="no pilot emulator, so nobody can present a card"):
            host.vehicle.present("04A2B3C4D5")
        host.vehicle.plug()
        host.vehicle.charge(20.0)
        charger = host.timeline.wait_for("chademo.charger", lambda told: told["current_a"] >= 19, within="20 s")
        assert charger.data["voltage_v"] > 300
        assert host.bench.outlet.live is True
        host.vehicle.unplug()
        host.timeline.wait_for("chademo.charger", lambda told: told["voltage_v"] <= 10, within="10 s")
    assert host.outcome_text == "safe: output proven dead (no voltage sensed, 0.00 A metered)"
