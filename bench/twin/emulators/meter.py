"""The bench's energy meter on a pty: pymodbus serves the registers, the bridge makes it behave like a bus."""

from __future__ import annotations

import logging
import time
from typing import Any

from ..model.plant import Fact
from . import sdm630
from .kinds import Place
from .pty_port import PtyPort
from .rtu_bridge import RequestFilter

__all__ = ["MeterDevice", "make"]


class MeterDevice:
    """Two ptys back to back: the server has the one, the client the other, bytes are copied between them."""

    def __init__(self, place: Place, *, unit: int = 1) -> None:
        self.port = str(place.folder / place.name)
        self._meter = place.plant.bench_meter
        self._unit = unit
        self._filter = RequestFilter(unit)
        self.line = PtyPort(place.loop, place.folder / place.name, self._from_client, place.note, place.wire)
        self._inner = PtyPort(place.loop, None, self._from_server, place.note)
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

    def step(self, now_ns: int) -> None:
        """Nothing of its own: the model steps the meter."""

    def on_fact(self, fact: Fact) -> None:
        """Nothing: a meter is asked."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        return False

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


def make(place: Place, settings: dict[str, Any]) -> MeterDevice:
    """See `kinds.KINDS`."""
    return MeterDevice(place, **settings)
