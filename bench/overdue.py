"""Injected faults that are on for longer than the envelope allows are taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import BenchError

if TYPE_CHECKING:
    from .assembly import Bench

__all__ = ["faults_back", "watch_faults"]

WATCH_STEP_S = 0.1


async def watch_faults(bench: Bench) -> None:
    """Take back faults that are on for longer than the envelope allows; runs until cancelled.

    What fails is told and tried again: a fault must not stay on because one answer was lost.
    """
    overdue = False
    while True:
        await asyncio.sleep(WATCH_STEP_S)
        overdue = overdue or bench.gate.fault_overdue
        if not overdue:
            continue
        detail = "longer than [envelope] fault_duration"
        trouble = await faults_back(bench)
        overdue = bool(trouble)
        detail = "; ".join((detail, *trouble))
        bench.timeline.bench.note("safe.step", {"step": "faults off", "ok": not overdue, "detail": detail})


async def faults_back(bench: Bench) -> list[str]:
    """Every fault off that can be; returns what failed."""
    trouble: list[str] = []
    devices = [driver for driver in bench.instruments if driver.role != "pilot"]
    devices = [driver for driver in devices if driver.name in bench.gate.overdue_devices]
    acts = [vehicle.faults for vehicle in bench.vehicles.values()]
    acts += [driver.make_safe for driver in devices if "pe" not in _duties(driver)]
    for act in acts:
        try:
            await act()
        except Exception as error:  # noqa: BLE001 - one that breaks must not keep on the faults of the others
            trouble.append(str(error) if isinstance(error, BenchError) else repr(error))
    if bench.supply is not None and any("pe" in _duties(driver) for driver in devices):
        # Protective earth is connected again with the station's supply off only, whoever switches that.
        trouble += await bench.supply.off()
    return trouble


def _duties(driver: object) -> list[str]:
    relays: Mapping[int, str] = getattr(driver, "relays", {})
    return list(relays.values())
