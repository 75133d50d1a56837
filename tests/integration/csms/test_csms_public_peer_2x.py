"""A whole session with stations built on the public `ocpp` package, 2.0.1 and 2.1: it checks every payload itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ocpp.v21
import ocpp.v201
import pytest
from ocpp.routing import after, on

Play = Callable[..., Any]
NOW = "2026-11-21T10:00:00.000Z"
MODULES: dict[str, Any] = {"2.0.1": ocpp.v201, "2.1": ocpp.v21}
SUBPROTOCOLS = {"2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
HASH = {"hash_algorithm": "SHA256", "issuer_name_hash": "aa", "issuer_key_hash": "bb", "serial_number": "1f"}
VARIABLES = {
    ("OCPPCommCtrlr", "HeartbeatInterval"): "30",
    ("SecurityCtrlr", "SecurityProfile"): "0",
    ("EVSE", "AvailabilityState"): "Available",
}


def station_of(module: Any) -> Any:
    """A station class on the package's own ChargePoint of one version, which agrees to everything."""
    call, result = module.call, module.call_result

    class Station(module.ChargePoint):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, response_timeout=5)
            self.started: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
            self.asked: dict[str, dict[str, Any]] = {}
            self.values = dict(VARIABLES)
            self.updated, self.uploaded = asyncio.Event(), asyncio.Event()

        def note(self, action: str, given: dict[str, Any]) -> None:
            self.asked[action] = given

        @on("RequestStartTransaction")
        def start_one(self, id_token: dict[str, Any], remote_start_id: int, **given: Any) -> Any:
            self.note("RequestStartTransaction", given)
            self.started.put_nowait((id_token["id_token"], remote_start_id))
            return result.RequestStartTransaction(status="Accepted")

        @on("RequestStopTransaction")
        def stop_one(self, transaction_id: str, **given: Any) -> Any:
            self.note("RequestStopTransaction", {"transaction_id": transaction_id})
            return result.RequestStopTransaction(status="Accepted")

        @on("SetChargingProfile")
        def limit(self, evse_id: int, charging_profile: dict[str, Any], **given: Any) -> Any:
            self.note("SetChargingProfile", charging_profile)
            return result.SetChargingProfile(status="Accepted")

        @on("ClearChargingProfile")
        def unlimit(self, **given: Any) -> Any:
            return result.ClearChargingProfile(status="Accepted")

        @on("GetVariables")
        def read(self, get_variable_data: list[dict[str, Any]], **given: Any) -> Any:
            found: list[dict[str, Any]] = []
            for wanted in get_variable_data:
                component, variable = wanted["component"], wanted["variable"]
                value = self.values.get((component["name"], variable["name"]))
                status = "UnknownVariable" if value is None else "Accepted"
                entry = {"attribute_status": status, "component": component, "variable": variable}
                found.append(entry if value is None else {**entry, "attribute_value": value})
            return result.GetVariables(get_variable_result=found)

        @on("SetVariables")
        def write(self, set_variable_data: list[dict[str, Any]], **given: Any) -> Any:
            done: list[dict[str, Any]] = []
            for wanted in set_variable_data:
                component, variable = wanted["component"], wanted["variable"]
                self.values[component["name"], variable["name"]] = wanted["attribute_value"]
                done.append({"attribute_status": "Accepted", "component": component, "variable": variable})
            return result.SetVariables(set_variable_result=done)

        @on("GetBaseReport")
        def report(self, request_id: int, report_base: str, **given: Any) -> Any:
            return result.GetBaseReport(status="Accepted")

        @after("GetBaseReport")
        async def send_report(self, request_id: int, report_base: str, **given: Any) -> None:
            await self.in_parts(request_id)

        @on("GetReport")
        def some(self, request_id: int, **given: Any) -> Any:
            return result.GetReport(status="Accepted")

        @after("GetReport")
        async def send_some(self, request_id: int, **given: Any) -> None:
            await self.in_parts(request_id)

        async def in_parts(self, request_id: int) -> None:
            """One variable a message, as a small station does it."""
            for number, ((component, variable), value) in enumerate(self.values.items()):
                data = {
                    "component": {"name": component, **({"evse": {"id": 1}} if component == "EVSE" else {})},
                    "variable": {"name": variable},
                    "variable_attribute": [{"value": value, "mutability": "ReadWrite"}],
                    "variable_characteristics": {"data_type": "string", "supports_monitoring": False},
                }
                more = number + 1 < len(self.values)
                await self.call(
                    call.NotifyReport(
                        request_id=request_id, generated_at=NOW, seq_no=number, tbc=more, report_data=[data]
                    )
                )

        @on("InstallCertificate")
        def install(self, certificate_type: str, certificate: str, **given: Any) -> Any:
            self.note("InstallCertificate", {"type": certificate_type})
            return result.InstallCertificate(status="Accepted")

        @on("GetInstalledCertificateIds")
        def installed(self, **given: Any) -> Any:
            chain = [{"certificate_type": "CSMSRootCertificate", "certificate_hash_data": HASH}]
            return result.GetInstalledCertificateIds(status="Accepted", certificate_hash_data_chain=chain)

        @on("DeleteCertificate")
        def delete(self, certificate_hash_data: dict[str, Any], **given: Any) -> Any:
            self.note("DeleteCertificate", certificate_hash_data)
            return result.DeleteCertificate(status="Accepted")

        @on("CertificateSigned")
        def signed(self, certificate_chain: str, **given: Any) -> Any:
            self.note("CertificateSigned", {"chain": certificate_chain, **given})
            return result.CertificateSigned(status="Accepted")

        @on("UpdateFirmware")
        def update(self, request_id: int, firmware: dict[str, Any], **given: Any) -> Any:
            self.note("UpdateFirmware", firmware)
            return result.UpdateFirmware(status="Accepted")

        @after("UpdateFirmware")
        async def updating(self, request_id: int, firmware: dict[str, Any], **given: Any) -> None:
            for status in ("Downloading", "Downloaded", "Installing", "Installed"):
                await self.call(call.FirmwareStatusNotification(status=status, request_id=request_id))
            self.updated.set()

        @on("GetLog")
        def log(self, request_id: int, **given: Any) -> Any:
            return result.GetLog(status="Accepted", filename="log.txt")

        @after("GetLog")
        async def uploading(self, request_id: int, **given: Any) -> None:
            for status in ("Uploading", "Uploaded"):
                await self.call(call.LogStatusNotification(status=status, request_id=request_id))
            self.uploaded.set()

        @on("DataTransfer")
        def transfer(self, vendor_id: str, **given: Any) -> Any:
            return result.DataTransfer(status="UnknownVendorId")

        @on("TriggerMessage")
        def trigger(self, requested_message: str, **given: Any) -> Any:
            return result.TriggerMessage(status="NotImplemented")

        @on("UnlockConnector")
        def unlock(self, **given: Any) -> Any:
            return result.UnlockConnector(status="Unlocked")

        @on("ChangeAvailability")
        def availability(self, operational_status: str, **given: Any) -> Any:
            self.note("ChangeAvailability", {"status": operational_status})
            return result.ChangeAvailability(status="Scheduled")

        @on("ReserveNow")
        def reserve(self, **given: Any) -> Any:
            return result.ReserveNow(status="Accepted")

        @on("CancelReservation")
        def cancel(self, reservation_id: int, **given: Any) -> Any:
            return result.CancelReservation(status="Accepted")

        @on("SendLocalList")
        def listed(self, **given: Any) -> Any:
            self.note("SendLocalList", given)
            return result.SendLocalList(status="Accepted")

        @on("GetLocalListVersion")
        def version(self, **given: Any) -> Any:
            return result.GetLocalListVersion(version_number=7)

        @on("ClearCache")
        def cache(self, **given: Any) -> Any:
            return result.ClearCache(status="Accepted")

        @on("GetTransactionStatus")
        def known(self, **given: Any) -> Any:
            return result.GetTransactionStatus(messages_in_queue=False, ongoing_indicator=True)

        @on("Reset")
        def reset(self, type: str, **given: Any) -> Any:  # noqa: A002 - the package names it so
            self.note("Reset", {"type": type})
            return result.Reset(status="Scheduled")

        async def event(self, kind: str, why: str, number: int, tx: str, wh: float, **more: Any) -> Any:
            measured = [{"value": wh, "measurand": "Energy.Active.Import.Register", "context": "Sample.Periodic"}]
            return await self.call(
                call.TransactionEvent(
                    event_type=kind,
                    timestamp=NOW,
                    trigger_reason=why,
                    seq_no=number,
                    transaction_info={"transaction_id": tx, "charging_state": "Charging", **more.pop("info", {})},
                    meter_value=[{"timestamp": NOW, "sampled_value": measured}],
                    **more,
                )
            )

    return Station


