"""The bench's doctor: opens every device, makes it safe, listens for a while, and says what is wrong.

It energises nothing: its gate lets only steps to the safe state pass.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...drivers.ports import host_of
from ...errors import BenchError, DeviceError
from ..children import Child, start_twin
from ..config import BenchFile
from ..instruments import make_instruments
from ..permission import is_real
from ..powering import powered_later
from ..timeline import ClosedGate, Event, Interval, Timeline
from ..twin_plan import twin_instruments
from .findings import Finding, calibration, clocks, longest_silence_ms, stamps, two_sources
from .found import find_can, find_serial
from .machine import look_at_machine

if TYPE_CHECKING:
    from ...drivers.base import Driver

__all__ = ["examine", "reach_of"]

ASKS = 10
SLOW_MS = 50.0
FIRST_SAMPLE_S = 1.0
SAMPLES = ("meter.sample", "supply.sample")


async def examine(file: BenchFile, work: Path, watch_s: float, progress: Callable[[str], None]) -> list[Finding]:
    """Look at everything; `work` is a private folder, `watch_s` how long the devices are listened to.

    Raises:
        BenchError: nothing can be looked at, because a data file is wrong or the twin does not start.
    """
    timeline = Timeline()
    events: list[Event] = []
    timeline.subscribe(events.append)
    findings = look_at_machine()
    twin: Child | None = None
    ports: dict[str, str] = {}
    if file.twin is not None:
        progress("starting the twin")
        twin, ports = await start_twin(_twin_config(file, work), work, timeline.source("twin"))
    drivers: list[Driver] = []
    try:

        def absent(name: str, error: DeviceError) -> None:
            findings.append(Finding(name, "opening", "bad", str(error), "see what the message says"))

        drivers = make_instruments(file, timeline, ClosedGate(), ports, absent=absent)
        findings += reach_of(drivers) + _network(drivers)
        progress(f"opening {', '.join(driver.name for driver in drivers) or 'nothing'}")
        later = powered_later(drivers)
        opened = await asyncio.gather(*(_open(driver, unpowered=driver in later) for driver in drivers))
        findings += [found for part in opened for found in part]
        progress(f"listening for {watch_s:g} s")
        before = {driver.name: _offset(driver) for driver in drivers}
        await asyncio.sleep(watch_s)  # what is waited for is time itself: how a clock drifts
        for driver in drivers:
            seen = [*before[driver.name], *_offset(driver)]
            findings += clocks(driver.name, events, seen) if driver.is_open else []
            findings += await _look_at(driver, events)
            findings += stamps(driver.name, events) if driver.is_open else []
        for evse in range(1, file.station.evses + 1):
            findings += two_sources(evse, events, file.safe.current_below)
        today = datetime.now(UTC).astimezone().date()
        for name, section in file.device.items():
            findings += calibration(name, section, today)
        if is_real(file):
            findings += _ports(file)
    finally:
        await asyncio.gather(*(driver.close() for driver in drivers), return_exceptions=True)
        if twin is not None:
            twin.say({"type": "stop"})
            await asyncio.to_thread(twin.end)
    return findings


def _twin_config(file: BenchFile, work: Path) -> dict[str, Any]:
    station = {"station": file.station.id, "csms_url": "ws://127.0.0.1:9/nobody", "password": None}
    seed = file.twin.seed if file.twin is not None else 1
    return {"dir": str(work), "seed": seed, **twin_instruments(file), "dut_port": station}


async def _open(driver: Driver, *, unpowered: bool) -> list[Finding]:
    """`unpowered`: the bench switches its supply, and that is off as long as nobody but the doctor is here."""
    began = time.monotonic()
    try:
        await driver.open()
    except BenchError as error:
        if unpowered:
            fix = "the bench switches the station's supply, and a run opens this once that is on"
            return [Finding(driver.name, "opening", "note", str(error), fix)]
        return [Finding(driver.name, "opening", "bad", str(error), "see what the message says")]
    took_ms = (time.monotonic() - began) * 1e3
    who = ", ".join(f"{key} {value}" for key, value in driver.identity.items()) or "does not say who it is"
    found = [Finding(driver.name, "opening", "ok", f"in {took_ms:.0f} ms on {driver.port}: {who}")]
    if not driver.energising:
        return found
    state = driver.state.value
    try:
        await driver.make_safe()
    except BenchError as error:
        fix = "do not use this bench before it does: check the device and its wire"
        return [*found, Finding(driver.name, "safe state", "bad", str(error), fix)]
    told = "reached and read back" if state == "ACTIVE" else f"it was found {state}; reached and read back"
    return [*found, Finding(driver.name, "safe state", "ok", told)]


def _offset(driver: Driver) -> list[tuple[int, Interval]]:
    """The offset of the device's own clock now; nothing for a device without one."""
    now_ns = time.monotonic_ns()
    offset: Interval | None = getattr(driver, "clock_offset", None)
    return [] if offset is None else [(now_ns, offset)]


