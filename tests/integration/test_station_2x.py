"""The simulated station as a process, in OCPP 2.0.1 and 2.1: its sessions, boots, and what it sends by itself."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from station_rig import BOOT, Rig, run, until

BOTH = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
REGISTER = "Energy.Active.Import.Register"


def tx_profile(rig: Rig, limit_a: float, **more: Any) -> dict[str, Any]:
    return {
        "evseId": 1,
        "chargingProfile": {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "transactionId": transaction_id(rig),
            "chargingSchedule": [
                {
                    "id": 1,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_a}],
                }
            ],
            **more,
        },
    }


def transaction_id(rig: Rig) -> str:
    return rig.csms.named("TransactionEvent")[-1]["transactionInfo"]["transactionId"]


async def write(rig: Rig, component: str, variable: str, value: str, instance: str | None = None) -> str:
    named = {"name": variable, **({"instance": instance} if instance else {})}
    data = {"component": {"name": component}, "variable": named, "attributeValue": value}
    answer = await rig.csms.ask("SetVariables", {"setVariableData": [data]})
    return answer["setVariableResult"][0]["attributeStatus"]


async def stop_remotely(rig: Rig) -> None:
    asked = {"transactionId": transaction_id(rig)}
    assert await rig.csms.ask("RequestStopTransaction", asked) == {"status": "Accepted"}
    await until(lambda: rig.car.pwm == 100, "PWM off")
    rig.car.set("cp", "B")
    await until(lambda: rig.csms.events()[-1][0] == "Ended", "the end")


def values(message: dict[str, Any], context: str) -> list[float]:
    return [
        value["value"]
        for entry in message["meterValue"]
        for value in entry["sampledValue"]
        if value["measurand"] == REGISTER and value["context"] == context
    ]


@BOTH
def test_a_whole_session_of_2x(tmp_path: Path, version: str) -> None:
    async def script(rig: Rig) -> None:
        car, csms = rig.car, rig.csms
        await rig.charging()
        boot = csms.named("BootNotification")
        assert boot == [{"reason": "PowerUp", "chargingStation": boot[0]["chargingStation"]}]
        assert csms.calls[0][1] == "BootNotification"
        assert csms.statuses() == ["Available", "Occupied"]
        assert bool(csms.named("NotifyEvent")) == (version == "2.1")
        closed = next(at for at, on in car.driven("contactor") if on)
        started = next(at for at, name, _ in csms.calls if name == "TransactionEvent")
        assert started < closed

        assert await csms.ask("SetChargingProfile", tx_profile(rig, 16.0)) == {"status": "Accepted"}
        if version == "2.0.1":
            await until(lambda: car.pwm == pytest.approx(26.667, abs=1e-3), "the duty of 16 A")
        car.set("cp", "B")
        await until(lambda: csms.states()[-1] == "SuspendedEV", "SuspendedEV")
        car.set("cp", "C")
        await until(lambda: csms.states()[-1] == "Charging", "Charging again")
        await stop_remotely(rig)
        car.unplug()
        await until(lambda: csms.statuses()[-1] == "Available", "Available")

        events = csms.named("TransactionEvent")
        assert csms.events() == [
            ("Started", "Authorized"),
            ("Updated", "ChargingStateChanged"),
            ("Updated", "ChargingStateChanged"),
            ("Updated", "ChargingStateChanged"),
            ("Ended", "RemoteStop"),
        ]
        assert csms.states() == ["EVConnected", "Charging", "SuspendedEV", "Charging", "EVConnected"]
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert [at for at, event in enumerate(events) if "idToken" in event] == [0]
        assert [at for at, event in enumerate(events) if "evse" in event] == [0]
        assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
        assert events[-1]["transactionInfo"]["stoppedReason"] == "Remote"
        assert values(events[0], "Transaction.Begin") == [1000.0]
        assert values(events[-1], "Transaction.End") == [round(car.energy_wh, 1)]
        assert any(event["triggerReason"] == "MeterValuePeriodic" for event in events) or version == "2.1"
        assert not any("offline" in event for event in events)
        assert csms.statuses() == ["Available", "Occupied", "Available"]

    assert run(tmp_path, script, version=version) == 0


def test_connection_lost_in_a_transaction_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        for name in ("RetryBackOffWaitMinimum", "RetryBackOffRandomRange"):
            assert await write(rig, "OCPPCommCtrlr", name, "2" if "Wait" in name else "0") == "Accepted"
        seen = len(rig.csms.named("TransactionEvent"))
        before = rig.csms.named("TransactionEvent")[-1]
        lost = time.monotonic()
        rig.csms.connections.pop().transport.abort()
        rig.car.unplug()
        await until(lambda: len(rig.csms.named("TransactionEvent")) > seen, "the queued event")
        after = rig.csms.named("TransactionEvent")[seen]
        assert next(at for at, name, _ in rig.csms.calls if name == "TransactionEvent" and at > lost) - lost >= 1.99
        assert (after["eventType"], after["triggerReason"]) == ("Ended", "EVCommunicationLost")
        assert after["offline"] is True
        assert after["seqNo"] == before["seqNo"] + 1
        assert after["transactionInfo"]["stoppedReason"] == "EVDisconnected"
        await until(lambda: rig.csms.statuses()[-1] == "Available", "Available")
        assert len(rig.csms.named("BootNotification")) == 1

    assert run(tmp_path, script, version="2.1") == 0


def test_nothing_but_boot_and_what_is_asked_for_until_accepted_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        rig.csms.boot_status = "Pending"
        await until(lambda: len(rig.csms.named("BootNotification")) >= 2, "a second boot")
        assert {name for _, name, _ in rig.csms.calls} == {"BootNotification"}
        start = {"idToken": {"idToken": "T", "type": "Central"}, "remoteStartId": 1}
        assert await rig.csms.ask("RequestStartTransaction", start) == {"status": "Rejected"}
        asked = {"requestId": 3, "reportBase": "FullInventory"}
        assert await rig.csms.ask("GetBaseReport", asked) == {"status": "Accepted"}
        await until(lambda: any(not part["tbc"] for part in rig.csms.named("NotifyReport")), "the last part")
        parts = rig.csms.named("NotifyReport")
        assert [part["seqNo"] for part in parts] == list(range(len(parts)))
        listed = {(e["component"]["name"], e["variable"]["name"]) for part in parts for e in part["reportData"]}
        wanted = {"TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint", "TxCtrlr.StopTxOnEVSideDisconnect"}
        wanted |= {"TxCtrlr.EVConnectionTimeOut", "SampledDataCtrlr.TxUpdatedInterval", "AlignedDataCtrlr.Interval"}
        wanted |= {"OCPPCommCtrlr.OfflineThreshold", "OCPPCommCtrlr.HeartbeatInterval", "AuthCtrlr.Enabled"}
        assert wanted <= {f"{component}.{variable}" for component, variable in listed}
        assert rig.csms.statuses() == []
        asked = {"requestedMessage": "BootNotification"}
        assert await rig.csms.ask("TriggerMessage", asked) == {"status": "Accepted"}
        await until(lambda: rig.csms.named("BootNotification")[-1]["reason"] == "Triggered", "the boot")
        rig.csms.boot_status = "Accepted"
        await until(lambda: rig.csms.statuses() == ["Available"], "the status")

    assert run(tmp_path, script, version="2.0.1") == 0


def test_remote_start_and_reset_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        car, csms = rig.car, rig.csms
        await rig.booted()
        car.plug()
        await until(lambda: csms.statuses()[-1] == "Occupied", "Occupied")
        start = {"idToken": {"idToken": "REMOTE", "type": "Central"}, "remoteStartId": 42}
        assert await csms.ask("RequestStartTransaction", start) == {"status": "Accepted"}
        await until(lambda: csms.events(), "the start")
        started = csms.named("TransactionEvent")[0]
        assert (started["triggerReason"], started["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 42)
        assert started["idToken"] == {"idToken": "REMOTE", "type": "Central"}
        car.set("cp", "C")
        await until(lambda: csms.states()[-1] == "Charging", "Charging")
        unlock = {"evseId": 1, "connectorId": 1}
        assert (await csms.ask("UnlockConnector", unlock))["status"] == "OngoingAuthorizedTransaction"
        assert (await csms.ask("Reset", {"type": "OnIdle"}))["status"] == "Scheduled"
        status = await csms.ask("GetTransactionStatus", {"transactionId": transaction_id(rig)})
        assert status["ongoingIndicator"] is True
        assert (await csms.ask("Reset", {"type": "Immediate"}))["status"] == "Accepted"
        await until(lambda: len(csms.named("BootNotification")) == 2, "the second boot")
        ended = csms.named("TransactionEvent")[-1]
        assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("ResetCommand", "ImmediateReset")
        assert csms.named("BootNotification")[1]["reason"] in ("RemoteReset", "ScheduledReset")
        assert not car.live

    assert run(tmp_path, script, version="2.0.1") == 0


def test_a_transaction_lasts_from_plug_to_unplug(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        car, csms = rig.car, rig.csms
        await rig.booted()
        assert await write(rig, "TxCtrlr", "TxStartPoint", "EVConnected") == "Accepted"
        assert await write(rig, "TxCtrlr", "TxStopPoint", "EVConnected") == "Accepted"
        assert await write(rig, "TxCtrlr", "TxStopPoint", "DataSigned") == "Rejected"
        car.plug()
        await until(lambda: csms.events(), "the start")
        await rig.charging()
        car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: car.pwm == 100, "PWM off")
        car.set("cp", "B")
        await until(lambda: csms.events()[-1][1] == "StopAuthorized", "the stop")
        car.unplug()
        await until(lambda: csms.events()[-1][0] == "Ended", "the end")
        assert csms.events() == [
            ("Started", "CablePluggedIn"),
            ("Updated", "Authorized"),
            ("Updated", "ChargingStateChanged"),
            ("Updated", "StopAuthorized"),
            ("Ended", "EVCommunicationLost"),
        ]
        assert csms.named("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Local"
        told = [e for e in csms.named("TransactionEvent") if e["triggerReason"] != "MeterValuePeriodic"]
        assert ["idToken" in event for event in told] == [False, True, False, True, False]

    assert run(tmp_path, script, version="2.0.1") == 0


def test_a_token_refused_after_the_start(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        rig.csms.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Blocked"}}
        await rig.booted()
        rig.car.plug()
        rig.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: ("Ended", "Deauthorized") in rig.csms.events(), "the end")
        assert rig.csms.named("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"
        assert not rig.car.live

    assert run(tmp_path, script, version="2.1") == 0


def test_a_token_refused_where_the_transaction_goes_on(tmp_path: Path) -> None:
    """E05.FR.02: no energy, and the transaction is not deauthorised."""

    async def script(rig: Rig) -> None:
        rig.csms.replies["TransactionEvent"] = {"idTokenInfo": {"status": "Blocked"}}
        await rig.booted()
        await write(rig, "TxCtrlr", "StopTxOnInvalidId", "false")
        rig.car.plug()
        rig.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: rig.csms.events()[-1:] == [("Updated", "ChargingStateChanged")], "the suspension")
        assert rig.csms.states()[-1] == "SuspendedEVSE"
        assert not rig.car.live

    assert run(tmp_path, script, version="2.0.1") == 0


def test_nobody_plugs_in(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        await write(rig, "TxCtrlr", "TxStartPoint", "Authorized")
        await write(rig, "TxCtrlr", "EVConnectionTimeOut", "1")
        rig.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: rig.csms.events()[-1:] == [("Ended", "EVConnectTimeout")], "the time-out")
        assert rig.csms.named("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Timeout"
        assert rig.csms.states() == ["Idle"]

    assert run(tmp_path, script, version="2.0.1") == 0


def test_nobody_plugs_in_and_the_bay_ends_it(tmp_path: Path) -> None:
    """E03.FR.15: who does not come is no longer authorised, and the transaction goes on until the bay is left."""

    async def script(rig: Rig) -> None:
        await rig.booted()
        await write(rig, "TxCtrlr", "TxStartPoint", "Authorized")
        await write(rig, "TxCtrlr", "TxStopPoint", "ParkingBayOccupancy")
        await write(rig, "TxCtrlr", "EVConnectionTimeOut", "1")
        rig.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: rig.csms.events()[-1:] == [("Updated", "EVConnectTimeout")], "the time-out")
        await stop_remotely(rig)
        await until(lambda: rig.csms.events()[-1:] == [("Ended", "RemoteStop")], "the end")
        assert rig.csms.named("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Remote"

    assert run(tmp_path, script, version="2.0.1") == 0


def test_mains_cut_in_a_transaction_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        rig.car.send(type="mains", on=False)
        await until(lambda: rig.csms.aborted, "the connection dropped without a close frame")
        rig.csms.calls.clear()
        rig.car.send(type="mains", on=True)
        await until(lambda: rig.csms.events()[-1:] == [("Ended", "AbnormalCondition")], "the end after the boot")
        assert rig.csms.calls[0][1] == "BootNotification"
        ended = rig.csms.named("TransactionEvent")[-1]
        assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"
        assert ended["offline"] is True

    assert run(tmp_path, script, version="2.1") == 0


def test_fault_chatty_boot_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        rig.csms.boot_takes_s = 0.1
        await until(lambda: len(rig.csms.statuses()) == 2, "one status too many")
        assert [name for _, name, _ in rig.csms.calls[:2]] == ["BootNotification", "StatusNotification"]
        assert rig.csms.calls[1][0] < rig.csms.accepted_at

    assert run(tmp_path, script, "--fault", "chatty-boot", version="2.0.1") == 0


def test_fault_no_status_and_oddity_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert rig.csms.statuses() == ["Available"]
        assert rig.csms.states() == ["EVConnected", "SuspendedEVSE", "Charging"]

    assert run(tmp_path, script, "--fault", "no-status", "--oddity", "suspended-evse", version="2.1") == 0


def test_fault_wrong_meter_stop_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await stop_remotely(rig)
        ended = rig.csms.named("TransactionEvent")[-1]
        assert values(ended, "Transaction.End") == [pytest.approx(round(rig.car.energy_wh, 1) + 5)]

    assert run(tmp_path, script, "--fault", "wrong-meter-stop", version="2.0.1") == 0


def test_fault_no_start_2x(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        rig.car.plug()
        rig.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: 8 < rig.car.pwm < 97, "PWM")
        rig.car.set("cp", "C")
        await until(lambda: rig.car.live, "current")
        rig.car.unplug()
        await until(lambda: rig.csms.statuses()[-1] == "Available", "Available")
        assert rig.csms.named("TransactionEvent") == []

    assert run(tmp_path, script, "--fault", "no-start", version="2.0.1") == 0


def test_an_oddity_without_a_meaning_is_refused() -> None:
    said = subprocess.run(
        [*BOOT, "--port-file", "x.json", "--ocpp", "2.1", "--oddity", "finishing-late"], capture_output=True, text=True
    )
    assert said.returncode == 2
    assert "finishing-late has no meaning in OCPP 2.1" in said.stderr
