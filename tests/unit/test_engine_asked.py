"""A verdict that is asked for while the run goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pilotbench.bench.correlation import Facts, OnlineEngine, Outcome, Pack, Verdict
from pilotbench.bench.correlation.fluent import when
from pilotbench.bench.timeline import Event, Stamp, Timeline
from pilotbench.errors import RuleError

from traces import MS

START = 10**15
"""Later than any clock of this machine: what happens here is past as soon as it is told."""
CYCLES = 1500


def opening(name: str) -> Any:
    return when("cp.state C -> B").then("output dead").within("100 ms").text("t").ref("r").named(name)


def running(cycles: int, dead_after_ms: int = 40) -> OnlineEngine:
    """So many times C, live, B, dead; and the promise of the pilot that this was all."""
    timeline = Timeline()
    engine = OnlineEngine(timeline, Pack([opening("own.open").build()], {}), Facts())
    engine.start()
    pilot = timeline.source("pilot")
    pilot.declare(("cp.", "output", "pilot."), 25 * MS)

    def tell(topic: str, at_ms: int, **data: Any) -> None:
        at_ns = START + at_ms * MS
        pilot.emit(topic, Stamp(at_ns, at_ns - MS, at_ns), data, evse=1)

    for n in range(cycles):
        tell("cp.state", 1000 * n, state="C", pwm=True)
        tell("output", 1000 * n + 50, live=True, phases=[True])
        tell("cp.state", 1000 * n + 500, state="B", pwm=True)
        tell("output", 1000 * n + 500 + dead_after_ms, live=False, phases=[False])
    pilot.tick(START + (1000 * cycles + 1000) * MS)
    return engine


async def asked(engine: OnlineEngine, *, own: bool) -> tuple[Verdict, int]:
    """The verdict, and how often the loop came round while it was made."""
    rounds = 0

    async def turn() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    turning = asyncio.create_task(turn())
    verdict = await (engine.decided("own.open", 20) if not own else engine.judged(opening("here.open").build(), 20))
    turning.cancel()
    return verdict, rounds


@pytest.mark.parametrize("own", [False, True])
def test_it_is_the_verdict_on_all_that_happened(own: bool) -> None:
    good, _ = asyncio.run(asked(running(3), own=own))
    bad, _ = asyncio.run(asked(running(3, dead_after_ms=160), own=own))
    assert (good.verdict, good.tally) == (Outcome.PASS, {"PASS": 3})
    assert (bad.verdict, bad.tally) == (Outcome.FAIL, {"FAIL": 3})


@pytest.mark.parametrize("own", [False, True])
def test_the_bench_goes_on_while_hours_are_judged(own: bool) -> None:
    """The loop feeds watchdogs: it may not stand still for the seconds that this takes."""
    verdict, rounds = asyncio.run(asked(running(CYCLES), own=own))
    assert verdict.tally == {"PASS": CYCLES if not own else verdict.tally["PASS"]}
    assert rounds > 20


def test_without_the_promise_of_a_source_nothing_is_decided() -> None:
    engine = running(1)
    engine.take(Event("tick", "meter", 1, Stamp.host(0), {"upto_ns": 0}, None, None, 9))
    with pytest.raises(RuleError, match="the slowest source is meter"):
        asyncio.run(engine.decided("own.open", 0.05))
    with pytest.raises(RuleError, match="the slowest source is meter"):
        asyncio.run(engine.judged(opening("here.open").build(), 0.05))
