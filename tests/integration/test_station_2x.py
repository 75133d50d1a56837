"""The simulated station as a process, in OCPP 2.0.1 and 2.1: its sessions, boots, and what it sends by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from station_rig import Rig, run, until

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
        assert any(event["triggerReason"] == "MeterValuePeriodic" for event in events)
        assert not any("offline" in event for event in events)
        assert csms.statuses() == ["Available", "Occupied", "Available"]

    assert run(tmp_path, script, version=version) == 0
