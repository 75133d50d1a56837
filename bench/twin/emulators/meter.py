"""The bench's energy meter on a pty: pymodbus serves the registers, the bridge makes it behave like a bus."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..model.energy_meter import EnergyMeter
from . import sdm630
from .pty_port import PtyPort
from .rtu_bridge import RequestFilter

__all__ = ["MeterDevice"]


class MeterDevice:
    """Two ptys back to back: the server has the one, the client the other, bytes are copied between them."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: Path,
        meter: EnergyMeter,
        unit: int,
        note: Callable[[str], None],
    ) -> None:
        self._meter = meter
        self._unit = unit
        self._filter = RequestFilter(unit)
        self.line = PtyPort(loop, link, self._from_client, note)
        self._inner = PtyPort(loop, None, self._from_server, note)
        self._server: Any = None

    async def start(self) -> None:
        """Serve; returns when the device answers."""
        # Without a level of its own the library dumps its history on stderr at the first strange byte.
        for name in ("pymodbus_internal", "pymodbus", "pymodbus.logging"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        from pymodbus.server import ModbusSerialServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        def block(datatype: DataType) -> list[SimData]:
            return [SimData(0, count=16, values=False, datatype=datatype)]

        inputs = [
            SimData(start, count=count, values=0, datatype=DataType.REGISTERS, readonly=True)
            for start, count in sdm630.BLOCKS
        ]
        holding = [SimData(0, count=2, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(
            self._unit, simdata=(block(DataType.BITS), block(DataType.BITS), holding, inputs), action=self._refresh
        )
        self._server = ModbusSerialServer(device, port=self._inner.client_path, baudrate=9600)
        await self._server.serve_forever(background=True)

    def close(self) -> None:
        self.line.close()
        self._inner.close()

    async def _refresh(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> None:
        """Before each answer: the registers as the meter last refreshed them."""
        if function == 4:
            sdm630.write_registers(self._meter.reading, start, registers)

    def _from_client(self, data: bytes) -> None:
        for request in self._filter.feed(data, time.monotonic_ns()):
            self._inner.write(request)

    def _from_server(self, data: bytes) -> None:
        self.line.write(data)
