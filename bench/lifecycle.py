"""Start, make safe, close: the life of a bench, in that order and whatever happens in between.

Start-up applies the safe state before anything else. Shutdown has two phases: make safe, then
close in reverse order; an error in one step never stops the next one.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..drivers.state import DeviceState
from ..errors import BenchError, SafetyError, StationTimeout, TwinError
from .assembly import Bench, attach_instruments
from .children import start_station, start_twin
from .guarding import start_guardian, stop_guardian
from .left_over import clear_left_overs as look_for_left_overs
from .powering import open_powered, power_up, powered_later
from .safety import SafeOutcome, together
from .safety.danger import PLAIN
from .supervising import start_supervisor, stop_supervisor
from .twin_plan import twin_instruments

if TYPE_CHECKING:
    from .vehicle import Vehicle

__all__ = [
    "abandon",
    "back_to_idle",
    "clear_left_overs",
    "close",
    "external_station",
    "make_safe",
    "patience_s",
    "settle",
    "start",
    "wait_for_station",
]

SWITCH_INTERVAL_S = 0.0002
GC_THRESHOLD = (10_000, 10, 1000)
"""The garbage collector looks through everything seldom: each time it holds up every thread, the readers' and the
heartbeat's too, for 150 ms with a million events in memory, and for longer on a small host."""
SETTLE_STEP_S = 0.05
CLOSE_STEP_S = 5.0
SAFE_WITHIN_S = 15.0
GUARDIAN_STEP_S = 25.0
IDLE_WITHIN_S = 10.0
PAUSED_WITHIN_S = 2.0
"""A vehicle has ramped down and opened S2 after so long."""
OPEN_DEADLINES_S = 20.0

UNFINISHED = SafeOutcome(False, "NOT SAFE: making safe was not finished. Switch the supply off by hand, now.")
LAST_DEADLINES_S = 0.8
FIRST_STATUS_S = 2.0
EXTERNAL_WITHIN_S = 180.0


async def start(bench: Bench) -> None:
    """Bring a bench up to "ready for the station": recording, back end, twin, instruments, safe state.

    Raises:
        BenchError: a part did not start; what was already up stays up for `close`.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    note = bench.timeline.bench.note
    bench.recorder.start()
    bench.engine.start()
    note("bench.state", {"state": "starting", "why": bench.file.name})
    await bench.back_end.start()
    ports: dict[str, str] = {}
    if bench.file.twin is not None:
        ports = await _start_children(bench)
    attach_instruments(bench, ports)
    _collect_garbage()
    await start_guardian(bench)
    await _open_all(bench)
    await make_safe(bench, "start-up")
    await start_supervisor(bench, partial(make_safe, at_once=True))
    # What takes its time is over, and what follows may energise.
    if bench.guarded is not None:
        bench.guarded.guard.closely()
    await power_up(bench)
    for vehicle in bench.vehicles.values():
        vehicle.start()
    for fault in bench.options.twin_faults:
        assert bench.twin is not None
        await bench.twin.ask(fault)


def _collect_garbage() -> None:
    """Once, and before an instrument is opened: it stops every thread for as long as it looks, and a pilot emulator
    that is not fed meanwhile lets its watchdog expire.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def external_station(bench: Bench) -> bool:
    """True when somebody else's software is to be the station on the twin's DUT port."""
    twin = bench.file.twin
    return twin is not None and (twin.external_station or bench.options.external_station)


def patience_s(bench: Bench) -> float:
    """How long the station is waited for, in seconds. Software that a person has yet to start gets minutes."""
    within_s = bench.file.station.boot_within
    return bench.options.wait_station_s or (max(within_s, EXTERNAL_WITHIN_S) if external_station(bench) else within_s)


async def wait_for_station(bench: Bench) -> None:
    """Wait until the station has booted, or has been attached to, and what is a part of it answers.

    Raises:
        StationTimeout: it never came; says what its last attempt to connect looked like.
        DeviceError: it came, and a monitor that it powers is silent all the same.
    """
    timeout_s = patience_s(bench)
    booted = asyncio.Event()
    opening = asyncio.create_task(open_powered(bench, booted), name="open what the station powers")
    try:
        await bench.csms.wait_ready(bench.file.station.id, timeout_s)
        booted.set()
        await opening
    except StationTimeout as error:
        for driver in powered_later(bench.instruments):
            if driver.state not in (DeviceState.ACTIVE, DeviceState.DEGRADED):
                error.add_note(f"{driver.name}, a part of it, did not answer either.")
        raise
    finally:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
    # After its boot a station reports every connector (OCPP 1.6 section 4.2), and some take no card before that.
    try:
        await bench.timeline.wait_for(
            "ocpp.status", lambda event: event.evse is not None, timeout_s=FIRST_STATUS_S, since_ns=0
        )
        why = ""
    except TimeoutError:
        why = f"the station reported no connector within {FIRST_STATUS_S:g} s"
    bench.timeline.bench.note("bench.state", {"state": "ready", "why": why})


