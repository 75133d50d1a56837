"""The simulated station as a process, in OCPP 1.6, between a back end and a DUT-port peer of the test."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from station_rig import BOOT, Rig, run, until


def profile(limit_a: float) -> dict[str, Any]:
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "transactionId": 77,
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_a}],
            },
        },
    }


async def stop_remotely(rig: Rig) -> None:
    assert await rig.csms.ask("RemoteStopTransaction", {"transactionId": 77}) == {"status": "Accepted"}
    await until(lambda: rig.car.pwm == 100, "PWM off")
    await asyncio.sleep(0.2)
    rig.car.set("cp", "B")
    await until(lambda: rig.csms.named("StopTransaction"), "StopTransaction")


def test_a_whole_session(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        car, csms = rig.car, rig.csms
        await rig.charging()
        assert car.hello["ping_ms"] == 20
        assert [name for _, name, _ in csms.calls[:3]] == [
            "BootNotification",
            "StatusNotification",
            "StatusNotification",
        ]
        assert csms.statuses(0) == ["Available"]
        locked = next(at for at, on in car.driven("lock") if on)
        pwm = next(at for at, pct in car.driven("pwm_pct") if pct < 97)
        closed = next(at for at, on in car.driven("contactor") if on)
        started = next(at for at, name, _ in csms.calls if name == "StartTransaction")
        assert locked < pwm < closed
        assert started < closed
        assert car.pwm == pytest.approx(32 / 0.6, abs=1e-3)

        assert await csms.ask("SetChargingProfile", profile(16.0)) == {"status": "Accepted"}
        await until(lambda: car.pwm == pytest.approx(26.667, abs=1e-3), "the duty of 16 A")
        duties = [(at, pct) for at, pct in car.driven("pwm_pct") if pct < 97]
        assert duties[1][0] - duties[0][0] >= 4.99, "two duty changes are at least 5 s apart"

        edge = time.monotonic()
        car.set("cp", "B")
        await until(lambda: not car.live, "the contactor opening")
        assert car.driven("contactor")[-1][0] - edge < 0.03
        await until(lambda: csms.statuses()[-1] == "SuspendedEV", "SuspendedEV")
        assert 8 < car.pwm < 97
        car.set("cp", "C")
        await until(lambda: csms.statuses()[-1] == "Charging", "Charging again")

        await stop_remotely(rig)
        answered = csms.answers[-1][0]
        off = car.driven("pwm_pct")[-1][0]
        opened = car.driven("contactor")[-1][0]
        stopped = next(at for at, name, _ in csms.calls if name == "StopTransaction")
        assert off < opened < stopped
        assert answered <= off + 0.02
        stop = csms.named("StopTransaction")[0]
        assert stop["reason"] == "Remote"
        values = {v["context"]: v for entry in stop["transactionData"] for v in entry["sampledValue"]}
        assert set(values) == {"Transaction.Begin", "Transaction.End"}
        assert float(values["Transaction.End"]["value"]) == round(car.energy_wh, 1)
        assert stop["meterStop"] == round(float(values["Transaction.End"]["value"]))
        assert stop["meterStop"] > csms.named("StartTransaction")[0]["meterStart"]
        contexts = [v["context"] for m in csms.named("MeterValues") for e in m["meterValue"] for v in e["sampledValue"]]
        assert contexts[0] == "Transaction.Begin"
        assert contexts[-1] == "Transaction.End"
        assert "Sample.Periodic" in contexts
        await until(lambda: csms.statuses()[-1] == "Finishing" and not car.lock, "Finishing, unlocked")
        car.unplug()
        await until(lambda: csms.statuses()[-1] == "Available", "Available")
        assert csms.statuses() == [
            "Available",
            "Preparing",
            "Charging",
            "SuspendedEV",
            "Charging",
            "Finishing",
            "Available",
        ]
        assert car.pings > 100

    assert run(tmp_path, script) == 0


def test_nothing_but_boot_until_accepted(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        rig.csms.boot_status = "Pending"
        rig.car.plug()
        await until(lambda: len(rig.csms.named("BootNotification")) >= 2, "a second boot")
        assert {name for _, name, _ in rig.csms.calls} == {"BootNotification"}
        assert await rig.csms.ask("RemoteStartTransaction", {"idTag": "T"}) == {"status": "Rejected"}
        rig.csms.boot_status = "Accepted"
        await until(lambda: rig.csms.statuses() == ["Preparing"], "the physical state")

    assert run(tmp_path, script) == 0


def test_reconnects_without_boot_and_keeps_transaction_messages(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await rig.csms.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "1"})
        first = rig.csms.connections[0]
        rig.csms.connections.clear()
        rig.csms.calls.clear()
        first.transport.abort()
        rig.car.unplug()
        await until(lambda: rig.csms.named("StopTransaction"), "the queued StopTransaction")
        assert rig.csms.named("BootNotification") == []
        assert rig.csms.named("StopTransaction")[0]["reason"] == "EVDisconnected"
        await until(lambda: rig.csms.statuses()[-1:] == ["Available"], "Available")

    assert run(tmp_path, script) == 0


def test_attaches_without_boot(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await until(lambda: rig.csms.connections, "a connection")
        assert await rig.csms.ask("TriggerMessage", {"requestedMessage": "StatusNotification"}) == {
            "status": "Accepted"
        }
        await until(lambda: len(rig.csms.named("StatusNotification")) == 2, "the triggered statuses")
        assert rig.csms.named("BootNotification") == []

    assert run(tmp_path, script, "--no-boot-on-start") == 0


def test_mains_cut_drops_the_connection_and_boots_anew(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        cut = time.monotonic()
        rig.car.send(type="mains", on=False)
        await until(lambda: rig.csms.aborted, "the connection dropped without a close frame")
        assert time.monotonic() - cut < 0.2
        rig.csms.calls.clear()
        rig.car.send(type="mains", on=True)
        await until(lambda: rig.csms.named("StopTransaction"), "the transaction closed after the boot")
        assert rig.csms.calls[0][1] == "BootNotification"
        assert rig.csms.named("StopTransaction")[0]["reason"] == "PowerLoss"
        assert rig.car.pwm == 100

    assert run(tmp_path, script) == 0


def test_reset_ends_the_transaction_and_boots(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert await rig.csms.ask("Reset", {"type": "Hard"}) == {"status": "Accepted"}
        await until(lambda: len(rig.csms.named("BootNotification")) == 2, "the second boot")
        assert rig.csms.named("StopTransaction")[0]["reason"] == "HardReset"
        assert not rig.car.live

    assert run(tmp_path, script) == 0


def test_requests_of_the_core_profile(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        ask = rig.csms.ask
        assert await ask("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "2"}) == {"status": "Rejected"}
        assert await ask("ChangeConfiguration", {"key": "NoSuchKey", "value": "2"}) == {"status": "NotSupported"}
        answer = await ask("GetConfiguration", {"key": ["HeartbeatInterval", "NoSuchKey"]})
        assert answer["configurationKey"] == [{"key": "HeartbeatInterval", "readonly": False, "value": "1"}]
        assert answer["unknownKey"] == ["NoSuchKey"]
        assert await ask("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}
        assert await ask("SetChargingProfile", profile(16.0)) == {"status": "Rejected"}, "no transaction"
        assert await ask("ClearChargingProfile", {}) == {"status": "Unknown"}
        assert (await ask("GetCompositeSchedule", {"connectorId": 1, "duration": 60}))["chargingSchedule"][
            "chargingSchedulePeriod"
        ] == [{"startPeriod": 0, "limit": 32.0}]
        assert await ask("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        assert await ask("NoSuchAction", {}) == "NotSupported"
        assert await ask("Authorize", {"idTag": "T"}) == "NotImplemented"
        await ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await until(lambda: rig.csms.statuses()[-1] == "Unavailable", "Unavailable")
        assert await ask("RemoteStartTransaction", {"idTag": "T"}) == {"status": "Rejected"}
        await ask("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        await until(lambda: rig.csms.statuses()[-1] == "Available", "Available")
        assert await ask("RemoteStartTransaction", {"idTag": "T"}) == {"status": "Accepted"}
        await until(lambda: rig.csms.statuses()[-1] == "Preparing", "Preparing")
        rig.car.plug()
        await until(lambda: rig.csms.named("StartTransaction"), "the start")

    assert run(tmp_path, script) == 0


def test_no_close_without_diode(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        rig.car.diode = False
        rig.car.plug()
        rig.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: rig.csms.statuses()[-1] == "SuspendedEVSE", "the diode noticed")
        rig.car.set("cp", "C")
        await asyncio.sleep(0.5)  # the absence is what is tested
        assert not rig.car.contactor
        assert rig.car.driven("contactor")[1:] == []

    assert run(tmp_path, script) == 0


def test_fault_no_status(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert rig.csms.statuses() == ["Available", "Charging"]

    assert run(tmp_path, script, "--fault", "no-status") == 0


def test_fault_late_open(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        edge = time.monotonic()
        rig.car.set("cp", "B")
        await until(lambda: not rig.car.live, "the contactor opening")
        assert 0.13 < rig.car.driven("contactor")[-1][0] - edge < 0.17

    assert run(tmp_path, script, "--fault", "late-open") == 0


def test_fault_close_unauthorised(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        rig.car.plug()
        await until(lambda: 8 < rig.car.pwm < 97, "PWM for nobody")
        rig.car.set("cp", "C")
        await until(lambda: rig.car.live, "current for nobody")
        assert rig.csms.named("Authorize") == []

    assert run(tmp_path, script, "--fault", "close-unauthorised") == 0


def test_fault_energy(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        rig.car.power_w = lambda: 360_000.0 if rig.car.live and rig.car.cp == "C" else 0.0  # type: ignore[method-assign]
        await rig.charging()
        await stop_remotely(rig)
        data = rig.csms.named("StopTransaction")[0]["transactionData"]
        begin, end = (float(entry["sampledValue"][0]["value"]) for entry in data)
        assert begin == 1000.0
        assert (end - begin) / (rig.car.energy_wh - 1000.0) == pytest.approx(1.05, abs=0.01)

    assert run(tmp_path, script, "--fault", "energy-5-percent") == 0


def test_fault_ignores_profile(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert await rig.csms.ask("SetChargingProfile", profile(16.0)) == {"status": "Accepted"}
        await until(lambda: time.monotonic() > rig.car.driven("pwm_pct")[-1][0] + 6.0, "six seconds to pass")
        assert rig.car.pwm == pytest.approx(53.333, abs=1e-3)

    assert run(tmp_path, script, "--fault", "ignores-profile") == 0


def test_fault_stays_closed(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await stop_remotely(rig)
        rig.car.unplug()
        await until(lambda: rig.csms.statuses()[-1] == "Faulted", "the weld noticed")
        assert rig.car.live

    assert run(tmp_path, script, "--fault", "stays-closed") == 0


def test_fault_chatty_boot(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        rig.csms.boot_takes_s = 0.1
        await until(lambda: len(rig.csms.named("StatusNotification")) == 3, "one status too many")
        assert [name for _, name, _ in rig.csms.calls[:2]] == ["BootNotification", "StatusNotification"]
        assert rig.csms.calls[1][0] < rig.csms.accepted_at

    assert run(tmp_path, script, "--fault", "chatty-boot") == 0


def test_oddity_integer_pwm(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert rig.car.pwm == pytest.approx(545 / 10.23, abs=1e-3)

    assert run(tmp_path, script, "--oddity", "integer-pwm") == 0


def test_oddity_late_start_reports_the_value_before_the_flow(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await until(lambda: rig.csms.named("StartTransaction"), "the late start")
        start = next(at for at, name, _ in rig.csms.calls if name == "StartTransaction")
        assert start > next(at for at, on in rig.car.driven("contactor") if on)
        assert rig.csms.named("StartTransaction")[0]["meterStart"] == 1000

    assert run(tmp_path, script, "--oddity", "late-start") == 0


def test_fault_no_start(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        rig.car.unplug()
        await until(lambda: rig.csms.statuses()[-1] == "Available", "Available")
        assert not {"StartTransaction", "MeterValues", "StopTransaction"} & {name for _, name, _ in rig.csms.calls}

    assert run(tmp_path, script, "--fault", "no-start") == 0


def test_fault_no_heartbeat(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await rig.csms.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "1"})
        last = rig.csms.calls[-1][0]
        await until(lambda: time.monotonic() > last + 2.5, "two heartbeat intervals to pass")
        assert rig.csms.calls[-1][0] == last

    assert run(tmp_path, script, "--fault", "no-heartbeat") == 0


def test_fault_wrong_meter_stop(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        await stop_remotely(rig)
        stop = rig.csms.named("StopTransaction")[0]
        end = float(stop["transactionData"][-1]["sampledValue"][0]["value"])
        assert stop["meterStop"] == round(end) + 5

    assert run(tmp_path, script, "--fault", "wrong-meter-stop") == 0


def test_oddity_suspended_evse(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert rig.csms.statuses()[-2:] == ["SuspendedEVSE", "Charging"]

    assert run(tmp_path, script, "--oddity", "suspended-evse") == 0


def test_oddity_early_start(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        start = next(at for at, name, _ in rig.csms.calls if name == "StartTransaction")
        assert next(at for at, pct in rig.car.driven("pwm_pct") if pct < 97) - start > 0.9

    assert run(tmp_path, script, "--oddity", "early-start") == 0


def test_oddity_double_status(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.charging()
        assert rig.csms.statuses()[:4] == ["Available", "Available", "Preparing", "Preparing"]

    assert run(tmp_path, script, "--oddity", "double-status") == 0


def test_signals_are_ignored_and_the_lifeline_ends_it(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            rig.process.send_signal(number)
        beats = len(rig.csms.named("Heartbeat"))
        await until(lambda: len(rig.csms.named("Heartbeat")) > beats, "life after the signals")
        assert rig.process.stdin is not None
        rig.process.stdin.write(b'{"type": "stop"}\n')
        rig.process.stdin.close()
        assert await asyncio.wait_for(rig.process.wait(), 1.0) == 0

    assert run(tmp_path, script) == 0


@pytest.mark.parametrize("option", ["--list-faults", "--list-oddities"])
def test_lists_are_json(option: str) -> None:
    result = subprocess.run([*BOOT, option], capture_output=True, check=True, timeout=10)
    names = json.loads(result.stdout)
    assert all(isinstance(text, str) and text for text in names.values())
    assert ("late-open" in names) == (option == "--list-faults")


def test_a_file_that_is_no_port_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "dut-port.json"
    file.write_text("{}")
    result = subprocess.run([*BOOT, "--port-file", str(file)], stdin=subprocess.PIPE, capture_output=True, timeout=10)
    assert result.returncode == 1
    assert b"is not a DUT port file" in result.stderr
