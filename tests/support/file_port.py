"""A file port on loopback in a thread of its own, and what stations do to it with the standard library's client."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pilotbench.bench.csms.files import FileDesk
from pilotbench.bench.timeline import Event, Timeline

T = TypeVar("T")
PATIENCE_S = 5.0
QUICK_S = 1.0
"""Nothing that a station does or leaves undone holds the end up."""


class FilePort:
    """The desk under test; `close` also holds that no thread or task of it stays behind."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.timeline = Timeline()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bench")
        self._thread.start()
        self.desk = FileDesk(self.timeline.source("csms"), folder, **options)
        self.call(self.desk.start())

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = PATIENCE_S) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def do(self, act: Callable[..., T], *args: Any, **named: Any) -> T:
        async def there() -> T:
            return act(*args, **named)

        return self.call(there())

    def close(self) -> None:
        began = time.monotonic()
        self.call(self.desk.close())
        assert time.monotonic() - began < QUICK_S
        left = self.do(lambda: [task for task in asyncio.all_tasks() if task is not asyncio.current_task()])
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        assert not left

    def event(self, number: int = 1) -> dict[str, Any]:
        """The last of so many events of transfers; there must be exactly so many."""
        deadline = time.monotonic() + PATIENCE_S
        while len(found := self.events()) < number and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(found) == number, found
        return found[-1].data

    def events(self) -> list[Event]:
        return self.do(self.timeline.events, "csms.file")

    def files(self) -> list[str]:
        """Everything in the folder, hidden files too."""
        return sorted(path.name for path in self.folder.iterdir())

    def connect(self, url: str, context: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
        place = urlsplit(url)
        if place.scheme == "https":
            return http.client.HTTPSConnection(
                place.hostname or "", place.port, timeout=PATIENCE_S, context=context or ssl.create_default_context()
            )
        return http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_S)

    def ask(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers in lower case, body."""
        connection = self.connect(url)
        try:
            connection.request(method, urlsplit(url).path, body=body, headers=headers or {}, **more)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()
