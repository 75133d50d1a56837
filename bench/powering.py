"""Switching the station's supply on, where the bench switches it: after the safe state, and only if its file allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .assembly import Bench
from .safety.danger import PLAIN

__all__ = ["power_up"]


async def power_up(bench: Bench) -> None:
    """Switch on every supply that the file gives voltage and current, then close the mains relays.

    Relays that the envelope does not allow to be switched are somebody else's matter. On a bench that nobody armed
    everything stays off.

    Raises:
        SafetyError: the gate refuses.
        DeviceError: not acknowledged.
    """
    note = bench.timeline.bench.note
    allowed = bench.gate.envelope.relays
    permission = bench.gate.permission
    refused = permission.refusal(PLAIN) if permission is not None else ""
    for driver in bench.instruments:
        starts_with = getattr(driver, "starts_with", None)
        if driver.role == "supply" and starts_with is not None:
            if refused:
                note("bench.state", {"state": "starting", "why": f"supply {driver.name} stays off: {refused}"})
                continue
            supply = cast(Any, driver)
            await supply.set(*starts_with)
            await supply.output(True)
            note("bench.state", {"state": "starting", "why": f"supply {driver.name} switched on"})
    for driver in bench.instruments:
        for number in _mains_relays(driver):
            name = f"mains relay {number} of {driver.name}"
            if number not in allowed and "mains" not in allowed:
                note("bench.state", {"state": "starting", "why": f"{name} stays off: [envelope] relays has no 'mains'"})
                continue
            if refused:
                note("bench.state", {"state": "starting", "why": f"{name} stays off: {refused}"})
                continue
            device = cast(Any, driver)
            await (device.switch if driver.role == "relay" else device.relay)(number, True)
            note("bench.state", {"state": "starting", "why": f"{name} switched on"})


def _mains_relays(driver: object) -> list[int]:
    own = getattr(driver, "mains_relay", None)
    if isinstance(own, int):
        return [own]
    board = getattr(driver, "relays", None)
    duties = cast("Mapping[int, str]", board if isinstance(board, Mapping) else dict[int, str]())
    return [number for number, duty in duties.items() if duty == "mains"]