async def _look_at(driver: Driver, events: list[Event]) -> list[Finding]:
    if not driver.is_open:
        return []
    name = driver.name
    found = await _latency(driver)
    gaps = [event for event in events if event.source == name and event.topic == "gap" and event.data["from_ns"]]
    if gaps:
        detail = f"{len(gaps)} gaps while it was listened to; the last: {gaps[-1].data['why']}"
        found.append(Finding(name, "line", "warn", detail, "cable, shield, termination, ground; another program?"))
    if not driver.alive:
        found.append(Finding(name, "line", "bad", f"is {driver.state.value} now", "plug it in again"))
    samples = [event for event in events if event.source == name and event.topic in SAMPLES]
    silence_ms = longest_silence_ms([event.stamp.order_ns for event in samples])
    if silence_ms is not None:
        wide_ms = statistics.median((event.stamp.hi_ns - event.stamp.lo_ns) / 1e6 for event in samples)
        found.append(
            Finding(
                name,
                "samples",
                "ok",
                f"{len(samples)}, at most {silence_ms:.0f} ms apart, each known to {wide_ms:.0f} ms",
            )
        )
    return found


async def _latency(driver: Driver) -> list[Finding]:
    """The round trip of a question that changes nothing, where the driver has one."""
    ask = getattr(driver, "status", None)
    if ask is None:
        return []
    took_ms: list[float] = []
    try:
        for _ in range(ASKS):
            began = time.monotonic()
            await ask()
            took_ms.append((time.monotonic() - began) * 1e3)
    except BenchError as error:
        return [Finding(driver.name, "latency", "bad", str(error), "check the wire")]
    middle = statistics.median(took_ms)
    detail = f"{min(took_ms):.1f} / {middle:.1f} / {max(took_ms):.1f} ms (least, median, most of {ASKS})"
    if middle <= SLOW_MS:
        return [Finding(driver.name, "latency", "ok", detail)]
    return [Finding(driver.name, "latency", "warn", detail, "a hub, a network, or a USB latency timer of 16 ms?")]


def reach_of(drivers: list[Driver]) -> list[Finding]:
    """Which devices the guardian can make safe when the bench is dead."""
    found: list[Finding] = []
    for driver in drivers:
        if not driver.energising:
            continue
        recipe = driver.emergency()
        if recipe is None or recipe.reach == "none":
            why = recipe.why if recipe is not None else "its driver has no emergency recipe"
            fix = "only the device's own watchdog is left: set one, and try it"
            found.append(Finding(driver.name, "guardian", "warn", f"out of its reach: {why}", fix))
        elif recipe.reach == "remote":
            fix = "the device's own watchdog is the net: set one, and try it"
            found.append(Finding(driver.name, "guardian", "warn", recipe.why, fix))
        else:
            found.append(Finding(driver.name, "guardian", "ok", f"reaches it: {len(recipe.steps)} steps"))
    return found


def _network(drivers: list[Driver]) -> list[Finding]:
    """Which devices are behind a network, and what that costs."""
    found: list[Finding] = []
    for driver in drivers:
        host = host_of(driver.port)
        if host:
            detail = f"reached through {host}: what it answers is known to the time of the way there and back"
            fix = "see `stamps` and `latency`; what it tells unasked is stamped when it arrives (docs/remote.md)"
            found.append(Finding(driver.name, "network", "note", detail, fix))
    return found


def _ports(file: BenchFile) -> list[Finding]:
    """What the system says of the ports that the bench file names."""
    named = {str(Path(device.port).resolve()): name for name, device in file.device.items() if "://" not in device.port}
    found: list[Finding] = []
    for port in (*find_serial(), *find_can()):
        name = named.get(str(Path(port.device).resolve()))
        found += [Finding(name, "port", "warn", remark) for remark in port.remarks if name and "in use" not in remark]
    return found
