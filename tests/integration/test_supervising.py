"""The supervisor on a bench that is up: it makes safe at once, says why, and the run ends in ERROR."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench import lifecycle
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.bench.permission import envelope_of
from pilotbench.bench.safety import EnvelopeGate
from pilotbench.bench.safety.arming import Arming
from pilotbench.bench.supervision import Supervision
from pilotbench.bench.timeline import Timeline
from pilotbench.errors import SafetyError

from hosts import Starts, told

FILE = load_bench_file(virtual_bench())
CARD = "04A2B3C4D5"


def say(host: BenchHost, source: str, topic: str, **data: Any) -> None:
    """An instrument says something."""

    async def note() -> None:
        host.bench.timeline.source(source).note(topic, data)

    host.call(note())


def test_more_energy_than_the_envelope_allows(starts: Starts) -> None:
    host = starts(('energy = "10 kWh"', 'energy = "1 Wh"'))
    assert host.timeline.wait_for("safety.arm", since_ns=0).data["state"] == "not-needed"
    mark = host.timeline.now_ns()
    host.vehicle.plug()
    host.timeline.wait_for("ocpp.status", status="Preparing", since_ns=mark)
    host.vehicle.present(CARD)
    trip = host.timeline.wait_for("safety.trip", since_ns=mark, within="20 s")
    assert trip.data["cause"] == "energy"
    assert trip.evse == 1
    dead = host.timeline.wait_for("output", live=False, since_ns=trip.stamp.order_ns)
    assert dead.stamp.order_ns - trip.stamp.order_ns < 3_500_000_000
    host.timeline.wait_for("bench.state", state="safe", since_ns=trip.stamp.order_ns)
    # Nothing was waited for on the way: not for the current to fall, and not for a car to stop in order at B.
    steps = [
        event.data["step"] for event in host.timeline.events("safe.step") if event.stamp.order_ns > trip.stamp.order_ns
    ]
    assert steps == ["EV request to 0 A", "CP to A", "faults off, state A read back", "output dead"]
    with pytest.raises(SafetyError, match="the supervisor tripped: 1 Wh delivered in this run"):
        host.vehicle.charge()
    said = told(host)
    assert any(text.startswith("the supervisor tripped: 1 Wh delivered") for text in said), said
    assert "output proven dead" in host.outcome_text


def test_an_emergency_stop_holds_the_bench_until_it_reports_and_ends_the_run(starts: Starts) -> None:
    host = starts(("[safe]\n", '[safe]\ne_stop = "ev"\n'))
    with pytest.raises(SafetyError, match="emergency stop at 'ev' has not reported yet"):
        host.vehicle.plug()
    say(host, "board", "estop", tripped=False, input="2", why="closed")
    with pytest.raises(SafetyError, match="emergency stop at 'ev' has not reported yet"):
        host.vehicle.plug()
    say(host, "ev", "estop", tripped=False, input="2", why="closed")
    host.vehicle.plug()
    mark = host.timeline.now_ns()
    say(host, "board", "estop", tripped=True, input="2", why="open")  # whoever reports one is heard
    host.timeline.wait_for("safety.trip", cause="estop", since_ns=mark)
    host.timeline.wait_for("cp.state", state="A", since_ns=mark)
    say(host, "board", "estop", tripped=False, input="2", why="closed")
    with pytest.raises(SafetyError, match="the emergency stop at board is pressed"):
        host.vehicle.plug()
    assert any("the emergency stop at board is pressed" in text for text in told(host))


def test_an_emergency_stop_ends_the_arming_also_when_the_bench_had_tripped_before(tmp_path: Path) -> None:
    path = tmp_path / "permission.json"
    path.write_text("{}", encoding="utf-8")
    timeline, gate = Timeline(), EnvelopeGate(envelope_of(FILE), permission=Arming(path, "", "arm"))
    bench: Any = SimpleNamespace(instruments=[], file=FILE, timeline=timeline, gate=gate)

    async def nothing(*_: Any) -> None:
        return

    async def play() -> None:
        supervision = Supervision(bench, nothing)
        timeline.subscribe(supervision._look)
        timeline.source("recorder").note("device.state", {"device": "recorder", "state": "FAULTED", "why": "disk full"})
        assert supervision.trip is not None
        assert path.exists()
        timeline.source("board").note("estop", {"tripped": True, "input": "2", "why": "open"})
        assert supervision.trip.cause == "not-recorded"

    asyncio.run(play())
    assert not path.exists()


def test_a_test_that_waits_is_told_at_once(starts: Starts) -> None:
    host = starts()
    asked: list[BaseException] = []

    def wait() -> None:
        try:
            host.timeline.wait_for("ocpp.tx.started", within="30 s")
        except SafetyError as error:
            asked.append(error)

    began = time.monotonic()
    waiting = threading.Thread(target=wait)
    waiting.start()
    host.timeline.seen("lab.nothing", within="100 ms")
    say(host, "guardian", "guardian", state="lost", detail="killed by somebody")
    waiting.join(10)
    assert time.monotonic() - began < 8
    assert "the guardian is lost (killed by somebody)" in str(asked[0])


def test_a_signal_while_the_supervisor_makes_safe_does_it_once_more_and_not_at_once(starts: Starts) -> None:
    host = starts()
    host.vehicle.plug()
    mark = host.timeline.now_ns()

    async def both() -> None:
        await asyncio.gather(
            lifecycle.make_safe(host.bench, "trip: something"), lifecycle.abandon(host.bench, "interrupted")
        )

    host.call(both(), 30.0)
    events = host.timeline.events("bench.state")
    states = [event.data["state"] for event in events if event.stamp.order_ns > mark]
    assert states == ["making-safe", "safe", "making-safe", "safe"]
    assert "output proven dead" in host.outcome_text
