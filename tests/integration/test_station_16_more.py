"""The simulated station in OCPP 1.6 beyond the core profile: list, reservation, files, and the security whitepaper."""

from __future__ import annotations

import http.server
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pilotbench.bench.csms.security.pki import Pki

from station_rig import Rig, run, until

SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


async def status(rig: Rig, action: str, **payload: Any) -> str:
    answer = await rig.csms.ask(action, payload)
    return answer if isinstance(answer, str) else answer["status"]


def test_list_and_reservation_16(tmp_path: Path) -> None:
    async def script(rig: Rig) -> None:
        await rig.booted()
        csms = rig.csms
        listed = [{"idTag": "LISTED", "idTagInfo": {"status": "Accepted"}}]
        full = {"updateType": "Full", "localAuthorizationList": listed}
        assert await status(rig, "SendLocalList", listVersion=2, **full) == "Accepted"
        assert await csms.ask("GetLocalListVersion", {}) == {"listVersion": 2}
        assert await status(rig, "SendLocalList", listVersion=1, updateType="Differential") == "VersionMismatch"
        reserve = {"connectorId": 1, "expiryDate": SOON, "idTag": "OWNER", "reservationId": 9}
        assert await status(rig, "ReserveNow", **{**reserve, "expiryDate": "2026-01-01T00:00:00Z"}) == "Rejected"
        assert await status(rig, "ReserveNow", **reserve) == "Accepted"
        await until(lambda: csms.statuses()[-1] == "Reserved", "Reserved")
        assert await status(rig, "RemoteStartTransaction", idTag="OTHER") == "Rejected"
        assert await status(rig, "RemoteStartTransaction", idTag="OWNER") == "Accepted"
        rig.car.plug()
        await until(lambda: csms.named("StartTransaction"), "the start")
        assert csms.named("StartTransaction")[0]["reservationId"] == 9
        assert await status(rig, "CancelReservation", reservationId=9) == "Rejected"

    assert run(tmp_path, script) == 0


class Files(http.server.BaseHTTPRequestHandler):
    """Serves one firmware, keeps what is uploaded."""

    kept: dict[str, bytes]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"new")

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return


def test_files_and_certificates_16(tmp_path: Path) -> None:
    kept: dict[str, bytes] = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Files,), {"kept": kept}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    pki = Pki(tmp_path / "pki")

    async def script(rig: Rig) -> None:
        await rig.booted()
        csms = rig.csms

        def told(action: str) -> list[str]:
            return [payload["status"] for payload in csms.named(action)]

        await csms.ask("GetDiagnostics", {"location": f"{url}/diagnostics/"})
        await until(lambda: told("DiagnosticsStatusNotification") == ["Uploading", "Uploaded"], "the diagnostics")
        assert kept["/diagnostics/diagnostics.log"]
        log = {"remoteLocation": f"{url}/security.log"}
        assert await status(rig, "GetLog", log=log, logType="SecurityLog", requestId=4) == "Accepted"
        await until(lambda: told("LogStatusNotification") == ["Uploading", "Uploaded"], "the log")
        assert kept["/security.log"]
        assert await status(rig, "ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "Accepted"
        await until(lambda: csms.named("SignCertificate"), "the request for a certificate")
        chain = pki.sign_station(csms.named("SignCertificate")[0]["csr"], station="CP001")
        assert await status(rig, "CertificateSigned", certificateChain=chain) == "Accepted"
        assert await status(rig, "CertificateSigned", certificateChain=chain) == "Rejected"
        kind = {"certificateType": "CentralSystemRootCertificate"}
        assert await status(rig, "InstallCertificate", **kind, certificate=pki.root_pem) == "Accepted"
        found = await csms.ask("GetInstalledCertificateIds", kind)
        assert found["status"] == "Accepted"
        data = found["certificateHashData"][0]
        assert await status(rig, "DeleteCertificate", certificateHashData=data) == "Accepted"
        assert await status(rig, "DeleteCertificate", certificateHashData=data) == "NotFound"
        await csms.ask("UpdateFirmware", {"location": f"{url}/firmware", "retrieveDate": "2026-01-01T00:00:00Z"})
        wanted = ["Downloading", "Downloaded", "Installing", "Installed"]
        await until(lambda: told("FirmwareStatusNotification") == wanted, "the firmware")
        assert len(csms.named("BootNotification")) == 2

    try:
        assert run(tmp_path, script) == 0
    finally:
        server.shutdown()
        server.server_close()
