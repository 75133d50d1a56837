"""What the back end answers a station of OCPP 2.0.1 or 2.1, and what it keeps: over the wire, both versions alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pilotbench.bench.csms.availability import Availability
from pilotbench.bench.csms.local_lists import LocalLists
from pilotbench.bench.csms.metering import Metering
from pilotbench.bench.csms.reservations import Reservations
from pilotbench.bench.csms.security_events import SecurityEvents
from pilotbench.bench.csms.v2x.device_model import DeviceModel
from pilotbench.bench.csms.v2x.smart_charging import SmartCharging
from pilotbench.bench.csms.v2x.told import CustomerInformation, DisplayMessages
from pilotbench.bench.csms.v2x.transaction_book import TransactionBook

from peer_2x import NOW, TAG, Station, register, token

Play = Callable[..., Any]
VERSIONS = {"2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
EVSE = {"id": 1, "connectorId": 1}

both = pytest.mark.parametrize("version", list(VERSIONS))


@asynccontextmanager
async def booted(rig: Any, version: str, station: str = "CP1") -> Any:
    async with rig.peer(station, subprotocols=[VERSIONS[version]]) as peer:
        one = Station(peer)
        assert await one.boot() == "Accepted"
        yield one


def codes(rig: Any) -> list[str]:
    return [event.data["code"] for event in rig.all("ocpp.violation")]


@both
def test_authorize_says_all_that_is_known_of_a_token(play: Play, version: str) -> None:
    tokens: list[Any] = [
        "TAG",
        {
            "id": "RICH",
            "type": "eMAID",
            "group": "FLEET",
            "expires": "2099-01-01T00:00:00Z",
            "languages": ["de", "en"],
            "priority": 4,
            "evses": [2],
            "message": "Hello",
        },
        {"id": "1234", "type": "KeyCode"},
    ]
    info: dict[str, Any] = {}

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            asked = {
                "tag": token("tag"),
                "rich": token("RICH", "eMAID"),
                "other type": token("RICH", "Central"),
                "code": token("1234", "KeyCode"),
                "wrong code": token("987654", "KeyCode"),
                "none": token("", "NoAuthorization"),
            }
            for name, wanted in asked.items():
                info[name] = (await station.say("Authorize", {"idToken": wanted}))["idTokenInfo"]

    rig = play(story, tokens=tokens)
    assert info["tag"] == {"status": "Accepted"}
    assert info["rich"] == {
        "status": "Accepted",
        "cacheExpiryDateTime": "2099-01-01T00:00:00Z",
        "chargingPriority": 4,
        "language1": "de",
        "language2": "en",
        "evseId": [2],
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
        "personalMessage": {"format": "UTF8", "content": "Hello"},
    }
    words = [info[name]["status"] for name in ("other type", "code", "wrong code", "none")]
    assert words == ["Unknown", "Accepted", "Invalid", "Accepted"]
    everything = json.dumps([[event.raw, event.data] for event in rig.timeline.events()])
    assert "987654" not in everything, "key codes appear in no log (C04.FR.04)"
    assert "RICH" in everything


@both
def test_a_contract_certificate_that_nobody_can_verify_makes_the_token_invalid(play: Play, version: str) -> None:
    answers: list[Any] = []
    data = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": "1",
        "responderURL": "http://x",
    }

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            answers.append(
                await station.say(
                    "Authorize", {"idToken": token("TAG", "eMAID"), "iso15118CertificateHashData": [data]}
                )
            )

    play(story)
    assert answers == [{"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"}]


@both
def test_a_transaction_from_its_start_to_its_end(play: Play, version: str) -> None:
    """The token comes late, outlet and token once; an answer speaks of a token only when the event has one."""
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            book = rig.csms.station("CP1").service(TransactionBook)
            more: dict[str, Any] = {"evse": EVSE, "meterValue": register(1000, "Transaction.Begin")}
            answers.append(await station.event("Started", 0, "CablePluggedIn", **more))
            assert book.on(1).id == "t1"
            assert book.on(2) is None
            answers.append(await station.event("Updated", 1, "Authorized", idToken=TAG))
            info = {"chargingState": "Charging", "timeSpentCharging": 60}
            answers.append(await station.event("Updated", 2, "ChargingStateChanged", info=info))
            answers.append(await station.event("Updated", 3, "MeterValuePeriodic", meterValue=register(1500.5)))
            answers.append(await station.event("Updated", 4, "StopAuthorized", idToken=token("FRIEND")))
            more = {"meterValue": register(2000, "Transaction.End"), "info": {"stoppedReason": "Local"}}
            answers.append(await station.event("Ended", 5, "EVCommunicationLost", **more))
            one = book.of("t1")
            assert (one.events, one.complete, one.running) == (6, True, False)
            assert (one.kept.evse, one.kept.connector, one.kept.id_tag) == (1, 1, "TAG")
            assert (one.charging_state, one.charging_s, one.stopped_reason) == ("Charging", 60, "Local")
            assert one.energy_wh == 1000
            assert rig.csms.station("CP1").service(TransactionBook).running == []

    rig = play(story, tokens=["TAG", {"id": "FRIEND", "group": "G"}])
    group = {"groupIdToken": {"idToken": "G", "type": "Central"}}
    with_token = {"idTokenInfo": {"status": "Accepted"}}
    assert answers == [{}, with_token, {}, {}, {"idTokenInfo": {"status": "Accepted", **group}}, {}]
    assert codes(rig) == []
    assert {event.data["by"] for event in rig.all("ocpp.result", action="TransactionEvent")} == {"behaviour"}


@both
def test_an_event_that_comes_again_is_answered_as_before(play: Play, version: str) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            answers.append(await station.event("Started", 0, "Authorized", idToken=TAG, evse=EVSE))
            rig.csms.tokens.block("TAG")
            answers.append(await station.event("Started", 0, "Authorized", idToken=TAG, evse=EVSE, offline=True))
            answers.append(await station.event("Updated", 1, "Authorized", idToken=token("tag")))
            book = rig.csms.station("CP1").service(TransactionBook)
            assert book.of("t1").events == 2
            assert book.of("t1").kept.id_tag == "TAG", "the token that came first"
            assert book.of("t1").offline_events == 0

    rig = play(story)
    words = [answer["idTokenInfo"]["status"] for answer in answers]
    assert words == ["Accepted", "Accepted", "Blocked"]
    assert codes(rig) == []
    assert len(rig.all("ocpp.tx.started")) == 1


@both
def test_no_event_of_a_transaction_is_refused_and_what_it_shows_is_recorded(play: Play, version: str) -> None:
    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            await station.event("Ended", 9, "RemoteStop", "ghost")
            await station.event("Started", 0, "CablePluggedIn", evse=EVSE)
            assert codes(rig) == []
            await station.event("Updated", 1, "ChargingStateChanged")
            await station.event("Updated", 2, "Authorized", idToken=TAG)
            await station.event("Updated", 3, "MeterValuePeriodic", evse=EVSE, idToken=TAG)
            await station.event("Updated", 4, "MeterValuePeriodic", evse=EVSE, idToken=TAG)
            await station.event("Updated", 3, "Trigger")
            await station.event("Ended", 5, "EVCommunicationLost")
            await station.event("Updated", 6, "Trigger")
            known = rig.csms.station("CP1").service(TransactionBook).of("ghost")
            assert (known.running, known.complete) == (False, False)

    rig = play(story, settings={"strict": True})
    assert codes(rig) == ["ChargingStateMissing", "IdTokenRepeated", "EvseRepeated", "SeqNoReused", "EventAfterEnd"]
    assert {event.data["layer"] for event in rig.all("ocpp.violation")} == {"sequencing"}
    assert not rig.all("ocpp.error")
    assert rig.one("ocpp.tx.ended", tx="ghost").data["orphan"] is True


@both
def test_missing_events_are_known_by_their_numbers(play: Play, version: str) -> None:
    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            book = rig.csms.station("CP1").service(TransactionBook)
            await station.event("Started", 10, "CablePluggedIn")
            await station.event("Ended", 14, "EVDeparted")
            assert list(book.of("t1").numbers.missing()) == [11, 12, 13]
            for number in (12, 11, 13):
                assert not book.of("t1").complete
                await station.event("Updated", number, "MeterValueClock", offline=True)
            assert book.of("t1").complete
            assert book.of("t1").offline_events == 3

    play(story)


@both
def test_transactions_outlive_the_back_end_and_values_do_not_wear_its_disk(
    play: Play, version: str, tmp_path: Any
) -> None:
    path, sizes = tmp_path / "state" / "csms-state.json", []

    async def first(rig: Any) -> None:
        async with booted(rig, version) as station:
            await station.event("Started", 0, "Authorized", evse=EVSE, idToken=TAG)
            written = path.stat().st_mtime_ns
            for number in range(1, 6):
                await station.event("Updated", number, "MeterValuePeriodic", meterValue=register(number))
            sizes.append(path.stat().st_mtime_ns == written)

    async def second(rig: Any) -> None:
        async with booted(rig, version) as station:
            book = rig.csms.station("CP1").service(TransactionBook)
            one = book.on(1)
            assert (one.id, one.restored, one.kept.id_tag) == ("t1", True, "TAG")
            await station.event("Updated", 6, "MeterValuePeriodic")
            await station.event("Updated", 8, "MeterValuePeriodic")
            assert list(one.numbers.missing()) == [7]
            await station.event("Ended", 9, "EVDeparted")
            assert not one.running

    async def third(rig: Any) -> None:
        async with booted(rig, version) as station:
            book = rig.csms.station("CP1").service(TransactionBook)
            assert book.running == []
            await station.event("Updated", 10, "Trigger")
            assert book.running == [], "what has ended does not run again"

    play(first)
    assert sizes == [True]
    play(second)
    assert codes(play(third)) == ["EventAfterEnd"]


@both
def test_a_token_for_one_transaction_or_for_other_outlets_is_refused_and_the_event_is_answered(
    play: Play, version: str
) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station, booted(rig, version, "CP2") as other:
            for one, number in ((station, 0), (other, 0)):
                more: dict[str, Any] = {"idToken": token("ONE"), "evse": EVSE}
                answers.append(await one.event("Started", number, "Authorized", "t1", **more))
            answers.append(await other.event("Updated", 1, "StopAuthorized", "t1", idToken=token("ONE")))
            await other.event("Ended", 2, "EVDeparted", "t1")
            answers.append(await station.event("Updated", 1, "Authorized", "t1", idToken=token("ONE")))
            for tx, evse in (("t2", 2), ("t3", 1)):
                await station.event("Started", 0, "CablePluggedIn", tx, evse={"id": evse, "connectorId": 1})
                answers.append(await station.event("Updated", 1, "Authorized", tx, idToken=token("SECOND")))

    play(story, tokens=[{"id": "ONE", "concurrent": False}, {"id": "SECOND", "evses": [2, 3]}])
    words = [answer["idTokenInfo"]["status"] for answer in answers]
    assert words == ["Accepted", "ConcurrentTx", "Accepted", "Accepted", "Accepted", "NotAtThisLocation"]


@both
def test_cost_and_a_message_are_told_when_the_policy_says_so(play: Play, version: str) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            answers.append(await station.event("Started", 0, "Authorized", meterValue=register(1000)))
            answers.append(await station.event("Updated", 1, "MeterValuePeriodic", meterValue=register(2500)))
            answers.append(await station.event("Updated", 2, "Trigger"))
            answers.append(await station.event("Ended", 3, "EVDeparted", meterValue=register(3000)))

    play(story, settings={"policy": {"price_per_kwh": 0.3, "message": "Cheap today"}})
    message = {"updatedPersonalMessage": {"format": "UTF8", "content": "Cheap today"}}
    assert answers == [{}, {"totalCost": 0.45, **message}, {"totalCost": 0.45}, {"totalCost": 0.6}]


@both
def test_the_device_model_is_put_together_from_parts_in_any_order(play: Play, version: str) -> None:
    def entry(component: str, variable: str, value: str | None, kind: str = "Actual", **more: Any) -> dict[str, Any]:
        attribute = {"type": kind, "mutability": "ReadWrite", **({} if value is None else {"value": value})}
        traits = {"dataType": "integer", "supportsMonitoring": True, "unit": "s", "minLimit": 1, "maxLimit": 99}
        return {
            "component": {"name": component, **more},
            "variable": {"name": variable},
            "variableAttribute": [attribute],
            "variableCharacteristics": traits,
        }

    parts = [
        [entry("OCPPCommCtrlr", "HeartbeatInterval", "30")],
        [entry("EVSE", "Power", "11000", evse={"id": 1}), entry("EVSE", "Power", "22000", "MaxSet", evse={"id": 1})],
        [entry("SecurityCtrlr", "BasicAuthPassword", "hunter2-hunter2")],
    ]

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            link = rig.csms.station("CP1")
            model = link.service(DeviceModel)
            part = {"requestId": 4, "generatedAt": NOW, "seqNo": 0, "reportData": parts[0]}
            await station.say("NotifyReport", part)
            assert not model.complete, "it was not asked for everything"
            ask = link.call("GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
            await station.take("GetBaseReport", {"status": "Accepted"}, ask)
            for index, number in enumerate((2, 0, 1)):
                assert model.complete is False
                more = {} if number == 2 else {"tbc": True}
                part = {"requestId": 5, "generatedAt": NOW, "seqNo": number, "reportData": parts[number], **more}
                assert await station.say("NotifyReport", part) == {}
                assert len(model.reports.of(5).parts) == index + 1
            assert model.complete
            assert model.value("ocppcommctrlr.heartbeatinterval") == "30"
            assert [model.value(name) for name in ("EVSE@1.Power", "EVSE@1.Power#MaxSet")] == ["11000", "22000"]
            assert set(model.attributes("EVSE@1.Power")) == {"Actual", "MaxSet"}
            variable = model.variable("OCPPCommCtrlr.HeartbeatInterval")
            assert (variable.data_type, variable.unit, variable.max_limit) == ("integer", "s", 99)
            assert "SecurityCtrlr.BasicAuthPassword" in model.names()
            assert model.value("SecurityCtrlr.BasicAuthPassword") is None
            await written_and_read(link, station, model)
            assert await station.boot() == "Accepted"
            assert model.names() == []
            assert not model.complete

    async def written_and_read(link: Any, station: Station, model: DeviceModel) -> None:
        place = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        for status, value in (("Accepted", "60"), ("Rejected", "61"), ("RebootRequired", "62")):
            ask = link.call("SetVariables", {"setVariableData": [{**place, "attributeValue": value}]})
            await station.take("SetVariables", {"setVariableResult": [{**place, "attributeStatus": status}]}, ask)
            assert model.value("OCPPCommCtrlr.HeartbeatInterval") == "60"
        found = {**place, "attributeStatus": "Accepted", "attributeValue": "62"}
        gone = {"component": {"name": "X"}, "variable": {"name": "Y"}, "attributeStatus": "UnknownComponent"}
        ask = link.call("GetVariables", {"getVariableData": [place, {key: gone[key] for key in place}]})
        await station.take("GetVariables", {"getVariableResult": [found, gone]}, ask)
        assert model.value("OCPPCommCtrlr.HeartbeatInterval") == "62"
        assert model.absent("x.y")
        event = {
            "eventId": 1,
            "timestamp": NOW,
            "trigger": "Delta",
            "actualValue": "Occupied",
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "Connector", "evse": EVSE},
            "variable": {"name": "AvailabilityState"},
        }
        await station.say("NotifyEvent", {"generatedAt": NOW, "seqNo": 0, "eventData": [event]})
        assert model.value("Connector@1:1.AvailabilityState") == "Occupied"
        assert link.service(Availability).of(1).status == "Occupied"

    play(story)


@both
def test_what_is_pending_is_set_by_variables(play: Play, version: str) -> None:
    policy = {"pending_settings": {"SampledDataCtrlr.TxUpdatedInterval": "10"}, "pending_trigger": True}

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[VERSIONS[version]]) as peer:
            station = Station(peer)
            assert await station.boot() == "Pending"
            place = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
            wanted = await station.take(
                "SetVariables", {"setVariableResult": [{**place, "attributeStatus": "Accepted"}]}
            )
            assert wanted == {"setVariableData": [{**place, "attributeValue": "10"}]}
            await station.take("TriggerMessage", {"status": "Accepted"})
            assert await station.boot() == "Accepted"
            assert "currentTime" in await station.say("Heartbeat", {}), "nothing more is asked"
            assert rig.csms.station("CP1").registration.served

    play(story, settings={"boots": ["Pending"], "policy": policy})


@both
def test_a_vehicles_needs_bring_a_schedule_and_what_it_chooses_is_held_against_it(play: Play, version: str) -> None:
    needs = {
        "acChargingParameters": {"energyAmount": 1000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 230},
        "requestedEnergyTransfer": "AC_three_phase",
    }
    words: list[str] = []

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            link = rig.csms.station("CP1")
            charging = link.service(SmartCharging)

            async def need(payload: dict[str, Any]) -> None:
                asked = {"evseId": 1, "chargingNeeds": payload}
                words.append((await station.say("NotifyEVChargingNeeds", asked))["status"])

            await need(needs)
            await station.event("Started", 0, "CablePluggedIn", evse=EVSE)
            await need({"requestedEnergyTransfer": "DC"})
            profile = (await station.take("SetChargingProfile", {"status": "Accepted"}))["chargingProfile"]
            assert (profile["transactionId"], profile["chargingProfilePurpose"]) == ("t1", "TxProfile")
            await need(needs)
            again = (await station.take("SetChargingProfile", {"status": "Accepted"}))["chargingProfile"]
            assert again == profile
            assert [one.number for one in charging.book.for_transaction("t1")] == [profile["id"]]
            for limit in (10, 10.5):
                period = {"startPeriod": 0, "limit": limit}
                chosen = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
                told = {"evseId": 1, "timeBase": NOW, "chargingSchedule": chosen}
                words.append((await station.say("NotifyEVChargingSchedule", told))["status"])
            await station.take("SetChargingProfile", {"status": "Accepted"})
            assert charging.ev_schedules[1]["chargingSchedulePeriod"][0]["limit"] == 10
            await station.event("Ended", 1, "EVDeparted")
            assert charging.book.profiles == []

    rig = play(story, settings={"policy": {"ev_limit_a": 10.0}})
    assert words == ["Rejected", "Accepted", "Accepted", "Accepted", "Rejected"]
    assert codes(rig) == ["ParametersMissing"]


@both
def test_limits_reports_and_composite_schedules_are_kept(play: Play, version: str) -> None:
    period = {"startPeriod": 0, "limit": 16}
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    body = {
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }

    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            link = rig.csms.station("CP1")
            charging = link.service(SmartCharging)
            limit = {"chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True}, "evseId": 1}
            await station.say("NotifyChargingLimit", {**limit, "chargingSchedule": [schedule]})
            assert charging.limits[1, "EMS"].critical is True
            await station.say("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1})
            assert charging.limits == {}
            for number, more in ((1, {"tbc": True}), (2, {})):
                assert charging.reported(9) is None
                part = {"requestId": 9, "chargingLimitSource": "CSO", "evseId": number, **more}
                await station.say("ReportChargingProfiles", {**part, "chargingProfile": [{"id": number, **body}]})
            reported = charging.reported(9)
            assert reported is not None
            assert [(one.evse, one.payload["id"]) for one in reported] == [(1, 1), (2, 2)]
            made = {"evseId": 1, "duration": 60, "scheduleStart": NOW, "chargingRateUnit": "A"}
            answer = {"status": "Accepted", "schedule": {**made, "chargingSchedulePeriod": [period]}}
            await station.take(
                "GetCompositeSchedule", answer, link.call("GetCompositeSchedule", {"evseId": 1, "duration": 60})
            )
            assert charging.composites[1]["chargingSchedulePeriod"] == [period]

    play(story)


@both
def test_reservations_displays_customers_signed_values_and_lists(play: Play, version: str) -> None:
    async def story(rig: Any) -> None:
        async with booted(rig, version) as station:
            link = rig.csms.station("CP1")
            for number in (1, 2):
                wanted = {"id": number, "expiryDateTime": NOW, "idToken": TAG, "evseId": 1}
                await station.take("ReserveNow", {"status": "Accepted"}, link.call("ReserveNow", wanted))
            await station.say("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"})
            await station.event("Started", 0, "Authorized", reservationId=2, idToken=TAG)
            await station.say("ReservationStatusUpdate", {"reservationId": 2, "reservationUpdateStatus": "Removed"})
            kept = link.service(Reservations).reservations
            assert [(one.state, one.tx) for one in kept.values()] == [("Expired", None), ("Used", "t1")]

            for number, more in ((0, {"tbc": True}), (1, {})):
                message = {"id": number, "priority": "InFront", "message": {"format": "UTF8", "content": "Hi"}}
                await station.say("NotifyDisplayMessages", {"requestId": 3, "messageInfo": [message], **more})
            assert len(link.service(DisplayMessages).reported(3)) == 2
            assert set(link.service(DisplayMessages).messages) == {0, 1}

            for number, text, more in ((1, "world", {}), (0, "hello ", {"tbc": True})):
                part = {"requestId": 4, "generatedAt": NOW, "seqNo": number, "data": text, **more}
                await station.say("NotifyCustomerInformation", part)
            assert link.service(CustomerInformation).reported(4) == "hello world"

            signature = {"signedMeterData": "AAAA", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "KEY"}
            sample = {"value": 1.5, "signedMeterValue": signature, "context": "Transaction.End"}
            values = [{"timestamp": NOW, "sampledValue": [sample]}]
            await station.event("Updated", 1, "SignedDataReceived", meterValue=values)
            await station.say("MeterValues", {"evseId": 2, "meterValue": values})
            signed = [(one.data, one.tx, one.evse, one.value) for one in link.service(Metering).signed]
            assert signed == [("AAAA", "t1", None, 1.5), ("AAAA", None, 2, 1.5)]

            plan = link.service(LocalLists).plan("Differential")
            payload = {
                "versionNumber": plan.version,
                "updateType": plan.update,
                "localAuthorizationList": plan.entries,
            }
            await station.take("SendLocalList", {"status": "Accepted"}, link.call("SendLocalList", payload))
            assert (plan.update, link.service(LocalLists).version) == ("Full", 1)
            assert plan.entries == [{"idToken": token("TAG"), "idTokenInfo": {"status": "Accepted"}}]
            ask = link.call("GetLocalListVersion", {})
            await station.take("GetLocalListVersion", {"versionNumber": 6}, ask)
            assert (link.service(LocalLists).known, link.service(LocalLists).plan("Differential").update) == (
                False,
                "Full",
            )
            event = {"type": "TamperDetectionActivated", "timestamp": NOW, "techInfo": "lid"}
            await station.say("SecurityEventNotification", event)
            assert [one.info for one in link.service(SecurityEvents).events] == ["lid"]

    rig = play(story)
    assert rig.one("ocpp.security_event").data["type"] == "TamperDetectionActivated"
    assert [event.data["status"] for event in rig.all("ocpp.reservation")] == ["Expired", "Removed"]


def test_transactions_that_never_end_do_not_fill_the_memory(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with booted(rig, "2.1") as station:
            for number in range(205):
                info = {"transactionId": f"t{number}"}
                event = {"eventType": "Started", "timestamp": NOW, "triggerReason": "CablePluggedIn", "seqNo": 0}
                await station.say("TransactionEvent", {**event, "transactionInfo": info})
            known = rig.csms.station("CP1").service(TransactionBook).transactions
            assert (len(known), "t204" in known, "t0" in known) == (200, True, False)

    play(story)
