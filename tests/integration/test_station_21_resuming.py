"""The simulated station in OCPP 2.1: transactions that outlive a power loss or a reset, and such with a limit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from station_rig import Rig, run, until


async def allow(rig: Rig, **values: str) -> None:
    """Write variables of TxCtrlr."""
    for name, value in values.items():
        data = {"component": {"name": "TxCtrlr"}, "variable": {"name": name}, "attributeValue": value}
        answer = await rig.csms.ask("SetVariables", {"setVariableData": [data]})
        assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"


def last(rig: Rig) -> dict[str, Any]:
    return rig.csms.named("TransactionEvent")[-1]


async def cut(rig: Rig, for_s: float = 0.1, *, unplug: bool = False) -> None:
    """The mains go while it charges: the vehicle opens S2, the contactor falls."""
    car = rig.car
    car.send(type="mains", on=False)
    car.live = False
    car.pwm = 100.0
    car.set("cp", "A" if unplug else "B")
    await asyncio.sleep(for_s)
    car.send(type="mains", on=True)
    car.send_state()


async def until_told(rig: Rig, *event: str) -> None:
    await until(lambda: event in rig.csms.events(), f"the event {event}")


def in_order(rig: Rig) -> bool:
    """One transaction, no number of its events left out."""
    events = rig.csms.named("TransactionEvent")
    ids = {event["transactionInfo"]["transactionId"] for event in events}
    return len(ids) == 1 and [event["seqNo"] for event in events] == list(range(len(events)))


def test_a_transaction_goes_on_after_a_power_loss(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        car = rig.car
        await rig.charging()
        await allow(rig, ResumptionTimeout="30", AllowEnergyTransferResumption="true")
        await cut(rig)
        await until(lambda: car.lock and 8 < car.pwm < 97, "the offer")
        car.set("cp", "C")
        await until_told(rig, "Updated", "TxResumed")
        assert last(rig)["transactionInfo"]["chargingState"] == "Charging"
        assert car.live
        assert rig.csms.events()[-2:] == [("Updated", "ChargingStateChanged"), ("Updated", "TxResumed")]

        await allow(rig, AllowEnergyTransferResumption="false")
        await cut(rig)
        await until(lambda: rig.csms.events().count(("Updated", "TxResumed")) == 2, "the second resumption")
        assert last(rig)["transactionInfo"]["chargingState"] == "SuspendedEVSE"
        await asyncio.sleep(0.3)
        assert (car.pwm, car.live, car.lock) == (100.0, False, True)
        assert in_order(rig)

        await allow(rig, ResumptionTimeout="1")
        await cut(rig, 1.2)
        await until_told(rig, "Ended", "AbnormalCondition")
        assert last(rig)["transactionInfo"]["stoppedReason"] == "PowerLoss"
        assert last(rig)["offline"] is True
        assert len(rig.csms.named("BootNotification")) == 4
        assert in_order(rig)

    assert run(tmp_path, script, version="2.1") == 0


def test_who_is_gone_when_the_mains_return_ends_the_transaction(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await allow(rig, ResumptionTimeout="30")
        await cut(rig, unplug=True)
        await until_told(rig, "Ended", "EVCommunicationLost")
        assert last(rig)["transactionInfo"]["stoppedReason"] == "EVDisconnected"
        await until(lambda: not rig.car.lock, "the lock open")
        assert ("Updated", "TxResumed") not in rig.csms.events()

    assert run(tmp_path, script, version="2.1") == 0


def test_a_reset_that_the_transaction_outlives(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        car, csms = rig.car, rig.csms
        await rig.charging()
        assert await csms.ask("Reset", {"type": "ImmediateAndResume"}) == {"status": "Rejected"}
        await allow(rig, ResumptionTimeout="30", AllowEnergyTransferResumption="true")
        assert await csms.ask("Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
        await until_told(rig, "Updated", "ResetCommand")
        await until(lambda: car.pwm == 100, "PWM off")
        car.set("cp", "B")
        await until(lambda: not car.lock, "the lock open")
        assert not car.live
        await until(lambda: len(csms.named("BootNotification")) == 2, "the boot")
        await until(lambda: car.lock and 8 < car.pwm < 97, "the offer")
        car.set("cp", "C")
        await until_told(rig, "Updated", "TxResumed")
        assert last(rig)["transactionInfo"]["chargingState"] == "Charging"
        assert csms.states() == ["EVConnected", "Charging", "SuspendedEVSE", "Charging"]
        assert in_order(rig)

    assert run(tmp_path, script, version="2.1") == 0


def test_a_limit_of_the_transaction_suspends_it_until_it_is_raised(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        car, csms = rig.car, rig.csms
        csms.replies["TransactionEvent"] = {"transactionLimit": {"maxEnergy": 1.0, "maxSoC": 80}}
        await rig.charging()
        csms.replies.clear()
        await until_told(rig, "Updated", "EnergyLimitReached")
        assert last(rig)["transactionInfo"]["chargingState"] == "SuspendedEVSE"
        assert round(car.energy_wh, 1) >= 1001.0
        await until(lambda: car.pwm == 100, "PWM off")
        car.set("cp", "B")
        told = [event["transactionInfo"] for event in csms.named("TransactionEvent")]
        assert {"maxEnergy": 1.0} in [info.get("transactionLimit") for info in told]
        assert not any("maxSoC" in info.get("transactionLimit", {}) for info in told)

        csms.replies["TransactionEvent"] = {"transactionLimit": {"maxEnergy": 500.0}}
        asked = {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}
        assert await csms.ask("TriggerMessage", asked) == {"status": "Accepted"}
        await until(lambda: 8 < car.pwm < 97, "an offer again")
        csms.replies.clear()
        car.set("cp", "C")
        await until(lambda: csms.states()[-1] == "Charging", "Charging again")
        assert in_order(rig)

    assert run(tmp_path, script, version="2.1") == 0