@pytest.mark.parametrize("version", list(MODULES))
def test_a_session_with_the_public_package(play: Play, version: str) -> None:
    module = MODULES[version]
    call = module.call
    token = {"id_token": "TAG", "type": "ISO14443"}

    async def story(rig: Any) -> None:
        async with rig.peer("PUB1", subprotocols=[SUBPROTOCOLS[version]]) as raw:
            station = station_of(module)("PUB1", raw.ws)
            reading = asyncio.create_task(station.start())
            boot = call.BootNotification(
                charging_station={"model": "Model", "vendor_name": "Vendor", "firmware_version": "1.2"},
                reason="PowerUp",
            )
            assert (await station.call(boot)).status == "Accepted"
            await rig.csms.wait_ready("PUB1", 1)
            config = await rig.seen("station.config")
            assert config.data["values"]["OCPPCommCtrlr.HeartbeatInterval"] == "30"
            assert (await station.call(call.Heartbeat())).current_time
            at = {"evse_id": 1, "connector_id": 1}
            await station.call(call.StatusNotification(timestamp=NOW, connector_status="Available", **at))
            answer = await station.call(call.Authorize(id_token=token))
            assert answer.id_token_info["status"] == "Accepted"

            verbs = rig.csms.station("PUB1").verbs
            assert await verbs.get_variable("OCPPCommCtrlr.HeartbeatInterval") == "30"
            assert (await verbs.set_variable("OCPPCommCtrlr.HeartbeatInterval", "60")).accepted
            assert (await verbs.get_report())["OCPPCommCtrlr.HeartbeatInterval"] == "60"

            started = await verbs.remote_start(1, "TAG", limit_a=20)
            assert started.accepted
            assert await station.started.get() == ("TAG", started.request_id)
            await station.call(call.StatusNotification(timestamp=NOW, connector_status="Occupied", **at))
            evse, tx = {"id": 1, "connector_id": 1}, "tx-1"
            info = {"remote_start_id": started.request_id}
            answer = await station.event("Started", "RemoteStart", 0, tx, 0.0, evse=evse, id_token=token, info=info)
            assert answer.id_token_info["status"] == "Accepted"
            for limit_a in (6, 16.1, 31.9):
                assert (await verbs.set_limit(limit_a, evse=1, tx=tx)).accepted
                given = station.asked["SetChargingProfile"]["charging_schedule"][0]["charging_schedule_period"]
                assert [float(period["limit"]) for period in given] == [limit_a]
            await station.event("Updated", "MeterValuePeriodic", 1, tx, 10.5)
            assert (await verbs.transaction_status(tx)).payload["ongoingIndicator"] is True
            assert (await verbs.remote_stop(tx)).accepted
            assert station.asked["RequestStopTransaction"] == {"transaction_id": tx}
            await station.event("Ended", "RemoteStop", 2, tx, 20.5, info={"stopped_reason": "Remote"})

            assert (await verbs.clear_limits(evse=1)).accepted
            assert (await verbs.unlock(1)).accepted
            assert (await verbs.set_availability(1, operative=False)).accepted
            assert station.asked["ChangeAvailability"] == {"status": "Inoperative"}
            assert (await verbs.reserve(5, "TAG", expires="2027-01-01T00:00:00Z", evse=1)).accepted
            assert (await verbs.cancel_reservation(5)).accepted
            assert (await verbs.send_local_list(["TAG"], version=7)).accepted
            assert await verbs.local_list_version() == 7
            assert (await verbs.clear_cache()).accepted
            assert (await verbs.data_transfer("vendor", "hello", "x")).status == "UnknownVendorId"
            transfer = await station.call(call.DataTransfer(vendor_id="vendor", message_id="hi", data="y"))
            assert transfer.status == "UnknownVendorId"

            assert (await verbs.install_certificate("csms", "-----BEGIN CERTIFICATE-----")).accepted
            assert station.asked["InstallCertificate"] == {"type": "CSMSRootCertificate"}
            (listed,) = await verbs.list_certificates()
            assert (await verbs.delete_certificate(listed)).accepted
            assert station.asked["DeleteCertificate"] == HASH
            await station.call(call.SecurityEventNotification(type="SettingSystemTime", timestamp=NOW))

            assert (await verbs.update_firmware("http://127.0.0.1:9/fw.bin")).accepted
            await station.updated.wait()
            assert (await verbs.get_log("http://127.0.0.1:9/")).accepted
            await station.uploaded.wait()
            assert (await verbs.reset("Hard")).accepted
            assert station.asked["Reset"] == {"type": "Immediate"}
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    rig = play(story, settings={"read_back": True})
    assert rig.one("ocpp.connected").data["version"] == version
    assert [event.data["value_wh"] for event in rig.all("ocpp.register")] == ["0.0", "10.5", "20.5"]
    assert rig.one("ocpp.tx.started").data["tx"] == "tx-1"
    assert rig.one("ocpp.tx.ended").data["reason"] == "Remote"
    assert [e.data["limit_a"] for e in rig.all("csms.charging_profile", tx="tx-1")] == [6.0, 16.1, 31.9]
    assert rig.one("csms.remote_start").data["accepted"]
    assert [e.data["status"] for e in rig.all("ocpp.firmware")] == [
        "Downloading",
        "Downloaded",
        "Installing",
        "Installed",
    ]
    assert [e.data["status"] for e in rig.all("ocpp.log")] == ["Uploading", "Uploaded"]
    assert rig.one("ocpp.security_event").data["type"] == "SettingSystemTime"
    assert not rig.all("ocpp.violation")
