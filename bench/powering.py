"""Switching the station's supply on, where the bench switches it: after the safe state, and only if its file allows.

What is a part of the station is opened after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ..errors import BenchError, SafetyError
from .assembly import Bench
from .safety.danger import PLAIN

if TYPE_CHECKING:
    from ..drivers.base import Driver

__all__ = ["cut_supply", "open_powered", "power_up", "powered_later"]

LOOK_EVERY_S = 0.5


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


def powered_later(instruments: Sequence[Driver]) -> list[Driver]:
    """The devices that are silent until the bench has switched the station's supply on; none where it does not.

    What can energise is never among them: it has to be made safe before there is a supply.
    """
    if not any(driver.role == "supply" or _mains_relays(driver) for driver in instruments):
        return []
    return [driver for driver in instruments if driver.powered_by_station and not driver.energising]


async def open_powered(bench: Bench, booted: asyncio.Event) -> None:
    """Open what is a part of the station. It may be silent, or its port not be there, until the station has booted.

    Raises:
        DeviceError: it still was so after that.
    """
    await asyncio.gather(*(_open_powered(driver, booted) for driver in powered_later(bench.instruments)))


async def _open_powered(driver: Driver, booted: asyncio.Event) -> None:
    while True:
        last = booted.is_set()
        try:
            await driver.open()
        except BenchError:
            if last:
                raise
        else:
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def cut_supply(bench: Bench, for_s: float) -> bool:
    """Take the station's supply away for `for_s` seconds: by the mains relays, or in the model of a virtual bench.

    False on a bench of which nothing switches the mains. What fails, or is given up, leaves the supply off.

    Raises:
        SafetyError: the gate refuses; for a time that is shorter than the envelope's `min_off` before anything is done.
        DeviceError: not acknowledged.
    """
    least_s = bench.gate.envelope.min_off_s
    if for_s < least_s:
        raise SafetyError(
            f"the supply cannot be off for {for_s:g} s: [envelope] min_off = {least_s:g} s would keep it from being "
            "switched on again in time. Ask for a longer time."
        )
    switches: list[tuple[Any, int]] = []
    for driver in bench.instruments:
        device = cast(Any, driver)
        act = device.switch if driver.role == "relay" else getattr(device, "relay", None)
        switches += [(act, number) for number in _mains_relays(driver)]
    if not switches:
        if bench.twin is None:
            return False
        await bench.twin.ask({"type": "fault", "name": "mains-cut", "on": True, "for_s": for_s})
        return True
    for act, number in switches:
        await act(number, False)
    await asyncio.sleep(for_s)
    for act, number in switches:
        await act(number, True)
    return True


def _mains_relays(driver: object) -> list[int]:
    own = getattr(driver, "mains_relay", None)
    if isinstance(own, int):
        return [own]
    board = getattr(driver, "relays", None)
    duties = cast("Mapping[int, str]", board if isinstance(board, Mapping) else dict[int, str]())
    return [number for number, duty in duties.items() if duty == "mains"]
