"""The DUT port: the station's copper, as a TCP server on loopback (dut-port, version 1)."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from ..model.plant import Fact, Plant
from .dut_connection import DutConnection
from .dut_messages import Drive, LineError, encode, state, welcome
from .settings import DutPortSettings

__all__ = ["DutPort"]

STATE_PERIOD_NS = 100_000_000
CP_STEP_V = 0.1
ALIVE_NS = 200_000_000
"""A station without mains has this long until it must be silent."""


class DutPort:
    """Connects one station with the model.

    Args:
        say: tells the owner (`overrun`, `alive_without_mains`, `note`).
    """

    def __init__(self, plant: Plant, rng: Random, settings: DutPortSettings, say: Callable[..., None]) -> None:
        self._plant = plant
        self._rng = rng
        self._settings = settings
        self._say = say
        self._zero_ns = time.monotonic_ns()
        self._server: asyncio.Server | None = None
        self._file: Path | None = None
        self._station: DutConnection | None = None
        self._connections: set[DutConnection] = set()
        self._told_v = (0.0, 0.0)
        self._next_state_ns = 0
        self._mains_off_ns = 0
        self._told_alive = False

    async def start(self, folder: Path) -> Path:
        """Listen on a free port and write `dut-port.json`, last and at once."""
        loop = asyncio.get_running_loop()

        def connection() -> DutConnection:
            fresh = DutConnection(self)
            self._connections.add(fresh)
            return fresh

        self._server = await loop.create_server(connection, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        entry: dict[str, Any] = {
            "host": host,
            "port": port,
            "station": self._settings.station,
            "csms_url": self._settings.csms_url,
            "password": self._settings.password,
            "ocpp": self._settings.ocpp,
        }
        files = {"ca": self._settings.ca, "cert": self._settings.cert, "key": self._settings.key}
        entry |= {name: file for name, file in files.items() if file is not None}
        path = folder / "dut-port.json"
        fresh = folder / "dut-port.json.new"
        # It may hold a password.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entry, file)
        fresh.replace(path)
        self._file = path
        return path

    def close(self) -> None:
        """The run is over: stations see the connection end, and no new one finds the port."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    def step(self, now_ns: int) -> None:
        """State at least every 100 ms."""
        if self._station is None:
            return
        self._station.step(now_ns)
        if now_ns >= self._next_state_ns:
            self._send_state(now_ns)

    def on_fact(self, fact: Fact) -> None:
        """A change in the model that the station can see."""
        station = self._station
        if fact.name == "mains":
            self._mains_off_ns = fact.t_ns
            self._told_alive = False
            if station is not None:
                station.send(encode("mains", on=self._plant.mains.on))
                self._send_state(fact.t_ns)
        elif station is None:
            return
        elif fact.name == "cp":
            levels = self._plant.levels
            if abs(levels.high_v - self._told_v[0]) > CP_STEP_V or abs(levels.low_v - self._told_v[1]) > CP_STEP_V:
                self._send_state(fact.t_ns)
        elif fact.name in ("pp", "output", "lock"):
            self._send_state(fact.t_ns)

    def present_token(self, kind: str, identifier: str) -> None:
        """A card is presented to the station's reader."""
        if self._station is not None:
            self._station.send(encode("token", evse=1, id=identifier, kind=kind))
        else:
            self.note("a card was presented, but no station is connected")

    # --- what a connection asks ----------------------------------------------------------------------

    def admit(self, connection: DutConnection, station: str) -> None:
        """Take the station in; LineError when it is another one, or is here already."""
        if station != self._settings.station:
            raise LineError("unknown-station", f"this port is for {self._settings.station!r}", fatal=True)
        if self._station is not None:
            raise LineError("busy", f"{station} is already connected", fatal=True)
        self._station = connection
        connection.send(welcome(self._plant, self.t_us()))
        self._send_state(time.monotonic_ns())

    def drive(self, connection: DutConnection, drive: Drive) -> None:
        """A `set` of the admitted station."""
        now_ns = time.monotonic_ns()
        if not self._plant.mains.on:
            if now_ns - self._mains_off_ns > ALIVE_NS and not self._told_alive:
                self._told_alive = True
                self._say("alive_without_mains", station=connection.station)
            return
        self._plant.drive(now_ns, pwm_pct=drive.pwm_pct, contactor=drive.contactor, lock=drive.lock)

    def left(self, connection: DutConnection) -> None:
        """A connection ended; the station's one leaves CP at 0 V and the coil without current."""
        self._connections.discard(connection)
        if connection is self._station:
            self._station = None
            self.note(f"station {connection.station} left the DUT port; {connection.dropped} states were dropped")
            self._plant.release(time.monotonic_ns())

    def state_line(self, dropped: int) -> bytes:
        levels = self._plant.levels
        self._told_v = (levels.high_v, levels.low_v)
        return state(self._plant, self._rng, self.t_us(), dropped)

    def overrun(self, from_ns: int, to_ns: int) -> None:
        self._say("overrun", who="station", from_ns=from_ns, to_ns=to_ns)

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def t_us(self) -> int:
        """The model's clock."""
        return (time.monotonic_ns() - self._zero_ns) // 1000

    def _send_state(self, now_ns: int) -> None:
        self._next_state_ns = now_ns + STATE_PERIOD_NS
        if self._station is not None:
            self._station.send_state()
