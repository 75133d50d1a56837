"""The file port of a back end, as a test uses it from its own thread."""

from __future__ import annotations

import asyncio
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench.back_end import BackEnd, BackEndPlan, make_back_end
from pilotbench.bench.csms.files import FileFault
from pilotbench.bench.files_facade import FilesFacade
from pilotbench.bench.timeline import Timeline, new_loop
from pilotbench.errors import StationTimeout

OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Open:
    """A gate that permits everything."""

    def permit(self, stimulus: object) -> None:
        pass


class Thread:
    """A loop in a thread, which is all that a facade wants of its host."""

    def __init__(self, folder: Path, plan: BackEndPlan) -> None:
        self.timeline = Timeline()
        self._loop, poll = new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.back_end: BackEnd = self.call(self._made(folder, plan, poll))
        self.call(self.back_end.start())
        station = SimpleNamespace(station=SimpleNamespace(id="CP1"))
        self.bench: Any = SimpleNamespace(back_end=self.back_end, file=station)

    async def _made(self, folder: Path, plan: BackEndPlan, poll: Any) -> BackEnd:
        return make_back_end(plan, folder, self.timeline, Open(), poll)

    def call(self, work: Coroutine[Any, Any, Any], timeout_s: float = 10.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def close(self) -> None:
        self.call(self.back_end.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Thread]:
    host = Thread(tmp_path / "state", BackEndPlan())
    yield host
    host.close()


def test_firmware_out_and_a_log_in(host: Thread) -> None:
    files = FilesFacade(host)
    firmware = files.firmware("fw.bin", b"firmware", sign=files.signer("Maker", ec_key=True))
    assert firmware.url.startswith(files.url)
    assert (firmware.size, firmware.md5) == (8, "74b5b5e9570efc5c0553bb327cd41940")
    assert firmware.signature
    assert firmware.certificate
    assert "BEGIN CERTIFICATE" in files.manufacturer_root
    files.fault("fw.bin", FileFault(status=503))
    with pytest.raises(urllib.error.HTTPError, match="503") as refused:
        OPEN.open(firmware.url, timeout=5)
    refused.value.close()
    with OPEN.open(firmware.url, timeout=5) as answer:
        assert answer.read() == b"firmware"

    place = files.log_slot("diagnostics")
    with pytest.raises(StationTimeout, match="CP1 uploaded no diagnostics"):
        place.wait("10 ms")
    request = urllib.request.Request(f"{place.url}log.txt", data=b"log", method="PUT")
    with OPEN.open(request, timeout=5) as answer:
        assert answer.status == 201
    upload = place.wait("5 s")
    assert (upload.path.parent, upload.path.read_bytes(), place.received) == (files.folder, b"log", upload)
    told = [event.data for event in host.timeline.events("csms.file")]
    assert [(each["station"], each["status"], each["ok"]) for each in told] == [
        ("CP1", 503, False),
        ("CP1", 200, True),
        ("CP1", 201, True),
    ]
    files.withdraw("fw.bin")
    with pytest.raises(urllib.error.HTTPError, match="404") as gone:
        OPEN.open(firmware.url, timeout=5)
    gone.value.close()


def test_who_must_use_tls_fetches_by_tls(tmp_path: Path) -> None:
    host = Thread(tmp_path / "state", BackEndPlan(security_profile=2, password="sixteen characters"))
    try:
        address = FilesFacade(host).offer("fw.bin", b"firmware")
        trusting = ssl.create_default_context(cadata=host.back_end.security.pki.root_pem)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
        )
        with opener.open(address, timeout=5) as answer:
            assert (address[:6], answer.read()) == ("https:", b"firmware")
    finally:
        host.close()
