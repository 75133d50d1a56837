"""Every example of docs/misbehaviour.md, as a test says it: from another thread than the back end's."""

from __future__ import annotations

import asyncio
import errno
import json
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench.csms import Csms, CsmsState, Settings
from pilotbench.bench.csms_facade import CsmsFacade
from pilotbench.bench.timeline import Timeline, new_loop
from pilotbench.errors import CsmsError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PAGE = Path(__file__).resolve().parents[3] / "docs" / "misbehaviour.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
NOW = "2026-11-21T10:00:00Z"
WORDS = {
    "BOOT": {"chargePointVendor": "V", "chargePointModel": "M"},
    "START": {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": NOW},
    "STOP": {"transactionId": 1, "meterStop": 0, "timestamp": NOW},
    "STATUS": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "pytest": pytest,
    "CsmsError": CsmsError,
}


class Open:
    """A gate that lets everything pass."""

    def permit(self, stimulus: Any) -> None:
        return None


class Place:
    """A back end on a loop and thread of its own; `call` runs a coroutine there, as a bench's host does."""

    def __init__(self, folder: Path) -> None:
        self._loop, selector = new_loop()
        self.timeline = Timeline()
        settings = Settings(read_back=False, attach_after_s=60)
        state = CsmsState(folder)
        self.csms = Csms(self.timeline, Open(), selector, state=state, tokens=["TAG"], settings=settings)
        self.bench: Any = SimpleNamespace(csms=self.csms, file=SimpleNamespace(station=SimpleNamespace(id="CP1")))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.call(self.csms.start())

    def call(self, work: Coroutine[Any, Any, Any], timeout_s: float = 5.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def close(self) -> None:
        self.call(self.csms.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Station:
    """A station of raw frames, said in plain calls."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._ws: ClientConnection | None = None
        self._old: list[ClientConnection] = []
        self.last: list[str] = []
        self._number = 0

    def connect(self) -> None:
        async def work() -> ClientConnection:
            url = self._place.csms.url("CP1")
            return await connect(url, subprotocols=["ocpp1.6"], proxy=None, compression=None, close_timeout=0.2)  # type: ignore[list-item]

        if self._ws is not None:
            self._old.append(self._ws)
        self._ws = self._place.call(work())

    @property
    def ws(self) -> ClientConnection:
        assert self._ws is not None
        return self._ws

    def send(self, frame: list[Any]) -> None:
        self._place.call(self.ws.send(json.dumps(frame)))

    def receive(self) -> list[Any]:
        return json.loads(self._place.call(self.ws.recv()))

    def receives(self, within_s: float) -> list[str]:
        """What comes: the first within this time, the others soon after it."""

        async def work() -> list[str]:
            texts: list[str] = []
            try:
                while True:
                    async with asyncio.timeout(0.05 if texts else within_s):
                        texts.append(str(await self.ws.recv()))
            except TimeoutError:
                return texts

        return self._place.call(work())

    def call(self, action: str, payload: dict[str, Any]) -> list[Any]:
        self._number += 1
        self.send([2, str(self._number), action, payload])
        return self.receive()

    def beat(self) -> list[str]:
        """Send a heartbeat; the texts that come back."""
        self.send([2, "h", "Heartbeat", {}])
        self.last = self.receives(within_s=0.25)
        return self.last

    def closed_with(self) -> int | None:
        with pytest.raises(ConnectionClosed):
            self.receive()
        return self.ws.close_code

    def refused_with(self) -> int:
        """The HTTP status that answers an attempt to connect."""
        with pytest.raises(InvalidStatus) as caught:
            self.connect()
        return caught.value.response.status_code

    def lost_by(self) -> str:
        """How the socket was lost."""
        with pytest.raises(ConnectionClosed) as caught:
            self.receive()
        cause = caught.value.__cause__
        while cause is not None and not isinstance(cause, OSError):
            cause = cause.__cause__
        assert cause is not None
        return errno.errorcode[cause.errno or 0]

    def leave(self) -> None:
        for ws in (*self._old, self.ws):
            self._place.call(ws.close())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "state")
    yield made
    made.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page(example: str, place: Place) -> None:
    station = Station(place)
    station.connect()
    if "BOOT" not in example:
        station.call("BootNotification", WORDS["BOOT"])
    back_end = place.csms

    def run_on_the_loop(act: Callable[[], Any]) -> Any:
        async def work() -> Any:
            return act()

        return place.call(work())

    class Told(dict[str, Any]):
        id = ""

    def events(topic: str) -> list[Told]:
        async def work() -> list[Told]:
            found = []
            for event in place.timeline.events(topic):
                told = Told(event.data)
                told.id = event.id
                found.append(told)
            return found

        return place.call(work())

    names = {**WORDS, "csms": CsmsFacade(place), "station": station, "events": events}
    try:
        exec(example, {**names, "run_on_the_loop": run_on_the_loop, "back_end": back_end})
    finally:
        station.leave()


def test_every_word_has_its_row_and_its_example() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {word for row in rows for word in re.findall(r"`(\w+)\(", row)}
    shown = {word for example in EXAMPLES for word in re.findall(r"\.(\w+)\(", example)}
    words = "reply answer delay silence error wrong_id malformed duplicate close half_open times always cancel"
    faults = "restart reset blackhole half_open bandwidth latency stop"
    assert {*words.split(), *faults.split()} <= told
    assert told <= shown
