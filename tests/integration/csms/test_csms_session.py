"""Boot, authorisation, transactions and registers of OCPP 1.6, from raw frames to the vocabulary."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms import CsmsState
from pilotbench.errors import CsmsError

NOW = "2026-11-21T10:00:00.000Z"
Play = Callable[..., Any]


def test_a_boot_is_accepted_and_told(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            kind, _, answer = await station.boot()
            assert kind == 3
            assert answer["status"] == "Accepted"
            assert answer["interval"] == 7
            await rig.csms.wait_ready("CP1", 1)
            assert rig.csms.station("CP1").identity == {"vendor": "Vendor", "model": "Model", "firmware": "1.2"}

    rig = play(story, heartbeat_s=7)
    boot, frame = rig.one("ocpp.boot"), rig.all("ocpp.frame", dir="rx")[0]
    assert boot.data == {"station": "CP1", "model": "Model", "vendor": "Vendor", "firmware": "1.2", "reason": None}
    # What the station said carries the stamp of its frame, what the back end answered that of the sending.
    assert (boot.stamp.lo_ns, boot.stamp.hi_ns) == (frame.stamp.lo_ns, frame.stamp.hi_ns)
    answered, sent = rig.one("ocpp.boot.answered", status="Accepted"), rig.all("ocpp.frame", dir="tx")[0]
    assert (answered.stamp.lo_ns, answered.stamp.hi_ns) == (sent.stamp.lo_ns, sent.stamp.hi_ns)
    assert rig.one("ocpp.connected").data["subprotocols"] == ["ocpp1.6"]


def test_a_pending_boot_first(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            assert (await station.boot())[2] | {"currentTime": ""} == {
                "status": "Pending",
                "currentTime": "",
                "interval": 2,
            }
            # Leniently answered, and on record: OCPP-J 1.6 errata 3.10.
            assert (await station.call("Heartbeat", {}))[0] == 3
            assert not rig.csms.station("CP1").registration.served
            assert (await station.boot())[2]["status"] == "Accepted"
            await rig.csms.wait_ready("CP1", 1)

    rig = play(story, settings={"boots": ["Pending"], "boot_retry_s": 2})
    assert rig.one("ocpp.violation", layer="sequencing").data["code"] == "SecurityError"
    assert len(rig.all("ocpp.boot")) == 2


def test_a_strict_back_end_refuses_before_the_boot_is_accepted(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            assert (await station.call("Heartbeat", {}))[:3:2] == [4, "SecurityError"]

    play(story, settings={"boots": ["Rejected"], "strict": True})


def test_authorise_and_the_course_of_a_transaction(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            assert (await station.call("Authorize", {"idTag": "tag"}))[2] == {"idTagInfo": {"status": "Accepted"}}
            assert (await station.call("Authorize", {"idTag": "NO"}))[2] == {"idTagInfo": {"status": "Invalid"}}
            status = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing", "timestamp": NOW}
            assert (await station.call("StatusNotification", status))[2] == {}
            tx = await station.start()
            samples = [
                {"value": "100.30", "context": "Transaction.Begin", "unit": "Wh"},
                {"value": "0.1234567", "unit": "kWh", "measurand": "Energy.Active.Import.Register"},
                {"value": "16.0", "measurand": "Current.Import", "unit": "A", "phase": "L1"},
                {"value": "50.1", "phase": "L1"},
                {"value": "51.1", "location": "Inlet"},
            ]
            values = {
                "connectorId": 1,
                "transactionId": tx,
                "meterValue": [{"timestamp": NOW, "sampledValue": samples}],
            }
            assert (await station.call("MeterValues", values))[2] == {}
            end = [{"timestamp": NOW, "sampledValue": [{"value": "150.10", "context": "Transaction.End"}]}]
            assert (await station.stop(tx, reason="Remote", transactionData=end))[0] == 3
            assert (await station.call("Heartbeat", {}))[0] == 3

    rig = play(story)
    tags = [(e.data["id_tag"], e.data["accepted"], e.data["how"]) for e in rig.all("ocpp.authorized")]
    assert tags == [("tag", True, "authorize"), ("NO", False, "authorize"), ("TAG", True, "start")]
    status = rig.one("ocpp.status")
    assert status.evse == 1
    assert status.data | {"claim": ""} == {
        "station": "CP1",
        "connector": 1,
        "component": "Connector",
        "status": "Preparing",
        "logical": "occupied",
        "error": "NoError",
        "claim": "",
        "via": "StatusNotification",
    }
    started, ended = rig.one("ocpp.tx.started"), rig.one("ocpp.tx.ended")
    assert (started.evse, started.data["meter_wh"], started.data["accepted"]) == (1, "100", True)
    assert ended.evse == 1
    assert {k: ended.data[k] for k in ("tx", "reason", "meter_wh", "orphan")} == {
        "tx": started.data["tx"],
        "reason": "Remote",
        "meter_wh": "150",
        "orphan": False,
    }
    # Decimal text, digit by digit; phases, other places and other measurands are not the register.
    registers = [(e.data["context"], e.data["value_wh"]) for e in rig.all("ocpp.register")]
    assert registers == [
        ("Transaction.Begin", "100.30"),
        ("Sample.Periodic", "123.4567"),
        ("Transaction.End", "150.10"),
    ]
    assert len(rig.all("ocpp.heartbeat")) == 1
    assert not rig.all("ocpp.violation")


def test_an_invalid_tag_still_gets_its_transaction(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            await station.start("NO")

    assert play(story).one("ocpp.tx.started").data["accepted"] is False


def test_transaction_ids_continue_after_a_restart_and_open_ones_are_known(play: Play) -> None:
    ids: list[int] = []

    async def first(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            ids.append(await station.start())
            ids.append(await station.start(at="2026-11-21T10:01:00Z"))
            await station.stop(ids[0])

    async def second(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            ids.append(await station.start(at="2026-11-21T10:02:00Z"))
            await station.stop(ids[1])

    play(first)
    rig = play(second)
    assert len(set(ids)) == 3
    assert ids == sorted(ids)
    assert rig.one("ocpp.tx.ended").data["orphan"] is False
    assert rig.one("ocpp.tx.ended").evse == 1


def test_an_unknown_stop_is_answered_and_an_orphan(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            assert (await station.stop(-1, idTag="TAG"))[2] == {"idTagInfo": {"status": "Accepted"}}

    ended = play(story).one("ocpp.tx.ended")
    assert ended.data["orphan"] is True
    assert (ended.data["reason"], ended.data["tx"]) == ("Local", -1)


def test_a_repeated_message_is_the_same_transaction(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            tx = await station.start()
            assert await station.start() == tx
            await station.stop(tx)
            assert (await station.stop(tx))[0] == 3
            assert await station.start(at="2026-11-21T11:00:00Z") != tx

    rig = play(story)
    assert len(rig.all("ocpp.tx.started")) == 2
    assert len(rig.all("ocpp.tx.ended")) == 1


def test_the_station_clock_is_told_when_it_changes(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            for hour in (10, 10, 12):
                when = f"2020-01-01T{hour}:00:00.000Z"
                status = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": when}
                await station.call("StatusNotification", status)
            # A transaction message may be old: it moves nothing back.
            await station.start(at="2019-01-01T00:00:00Z")

    first, second = play(story).all("ocpp.clock")
    # two seconds of delay, and .000 may be a second rounded
    assert first.data["offset_lo_s"] < first.data["offset_hi_s"] < first.data["offset_lo_s"] + 4
    assert (first.data["step"], second.data["step"]) == (False, True)
    assert second.data["offset_lo_s"] - first.data["offset_lo_s"] == pytest.approx(7200, abs=5)


def test_a_broken_state_file_is_moved_aside_and_told(play: Play, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "csms-state.json").write_bytes(b'{"next_transaction": 17, "op')

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            assert await station.start() > 1_700_000_000

    rig = play(story)
    why = rig.one("device.state", device="csms", state="DEGRADED").data["why"]
    (aside,) = folder.glob("csms-state.json.unreadable-*")
    assert aside.name in why
    assert aside.read_bytes() == b'{"next_transaction": 17, "op'
    assert json.loads((folder / "csms-state.json").read_bytes())["next_transaction"] > 1_700_000_000


def test_a_state_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CsmsError, match="cannot be kept"):
        CsmsState(tmp_path / "file" / "state")
