"""The registry and the drivers' modules cost nothing to import; base transitions are guarded."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pilotbench.bench.timeline import ClosedGate, Timeline
from pilotbench.drivers.base import DeviceState, Driver
from pilotbench.drivers.registry import create, driver_class, kinds
from pilotbench.errors import ConfigError, DeviceLost

HEAVY = ("can", "cantools", "pymodbus", "serial", "ocpp", "textual")


class Bare(Driver):
    """The least a driver can be."""

    async def _open(self) -> None:
        self._enter(DeviceState.ACTIVE, "opened")

    async def _close(self) -> None:
        pass


def test_kinds_and_their_classes() -> None:
    assert {"pilot.line", "meter.modbus", "ev.dbc"} <= set(kinds())
    energising = {kind: driver_class(kind).energising for kind in ("pilot.line", "meter.modbus", "ev.dbc")}
    assert energising == {"pilot.line": True, "meter.modbus": False, "ev.dbc": True}


@pytest.mark.parametrize(
    "module",
    [
        "registry",
        "base",
        "pilot.line",
        "pilot.ev_sim",
        "token.line",
        "evse.rapi",
        "meter.modbus",
        "meter.maps",
        "ev.dbc",
    ],
)
def test_importing_a_driver_imports_no_heavy_library(module: str) -> None:
    code = f"import sys, pilotbench.drivers.{module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_wrong_kind_and_wrong_option() -> None:
    source = Timeline().source("x")
    with pytest.raises(ConfigError, match=r"did you mean 'meter\.modbus'"):
        create("meter.modbuss", "x", source, ClosedGate(), port="/dev/null")
    with pytest.raises(ConfigError, match=r"device 'x' of kind 'ev\.dbc': missing"):
        create("ev.dbc", "x", source, ClosedGate(), port="/dev/null")


def test_transitions_that_do_not_exist_are_not_made() -> None:
    timeline = Timeline()
    driver = Bare("x", timeline.source("x"), ClosedGate(), port="/dev/null")
    driver._enter(DeviceState.DEGRADED, "from IDLE")
    assert driver.state is DeviceState.IDLE
    for state in (DeviceState.ACTIVE, DeviceState.UNKNOWN, DeviceState.DEGRADED, DeviceState.IDLE):
        driver._enter(state, "try")
    assert driver.state is DeviceState.UNKNOWN, "only the verified safe state leads out"
    driver._enter(DeviceState.ACTIVE, "safe")
    assert [event.data["state"] for event in timeline.events("device.state")] == ["ACTIVE", "UNKNOWN", "ACTIVE"]


def test_task_that_breaks_is_told() -> None:
    timeline = Timeline()

    async def broken() -> None:
        raise ZeroDivisionError

    async def play(folder: Path) -> None:
        driver = Bare("x", timeline.source("x"), ClosedGate(), port="/dev/null", state_dir=folder)
        await driver.open()
        await asyncio.gather(driver._task(broken(), "poll"), return_exceptions=True)
        await asyncio.sleep(0)
        assert driver.state is DeviceState.FAULTED
        with pytest.raises(DeviceLost, match="x poll broke: ZeroDivisionError"):
            await driver.make_safe()
        await driver.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))
    assert timeline.events("gap")
