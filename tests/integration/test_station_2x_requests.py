"""What a back end of OCPP 2.0.1 and 2.1 may ask of the simulated station, each answer held against its schema."""

from __future__ import annotations

import asyncio
import http.server
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pilotbench.bench.csms.security.pki import Pki

from station_rig import Rig, run, until

BOTH = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
PLACE = {"id": 1, "connectorId": 1}
SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def named(component: str, variable: str, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": variable}, **more}


def token(identifier: str) -> dict[str, str]:
    return {"idToken": identifier, "type": "ISO14443"}


async def status(rig: Rig, action: str, **payload: Any) -> str:
    answer = await rig.csms.ask(action, payload)
    return answer if isinstance(answer, str) else answer["status"]


async def last(rig: Rig, action: str) -> dict[str, Any]:
    await until(lambda: rig.csms.named(action), action)
    return rig.csms.named(action)[-1]


@BOTH
def test_variables_reports_and_monitors(tmp_path: Path, version: str) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        ask = rig.csms.ask
        asked = [
            named("txctrlr", "EVCONNECTIONTIMEOUT"),
            named("NoSuchCtrlr", "X"),
            named("TxCtrlr", "NoSuchVariable"),
            named("TxCtrlr", "TxStartPoint", attributeType="MaxSet"),
            named("SecurityCtrlr", "BasicAuthPassword"),
        ]
        results = (await ask("GetVariables", {"getVariableData": asked}))["getVariableResult"]
        assert [result["attributeStatus"] for result in results] == [
            "Accepted",
            "UnknownComponent",
            "UnknownVariable",
            "NotSupportedAttributeType",
            "Rejected",
        ]
        assert results[0]["attributeValue"] == "60"
        written = [
            named("TxCtrlr", "EVConnectionTimeOut", attributeValue="7"),
            named("TxCtrlr", "EVConnectionTimeOut", attributeValue="soon"),
            named("AuthCtrlr", "Enabled", attributeValue="false"),
            named("OCPPCommCtrlr", "WebSocketPingInterval", attributeValue="30"),
        ]
        results = (await ask("SetVariables", {"setVariableData": written}))["setVariableResult"]
        assert [result["attributeStatus"] for result in results] == [
            "Accepted",
            "Rejected",
            "Rejected",
            "RebootRequired",
        ]
        wanted = [{"component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"}}]
        assert await status(rig, "GetReport", requestId=1, componentVariable=wanted) == "Accepted"
        report = (await last(rig, "NotifyReport"))["reportData"]
        assert [entry["variableAttribute"][0]["value"] for entry in report] == ["7"]
        nothing = [{"component": {"name": "NoSuchCtrlr"}}]
        assert await status(rig, "GetReport", requestId=2, componentVariable=nothing) == "EmptyResultSet"

        monitor = {"value": 1, "type": "Delta", "severity": 5}
        settings = [
            named("ChargingStation", "Problem", **monitor),
            named("ChargingStation", "Model", **monitor),
            named("ChargingStation", "Problem", **monitor),
        ]
        results = (await ask("SetVariableMonitoring", {"setMonitoringData": settings}))["setMonitoringResult"]
        assert [result["status"] for result in results] == ["Accepted", "UnsupportedMonitorType", "Duplicate"]
        assert await status(rig, "GetMonitoringReport", requestId=3) == "Accepted"
        monitors = [m for e in (await last(rig, "NotifyMonitoringReport"))["monitor"] for m in e["variableMonitoring"]]
        kinds = [one.get("eventNotificationType") for one in monitors]
        assert kinds == (["HardWiredMonitor", "CustomMonitor"] if version == "2.1" else [None, None])
        cleared = (await ask("ClearVariableMonitoring", {"id": [1, 2, 99]}))["clearMonitoringResult"]
        assert [result["status"] for result in cleared] == ["Rejected", "Accepted", "NotFound"]

    assert run(tmp_path, script, version=version) == 0


