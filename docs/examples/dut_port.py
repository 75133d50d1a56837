"""Wires a charging station that is software to the DUT port of a virtual bench (docs/dut-port.md)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class DutPort:
    """One outlet of the bench: `state` is the newest one, `on_token` and `on_change` are called by what happens."""

    def __init__(self, port_file: Path) -> None:
        self.info: dict[str, Any] = json.loads(port_file.read_text())
        self.state: dict[str, Any] = {}
        self.on_token: Callable[[str], None] = lambda card: None
        self.on_change: Callable[[str, str], None] = lambda before, after: None

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self.info["host"], self.info["port"])
        self._say(type="hello", protocol=1, station=self.info["station"], evses=1)
        self.welcome = json.loads(await self._reader.readline())
        if self.welcome["type"] != "welcome":
            raise RuntimeError(f"the bench refused us: {self.welcome}")

    async def listen(self) -> None:
        """Until the bench closes the port: then the run is over."""
        async for line in self._reader:
            message = json.loads(line)
            if message["type"] == "token":
                self.on_token(message["id"])
            elif message["type"] == "state":
                before, self.state = self.letter, message
                if self.letter != before:
                    self.on_change(before, self.letter)

    def set(self, **values: Any) -> None:
        """`pwm_pct` (100: static +12 V), `contactor`, `lock`."""
        self._say(type="set", evse=1, **values)

    @property
    def letter(self) -> str:
        """State of the control pilot by its high level (IEC 61851-1 Table A.4)."""
        volts = self.state.get("cp_high_v", 0.0)
        return next((name for name, least in (("A", 11.0), ("B", 8.0), ("C", 5.0), ("D", 2.0)) if volts > least), "E")

    def _say(self, **message: Any) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")
