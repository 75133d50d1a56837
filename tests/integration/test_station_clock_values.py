"""Values at multiples of an interval that the simulated station sends: alone, and of a transaction."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from station_rig import Rig, run, until


def clock_values(rig: Rig) -> list[dict[str, Any]]:
    """MeterValues with clock-aligned values."""
    told = rig.csms.named("MeterValues")
    return [one for one in told if one["meterValue"][0]["sampledValue"][0]["context"] == "Sample.Clock"]


def triggers(rig: Rig) -> set[str]:
    """Why the events of a transaction came."""
    return {one["triggerReason"] for one in rig.csms.named("TransactionEvent")}


def test_clock_aligned_values_16(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        for key, value in (("MeterValueSampleInterval", "0"), ("ClockAlignedDataInterval", "1")):
            assert await rig.csms.ask("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}
        await until(lambda: len(clock_values(rig)) > 1, "values without a transaction")
        assert not any("transactionId" in one for one in clock_values(rig))
        first, second = (datetime.fromisoformat(one["meterValue"][0]["timestamp"]) for one in clock_values(rig)[:2])
        assert 0.7 < (second - first).total_seconds() < 1.5
        await rig.charging()
        await until(lambda: any("transactionId" in one for one in clock_values(rig)), "values of the transaction")

    assert run(tmp_path, script) == 0


def test_clock_aligned_values_2x_are_for_the_time_without_a_transaction(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        wanted = [("Aligned", "SendDuringIdle", "true"), ("Aligned", "Interval", "1")]
        data = [
            {"component": {"name": f"{of}DataCtrlr"}, "variable": {"name": name}, "attributeValue": value}
            for of, name, value in [*wanted, ("Sampled", "TxUpdatedInterval", "2")]
        ]
        await rig.csms.ask("SetVariables", {"setVariableData": data})
        await until(lambda: clock_values(rig), "values without a transaction")
        await rig.charging()
        told = len(clock_values(rig))
        await until(lambda: "MeterValuePeriodic" in triggers(rig), "two seconds of the transaction")
        assert "MeterValueClock" not in triggers(rig)
        assert len(clock_values(rig)) == told

    assert run(tmp_path, script, version="2.0.1") == 0
