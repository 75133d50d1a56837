"""What only OCPP 2.1 has, over the wire: limits of transactions, resumption, dynamic profiles, streams, the rest."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pilotbench.bench.csms.policy import TransactionLimit
from pilotbench.bench.csms.v2x.smart_charging import SmartCharging
from pilotbench.bench.csms.v2x.transaction_book import TransactionBook
from pilotbench.bench.csms.v21.battery_swaps import BatterySwaps
from pilotbench.bench.csms.v21.dynamic import SmartCharging21
from pilotbench.bench.csms.v21.energy_resources import EnergyResources
from pilotbench.bench.csms.v21.event_streams import EventStreams
from pilotbench.bench.csms.v21.limits import TransactionBook21
from pilotbench.bench.csms.v21.payments import Payments
from pilotbench.errors import CsmsError

from peer_2x import NOW, TAG, Station, token

Play = Callable[..., Any]
EVSE = {"id": 1, "connectorId": 1}


@asynccontextmanager
async def booted(rig: Any) -> AsyncIterator[Station]:
    async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
        station = Station(peer)
        assert await station.boot() == "Accepted"
        yield station


def codes(rig: Any) -> list[str]:
    return [event.data["code"] for event in rig.all("ocpp.violation")]


async def report_supported(station: Station, limits: str) -> None:
    entry = {
        "component": {"name": "TxCtrlr"},
        "variable": {"name": "SupportedLimits"},
        "variableAttribute": [{"value": limits}],
    }
    await station.say("NotifyReport", {"requestId": 1, "generatedAt": NOW, "seqNo": 0, "reportData": [entry]})


def test_a_limit_is_given_once_in_the_first_answer_that_is_of_the_present(play: Play) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            await report_supported(station, "maxEnergy,MaxTime")
            answers.append(await station.event("Started", 0, "CablePluggedIn", offline=True))
            answers.append(await station.event("Updated", 1, "Trigger"))
            confirm: dict[str, Any] = {"transactionLimit": {"maxEnergy": 5000, "maxTime": 60}}
            answers.append(await station.event("Updated", 2, "LimitSet", info=confirm))
            answers.append(await station.event("Updated", 3, "Trigger"))
            book = rig.csms.station("CP1").service(TransactionBook21)
            assert book.of("t1").limit == {"maxEnergy": 5000, "maxTime": 60}
            book.limit("t1", TransactionLimit(max_energy_wh=9000.0, max_time_s=60))
            answers.append(await station.event("Updated", 4, "Trigger"))
            answers.append(await station.event("Updated", 5, "Trigger"))
            raised: dict[str, Any] = {"transactionLimit": {"maxEnergy": 9001}}
            answers.append(await station.event("Updated", 6, "LimitSet", info=raised))

    limit = {"max_energy_wh": 5000.0, "max_time_s": 60, "max_cost": 3.0}
    rig = play(story, settings={"policy": {"transaction_limit": limit}})
    given = [answer.get("transactionLimit") for answer in answers]
    # The cost is not supported (E16.FR.12), the time of the second limit is what the station has (E16.FR.08).
    assert given == [None, {"maxEnergy": 5000.0, "maxTime": 60}, None, None, {"maxEnergy": 9000.0}, None, None]
    assert codes(rig) == ["LimitRaised"]


def test_a_prepaid_token_brings_its_own_limit_and_none_where_the_station_has_a_lower_one(play: Play) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            prepaid = token("PREPAID")
            answers.append(await station.say("Authorize", {"idToken": prepaid}))
            answers.append(await station.event("Started", 0, "Authorized", idToken=prepaid))
            lower: dict[str, Any] = {"transactionLimit": {"maxCost": 2.5}}
            answers.append(await station.event("Started", 0, "Authorized", "t2", idToken=prepaid, info=lower))
            assert rig.csms.station("CP1").service(TransactionBook) is rig.csms.station("CP1").service(
                TransactionBook21
            )

    play(story, tokens=[{"id": "PREPAID", "cache": False, "limit": {"max_cost": 4.0}}])
    assert answers[0]["idTokenInfo"]["status"] == "Accepted"
    assert answers[0]["idTokenInfo"]["cacheExpiryDateTime"] > NOW[:4], "no cache keeps it (C17.FR.01)"
    assert [answer.get("transactionLimit") for answer in answers[1:]] == [{"maxCost": 4.0}, None]


def test_an_ad_hoc_payment_that_comes_to_nothing_costs_nothing(play: Play) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            paid, card = token("psp-1", "DirectPayment"), token("TAG")
            for tx, by, state, trigger in (
                ("t1", paid, "EVConnected", "StopAuthorized"),
                ("t2", paid, "Idle", "EVConnectTimeout"),
                ("t3", paid, "Charging", "StopAuthorized"),
                ("t4", card, "EVConnected", "StopAuthorized"),
                ("t5", paid, "EVConnected", "AbnormalCondition"),
            ):
                await station.event("Started", 0, "Authorized", tx, idToken=by, info={"chargingState": state})
                answers.append(await station.event("Ended", 1, trigger, tx))

    play(story, tokens=["TAG", {"id": "psp-1", "type": "DirectPayment"}])
    assert [answer.get("totalCost") for answer in answers] == [0, 0, None, None, None]


@pytest.mark.parametrize("persistent", [None, "true", "false"])
def test_profiles_of_a_resumed_transaction_are_sent_again_unless_the_station_keeps_them(
    play: Play, persistent: str | None
) -> None:
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
    profile = {
        "id": 3,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": "t1",
        "chargingSchedule": [schedule],
    }

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            link = rig.csms.station("CP1")
            await station.event("Started", 0, "CablePluggedIn", evse=EVSE)
            ask = link.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
            await station.take("SetChargingProfile", {"status": "Accepted"}, ask)
            assert await station.boot() == "Accepted"
            if persistent is not None:
                entry = {
                    "component": {"name": "SmartChargingCtrlr"},
                    "variable": {"name": "ChargingProfilePersistence", "instance": "TxProfile"},
                    "variableAttribute": [{"value": persistent}],
                }
                await station.say(
                    "NotifyReport", {"requestId": 1, "generatedAt": NOW, "seqNo": 0, "reportData": [entry]}
                )
            await station.event("Updated", 1, "TxResumed", info={"chargingState": "SuspendedEVSE"}, evse=EVSE)
            if persistent != "true":
                again = await station.take("SetChargingProfile", {"status": "Accepted"})
                assert again == {"evseId": 1, "chargingProfile": profile}
            # A repetition brings nothing more: the next frame is the answer to the heartbeat.
            await station.event("Updated", 1, "TxResumed", info={"chargingState": "SuspendedEVSE"}, evse=EVSE)
            assert "currentTime" in await station.say("Heartbeat", {})
            assert link.service(TransactionBook).of("t1").resumed == 1

    assert codes(play(story)) == []


def test_a_dynamic_profile_is_told_when_the_station_asks(play: Play) -> None:
    period = {"startPeriod": 0, "limit": 16, "setpoint": 12}
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            link = rig.csms.station("CP1")
            charging = link.service(SmartCharging21)
            assert charging is link.service(SmartCharging)

            async def pull(number: int) -> None:
                answers.append(await station.say("PullDynamicScheduleUpdate", {"chargingProfileId": number}))

            await pull(7)
            for number, kind in ((7, "Dynamic"), (8, "Absolute")):
                schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
                profile = {
                    "id": number,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxDefaultProfile",
                    "chargingProfileKind": kind,
                    "chargingSchedule": [schedule],
                }
                ask = link.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
                await station.take("SetChargingProfile", {"status": "Accepted"}, ask)
            await pull(7)
            await pull(8)
            update = {"chargingProfileId": 7, "scheduleUpdate": {"limit": 9}}
            await station.take(
                "UpdateDynamicSchedule", {"status": "Accepted"}, link.call("UpdateDynamicSchedule", update)
            )
            await pull(7)
            charging.set_dynamic(7, limit=6.5)
            await pull(7)
            dynamic = charging.book.of(7)
            assert dynamic is not None
            again = link.call("SetChargingProfile", {"evseId": 1, "chargingProfile": dynamic.payload})
            await station.take("SetChargingProfile", {"status": "Accepted"}, again)
            await pull(7)
            with pytest.raises(CsmsError, match="limt"):
                charging.set_dynamic(7, limt=6)
            with pytest.raises(CsmsError, match="no dynamic profile 8"):
                charging.set_dynamic(8, limit=6)
            await station.say("NotifyPriorityCharging", {"transactionId": "t1", "activated": True})
            assert charging.priority == {"t1": True}

    play(story)
    refused = {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}
    told = [{"limit": 16, "setpoint": 12}, {"limit": 9}, {"limit": 6.5}, {"limit": 16, "setpoint": 12}]
    accepted = [{"status": "Accepted", "scheduleUpdate": values} for values in told]
    assert answers == [refused, accepted[0], refused, *accepted[1:]]


def test_needs_of_iso_15118_20_are_not_rejected_when_no_profile_will_come(play: Play) -> None:
    words: list[str] = []

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            for more in ({"v2xChargingParameters": {"maxChargePower": 11000}, "controlMode": "ScheduledControl"}, {}):
                needs: dict[str, Any] = {"requestedEnergyTransfer": "DC_BPT", **more}
                if not more:
                    needs["dcChargingParameters"] = {"evMaxCurrent": 100, "evMaxVoltage": 400}
                answer = await station.say("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})
                words.append(answer["status"])

    play(story)
    assert words == ["NoChargingProfile", "Rejected"]


@pytest.mark.parametrize("accepted", [True, False])
def test_event_streams_are_counted(play: Play, accepted: bool) -> None:
    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            streams = rig.csms.station("CP1").service(EventStreams)

            async def send(number: int, times: list[float], pending: int = 0) -> None:
                data = [{"t": t, "v": "1"} for t in times]
                body = {"id": number, "pending": pending, "basetime": NOW, "data": data}
                await station.peer.send(
                    json.dumps([6, f"x{number}{times}{pending}", "NotifyPeriodicEventStream", body])
                )

            constant = {"id": 4, "variableMonitoringId": 11, "params": {"interval": 5, "values": 2}}
            answer = await station.say("OpenPeriodicEventStream", {"constantStreamData": constant})
            assert answer["status"] == ("Accepted" if accepted else "Rejected")
            await send(4, [0, 1])
            await send(4, [0, 2], pending=1)
            await send(4, [1], pending=3)
            await send(4, [0, 2, 1], pending=1)
            await station.say("ClosePeriodicEventStream", {"id": 4})
            await send(4, [0])
            await send(9, [0])
            await station.say("Heartbeat", {})
            if not accepted:
                assert (streams.streams, streams.unknown) == ({}, 6)
                return
            one = streams.streams[4]
            assert (one.monitor, one.messages, one.values, one.open) == (11, 5, 9, False)
            assert (one.pending, one.rising, one.unordered, streams.unknown) == (0, 0, 1, 1)

    rig = play(story, settings={"policy": {"event_streams": accepted}})
    assert codes(rig) == (["StreamOffset", "StreamTooLong", "ClosedStream"] if accepted else [])


def test_energy_resources_settlements_companies_and_batteries(play: Play) -> None:
    company = {"name": "Lab", "address1": "Street 1", "city": "Town", "country": "NL"}
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig) as station:
            link = rig.csms.station("CP1")
            energy = link.service(EnergyResources)
            alarm = {"controlType": "FreqDroop", "timestamp": NOW, "gridEventFault": "OverFrequency"}
            await station.say("NotifyDERAlarm", alarm)
            await station.say("NotifyDERAlarm", {**alarm, "controlType": "FreqWatt"})
            assert energy.alarm == {**alarm, "controlType": "FreqWatt"}
            await station.say("NotifyDERAlarm", {**alarm, "controlType": "FreqWatt", "alarmEnded": True})
            assert energy.alarm is None
            assert [one["controlType"] for one in energy.alarms] == ["FreqDroop", "FreqWatt", "FreqWatt"]
            for control, more in (("a", {}), ("b", {"supersededIds": ["a"]})):
                started = {"controlId": control, "started": True, "timestamp": NOW, **more}
                await station.say("NotifyDERStartStop", started)
            assert list(energy.running) == ["b"]
            gradient = {"id": "g", "gradient": {"priority": 1, "gradient": 10, "softGradient": 5}}
            await station.say("ReportDERControl", {"requestId": 3, "tbc": True, "gradient": [gradient]})
            assert energy.reported(3) is None
            await station.say("ReportDERControl", {"requestId": 3, "gradient": [{**gradient, "id": "h"}]})
            assert energy.reported(3) == {"gradient": [gradient, {**gradient, "id": "h"}]}

            settled = {"pspRef": "ref/1", "status": "Settled", "settlementAmount": 5, "settlementTime": NOW}
            answers.append(await station.say("NotifySettlement", settled))
            answers.append(await station.say("NotifySettlement", {**settled, "status": "Failed"}))
            assert list(link.service(Payments).settlements) == ["ref/1"]
            answers.append(await station.say("VatNumberValidation", {"vatNumber": "nl1", "evseId": 2}))
            answers.append(await station.say("VatNumberValidation", {"vatNumber": "XX"}))

            battery = {"evseId": 1, "serialNumber": "s", "soC": 50, "soH": 90}
            swap = {"batteryData": [battery], "idToken": TAG}
            swaps = link.service(BatterySwaps)
            wanted = {"requestId": 5, "idToken": TAG}
            await station.take("RequestBatterySwap", {"status": "Accepted"}, link.call("RequestBatterySwap", wanted))
            for kind, number in (("BatteryIn", 5), ("BatteryOut", 5), ("BatteryOut", 6)):
                assert await station.say("BatterySwap", {**swap, "eventType": kind, "requestId": number}) == {}
            one = swaps.swaps[5]
            assert (one.asked, one.came, one.went, one.id_token) == (True, [battery], [battery], "TAG")

    policy = {"receipt_url": "https://lab/{receipt}", "vat_companies": {"NL1": company}}
    rig = play(story, settings={"policy": policy})
    assert answers == [
        {"receiptUrl": "https://lab/ref%2F1", "receiptId": "ref/1"},
        {},
        {"vatNumber": "nl1", "status": "Accepted", "company": company, "evseId": 2},
        {"vatNumber": "XX", "status": "Rejected"},
    ]
    assert codes(rig) == ["SwapWithoutBatteryIn"]
