"""A loop, a timeline, and drivers on the twin's ports or behind a cable."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pilotbench
from pilotbench.bench.timeline import Event, Gate, Stimulus, Timeline, new_loop
from pilotbench.drivers.base import Driver
from pilotbench.drivers.meter.map_file import load_map
from pilotbench.drivers.registry import create

from twin_client import Station, TwinProcess
from wire_tap import WireTap

__all__ = ["CONFIGS", "DEVICES", "RELAYS", "WIRES", "OpenGate", "Rig"]

CONFIGS = Path(pilotbench.__file__).parent / "hw-configs"

WIRES = {
    "pilot.line": "pilot",
    "pilot.ev_sim": "ev_sim",
    "meter.modbus": "meter",
    "ev.dbc": "can",
    "ev.chademo": "dc",
    "token.line": "cards",
    "evse.rapi": "rapi",
    "supply.scpi": "supply",
    "load.scpi": "load",
    "power.relay/modbus": "relays_modbus",
    "power.relay/numato": "relays_numato",
}
"""Kind of driver, and what of it where it has several wires -> the twin's device that it is tried on."""

RELAYS = {1: "mains", 2: "pe", 3: "rcd", 4: "dc-leak", 5: "aux"}
"""What the relays of a board are for. In the usual twin nothing hangs on them, so that the station has its supply."""

DEVICES: dict[str, dict[str, Any]] = {
    "pilot": {"kind": "pilot.line"},
    "ev_sim": {"kind": "pilot.ev_sim", "pp_ohm": None},
    "meter": {"kind": "meter.modbus"},
    "can": {"kind": "ev.slcan"},
    "dc": {"kind": "ev.chademo"},
    "cards": {"kind": "token.line"},
    "rapi": {"kind": "evse.rapi", "aux_power": True},
    "supply": {"kind": "supply.scpi", "feeds": False},
    "load": {"kind": "load.scpi"},
    "relays_modbus": {"kind": "relay.modbus", "unit": 3},
    "relays_numato": {"kind": "relay.numato"},
}
"""What stands in the rig's twin, all at one outlet."""

T = TypeVar("T")


class OpenGate:
    """Permits everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Stimulus] = []

    def permit(self, stimulus: Stimulus) -> None:
        self.asked.append(stimulus)


class Rig:
    """One timeline on one loop; everything that is opened is closed."""

    def __init__(self, folder: Path, twin: Callable[..., TwinProcess]) -> None:
        self.loop, _ = new_loop()
        self.rested_ns = 0
        """Since when the loop stands; what is read meanwhile is told before anybody waits for it."""
        self.folder = folder
        self.state_dir = folder / "state"
        self.events: list[Event] = []
        self.gate = OpenGate()
        self.timeline = Timeline()
        self.timeline.subscribe(self.events.append)
        self.devices = DEVICES
        self._start_twin = twin
        self._twin: TwinProcess | None = None
        self._drivers: list[Driver] = []
        self._taps: list[WireTap] = []
        self.station: Station | None = None

    @property
    def twin(self) -> TwinProcess:
        if self._twin is None:
            self._twin = self._start_twin(devices=self.devices)
        return self._twin

    def use(self, twin: TwinProcess) -> None:
        """Take another twin than the usual one."""
        self._twin = twin

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = 15.0) -> T:
        async def limited() -> T:
            async with asyncio.timeout(timeout_s):
                return await work

        try:
            return self.loop.run_until_complete(limited())
        finally:
            self.rested_ns = time.monotonic_ns()

    def until(self, holds: Callable[[], bool], what: str, within_s: float = 5.0) -> None:
        """Let the bench run until something holds; a failed assertion that names it when it does not in time."""

        async def look() -> None:
            deadline = time.monotonic() + within_s
            while not holds():
                assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
                await asyncio.sleep(0.01)

        self.run(look())

    def tap(self, wire: str, **options: Any) -> WireTap:
        """A cable to the twin's port `wire`; with `device=None` to nobody."""
        options.setdefault("device", self.twin.ready[wire] if "device" not in options else None)
        tap = WireTap(self.folder / f"{wire}-{len(self._taps)}", **options)
        self._taps.append(tap)
        return tap

    def driver(self, kind: str, port: str, *, name: str | None = None, gate: Gate | None = None, **options: Any) -> Any:
        if kind == "meter.modbus":
            options = {"register_map": load_map(CONFIGS / "meters" / "eastron-sdm630.toml"), **options}
        elif kind == "ev.dbc":
            options = {"dbc": CONFIGS / "ev" / "pilotbench-ev.dbc", **options}
        elif kind.startswith("power.relay/"):
            board = kind.partition("/")[2]
            options = {"board": board, "relays": RELAYS, "inverted": [2], "unit": 3, **options}
        source = self.timeline.source(name or WIRES.get(kind) or kind)
        driver = create(
            kind.partition("/")[0],
            source.name,
            source,
            gate or self.gate,
            port=port,
            state_dir=self.state_dir,
            **options,
        )
        self._drivers.append(driver)
        return driver

    def topics(self, topic: str) -> list[Event]:
        return [event for event in self.events if event.topic == topic]

    def close(self) -> None:
        for driver in self._drivers:
            self.run(driver.close())
        for tap in self._taps:
            tap.close()
        if self.station is not None:
            self.station.close()
        left = asyncio.all_tasks(self.loop)
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        assert not left, f"tasks outlive their driver: {left}"
        threads = [thread.name for thread in threading.enumerate() if thread.name.endswith(("reader", "pump"))]
        assert not threads, f"threads outlive their driver: {threads}"
