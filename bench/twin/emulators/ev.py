"""The EV simulator on the CAN bus: takes EV_Command, sends EV_Status every 50 ms."""

from __future__ import annotations

import time
from typing import Any

from ..model.plant import Fact
from .can_frames import COMMAND_ID, STATUS_ID, pack_status, unpack_command
from .kinds import Place
from .pty_port import PtyPort
from .slcan import SlcanAdapter

__all__ = ["EvDevice", "make"]

STATUS_PERIOD_NS = 50_000_000


class EvDevice:
    """The model's vehicle behind an adapter on a pty."""

    def __init__(self, place: Place) -> None:
        self._vehicle = place.plant.vehicle
        self._note = place.note
        self._counter = 0
        self._next_ns = 0
        self._told_length = False
        self.adapter = SlcanAdapter(self._on_frame)
        self._line = PtyPort(place.loop, place.folder / place.name, self.adapter.take_bytes, place.note, place.wire)
        self.port = str(place.folder / place.name)

    async def start(self) -> None:
        self.adapter.attach(self._line)

    def on_fact(self, fact: Fact) -> None:
        """Nothing: the status is sent in its period."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        return False

    def close(self) -> None:
        self._line.close()

    def step(self, now_ns: int) -> None:
        """Send the status when its time has come; periods missed in a stall are not made up for."""
        if now_ns < self._next_ns:
            return
        self._next_ns = max(self._next_ns + STATUS_PERIOD_NS, now_ns + STATUS_PERIOD_NS // 2)
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
        self.adapter.send(STATUS_ID, data, now_ns // 1_000_000)

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
        self._vehicle.receive(command, time.monotonic_ns())


def make(place: Place, settings: dict[str, Any]) -> EvDevice:
    """See `kinds.KINDS`."""
    return EvDevice(place, **settings)