async def clear_left_overs(bench: Bench) -> list[str]:
    """Find and clear what earlier runs left in the station; one line each. A station that the run powers has none.

    On a bench that nobody armed it is only shown: clearing may let current flow.
    """
    if bench.facts.powered_by_bench:
        return []
    permission = bench.gate.permission
    keep = bench.options.keep_state or (permission is not None and bool(permission.refusal(PLAIN)))
    found = await look_for_left_overs(
        bench.csms, bench.back_end.state, bench.timeline, bench.file.station.id, keep=keep
    )
    return [str(one) for one in found]


async def make_safe(bench: Bench, why: str, *, at_once: bool = False) -> None:
    """Go to the safe state and prove it. Whoever asks while it is done waits, and has it done and proven once more.

    `at_once`: without waiting for the current to fall, and with the supply off before the proof.

    Raises:
        SafetyError: the output is not proven dead although the bench can see it.
    """
    if not bench.recipes:
        return
    # A signal may come while the supervisor makes safe: steps of two recipes must not mix, nor their outcomes.
    async with bench.making_safe:
        await _make_safe(bench, why, at_once)


async def _make_safe(bench: Bench, why: str, at_once: bool) -> None:
    note = bench.timeline.bench.note
    note("bench.state", {"state": "making-safe", "why": why})
    bench.outcome = UNFINISHED  # what an earlier run of the recipe proved is not what is now
    try:
        outcomes = await asyncio.gather(*(recipe.run(at_once=at_once) for recipe in bench.recipes.values()))
        trouble = await bench.supply.off() if bench.supply is not None else []
        outcome = bench.outcome = together(dict(zip(bench.recipes, outcomes, strict=True)), trouble)
    except asyncio.CancelledError:
        note("bench.state", {"state": "unsafe", "why": UNFINISHED.text})
        raise
    note("bench.state", {"state": "safe" if outcome.proven else "unsafe", "why": outcome.text})
    if outcome.error or (not outcome.proven and "NOT SAFE" in outcome.text):
        told = f"{outcome.text} ({'; '.join(outcome.trouble)})"
        bench.danger = bench.danger or told
        raise SafetyError(told)


async def settle(bench: Bench, timeout_s: float) -> bool:
    """Wait until every obligation of the rules is decided that can be in this time; False when some are still open.

    What has its deadline later is not waited for.
    """
    deadline = time.monotonic() + timeout_s
    upto_ns = time.monotonic_ns() + round(timeout_s * 1e9)
    while bench.engine.open_obligations(upto_ns=upto_ns):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(SETTLE_STEP_S)  # a poll of our own state, bounded by the deadline
    return not bench.engine.open_obligations()


async def back_to_idle(bench: Bench) -> None:
    """Stop what charges, pull the plug, and let the open deadlines pass: the next test starts from state A.

    A bench that is being made safe is left alone. A step that fails does not stop the next one.

    Raises:
        BenchError: a device or the station did not do its part; the first of them.
    """
    if bench.gate.sealed:
        return
    for evse in [evse for evse, vehicle in bench.vehicles.items() if vehicle.plugged]:
        await _one_to_idle(bench, evse, bench.vehicles[evse])


