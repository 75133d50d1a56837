"""A bench that is found with something on is made safe before anything else, armed or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from copper import Copper
from twin_client import PilotLine


def test_start_up_applies_the_safe_state_first_and_needs_no_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "bench" / "state"))
    bench = Copper(tmp_path / "bench")
    try:
        before = PilotLine(bench.twin.ready["pilot"])
        for command in ("HELLO", "W 10000", "P 220", "R C", "F DIODE"):
            before.command(command)
        before.port.close()
        assert bench.plugged()
        host = bench.start()
        assert not bench.plugged()
        told = [
            (event.topic, event.data.get("state") or event.data.get("args"))
            for event in host.timeline.events()
            if event.topic in ("device.state", "bench.state", "stimulus") and event.source in ("pilot", "bench")
        ]
        pilot = [state for topic, state in told if topic == "device.state" and state in ("UNKNOWN", "ACTIVE")]
        assert pilot[:2] == ["UNKNOWN", "ACTIVE"]
        order = [entry for entry in told if entry[0] != "device.state"]
        assert order.index(("bench.state", "making-safe")) < order.index(("stimulus", {"state": "A"}))
        assert order.index(("stimulus", {"flags": []})) < order.index(("bench.state", "safe"))
        assert order.index(("bench.state", "safe")) < order.index(("bench.state", "ready"))
        assert host.outcome_text.startswith("safe: output proven dead")
    finally:
        bench.close()
