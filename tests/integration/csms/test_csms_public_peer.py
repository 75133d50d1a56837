"""A whole session with a station built on the public `ocpp` package, which knows nothing of this back end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import ConfigurationStatus, RemoteStartStopStatus, TriggerMessageStatus

Play = Callable[..., Any]
NOW = "2026-11-21T10:00:00.000Z"
HASH = {"hash_algorithm": "SHA256", "issuer_name_hash": "aa", "issuer_key_hash": "bb", "serial_number": "1f"}


class Station(ChargePoint):
    """A station that agrees to everything and starts what it is told to start."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, response_timeout=5)
        self.started: asyncio.Queue[str] = asyncio.Queue()
        self.limits: list[float] = []
        self.updated, self.uploaded = asyncio.Event(), asyncio.Event()

    @on("GetConfiguration")
    def config(self, key: list[str] | None = None) -> call_result.GetConfiguration:
        known = {"HeartbeatInterval": "30", "NumberOfConnectors": "1"}
        wanted = known if key is None else {name: known[name] for name in key if name in known}
        entries = [{"key": name, "readonly": False, "value": value} for name, value in wanted.items()]
        unknown = [] if key is None else [name for name in key if name not in known]
        return call_result.GetConfiguration(configuration_key=entries, unknown_key=unknown)

    @on("ChangeConfiguration")
    def change(self, key: str, value: str) -> call_result.ChangeConfiguration:
        return call_result.ChangeConfiguration(status=ConfigurationStatus.accepted)

    @on("RemoteStartTransaction")
    def remote_start(self, id_tag: str, **more: Any) -> call_result.RemoteStartTransaction:
        self.started.put_nowait(id_tag)
        return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.accepted)

    @on("RemoteStopTransaction")
    def remote_stop(self, transaction_id: int) -> call_result.RemoteStopTransaction:
        return call_result.RemoteStopTransaction(status=RemoteStartStopStatus.accepted)

    @on("SetChargingProfile")
    def limit(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> call_result.SetChargingProfile:
        self.limits.append(cs_charging_profiles["charging_schedule"]["charging_schedule_period"][0]["limit"])
        return call_result.SetChargingProfile(status="Accepted")

    @on("TriggerMessage")
    def trigger(self, requested_message: str, **more: Any) -> call_result.TriggerMessage:
        return call_result.TriggerMessage(status=TriggerMessageStatus.not_implemented)

    @on("UpdateFirmware")
    def update(self, location: str, retrieve_date: str, **more: Any) -> call_result.UpdateFirmware:
        return call_result.UpdateFirmware()

    @after("UpdateFirmware")
    async def updating(self, location: str, retrieve_date: str, **more: Any) -> None:
        for status in ("Downloading", "Downloaded", "Installing", "Installed"):
            await self.call(call.FirmwareStatusNotification(status=status))
        self.updated.set()

    @on("GetDiagnostics")
    def diagnostics(self, location: str, **more: Any) -> call_result.GetDiagnostics:
        return call_result.GetDiagnostics(file_name="log.txt")

    @after("GetDiagnostics")
    async def uploading(self, location: str, **more: Any) -> None:
        for status in ("Uploading", "Uploaded"):
            await self.call(call.DiagnosticsStatusNotification(status=status))
        self.uploaded.set()

    @on("Reset")
    def reset(self, type: str) -> call_result.Reset:  # noqa: A002 - the package names it so
        return call_result.Reset(status="Accepted")

    @on("UnlockConnector")
    def unlock(self, connector_id: int) -> call_result.UnlockConnector:
        return call_result.UnlockConnector(status="Unlocked")

    @on("ChangeAvailability")
    def availability(self, connector_id: int, type: str) -> call_result.ChangeAvailability:  # noqa: A002
        return call_result.ChangeAvailability(status="Scheduled")

    @on("ReserveNow")
    def reserve(self, **more: Any) -> call_result.ReserveNow:
        return call_result.ReserveNow(status="Accepted")

    @on("CancelReservation")
    def cancel(self, reservation_id: int) -> call_result.CancelReservation:
        return call_result.CancelReservation(status="Accepted")

    @on("SendLocalList")
    def listed(self, **more: Any) -> call_result.SendLocalList:
        return call_result.SendLocalList(status="Accepted")

    @on("GetLocalListVersion")
    def version(self) -> call_result.GetLocalListVersion:
        return call_result.GetLocalListVersion(list_version=7)

    @on("ClearCache")
    def cache(self) -> call_result.ClearCache:
        return call_result.ClearCache(status="Accepted")

    @on("ClearChargingProfile")
    def unlimit(self, **more: Any) -> call_result.ClearChargingProfile:
        return call_result.ClearChargingProfile(status="Accepted")

    @on("DataTransfer")
    def transfer(self, vendor_id: str, **more: Any) -> call_result.DataTransfer:
        return call_result.DataTransfer(status="UnknownVendorId")

    @on("InstallCertificate")
    def install(self, certificate_type: str, certificate: str) -> call_result.InstallCertificate:
        return call_result.InstallCertificate(status="Accepted")

    @on("GetInstalledCertificateIds")
    def installed(self, certificate_type: str) -> call_result.GetInstalledCertificateIds:
        return call_result.GetInstalledCertificateIds(status="Accepted", certificate_hash_data=[HASH])

    @on("DeleteCertificate")
    def delete(self, certificate_hash_data: dict[str, Any]) -> call_result.DeleteCertificate:
        assert certificate_hash_data == HASH
        return call_result.DeleteCertificate(status="Accepted")


def test_a_session_with_the_public_package(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer("PUB1") as raw:
            station = Station("PUB1", raw.ws)
            reading = asyncio.create_task(station.start())
            boot = call.BootNotification(charge_point_model="Model", charge_point_vendor="Vendor")
            assert (await station.call(boot)).status == "Accepted"
            await rig.csms.wait_ready("PUB1", 1)
            config = await rig.seen("station.config")
            assert config.data["values"]["NumberOfConnectors"] == "1"

            verbs = rig.csms.station("PUB1").verbs
            assert await verbs.get_variables(["HeartbeatInterval", "Nope"]) == {"HeartbeatInterval": "30"}
            assert (await verbs.remote_start(1, "TAG", limit_a=20)).accepted
            assert await station.started.get() == "TAG"
            begun = await station.call(
                call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=1000, timestamp=NOW)
            )
            tx = begun.transaction_id
            for limit_a in (6, 16.1, 31.9):
                assert (await verbs.set_limit(limit_a, tx=tx)).accepted
            assert [float(limit) for limit in station.limits] == [6, 16.1, 31.9]
            sampled = [{"value": "1010.5", "context": "Sample.Periodic", "unit": "Wh"}]
            await station.call(
                call.MeterValues(
                    connector_id=1, transaction_id=tx, meter_value=[{"timestamp": NOW, "sampled_value": sampled}]
                )
            )
            assert (await verbs.remote_stop(tx)).accepted
            ended = await station.call(
                call.StopTransaction(meter_stop=1020, timestamp=NOW, transaction_id=tx, reason="Remote")
            )
            assert ended is not None
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    rig = play(story, settings={"read_back": True})
    assert [event.data["value_wh"] for event in rig.all("ocpp.register")] == ["1010.5"]
    assert rig.one("ocpp.tx.ended").data["reason"] == "Remote"
    assert {e.data["how"] for e in rig.all("ocpp.authorized")} == {"remote", "start"}
    assert [e.data["limit_a"] for e in rig.all("csms.charging_profile")] == [6.0, 16.1, 31.9]
    assert not rig.all("ocpp.violation")


def test_an_attached_station_of_the_public_package(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer("PUB1") as raw:
            station = Station("PUB1", raw.ws)
            reading = asyncio.create_task(station.start())
            assert await station.call(call.Heartbeat()) is not None
            await rig.csms.wait_ready("PUB1", 1)
            await rig.seen("station.config")
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    rig = play(story, settings={"read_back": True})
    assert rig.one("ocpp.attached")
    assert rig.one("csms.request", verb="TriggerMessage").data["status"] == "NotImplemented"


def test_everything_else_with_the_public_package(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer("PUB1") as raw:
            station = Station("PUB1", raw.ws)
            reading = asyncio.create_task(station.start())
            await station.call(call.BootNotification(charge_point_model="Model", charge_point_vendor="Vendor"))
            await station.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
            assert (await station.call(call.Authorize(id_tag="TAG"))).id_tag_info["status"] == "Accepted"
            transfer = await station.call(call.DataTransfer(vendor_id="vendor", message_id="hi", data="y"))
            assert transfer.status == "UnknownVendorId"
            await station.call(call.SecurityEventNotification("SettingSystemTime", NOW, "by hand"))

            verbs = rig.csms.station("PUB1").verbs
            assert await verbs.get_variable("HeartbeatInterval") == "30"
            assert (await verbs.set_variable("HeartbeatInterval", "60")).accepted
            assert (await verbs.unlock(1)).accepted
            assert (await verbs.set_availability(1, operative=False)).accepted
            assert (await verbs.clear_limits()).accepted
            assert (await verbs.reserve(5, "TAG", expires="2027-01-01T00:00:00Z", evse=1)).accepted
            assert (await verbs.cancel_reservation(5)).accepted
            assert (await verbs.send_local_list(["TAG"], version=7)).accepted
            assert await verbs.local_list_version() == 7
            assert (await verbs.clear_cache()).accepted
            assert (await verbs.data_transfer("vendor", "hello", "x")).status == "UnknownVendorId"
            assert (await verbs.install_certificate("csms", "-----BEGIN CERTIFICATE-----")).accepted
            (listed, *_) = await verbs.list_certificates()
            assert (await verbs.delete_certificate(listed)).accepted
            assert (await verbs.update_firmware("http://127.0.0.1:9/fw.bin")).accepted
            await station.updated.wait()
            assert (await verbs.get_diagnostics("http://127.0.0.1:9/")).accepted
            await station.uploaded.wait()
            assert (await verbs.reset("Hard")).accepted
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    rig = play(story)
    installing = ["Downloading", "Downloaded", "Installing", "Installed"]
    assert [event.data["status"] for event in rig.all("ocpp.firmware")] == installing
    assert [event.data["status"] for event in rig.all("ocpp.log")] == ["Uploading", "Uploaded"]
    assert rig.one("ocpp.security_event").data["type"] == "SettingSystemTime"
    assert not rig.all("ocpp.violation")