@BOTH
def test_the_outlet_the_list_and_reservations(tmp_path: Path, version: str) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        csms = rig.csms
        assert await status(rig, "ClearCache") == "Rejected"
        assert await status(rig, "DataTransfer", vendorId="x") == "UnknownVendorId"
        assert await status(rig, "UnlockConnector", evseId=1, connectorId=1) == "Unlocked"
        assert await status(rig, "UnlockConnector", evseId=2, connectorId=1) == "UnknownConnector"
        assert await status(rig, "Reset", type="OnIdle", evseId=1) == "Rejected"
        assert await csms.ask("GetTransactionStatus", {}) == {"messagesInQueue": False}
        assert await status(rig, "NotifyEVChargingNeeds") == "NotImplemented"
        assert await status(rig, "RemoteStartTransaction", idTag="T") == "NotSupported"
        assert await csms.ask("Reset", {"type": "Softly"}) == "PropertyConstraintViolation"
        assert await csms.ask("Reset", {}) == "OccurrenceConstraintViolation"

        await status(rig, "ChangeAvailability", operationalStatus="Inoperative", evse=PLACE)
        await until(lambda: csms.statuses()[-1] == "Unavailable", "Unavailable")
        start = {"idToken": token("T"), "remoteStartId": 1}
        assert await status(rig, "RequestStartTransaction", **start) == "Rejected"
        await status(rig, "ChangeAvailability", operationalStatus="Operative", evse=PLACE)
        await until(lambda: csms.statuses()[-1] == "Available", "Available")

        entry = {"idToken": token("LISTED"), "idTokenInfo": {"status": "Accepted"}}
        full = {"updateType": "Full", "localAuthorizationList": [entry]}
        assert await status(rig, "SendLocalList", versionNumber=4, **full) == "Accepted"
        assert await csms.ask("GetLocalListVersion", {}) == {"versionNumber": 4}
        assert await status(rig, "SendLocalList", versionNumber=4, updateType="Differential") == "VersionMismatch"

        assert (
            await status(rig, "ReserveNow", id=1, expiryDateTime=SOON, idToken=token("OWNER"), evseId=1) == "Accepted"
        )
        await until(lambda: csms.statuses()[-1] == "Reserved", "Reserved")
        assert await status(rig, "RequestStartTransaction", **start) == "Rejected"
        assert await status(rig, "CancelReservation", reservationId=2) == "Rejected"
        assert await status(rig, "CancelReservation", reservationId=1) == "Accepted"
        await until(lambda: csms.statuses()[-1] == "Available", "Available")
        brief = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat()
        assert await status(rig, "ReserveNow", id=3, expiryDateTime=brief, idToken=token("OWNER")) == "Accepted"
        update = await last(rig, "ReservationStatusUpdate")
        assert update == {"reservationId": 3, "reservationUpdateStatus": "Expired"}

        written = [named("AuthCtrlr", "LocalPreAuthorize", attributeValue="true")]
        await csms.ask("SetVariables", {"setVariableData": written})
        rig.car.plug()
        rig.car.send(type="token", evse=1, id="LISTED", kind="ISO14443")
        await until(lambda: csms.events(), "the start")
        assert csms.named("Authorize") == []

        schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
        profile: dict[str, Any] = {
            "id": 7,
            "stackLevel": 1,
            "chargingProfilePurpose": "ChargingStationMaxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [{**schedule, "startSchedule": "2026-01-01T00:00:00Z"}],
        }
        assert await status(rig, "SetChargingProfile", evseId=1, chargingProfile=profile) == "Rejected"
        assert await status(rig, "SetChargingProfile", evseId=0, chargingProfile=profile) == "Accepted"
        composite = await csms.ask("GetCompositeSchedule", {"duration": 60, "evseId": 1})
        assert composite["schedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10, "numberPhases": 3}]
        assert await status(rig, "GetChargingProfiles", requestId=5, chargingProfile={}) == "Accepted"
        assert (await last(rig, "ReportChargingProfiles"))["chargingProfile"] == [profile]
        if version == "2.1":
            dynamic = {**profile, "id": 8, "stackLevel": 2, "chargingProfileKind": "Dynamic"}
            dynamic["chargingSchedule"] = [schedule]
            assert await status(rig, "SetChargingProfile", evseId=0, chargingProfile=dynamic) == "Accepted"
            update = {"chargingProfileId": 8, "scheduleUpdate": {"limit": 8}}
            assert await status(rig, "UpdateDynamicSchedule", **update) == "Accepted"
            composite = await csms.ask("GetCompositeSchedule", {"duration": 60, "evseId": 1})
            assert composite["schedule"]["chargingSchedulePeriod"][0]["limit"] == 8
        assert await status(rig, "ClearChargingProfile", chargingProfileId=7) == "Accepted"
        assert await status(rig, "ClearChargingProfile", chargingProfileId=7) == "Unknown"

    assert run(tmp_path, script, version=version) == 0


@BOTH
def test_triggers(tmp_path: Path, version: str) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        csms = rig.csms

        async def trigger(message: str, **more: Any) -> str:
            return await status(rig, "TriggerMessage", requestedMessage=message, **more)

        assert await trigger("PublishFirmwareStatusNotification") == "NotImplemented"
        assert await trigger("TransactionEvent") == "Rejected"
        assert await trigger("StatusNotification") == "Rejected"
        assert await trigger("MeterValues", evse={"id": 2}) == "Rejected"
        csms.calls.clear()
        assert await trigger("StatusNotification", evse=PLACE) == "Accepted"
        await until(lambda: csms.statuses() == ["Available"], "the status")
        assert await trigger("MeterValues", evse={"id": 1}) == "Accepted"
        values = await last(rig, "MeterValues")
        assert values["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
        for message in ("LogStatusNotification", "FirmwareStatusNotification"):
            assert await trigger(message) == "Accepted"
            assert await last(rig, message) == {"status": "Idle"}
        assert await trigger("BootNotification") == "Rejected"  # it is accepted already (F06.FR.17)
        for number in (1, 2):
            assert await trigger("SignChargingStationCertificate") == "Accepted"
            await until(lambda: len(csms.named("SignCertificate")) >= number, "the request")  # noqa: B023
        asked = csms.named("SignCertificate")
        assert [request.get("requestId") for request in asked] == ([1, 2] if version == "2.1" else [None, None])
        x509.load_pem_x509_csr(asked[0]["csr"].encode())
        refused = {"certificateChain": "nonsense", "certificateType": "ChargingStationCertificate"}
        assert await status(rig, "CertificateSigned", **refused) == "Rejected"
        assert (await last(rig, "SecurityEventNotification"))["type"] == "InvalidChargingStationCertificate"

    assert run(tmp_path, script, version=version) == 0


class Files(http.server.BaseHTTPRequestHandler):
    """Serves one firmware, keeps what is uploaded."""

    kept: dict[str, bytes]

    def do_GET(self) -> None:
        found = self.path == "/firmware"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "3" if found else "0")
        self.end_headers()
        self.wfile.write(b"new" if found else b"")

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return


def test_firmware_and_logs(tmp_path: Path) -> None:
    kept: dict[str, bytes] = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Files,), {"kept": kept}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"

    async def script(rig: Rig) -> None:
        await rig.booted()
        csms = rig.csms

        def told(action: str, number: int) -> list[str]:
            return [p["status"] for p in csms.named(action) if p.get("requestId") == number]

        log = {"remoteLocation": f"{url}/logs/"}
        assert await status(rig, "GetLog", log=log, logType="DiagnosticsLog", requestId=5) == "Accepted"
        await until(lambda: told("LogStatusNotification", 5) == ["Uploading", "Uploaded"], "the upload")
        assert len(kept["/logs/diagnostics.log"]) > 1000
        # A second request cuts the first job short while one of its messages waits for the answer: that is waited for.
        csms.holds.add("LogStatusNotification")
        assert await status(rig, "GetLog", log=log, logType="DiagnosticsLog", requestId=50) == "Accepted"
        await until(lambda: bool(csms.held), "a message that waits")
        before = len(csms.calls)
        assert await status(rig, "GetLog", log=log, logType="DiagnosticsLog", requestId=51) == "AcceptedCanceled"
        await asyncio.sleep(0.3)  # that nothing comes can only be seen by waiting
        assert len(csms.calls) == before
        await csms.release()
        await until(lambda: told("LogStatusNotification", 51)[-1:] == ["Uploaded"], "the second upload")
        firmware = {"location": f"{url}/none", "retrieveDateTime": "2026-01-01T00:00:00Z"}
        assert await status(rig, "UpdateFirmware", firmware=firmware, requestId=6) == "Accepted"
        failed = ["Downloading", "DownloadFailed"]
        await until(lambda: told("FirmwareStatusNotification", 6) == failed, "the failure")
        firmware["location"] = f"{url}/firmware"
        assert await status(rig, "UpdateFirmware", firmware=firmware, requestId=7) == "Accepted"
        installed = ["Downloading", "Downloaded", "Installing", "Installed"]
        await until(lambda: told("FirmwareStatusNotification", 7) == installed, "the installation")
        assert csms.named("BootNotification")[-1]["reason"] == "FirmwareUpdate"

    try:
        assert run(tmp_path, script, version="2.0.1") == 0
    finally:
        server.shutdown()
        server.server_close()


