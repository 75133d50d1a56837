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
from ..model.plant import Outlet, Plant
from ..model.vehicle import Vehicle
from .device_clock import DeviceClock
from .dut_port import DutPort
from .ev import EvDevice
from .meter import MeterDevice
from .owner import Owner
from .pilot import PilotDevice
from .pty_port import PtyPort
from .settings import Settings
from .truth import TruthLog

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
        self._plant = self._build_plant(Random(seeds.random()), now_ns)
        # A file of an earlier run would send stations to a port that is gone.
        (settings.dir / "dut-port.json").unlink(missing_ok=True)
        self._truth = TruthLog(settings.dir / "truth.jsonl")
        self._dut_port = DutPort(self._plant, Random(seeds.random()), settings.dut_port, self._owner.say)
        clock = DeviceClock(Random(seeds.random()), now_ns)
        self._pilot = PilotDevice(
            self._plant,
            clock,
            self._truth,
            Random(seeds.random()),
            serial=settings.pilot.serial,
            boot_s=settings.pilot.boot_s,
            present_token=self._dut_port.present_token,
            note=self._owner.note,
        )
        self._ev = EvDevice(self._plant.vehicle, self._owner.note)
        # The pilot comes first: it stamps, the others only tell.
        self._plant.listeners += [self._pilot.on_fact, self._dut_port.on_fact, self._truth.fact]
        folder, note = settings.dir, self._owner.note
        self._pilot_port = PtyPort(self._loop, folder / "pilot", self._pilot.take_bytes, note)
        self._can_port = PtyPort(self._loop, folder / "can", self._ev.adapter.take_bytes, note)
        self._meter = MeterDevice(self._loop, folder / "meter", self._plant.bench_meter, settings.meter.unit, note)
        self._due_ns = 0

    def _build_plant(self, rng: Random, now_ns: int) -> Plant:
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
            gain_error_pct=settings.station_meter.gain_error_pct,
            resolution_wh=settings.station_meter.resolution_wh,
            refresh_ms=200.0,
            start_wh=round(rng.uniform(1_000.0, 90_000.0), 1),
            phase_ns=now_ns,
        )
        outlet = Outlet(settings.evse.outlet == "cable", settings.evse.rated_a, settings.evse.phases)
        mains = Mains(outlet.phases, settings.mains.nominal_v, settings.mains.impedance_ohm)
        return Plant(rng, outlet, Vehicle(settings.ev), bench_meter, station_meter, mains, now_ns)

    async def run(self) -> None:
        """Until the owner says stop, or has been gone for `linger_s`."""
        self._ev.adapter.attach(self._can_port)
        await self._meter.start()
        self._pilot.attach(self._pilot_port, time.monotonic_ns())
        port_file = await self._dut_port.start(self._settings.dir)
        gc.collect()
        gc.freeze()
        self._due_ns = time.monotonic_ns()
        self._tick()
        self._owner.listen()
        folder = self._settings.dir
        self._owner.say(
            "ready",
            pilot=str(folder / "pilot"),
            meter=str(folder / "meter"),
            can=str(folder / "can"),
            dut_port=str(port_file),
        )
        await self._over.wait()
        self._dut_port.close()
        await asyncio.sleep(0)  # let the closed connections send their FIN
        self._pilot_port.close()
        self._can_port.close()
        self._meter.close()
        self._truth.close()

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._due_ns > LATE_NS:
            self._owner.say("overrun", who="model", from_ns=self._due_ns, to_ns=now_ns)
        self._plant.step(now_ns)
        self._pilot.step(now_ns)
        self._ev.step(now_ns)
        self._dut_port.step(now_ns)
        self._due_ns = max(self._due_ns + TICK_NS, now_ns)
        if not self._over.is_set():
            self._loop.call_at(self._due_ns / 1e9, self._tick)

    def _control(self, message: dict[str, Any]) -> None:
        kind, now_ns = message.get("type"), time.monotonic_ns()
        if kind == "stop":
            self._over.set()
        elif kind == "mains" and isinstance(message.get("on"), bool):
            self._plant.set_mains(message["on"], now_ns)
        elif kind == "reset_pilot":
            self._pilot.reset(now_ns, float(message.get("boot_s", self._settings.pilot.boot_s)))
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
