"""One outlet with a car in front of it: the twin's model behind a DUT port, moved by a person's words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from ..emulators.dut_port import DutPort
from ..emulators.settings import DutPortSettings
from ..model.divider import CpFaults
from ..model.energy_meter import EnergyMeter
from ..model.mains import Mains
from ..model.plant import Fact, Outlet, Plant
from ..model.vehicle import Command, Vehicle, VehicleTraits

__all__ = ["Bay"]

_TICK_S = 0.002
_CABLE_OHM = 220.0  # a cable of 32 A
_NOBODY = CpFaults()


def _ignore(_kind: str, **_values: object) -> None:
    """What the port tells its owner: the stalls of a station, which no rule judges here."""


class Bay:
    """The model, ticking. Raises nothing; what a person cannot do now is told.

    Args:
        tell: gets a line for everything that can be seen at the outlet.
    """

    def __init__(self, seed: int, settings: DutPortSettings, tell: Callable[[str], None]) -> None:
        rng = Random(seed)
        now_ns = time.monotonic_ns()
        outlet = Outlet()
        meters = [
            EnergyMeter(gain_error_pct=0.4, resolution_wh=0.1, refresh_ms=200.0, start_wh=1000.0, phase_ns=now_ns)
            for _ in range(2)
        ]
        mains = Mains(outlet.phases, 230.0, 0.0)
        self._plant = Plant(rng, outlet, Vehicle(VehicleTraits()), meters[0], meters[1], mains, now_ns)
        self._tell = tell
        self._port = DutPort({settings.station: {1: self._plant}}, Random(seed + 1), settings, _ignore)
        self._plant.listeners += [self._port.listener(settings.station, 1), self._on_fact]
        self._reader = self._port.reader(settings.station, 1)
        self._command = Command(max_current_a=32.0)
        self._pulls_cable = False
        self._ticker: asyncio.Task[None] | None = None

    async def start(self, folder: Path) -> Path:
        """Listen; returns the port file."""
        path = await self._port.start(folder)
        self._ticker = asyncio.create_task(self._tick(), name="solo.tick")
        return path

    def close(self) -> None:
        """Nobody is at the outlet any more."""
        if self._ticker is not None:
            self._ticker.cancel()
        self._port.close()

    @property
    def charging(self) -> bool:
        """Current flows into the car."""
        return self._plant.current_a[0] > 1.0

    # what a person does

    def plug(self) -> None:
        """Put the cable into the outlet and the car."""
        now_ns = time.monotonic_ns()
        self._pulls_cable = False
        self._plant.set_pp(_CABLE_OHM, now_ns)
        self._plant.set_circuit("B", _NOBODY, now_ns)
        self._wants(plugged=True, charge=self._command.charge)

    def unplug(self) -> None:
        """Pull the cable out of the car, and out of the outlet as soon as that lets it go."""
        now_ns = time.monotonic_ns()
        self._wants(plugged=False, charge=False)
        self._plant.set_circuit("A", _NOBODY, now_ns)
        if self._plant.lock.closed:
            self._pulls_cable = True
            self._tell("outlet: the cable is still locked; it is pulled when the lock opens")
        else:
            self._plant.set_pp(None, now_ns)

    def charge(self) -> None:
        """The car wants energy."""
        self._wants(plugged=self._plant.plugged, charge=True)

    def pause(self) -> None:
        """The car wants no energy."""
        self._wants(plugged=self._plant.plugged, charge=False)

    def card(self, identifier: str) -> None:
        """A card is held to the reader."""
        self._reader("ISO14443", identifier)

    def mains(self, on: bool) -> None:
        """The supply goes, or comes back."""
        self._plant.set_mains(on, time.monotonic_ns())

    # what the model does

    def _wants(self, *, plugged: bool, charge: bool) -> None:
        self._command = Command(plugged, plugged, charge, 32.0)

    async def _tick(self) -> None:
        while True:
            now_ns = time.monotonic_ns()
            self._plant.vehicle.receive(self._command, now_ns)
            self._plant.step(now_ns)
            self._port.step(now_ns)
            await asyncio.sleep(_TICK_S)

    def _on_fact(self, fact: Fact) -> None:
        plant = self._plant
        if fact.name == "s2_wish" and plant.plugged:
            # the listeners are being told: the switch moves when they are through
            asyncio.get_running_loop().call_soon(self._switch_s2, bool(fact.value))
        elif fact.name == "lock" and not plant.lock.closed and self._pulls_cable:
            self._pulls_cable = False
            asyncio.get_running_loop().call_soon(plant.set_pp, None, fact.t_ns)
        text = self._seen(fact)
        if text is not None:
            self._tell(f"outlet: {text}")

    def _switch_s2(self, closed: bool) -> None:
        if self._plant.plugged:
            self._plant.set_circuit("C" if closed else "B", _NOBODY, time.monotonic_ns())

    def _seen(self, fact: Fact) -> str | None:
        plant = self._plant
        if fact.name == "plug":
            return "vehicle plugged in" if fact.value else "vehicle unplugged"
        if fact.name == "s2":
            return "the vehicle asks for energy" if fact.value else "the vehicle asks for no energy"
        if fact.name == "contactor":
            return "contactor closed" if fact.value else "contactor open"
        if fact.name == "lock":
            return "cable locked" if fact.value else "cable released"
        if fact.name == "current":
            return "current flows" if fact.value else "no current"
        if fact.name == "mains":
            return "mains on" if fact.value else "mains off"
        if fact.name == "cp" and plant.plugged:
            duty = plant.pwm_pct
            return f"pilot {plant.resistor}, " + ("no PWM" if not plant.pwm_running else f"PWM {duty:.2f} %")
        return None
