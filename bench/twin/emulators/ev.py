"""The EV simulator on the CAN bus: takes EV_Command, sends EV_Status every 50 ms."""

from __future__ import annotations

import time
from typing import Any

from ..model.plant import Fact
from ..model.vehicle import Command
from .can_frames import COMMAND_ID, STATUS_ID, pack_status, unpack_command
from .can_port import can_port
from .kinds import Place

__all__ = ["EvDevice", "make", "make_socketcand"]

STATUS_PERIOD_NS = 50_000_000


class EvDevice:
    """The model's vehicle on a bus. Its own watchdog (500 ms without a command) is in the model."""

    def __init__(self, place: Place, wire: str = "slcan") -> None:
        self._vehicle = place.plant.vehicle
        self._name = place.name
        self._truth = place.truth
        self._note = place.note
        self._counter = 0
        self._next_ns = 0
        self._told_length = False
        self._told = Command()
        self._silent = False
        self._bus = can_port(wire, place, self._on_frame)

    @property
    def port(self) -> str:
        return self._bus.port

    async def start(self) -> None:
        await self._bus.start()

    def on_fact(self, fact: Fact) -> None:
        """Nothing: the status is sent in its period."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        if name == "can-bus-off":
            self._bus.set_bus_off(on)
        elif name == "ev-silent":
            self._silent = on
        else:
            return False
        return True

    def close(self) -> None:
        self._bus.close()

    def step(self, now_ns: int) -> None:
        """Send the status when its time has come; periods missed in a stall are not made up for."""
        if now_ns < self._next_ns:
            return
        self._next_ns = max(self._next_ns + STATUS_PERIOD_NS, now_ns + STATUS_PERIOD_NS // 2)
        if self._silent:
            return
        self._counter = (self._counter + 1) % 16
        vehicle = self._vehicle
        data = pack_status(
            self._counter,
            plugged=vehicle.command.plugged,
            s2_wish=vehicle.wish,
            soc_pct=vehicle.battery.soc_pct,
            current_a=vehicle.current_a,
            battery_v=vehicle.battery.voltage_v,
        )
        self._bus.send(STATUS_ID, data, now_ns)

    def _on_frame(self, identifier: int, data: bytes) -> None:
        if identifier != COMMAND_ID:
            return
        try:
            command = unpack_command(data)
        except ValueError as error:
            if not self._told_length:
                self._told_length = True
                self._note(f"can: {error}; the frame is ignored")
            return
        now_ns = time.monotonic_ns()
        self._vehicle.receive(command, now_ns)
        if command != self._told:
            self._told = command
            self._truth.command(
                self._name,
                now_ns,
                "ev.command",
                plugged=command.plugged,
                s2_closed=command.s2_closed,
                charge=command.charge,
                max_current_a=command.max_current_a,
            )


def make(place: Place, settings: dict[str, Any]) -> EvDevice:
    """Behind an SLCAN adapter; see `kinds.KINDS`."""
    return EvDevice(place, **settings)


def make_socketcand(place: Place, settings: dict[str, Any]) -> EvDevice:
    """Behind socketcand; see `kinds.KINDS`."""
    return EvDevice(place, "socketcand", **settings)
