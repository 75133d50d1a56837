"""Monitors that stations report (N02), set and clear (N04, N06), and the kind of each, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.bench.csms.v2x.monitoring import MonitoringModel

Play = Callable[..., Any]
PROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
AT = "2026-11-21T10:00:00Z"
POWER = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
HEAT = {"component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}}, "variable": {"name": "Temperature"}}


def monitor(number: int, kind: str | None = None, value: float = 10.5, **more: Any) -> dict[str, Any]:
    said = {} if kind is None else {"eventNotificationType": kind}
    return {"id": number, "transaction": False, "value": value, "type": "UpperThreshold", "severity": 4} | said | more


def report(*monitors: dict[str, Any], number: int = 7, place: dict[str, Any] = POWER, **more: Any) -> dict[str, Any]:
    entry = {**place, "variableMonitoring": list(monitors)}
    return {"requestId": number, "seqNo": 0, "generatedAt": AT, "monitor": [entry], **more}


def codes(rig: Any) -> list[str]:
    return [event.data["code"] for event in rig.all("ocpp.violation")]


async def request(rig: Any, peer: Any, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> None:
    """The back end asks, the station answers."""
    asking = asyncio.create_task(rig.csms.station("CP1").call(action, payload))
    await peer.answer(action, answer)
    await asking


def test_in_2_1_the_kind_of_each_monitor_is_kept_and_shown(play: Play) -> None:
    kinds = {1: "HardWiredMonitor", 2: "PreconfiguredMonitor", 3: "CustomMonitor", 4: "HardWiredNotification"}

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            listed = report(*(monitor(number, kind) for number, kind in kinds.items()))
            assert (await peer.call("NotifyMonitoringReport", listed))[2] == {}
            model = rig.csms.station("CP1").service(MonitoringModel)
            assert [one.id for one in model.named("evse@1.power")] == [1, 2, 3, 4]

    rig = play(story)
    assert not codes(rig)
    told = rig.all("ocpp.monitor")
    assert [e.data["kind"] for e in told] == ["HardWired", "Preconfigured", "Custom", "HardWiredNotification"]
    assert told[0].evse == 1
    assert told[0].data == {
        "station": "CP1",
        "monitor": 1,
        "name": "EVSE@1.Power",
        "type": "UpperThreshold",
        "kind": "HardWired",
        "value": "10.5",
        "severity": 4,
        "transaction": False,
        "request_id": 7,
        "via": "NotifyMonitoringReport",
    }
    assert told[0].stamp == rig.one("ocpp.call", action="NotifyMonitoringReport").stamp


def test_in_2_1_a_missing_kind_is_a_violation_and_answered(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            frame = await peer.call("NotifyMonitoringReport", report(monitor(1), monitor(2, "CustomMonitor")))
            assert (frame[0], frame[2]) == (3, {})

    rig = play(story)
    assert codes(rig) == ["OccurrenceConstraintViolation"]
    assert "eventNotificationType" in rig.one("ocpp.violation").data["text"]
    assert [(e.data["monitor"], e.data["kind"]) for e in rig.all("ocpp.monitor")] == [(1, None), (2, "Custom")]


@pytest.mark.parametrize("missing", ["value", "severity", "id"])
def test_what_a_monitor_cannot_do_without_is_still_asked_for(play: Play, missing: str) -> None:
    broken = {name: value for name, value in monitor(1, "CustomMonitor").items() if name != missing}

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            frame = await peer.call("NotifyMonitoringReport", report(broken))
            assert (frame[0], frame[2]) == (4, "OccurrenceConstraintViolation")

    rig = play(story)
    assert not rig.all("ocpp.monitor")


def test_a_strict_back_end_refuses_a_report_without_kinds(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            assert (await peer.call("NotifyMonitoringReport", report(monitor(1))))[0] == 4

    play(story, settings={"strict": True})


def test_in_2_0_1_the_kind_is_a_violation_and_not_read(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            assert (await peer.call("NotifyMonitoringReport", report(monitor(1))))[2] == {}
            frame = await peer.call("NotifyMonitoringReport", report(monitor(2, "CustomMonitor"), number=8))
            assert (frame[0], frame[2]) == (3, {})

    rig = play(story)
    assert codes(rig) == ["FormatViolation"]
    assert [(e.data["monitor"], e.data["kind"]) for e in rig.all("ocpp.monitor")] == [(1, None), (2, None)]


def test_1_6_has_no_monitors(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            frame = await peer.call("NotifyMonitoringReport", report(monitor(1)))
            assert (frame[0], frame[2]) == (4, "NotImplemented")

    rig = play(story)
    assert not rig.all("ocpp.monitor")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_an_event_names_the_kind_of_its_monitor(play: Play, version: str) -> None:
    event = {"eventId": 1, "timestamp": AT, "trigger": "Alerting", "actualValue": "11", **POWER}
    kinds = ["HardWiredNotification", "PreconfiguredMonitor", "PreconfiguredMonitor"]

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await peer.call("BootNotification", BOOT)
            listed = report(monitor(3, "HardWiredMonitor" if version == "2.1" else None))
            await peer.call("NotifyMonitoringReport", listed)
            for kind in kinds:
                entry = {**event, "variableMonitoringId": 3, "eventNotificationType": kind}
                told = {"generatedAt": AT, "seqNo": 0, "eventData": [entry]}
                assert (await peer.call("NotifyEvent", told))[2] == {}
            assert rig.csms.station("CP1").service(MonitoringModel).monitors[3].kind == "Preconfigured"
            # What is known by an event is not forgotten by a report that cannot say it.
            if version == "2.0.1":
                await peer.call("NotifyMonitoringReport", report(monitor(3), number=8))
                assert rig.csms.station("CP1").service(MonitoringModel).monitors[3].kind == "Preconfigured"

    rig = play(story)
    assert [(e.data["monitor"], e.data["kind"]) for e in rig.all("ocpp.monitor", via="NotifyEvent")] == [
        (3, "Preconfigured")
    ]
    assert not codes(rig)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_report_of_everything_in_parts_is_all_there_is(play: Play, version: str) -> None:
    kind = "CustomMonitor" if version == "2.1" else None

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await peer.call("BootNotification", BOOT)
            model = rig.csms.station("CP1").service(MonitoringModel)
            await peer.call("NotifyMonitoringReport", report(monitor(1, kind)))
            filtered = {"requestId": 8, "monitoringCriteria": ["DeltaMonitoring"]}
            await request(rig, peer, "GetMonitoringReport", filtered, {"status": "Accepted"})
            await peer.call("NotifyMonitoringReport", report(monitor(2, kind), number=8))
            assert (set(model.monitors), model.complete) == ({1, 2}, False)
            await request(rig, peer, "GetMonitoringReport", {"requestId": 9}, {"status": "Accepted"})
            await peer.call("NotifyMonitoringReport", report(monitor(2, kind), number=9, tbc=True))
            assert (set(model.monitors), model.complete) == ({1, 2}, False)
            await peer.call("NotifyMonitoringReport", report(monitor(5, kind), number=9, place=HEAT, seqNo=1))
            assert (set(model.monitors), model.complete) == ({2, 5}, True)
            assert [one.id for one in model.named("Connector@1:2.Temperature")] == [5]
            await request(rig, peer, "GetMonitoringReport", {"requestId": 10}, {"status": "EmptyResultSet"})
            assert (set(model.monitors), model.complete) == (set(), True)
            await peer.call("BootNotification", BOOT)
            assert not model.complete

    rig = play(story)
    assert not codes(rig)


def test_what_was_set_and_cleared_is_merged(play: Play) -> None:
    wanted = [
        {"value": 20, "type": "UpperThreshold", "severity": 4, **POWER},
        {"value": 0.1, "type": "Delta", "severity": 5, "transaction": True, **POWER},
        {"id": 2, "value": 60, "type": "Periodic", "severity": 8, **HEAT},
        {"value": 1, "type": "LowerThreshold", "severity": 4, **HEAT},
        {"value": 25, "type": "UpperThreshold", "severity": 2, **POWER},
        {"id": 3, "value": 99, "type": "UpperThreshold", "severity": 4, **HEAT},
    ]
    # The order is the station's own, and capitals do not matter.
    results = [
        {"status": "Rejected", "type": "LowerThreshold", "severity": 4, **HEAT},
        {"id": 11, "status": "Accepted", "type": "Delta", "severity": 5, **POWER, "variable": {"name": "POWER"}},
        {"id": 2, "status": "Accepted", "type": "Periodic", "severity": 8, **HEAT},
        {"id": 12, "status": "Accepted", "type": "UpperThreshold", "severity": 2, **POWER},
        {"id": 10, "status": "Accepted", "type": "UpperThreshold", "severity": 4, **POWER},
        {"id": 3, "status": "Rejected", "type": "UpperThreshold", "severity": 4, **HEAT},
    ]

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            model = rig.csms.station("CP1").service(MonitoringModel)
            listed = report(monitor(2, "PreconfiguredMonitor"), monitor(3, "HardWiredMonitor"), place=HEAT)
            await peer.call("NotifyMonitoringReport", listed)
            setting = {"setMonitoringResult": results}
            await request(rig, peer, "SetVariableMonitoring", {"setMonitoringData": wanted}, setting)
            found = model.monitors
            assert {number: (one.name, one.value, one.kind) for number, one in found.items()} == {
                2: ("Connector@1:2.Temperature", "60", "Custom"),
                3: ("Connector@1:2.Temperature", "10.5", "HardWired"),
                10: ("EVSE@1.Power", "20", "Custom"),
                11: ("EVSE@1.Power", "0.1", "Custom"),
                12: ("EVSE@1.Power", "25", "Custom"),
            }
            assert (found[11].transaction, found[10].transaction) == (True, False)
            cleared = [{"id": 10, "status": "Accepted"}, {"id": 3, "status": "Rejected"}]
            await request(rig, peer, "ClearVariableMonitoring", {"id": [10, 3]}, {"clearMonitoringResult": cleared})
            assert set(model.monitors) == {2, 3, 11, 12}
            base = {"monitoringBase": "HardWiredOnly"}
            await request(rig, peer, "SetMonitoringBase", base, {"status": "Rejected"})
            assert set(model.monitors) == {2, 3, 11, 12}
            await request(rig, peer, "SetMonitoringBase", base, {"status": "Accepted"})
            assert set(model.monitors) == {3}

    rig = play(story)
    assert [e.data["monitor"] for e in rig.all("ocpp.monitor", via="SetVariableMonitoring")] == [11, 2, 12, 10]
    assert not codes(rig)
