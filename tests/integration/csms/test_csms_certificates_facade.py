"""Certificates of a back end, as a test says things about them from its own thread."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench.certificates_facade import CertificatesFacade
from pilotbench.bench.csms import Csms, CsmsState, Settings
from pilotbench.bench.csms.security.pki import Pki
from pilotbench.bench.timeline import Timeline, new_loop
from pilotbench.errors import CsmsError
from websockets.sync.client import ClientConnection, connect

from certificate_requests import holds, leaf, new_key, request_for

BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
AT = "2026-11-21T10:00:00Z"


class Open:
    """A gate that permits everything."""

    def permit(self, stimulus: object) -> None:
        pass


class Thread:
    """A loop in a thread, which is all that a facade wants of its host."""

    def __init__(self, folder: Path) -> None:
        self._loop, poll = new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        settings = Settings(read_back=False, attach_after_s=20.0)

        async def start() -> Csms:
            state, pki = CsmsState(folder / "state"), Pki(folder / "pki")
            csms = Csms(Timeline(), Open(), poll, state=state, settings=settings, pki=pki)
            await csms.start()
            return csms

        self.csms: Csms = self.call(start())
        station = SimpleNamespace(station=SimpleNamespace(id="CP1"))
        self.bench: Any = SimpleNamespace(csms=self.csms, file=station)

    def call(self, work: Coroutine[Any, Any, Any], timeout_s: float = 10.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def close(self) -> None:
        self.call(self.csms.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Thread]:
    host = Thread(tmp_path)
    yield host
    host.close()


class Station:
    """A station that sends what it is told, in the test's own thread."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.ws.send(json.dumps([2, action + str(id(payload)), action, payload]))
        frame = json.loads(self.ws.recv(5))
        assert frame[0] == 3, frame
        return frame[2]

    def take(self, answer: dict[str, Any]) -> dict[str, Any]:
        frame = json.loads(self.ws.recv(5))
        self.ws.send(json.dumps([3, frame[1], answer]))
        return frame[3]


def test_words_about_certificates(host: Thread) -> None:
    certificates, keys = CertificatesFacade(host), {1: new_key(), 2: new_key(), 3: new_key()}
    with connect(host.csms.url("CP1"), subprotocols=["ocpp2.1"], proxy=None, compression=None) as ws:  # type: ignore[list-item]
        station = Station(ws)
        station.call("BootNotification", BOOT)
        certificates.hold()
        certificates.sign_next()
        certificates.sign_next(wrong_key=True)
        for number, key in keys.items():
            assert (
                station.call("SignCertificate", {"csr": request_for(key), "requestId": number})["status"] == "Accepted"
            )
        assert certificates.held() == [1, 2, 3]
        certificates.release(2)
        with pytest.raises(CsmsError, match="held are: 1, 3"):
            certificates.release(2)
        certificates.release()
        sent = [station.take({"status": "Accepted"}) for _ in keys]
        assert [payload["requestId"] for payload in sent] == [2, 1, 3]
        assert [holds(p["certificateChain"], keys[p["requestId"]]) for p in sent] == [False, True, True]
        assert certificates.installed() == []

        first = leaf(sent[1]["certificateChain"])
        certificates.revoke(sent[1]["certificateChain"])
        assert host.csms.certificates.book.revoked(first.serial_number)
        certificates.pardon(f"{first.serial_number:x}")
        assert not host.csms.certificates.book.revoked(first.serial_number)
        with pytest.raises(CsmsError, match="no certificate in PEM"):
            certificates.trust("rubbish")

        certificates.provide([b"exi"])
        asked = {"iso15118SchemaVersion": "x", "action": "Install", "exiRequest": "AAAA"}
        assert station.call("Get15118EVCertificate", asked)["exiResponse"] == "ZXhp"

        one = {"id": 4, "transaction": False, "value": 1, "type": "Delta", "severity": 5}
        place = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
        listed = {**place, "variableMonitoring": [{**one, "eventNotificationType": "CustomMonitor"}]}
        station.call("NotifyMonitoringReport", {"requestId": 1, "seqNo": 0, "generatedAt": AT, "monitor": [listed]})
        assert {number: (m.name, m.kind) for number, m in certificates.monitors().items()} == {
            4: ("EVSE@1.Power", "Custom")
        }


def test_a_delay_is_said_with_its_unit(host: Thread) -> None:
    with pytest.raises(CsmsError, match="delay"):
        CertificatesFacade(host).sign_next(delay="2")
