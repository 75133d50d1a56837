"""What the guardian does to a device on CAN without its driver: the recipe, carried out by the guardian's own code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from driver_rig import Rig
from twin_client import TwinProcess

ACT = (
    "import json, sys; from pilotbench.bench.safety.guardian.act import act; "
    "from pilotbench.bench.safety.guardian.plan import read_plan; "
    "print(json.dumps(act(read_plan(sys.stdin.read()).recipes).to_dict()))"
)


def carry_out(recipe: Any) -> dict[str, Any]:
    """In a process of its own, as the guardian is one."""
    plan = {"owner": 1, "dead_ms": 600, "report": "", "recipes": [msgspec.to_builtins(recipe)]}
    done = subprocess.run(
        [sys.executable, "-c", ACT], input=json.dumps(plan), capture_output=True, text=True, timeout=20, check=True
    )
    return json.loads(done.stdout)


def commands(process: TwinProcess, name: str) -> list[dict[str, Any]]:
    return [entry for entry in process.truth() if entry.get("command") == name]


@pytest.mark.parametrize("wire", ["ev.slcan", "ev.socketcand"])
def test_ev_is_told_to_draw_nothing(rig: Rig, twin: Callable[..., TwinProcess], wire: str) -> None:
    process = twin(devices={"car": {"kind": wire}})
    ev = rig.driver("ev.dbc", process.ready["car"], name="ev")
    rig.run(ev.open())
    rig.run(ev.command(plugged=True, s2_closed=True, charge=True, max_current_a=32.0))
    rig.until(lambda: any(e["max_current_a"] == 32.0 for e in commands(process, "ev.command")), "it wants 32 A")
    rig.run(ev.close())
    outcome = carry_out(rig.driver("ev.dbc", process.ready["car"], name="never opened").emergency())
    assert outcome["safe"], outcome["text"]
    assert [step["attempts"] for step in outcome["steps"]] == [1] * len(outcome["steps"])
    rig.until(lambda: commands(process, "ev.command")[-1]["charge"] is False, "it has arrived")
    assert commands(process, "ev.command")[-1]["max_current_a"] == 0.0


def test_charger_stops_without_the_driver(rig: Rig, twin: Callable[..., TwinProcess]) -> None:
    process = twin(devices={"dc": {"kind": "ev.chademo"}})
    car = rig.driver("ev.chademo", process.ready["dc"], name="car")
    rig.run(car.open())
    rig.run(car.command(plugged=True, charge=True, max_current_a=20.0))
    rig.run(rig.timeline.wait_for("power.sample", lambda e: e.data["current_a"] >= 5, timeout_s=6, since_ns=0))
    rig.run(car.close())
    outcome = carry_out(car.emergency())
    assert outcome["safe"], outcome["text"]
    said = commands(process, "0x102")
    assert (said[-1]["request_a"], said[-1]["permit"]) == (0, False)
    rig.until(lambda: [e["live"] for e in commands(process, "output")] == [True, False], "no current flows")


def test_bus_that_nobody_else_reaches(rig: Rig) -> None:
    recipe = rig.driver("ev.dbc", "pcan:PCAN_USBBUS1", name="ev").emergency()
    assert (recipe.reach, recipe.steps) == ("none", ())
    assert "only the driver can reach it" in recipe.why


def test_kernel_bus_takes_frames_as_text(rig: Rig) -> None:
    recipe = rig.driver("ev.dbc", "socketcan:can0", name="ev").emergency()
    assert (recipe.wire.kind, recipe.wire.address) == ("can", "can0")
    assert [step.send_hex for step in recipe.steps] == [f"200#0{count}00000000000000" for count in range(3)]