async def _one_to_idle(bench: Bench, evse: int, vehicle: Vehicle) -> None:
    if all(driver.alive for driver in bench.instruments):
        # What a rule still waits for is not to be cut off by our own unplugging.
        await settle(bench, OPEN_DEADLINES_S)
    errors: list[BenchError] = []

    async def step(act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except BenchError as error:
            errors.append(error)

    await step(vehicle.faults)
    await step(vehicle.pause)
    outlet = bench.outlets[evse]
    dead_within_s = PAUSED_WITHIN_S + bench.file.safe.output_dead_within
    if not await outlet.wait_until(lambda: not outlet.may_be_live, dead_within_s):
        # Nothing in order helps any more, and every second counts: this run is over.
        await abandon(bench, f"the output was still live {dead_within_s:g} s after the vehicle stopped charging")
        return
    await step(lambda: _stop_transaction(bench, evse))
    await step(vehicle.unplug)
    await outlet.wait_until(lambda: not outlet.may_be_live, IDLE_WITHIN_S)
    await settle(bench, IDLE_WITHIN_S)
    if errors:
        raise errors[0]


async def _stop_transaction(bench: Bench, evse: int) -> None:
    transaction = bench.open_transaction(evse)
    if transaction is None:
        return
    began_ns = time.monotonic_ns()
    await bench.csms.station(bench.file.station.id).verbs.remote_stop(transaction)
    try:
        await bench.timeline.wait_for(
            "ocpp.tx.ended", lambda event: event.evse in (None, evse), timeout_s=IDLE_WITHIN_S, since_ns=began_ns
        )
    except TimeoutError:
        bench.timeline.bench.note(
            "safe.step", {"step": "transaction ended", "ok": False, "detail": f"not within {IDLE_WITHIN_S:g} s"}
        )


async def abandon(bench: Bench, why: str) -> None:
    """Make safe now, and do nothing more with this bench; `close` follows.

    Raises:
        SafetyError: as `make_safe`.
    """
    bench.gate.seal()
    await make_safe(bench, why)


def _unproven(outcome: SafeOutcome | None) -> str:
    """What somebody else should try once more; empty when there is nothing."""
    if outcome is None:
        return ""
    return outcome.text if "NOT SAFE" in outcome.text or "not known to be off" in outcome.text else ""


async def close(bench: Bench, *, finished: bool) -> None:
    """Make safe, close everything, judge what is left, and complete the recording.

    `finished` is False when the run was interrupted.

    Raises:
        ExceptionGroup: of every error on the way; each step was tried all the same.
    """
    errors: list[Exception] = []
    bench.gate.seal()
    deaths = _deaths(bench)

    async def step(name: str, act: Callable[[], Awaitable[Any]], timeout_s: float = CLOSE_STEP_S) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await act()
        except TimeoutError:
            errors.append(BenchError(f"closing: {name} did not end within {timeout_s:g} s; went on without it."))
        except Exception as error:  # noqa: BLE001 - every step must be tried, every error is reported
            errors.append(error)

    await step("supervisor", lambda: stop_supervisor(bench), SAFE_WITHIN_S)
    if bench.instruments:
        await step("make safe", lambda: make_safe(bench, "end of run"), SAFE_WITHIN_S)
        # What making safe did to the station is judged like every other stop: short deadlines may pass.
        await step("last deadlines", lambda: settle(bench, LAST_DEADLINES_S))
    errors += deaths
    for vehicle in bench.vehicles.values():
        await step("vehicle", vehicle.stop)
    for driver in reversed(bench.instruments):
        await step(driver.name, driver.close)
    if bench.danger and not any(bench.danger in str(error) for error in errors):
        errors.append(SafetyError(f"earlier in this run: {bench.danger}"))
    # The ports are free: what could not be made safe is tried once more by somebody else.
    await step("guardian", lambda: stop_guardian(bench, _unproven(bench.outcome)), GUARDIAN_STEP_S)
    if bench.station is not None:
        bench.station.say({"type": "stop"})
        bench.station.let_go()
    await step("back end", bench.back_end.close)
    if bench.twin is not None:
        bench.twin.say({"type": "stop"})
    for child in (bench.station, bench.twin):
        if child is not None:
            await step(child.name, lambda child=child: asyncio.to_thread(child.end), 10.0)
    told = {str(death) for death in deaths}
    errors += [death for death in _deaths(bench) if str(death) not in told]
    _port_link(bench).unlink(missing_ok=True)
    bench.recorder.tell_losses()
    bench.timeline.bench.note("bench.state", {"state": "closed", "why": "finished" if finished else "interrupted"})
    final: dict[str, bytes] = {}
    try:
        report = bench.report = bench.engine.finish(truncated=not finished)
        final["verdicts.json"] = msgspec.json.encode([verdict.to_dict() for verdict in report.verdicts])
    except Exception as error:  # noqa: BLE001 - the recording is what the verdicts can be had from again
        errors.append(error)
    await step("recording", lambda: bench.recorder.close(final), 15.0)
    gc.unfreeze()
    if errors:
        raise ExceptionGroup("the bench did not close cleanly", errors)


def _deaths(bench: Bench) -> list[TwinError]:
    """The twin's processes that ended although the run goes on. A station without its model ends in order."""
    twin = bench.twin.death() if bench.twin is not None else None
    station = bench.station.death() if bench.station is not None else None
    if twin is not None and bench.station is not None and bench.station.process.returncode == 0:
        station = None
    return [death for death in (twin, station) if death is not None]


async def _open_all(bench: Bench) -> None:
    """Open every instrument at once; all are open or given up before the first error is raised.

    What is silent until the bench has switched the station's supply on is left for `wait_for_station`.
    """
    later = powered_later(bench.instruments)
    for driver in later:
        why = f"{driver.name} is a part of the station, and is opened once its supply is on"
        bench.timeline.bench.note("bench.state", {"state": "starting", "why": why})
    now = [driver.open() for driver in bench.instruments if driver not in later]
    outcomes = await asyncio.gather(*now, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if errors:
        raise errors[0]


async def _start_children(bench: Bench) -> dict[str, str]:
    file, options = bench.file, bench.options
    twin = file.twin
    assert twin is not None
    seed = twin.seed if options.seed is None else options.seed
    source = bench.timeline.source("twin")
    if not external_station(bench):
        bench.station = start_station(
            bench.work, source, fault=options.station_fault, oddity=options.oddity, seed=seed, boot=options.boot
        )
    config = {
        "dir": str(bench.work),
        "seed": seed,
        **twin_instruments(file),
        "dut_port": {
            "station": file.station.id,
            "csms_url": bench.csms.url(file.station.id),
            "password": file.csms.password,
            "ocpp": file.station.ocpp,
            **bench.back_end.papers(file.station.id, bench.work),
        },
    }
    # A foreign station looks for the port's file in the run's folder; it is whole as soon as it is there.
    _port_link(bench).unlink(missing_ok=True)
    _port_link(bench).symlink_to(bench.work / "dut-port.json")
    bench.twin, ports = await start_twin(config, bench.work, source)
    return ports


def _port_link(bench: Bench) -> Path:
    return bench.options.directory / "dut-port.json"
