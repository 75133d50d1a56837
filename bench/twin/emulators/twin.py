"""The virtual bench in one process: the model, its tick, and the instruments in front of it."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from random import Random
from typing import Any

from ..model.energy_meter import EnergyMeter
from ..model.mains import Mains
from ..model.plant import Fact, Outlet, Plant
from ..model.vehicle import Vehicle
from .dut_port import DutPort
from .fault_desk import FaultDesk
from .kinds import Emulator, Place, make_emulator
from .owner import Owner
from .settings import OutletSettings, Settings, SettingsError
from .truth import TruthLog
from .wire_faults import WireFaults

__all__ = ["run"]

TICK_NS = 1_000_000
LATE_NS = 20_000_000


class Twin:
    """Builds everything from the settings, and ticks it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._linger: asyncio.TimerHandle | None = None
        self._owner = Owner(self._loop, self._control, self._owner_gone)
        now_ns = time.monotonic_ns()
        # One generator each, so that what one part draws does not shift the others.
        seeds = Random(settings.seed)
        self._mains: dict[str, Mains] = {}
        self._plants = {
            (outlet.station or settings.dut_port.station, outlet.number): self._build_plant(
                outlet, Random(seeds.random()), now_ns
            )
            for outlet in settings.each_outlet()
        }
        # A file of an earlier run would send stations to a port that is gone.
        (settings.dir / "dut-port.json").unlink(missing_ok=True)
        self._truth = TruthLog(settings.dir / "truth.jsonl")
        by_station: dict[str, dict[int, Plant]] = {}
        for (station, evse), plant in self._plants.items():
            by_station.setdefault(station, {})[evse] = plant
        self._dut_port = DutPort(by_station, Random(seeds.random()), settings.dut_port, self._owner.say)
        self._wires: dict[str, WireFaults] = {}
        self._devices = self._build_devices(seeds, now_ns)
        self._desk = FaultDesk(
            by_station[settings.dut_port.station], self._devices, self._wires, self._truth, self._owner.say
        )
        for (station, evse), plant in self._plants.items():
            self._listen(plant, station, evse)
        self._due_ns = 0

    def _build_devices(self, seeds: Random, now_ns: int) -> dict[str, tuple[int, Emulator]]:
        made: dict[str, tuple[int, Emulator]] = {}
        shared: dict[str, Any] = {}
        own = self._settings.dut_port.station
        for name, device in self._settings.each_device().items():
            plant = self._plants.get((own, device.evse))
            if plant is None:
                raise SettingsError(f"device {name!r}: station {own} has no outlet {device.evse}")
            wire = self._wires[name] = WireFaults(self._loop, f"{self._settings.seed}/{name}")
            place = Place(
                loop=self._loop,
                name=name,
                folder=self._settings.dir,
                plant=plant,
                rng=Random(seeds.random()),
                truth=self._truth,
                present_token=self._dut_port.reader(own, device.evse),
                note=self._owner.note,
                now_ns=now_ns,
                shared=shared,
                wire=wire,
            )
            made[name] = device.evse, make_emulator(device.kind, place, device.more)
        return made

    def _listen(self, plant: Plant, station: str, evse: int) -> None:
        own = station == self._settings.dut_port.station
        # The instruments come first: they stamp, the others only tell.
        if own:
            plant.listeners += [emulator.on_fact for of, emulator in self._devices.values() if of == evse]
        plant.listeners.append(self._dut_port.listener(station, evse))

        def log(fact: Fact) -> None:
            self._truth.fact(fact, evse=evse, station=None if own else station)

        plant.listeners.append(log)

    def _build_plant(self, of: OutletSettings, rng: Random, now_ns: int) -> Plant:
        settings = self._settings
        # Small register values: the meter's floats have 24 bits, and 0.1 Wh shall stay visible in kWh.
        bench_meter = EnergyMeter(
            gain_error_pct=settings.meter.gain_error_pct,
            resolution_wh=settings.meter.resolution_wh,
            refresh_ms=settings.meter.refresh_ms,
            start_wh=round(rng.uniform(2_000.0, 8_000.0), 1),
            phase_ns=now_ns + rng.randrange(50_000_000),
        )
        station_meter = EnergyMeter(
            gain_error_pct=of.station_meter.gain_error_pct,
            resolution_wh=of.station_meter.resolution_wh,
            refresh_ms=200.0,
            start_wh=round(rng.uniform(1_000.0, 90_000.0), 1),
            phase_ns=now_ns,
        )
        outlet = Outlet(of.evse.outlet == "cable", of.evse.rated_a, of.evse.phases, of.evse.ventilation)
        # The outlets of a station hang on one supply.
        mains = self._mains.setdefault(
            of.station or settings.dut_port.station,
            Mains(3, settings.mains.nominal_v, settings.mains.impedance_ohm),
        )
        return Plant(rng, outlet, Vehicle(of.ev), bench_meter, station_meter, mains, now_ns)

    async def run(self) -> None:
        """Until the owner says stop, or has been gone for `linger_s`."""
        for _, emulator in self._devices.values():
            await emulator.start()
        port_file = await self._dut_port.start(self._settings.dir)
        gc.collect()
        gc.freeze()
        self._due_ns = time.monotonic_ns()
        self._tick()
        self._owner.listen()
        ports = {name: emulator.port for name, (_, emulator) in self._devices.items()}
        self._owner.say("ready", **ports, dut_port=str(port_file))
        await self._over.wait()
        self._dut_port.close()
        await asyncio.sleep(0)  # let the closed connections send their FIN
        for _, emulator in self._devices.values():
            emulator.close()
        self._truth.close()

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._due_ns > LATE_NS:
            self._owner.say("overrun", who="model", from_ns=self._due_ns, to_ns=now_ns)
            self._truth.stalled(self._due_ns, now_ns)
        for plant in self._plants.values():
            plant.step(now_ns)
        for _, emulator in self._devices.values():
            emulator.step(now_ns)
        self._dut_port.step(now_ns)
        self._desk.step(now_ns)
        self._due_ns = max(self._due_ns + TICK_NS, now_ns)
        if not self._over.is_set():
            self._loop.call_at(self._due_ns / 1e9, self._tick)

    def _control(self, message: dict[str, Any]) -> None:
        kind, now_ns = message.get("type"), time.monotonic_ns()
        if kind == "stop":
            self._over.set()
        elif kind == "mains" and isinstance(message.get("on"), bool):
            for mains in self._mains.values():
                mains.switch(message["on"], now_ns)
        elif kind == "reset_pilot":
            self._desk.take({**message, "type": "fault", "name": "reset"}, now_ns)
        elif kind in ("fault", "faults"):
            self._desk.take(message, now_ns)
        else:
            self._owner.note(f"control line not understood: {message}")

    def _owner_gone(self) -> None:
        """Nobody holds the lifeline any more: let the pilot's watchdog be seen to work, then end."""
        linger_s = self._settings.linger_s
        # Should anything hang on the way out, the kernel ends this process: it must never be left behind.
        signal.alarm(int(linger_s) + 5)
        self._linger = self._loop.call_later(linger_s, self._over.set)


async def run(settings: Settings) -> None:
    """Build the twin and run it to its end."""
    await Twin(settings).run()
