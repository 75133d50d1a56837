"""What the back end answers a station of OCPP 1.6, and what it keeps: over the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from pilotbench.bench.csms.availability import Availability
from pilotbench.bench.csms.data_transfer import DataTransfers
from pilotbench.bench.csms.local_lists import LocalLists
from pilotbench.bench.csms.metering import Metering
from pilotbench.bench.csms.reservations import Reservations
from pilotbench.bench.csms.v16.smart_charging import SmartCharging16

Play = Callable[..., Any]
NOW = "2026-11-21T10:00:00.000Z"


def test_a_token_is_answered_with_its_group_its_expiry_and_what_1_6_knows_of_its_status(play: Play) -> None:
    tokens: list[Any] = [
        "TAG",
        {"id": "MEMBER", "group": "FAMILY", "expires": "2099-01-01T00:00:00Z"},
        {"id": "OLD", "group": "FAMILY", "expires": "2020-01-01T00:00:00Z"},
        {"id": "POOR", "status": "NoCredit"},
    ]
    info: dict[str, Any] = {}

    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            for tag in ("tag", "MEMBER", "OLD", "POOR", "STRANGER"):
                info[tag] = (await peer.call("Authorize", {"idTag": tag}))[2]["idTagInfo"]
            rig.csms.tokens.block("TAG")
            info["blocked"] = (await peer.call("Authorize", {"idTag": "TAG"}))[2]["idTagInfo"]

    play(story, tokens=tokens)
    assert info["tag"] == {"status": "Accepted"}
    assert info["MEMBER"] == {"status": "Accepted", "parentIdTag": "FAMILY", "expiryDate": "2099-01-01T00:00:00Z"}
    assert info["OLD"]["status"] == "Expired"
    assert [info[name]["status"] for name in ("POOR", "STRANGER", "blocked")] == ["Invalid", "Invalid", "Blocked"]


def test_a_token_for_one_transaction_is_concurrent_elsewhere_and_the_transaction_gets_its_id(play: Play) -> None:
    answers: list[Any] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as peer, rig.peer("CP2") as other:
            await peer.boot()
            await other.boot()

            async def start(station: Any, connector: int, tag: str = "ONE") -> None:
                payload = {"connectorId": connector, "idTag": tag, "meterStart": 0, "timestamp": NOW}
                answers.append((await station.call("StartTransaction", payload))[2])

            await start(peer, 1)
            await start(peer, 1)
            await start(peer, 2)
            await start(other, 1)
            await start(other, 2, "TAG")
            for answer in (answers[0], answers[2], answers[3]):
                await peer.stop(answer["transactionId"])
            await start(other, 1)

    play(story, tokens=["TAG", {"id": "ONE", "concurrent": False}])
    words = [answer["idTagInfo"]["status"] for answer in answers]
    assert words == ["Accepted", "Accepted", "ConcurrentTx", "ConcurrentTx", "Accepted", "Accepted"]
    ids = [answer["transactionId"] for answer in answers]
    assert ids[1] == ids[0], "the second was the same message again"
    assert ids[5] == ids[3], "and so was the last, whose end another station cannot bring"
    assert len(set(ids)) == 4


def test_what_is_pending_is_set_and_the_next_boot_asked_for(play: Play) -> None:
    policy = {"pending_settings": {"HeartbeatInterval": "60"}, "pending_trigger": True}

    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            assert (await peer.boot())[2]["status"] == "Pending"
            wanted = await peer.answer("ChangeConfiguration", {"status": "Accepted"})
            assert wanted == {"key": "HeartbeatInterval", "value": "60"}
            wanted = await peer.answer("TriggerMessage", {"status": "Accepted"})
            assert wanted == {"requestedMessage": "BootNotification"}
            assert (await peer.boot())[2]["status"] == "Accepted"

    play(story, settings={"boots": ["Pending"], "policy": policy})


def test_what_a_station_tells_is_kept_by_subject(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            signed = {"value": "OCMF|{}|{}", "format": "SignedData", "context": "Transaction.End"}
            values = [{"timestamp": NOW, "sampledValue": [{"value": "1"}, signed]}]
            await peer.call("MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": values})
            status = {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": NOW}
            await peer.call("StatusNotification", status)
            for vendor, message in (("acme", "hello"), ("acme", "bye"), ("nobody", None)):
                more = {} if message is None else {"messageId": message}
                await peer.call("DataTransfer", {"vendorId": vendor, "data": "x", **more})
            event = {"type": "InvalidMessages", "timestamp": NOW, "techInfo": "seen"}
            assert (await peer.call("SecurityEventNotification", event))[2] == {}
            link = rig.csms.station("CP1")
            (one,) = link.service(Metering).signed
            assert (one.data, one.tx, one.evse, one.context) == ("OCMF|{}|{}", 7, 1, "Transaction.End")
            assert link.service(Availability).of(1).status == "Charging"
            told = [transfer.status for transfer in link.service(DataTransfers).transfers]
            assert told == ["Accepted", "UnknownMessageId", "UnknownVendorId"]

    rig = play(story, settings={"policy": {"vendors": {"acme": ["hello"]}}})
    assert rig.one("ocpp.security_event").data == {
        "station": "CP1",
        "type": "InvalidMessages",
        "info": "seen",
        "claim": NOW,
    }
    assert not rig.all("ocpp.violation")


def test_a_start_on_connector_0_is_recorded_and_answered(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            payload = {"connectorId": 0, "idTag": "TAG", "meterStart": 0, "timestamp": NOW}
            assert (await peer.call("StartTransaction", payload))[2]["idTagInfo"]["status"] == "Accepted"

    violation = play(story).one("ocpp.violation")
    assert (violation.data["layer"], violation.data["code"]) == ("sequencing", "ConnectorZero")
    assert "6.45" in violation.data["text"]


def test_the_local_list_goes_from_version_to_version_and_is_known_after_a_restart(play: Play) -> None:
    sent: list[Any] = []

    async def update(rig: Any, peer: Any, status: str = "Accepted", kind: Any = "Differential") -> None:
        link = rig.csms.station("CP1")
        plan = link.service(LocalLists).plan(kind)
        payload = {"listVersion": plan.version, "updateType": plan.update, "localAuthorizationList": plan.entries}
        asking = asyncio.create_task(link.call("SendLocalList", payload))
        sent.append(await peer.answer("SendLocalList", {"status": status}))
        await asking

    async def first(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            await update(rig, peer)
            rig.csms.tokens.block("B")
            rig.csms.tokens.remove("C")
            rig.csms.tokens.put("a-name-that-is-longer-than-twenty")
            await update(rig, peer)
            assert rig.csms.station("CP1").service(LocalLists).version == 2

    async def second(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            lists = rig.csms.station("CP1").service(LocalLists)
            assert (lists.version, [entry["idTag"] for entry in lists.entries]) == (2, ["A", "B"])
            await update(rig, peer)
            await update(rig, peer, "VersionMismatch")
            await update(rig, peer)

    play(first, tokens=["A", "B", "C"])
    play(second, tokens=["A"])
    whole, changed, gone, refused, again = sent
    assert (whole["updateType"], whole["listVersion"]) == ("Full", 1)
    assert [entry["idTag"] for entry in whole["localAuthorizationList"]] == ["A", "B", "C"]
    assert (changed["updateType"], changed["listVersion"]) == ("Differential", 2)
    assert changed["localAuthorizationList"] == [{"idTag": "B", "idTagInfo": {"status": "Blocked"}}, {"idTag": "C"}]
    assert (gone["listVersion"], gone["localAuthorizationList"]) == (3, [{"idTag": "B"}])
    assert (refused["updateType"], refused["localAuthorizationList"]) == ("Differential", [])
    assert (again["updateType"], again["listVersion"]) == ("Full", 4)


def test_reservations_and_profiles_follow_what_the_station_agrees_to(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            link = rig.csms.station("CP1")

            async def ask(action: str, payload: dict[str, Any], status: str = "Accepted") -> None:
                asking = asyncio.create_task(link.call(action, payload))
                await peer.answer(action, {"status": status})
                await asking

            for number in (1, 2, 3):
                wanted = {"connectorId": 1, "expiryDate": NOW, "idTag": "TAG", "reservationId": number}
                await ask("ReserveNow", wanted, "Occupied" if number == 3 else "Accepted")
            await ask("CancelReservation", {"reservationId": 2})
            used = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": NOW, "reservationId": 1}
            tx = (await peer.call("StartTransaction", used))[2]["transactionId"]
            reservations = link.service(Reservations)
            assert [(one.number, one.state) for one in reservations.reservations.values()] == [
                (1, "Used"),
                (2, "Cancelled"),
            ]
            assert not reservations.active
            schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
            for number, status in ((5, "Accepted"), (6, "Rejected")):
                profile = {
                    "chargingProfileId": number,
                    "transactionId": tx,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxProfile",
                    "chargingProfileKind": "Relative",
                    "chargingSchedule": schedule,
                }
                await ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}, status)
            book = link.service(SmartCharging16).book
            assert [one.number for one in book.for_transaction(str(tx))] == [5]
            await peer.stop(tx)
            assert book.profiles == []

    play(story)


def test_json_is_what_went_out(play: Play) -> None:
    """The answer on the wire is the one on the timeline, and says that it has behaviour."""

    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            await peer.call("Authorize", {"idTag": "TAG"})

    rig = play(story)
    result = rig.one("ocpp.result", action="Authorize")
    assert result.data["by"] == "behaviour"
    assert json.loads(rig.frames("tx")[-1])[2] == result.data["payload"]