@BOTH
def test_a_renewed_certificate_is_shown(tmp_path: Path, version: str) -> None:
    pki = Pki(tmp_path / "pki")
    chain, key = pki.make_station("CP001")
    for name, text in (("ca", pki.root_pem), ("cert", chain), ("key", key)):
        (tmp_path / f"{name}.pem").write_text(text)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pki.csms_chain, pki.csms_key)
    tls.load_verify_locations(cadata=pki.root_pem)
    tls.verify_mode = ssl.CERT_REQUIRED

    async def script(rig: Rig) -> None:
        await rig.booted()
        trigger = {"requestedMessage": "SignChargingStationCertificate"}
        assert await rig.csms.ask("TriggerMessage", trigger) == {"status": "Accepted"}
        asked = await last(rig, "SignCertificate")
        signed: dict[str, Any] = {
            "certificateChain": pki.sign_station(asked["csr"], station="CP001"),
            "certificateType": "ChargingStationCertificate",
        }
        if version == "2.1":
            wrong = await rig.csms.ask("CertificateSigned", {**signed, "requestId": 99})
            assert wrong["status"] == "Rejected"
            signed["requestId"] = asked["requestId"]
        before = rig.csms.connections[-1]
        assert await rig.csms.ask("CertificateSigned", signed) == {"status": "Accepted"}
        await until(lambda: rig.csms.connections[-1] is not before, "the new connection")
        shown = rig.csms.connections[-1].transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        renewed = x509.load_pem_x509_certificate(signed["certificateChain"].encode())
        assert shown == renewed.public_bytes(serialization.Encoding.DER)
        assert len(rig.csms.named("BootNotification")) == 1

    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "cert", "key")}
    assert run(tmp_path, script, version=version, tls=tls, **files) == 0
