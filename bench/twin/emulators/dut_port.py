"""The DUT port: the stations' copper, as a TCP server on loopback (dut-port, version 1)."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from ..model.plant import Fact, Plant
from .dut_berth import Berth
from .dut_connection import DutConnection
from .dut_messages import LineError
from .settings import DutPortSettings

__all__ = ["DutPort"]


class DutPort:
    """Connects stations with the model.

    Args:
        plants: the outlets of each station by number, from 1. The station of `settings` is the one under test.
        say: tells the owner (`overrun`, `alive_without_mains`, `note`).
    """

    def __init__(
        self,
        plants: Mapping[str, Mapping[int, Plant]],
        rng: Random,
        settings: DutPortSettings,
        say: Callable[..., None],
    ) -> None:
        self._settings = settings
        self._say = say
        self._zero_ns = time.monotonic_ns()
        self._server: asyncio.Server | None = None
        self._files: list[Path] = []
        self._berths = {name: Berth(name, outlets, rng, self.t_us, say) for name, outlets in plants.items()}
        self._connections: set[DutConnection] = set()

    async def start(self, folder: Path) -> Path:
        """Listen on a free port and write `dut-port.json`, last and at once.

        Every other station has a `dut-port-NAME.json` beside it.
        """
        loop = asyncio.get_running_loop()

        def connection() -> DutConnection:
            fresh = DutConnection(self)
            self._connections.add(fresh)
            return fresh

        self._server = await loop.create_server(connection, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        own = self._settings.station
        for name in self._berths:
            if name != own:
                self._write(folder / f"dut-port-{quote(name, safe='')}.json", self._entry(name, host, port))
        path = folder / "dut-port.json"
        self._write(path, self._entry(own, host, port))
        return path

    def close(self) -> None:
        """The run is over: stations see the connection end, and no new one finds the port."""
        for file in self._files:
            file.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    def step(self, now_ns: int) -> None:
        """State at least every 100 ms."""
        for berth in self._berths.values():
            berth.step(now_ns)

    def listener(self, station: str, evse: int) -> Callable[[Fact], None]:
        """Who is to be told the facts of an outlet."""
        berth = self._berths[station]
        return lambda fact: berth.on_fact(evse, fact)

    def reader(self, station: str, evse: int) -> Callable[[str, str], None]:
        """The card reader of an outlet: takes kind and id."""
        berth = self._berths[station]
        return lambda kind, identifier: berth.present_token(evse, kind, identifier)

    # --- what a connection asks ----------------------------------------------------------------------

    def admit(self, connection: DutConnection, station: str, evses: int) -> Berth:
        """Take a station in; LineError when it is a stranger, or is here already."""
        berth = self._berths.get(station)
        if berth is None:
            known = ", ".join(repr(name) for name in self._berths)
            raise LineError("unknown-station", f"this port is for {known}, not for {station!r}", fatal=True)
        berth.admit(connection, evses)
        return berth

    def left(self, connection: DutConnection) -> None:
        """A connection ended."""
        self._connections.discard(connection)
        if connection.berth is not None:
            connection.berth.left(connection)

    def overrun(self, from_ns: int, to_ns: int) -> None:
        self._say("overrun", who="station", from_ns=from_ns, to_ns=to_ns)

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def t_us(self) -> int:
        """The model's clock."""
        return (time.monotonic_ns() - self._zero_ns) // 1000

    # --- port files ----------------------------------------------------------------------------------

    def _entry(self, station: str, host: str, port: int) -> dict[str, Any]:
        settings = self._settings
        url = settings.csms_url
        if station != settings.station:
            url = f"{url.rsplit('/', 1)[0]}/{quote(station, safe='')}"
        entry: dict[str, Any] = {
            "host": host,
            "port": port,
            "station": station,
            "csms_url": url,
            "password": settings.password,
            "ocpp": settings.ocpp,
            "evses": self._berths[station].outlets,
        }
        files = {"ca": settings.ca, "cert": settings.cert, "key": settings.key}
        return entry | {name: file for name, file in files.items() if file is not None}

    def _write(self, path: Path, entry: dict[str, Any]) -> None:
        fresh = path.with_name(path.name + ".new")
        # It may hold a password.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entry, file)
        fresh.replace(path)
        self._files.append(path)
