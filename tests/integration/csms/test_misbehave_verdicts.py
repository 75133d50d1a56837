"""A run over the wire: what the back end did wrong on purpose excuses the station, live and from the record alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotbench.bench.correlation import Facts, OnlineEngine, Outcome, Report, evaluate, load_pack
from pilotbench.bench.correlation.verdict import Reason

Play = Callable[..., Any]
PACK = """
schema = 2
title = "A station under a back end that misbehaves"

[rule."status"]
respond = "ocpp.boot => ocpp.status[connector=1]"
text = "booted, then the status of the connector"
ref = "test"
per = "station"
within = "100 ms"

[rule."repeated"]
respond = "csms.misbehaviour[what=error, nth=1] => ocpp.call[dir=rx, action=$action]"
text = "what got an error is sent again"
ref = "test"
per = "station"
within = "100 ms"
"""
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def _judged(play: Play, tmp_path: Path, *, scripted: bool, repeats: bool) -> tuple[Any, Report, Report]:
    path = tmp_path / "pack.toml"
    path.write_text(PACK)
    pack, facts = load_pack([path], []), Facts(station="CP1")
    live: list[Report] = []

    async def story(rig: Any) -> None:
        engine = OnlineEngine(rig.timeline, pack, facts)
        engine.start()
        async with rig.peer() as station:
            if scripted:
                rig.csms.on("BootNotification").error("InternalError", "on purpose")
            await station.boot()
            if repeats:
                await station.boot()
                await station.call("StatusNotification", STATUS)
            if not repeats:
                # The deadlines pass, and the second that a message may be late.
                since = rig.timeline.events()[-1].stamp.order_ns
                await rig.timeline.wait_for(
                    "tick", lambda e: e.source == "csms" and e.data["upto_ns"] > since + 1_150_000_000, timeout_s=5
                )
            live.append(engine.finish())

    rig = play(story)
    end_ns = max(event.stamp.order_ns for event in rig.timeline.events() if event.topic == "ocpp.disconnected") - 1
    recorded = [event for event in rig.timeline.events() if event.stamp.order_ns < end_ns and event.topic != "verdict"]
    return rig, live[0], evaluate(recorded, pack, facts)


def test_a_station_whose_boot_was_refused_is_excused_for_what_follows(play: Play, tmp_path: Path) -> None:
    rig, live, record = _judged(play, tmp_path, scripted=True, repeats=False)
    deed = rig.one("csms.misbehaviour", what="error")
    for report in (live, record):
        status = report.of("status")
        assert (status.verdict, status.reason, status.lean) == (
            Outcome.INCONCLUSIVE,
            Reason.PRECONDITION,
            Outcome.FAIL,
        )
        assert deed.id in status.because
        # The rule about the reaction is not excused: the station should have tried again.
        assert report.of("repeated").verdict is Outcome.FAIL
    assert live.digest == record.digest


def test_a_station_that_gets_over_it_passes(play: Play, tmp_path: Path) -> None:
    rig, live, record = _judged(play, tmp_path, scripted=True, repeats=True)
    assert [live.of(rule).verdict for rule in ("status", "repeated")] == [Outcome.PASS, Outcome.PASS]
    assert rig.one("csms.misbehaviour", what="restored").data["of"] == [rig.one("csms.misbehaviour", what="error").id]
    assert live.digest == record.digest


def test_without_a_script_the_station_fails(play: Play, tmp_path: Path) -> None:
    _, live, record = _judged(play, tmp_path, scripted=False, repeats=False)
    assert live.of("status").verdict is Outcome.FAIL
    assert live.of("repeated").verdict is Outcome.NOT_APPLICABLE
    assert live.digest == record.digest
