"""The driver of an energy meter on Modbus; which meter, its register map says."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from ...bench.timeline import Gate, Source, Stamp
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState, Driver
from ..roles import Role
from .maps import Block, Likeness, RegisterMap
from .segment import NotAnswered, Reading, Segment

__all__ = ["ModbusMeter"]


class ModbusMeter(Driver):
    """Polls a meter every `poll_s` seconds and publishes `meter.sample`.

    A value in the meter's registers is up to `refresh_s` older than the request; so a sample was
    taken in `[request - refresh_s, response]`. `timeout_s` must be longer than the meter's slowest answer.
    """

    role: ClassVar[Role] = "meter"

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        unit: int = 1,
        register_map: RegisterMap,
        baud: int = 9600,
        parity: str = "N",
        poll_s: float = 0.1,
        refresh_s: float = 0.2,
        timeout_s: float = 0.5,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        if not 1 <= unit <= 247:
            raise ConfigError(f"{name}: unit {unit} is outside 1..247")
        if parity not in ("N", "E", "O"):
            raise ConfigError(f"{name}: parity {parity!r} is none of N, E, O")
        self._unit = unit
        self._map = register_map
        self._blocks = register_map.blocks()
        self._baud = baud
        self._parity = parity
        self._poll_s = poll_s
        self._refresh_ns = int(refresh_s * 1e9)
        # a sample is as old as the meter's own refresh and the answer took
        source.declare(("meter.",), self._refresh_ns + int(2 * timeout_s * 1e9))
        self._timeout_s = timeout_s
        self._segment: Segment | None = None
        self._poller: asyncio.Task[None] | None = None
        self._good_ns = 0
        self._proven = False

    async def _open(self) -> None:
        self._proven = False
        self._segment = Segment(
            self.name,
            self.port,
            baud=self._baud,
            parity=self._parity,
            timeout_s=self._timeout_s,
            on_lost=self._on_lost,
            state_dir=self._state_dir,
        )
        await self._segment.connect()
        await self._identify(self._segment)
        self._good_ns = time.monotonic_ns()
        self._enter(DeviceState.ACTIVE, f"{self._map.model}, unit {self._unit}")
        self._poller = self._task(self._poll(), "poll")

    async def _close(self) -> None:
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        segment, self._segment = self._segment, None
        if segment is not None:
            await segment.close()

    @property
    def alive(self) -> bool:
        return super().alive and self._poller is not None and not self._poller.done()

    async def _identify(self, segment: Segment) -> None:
        """Read once, and check that what answers can be the meter of the map."""
        self._proven = False
        try:
            values, _ = await self._read_twice(segment)
        except NotAnswered as error:
            if error.received is None:
                raise DeviceError(
                    f"unit {self._unit} does not answer. Is it powered, are A and B the right way round, and do "
                    f"unit, baud ({self._baud}) and parity ({self._parity}) match the meter's settings?",
                    device=self.name,
                    port=self.port,
                    sent=error.sent,
                ) from error
            raise DeviceError(
                f"something answers, but not as Modbus unit {self._unit} does. Another device on this port, or "
                f"another baud rate than {self._baud}?",
                device=self.name,
                port=self.port,
                sent=error.sent,
                received=error.received,
            ) from error
        self._check(values)
        self._recognise({"model": self._map.model, "unit": str(self._unit)})

    def _check(self, values: dict[str, list[Decimal | None]]) -> None:
        """Until a probe has proven the meter once, each poll must at least not speak against it.

        A meter behind the contactor shows 0 V while the outlet is dead: that proves nothing either way.
        """
        if self._proven:
            return
        likeness = self._map.judge(values)
        if likeness is Likeness.FOREIGN:
            seen = ", ".join(f"{name} = {_texts(values.get(name, []))}" for name in self._map.probe)
            raise DeviceError(
                f"unit {self._unit} answers, but not like the {self._map.model}: {seen}. Is this the right register "
                "map for it?",
                device=self.name,
                port=self.port,
            )
        self._proven = likeness is Likeness.PROVEN

    async def _read_twice(self, segment: Segment) -> tuple[dict[str, list[Decimal | None]], list[Reading]]:
        """One poll; what was not answered is asked for once more, and that is told."""
        try:
            return await self._read(segment)
        except NotAnswered as error:
            now_ns = time.monotonic_ns()
            self._source.gap(self._good_ns or now_ns, now_ns, f"{error} Asking once more.")
            return await self._read(segment)

    async def _read(self, segment: Segment) -> tuple[dict[str, list[Decimal | None]], list[Reading]]:
        found: dict[Block, tuple[int, ...]] = {}
        readings: list[Reading] = []
        for block in self._blocks:
            reading = await segment.read(self._unit, block.function, block.address, block.count)
            found[block] = reading.registers
            readings.append(reading)
        return self._map.values(found), readings

    async def _poll(self) -> None:
        """Absolute schedule: a slot that was missed is left out, the others do not move."""
        begun = time.monotonic()
        slot = 0
        while True:
            slot = max(slot + 1, int((time.monotonic() - begun) / self._poll_s) + 1)
            await asyncio.sleep(begun + slot * self._poll_s - time.monotonic())
            segment = self._segment
            if segment is None:
                return
            try:
                values, readings = await self._read_twice(segment)
                self._check(values)
                self._sample(values, readings)
            except DeviceLost:
                return  # told by _on_lost, and looked for again
            except DeviceError as error:
                now_ns = time.monotonic_ns()
                self._source.gap(self._good_ns, now_ns, str(error))
                self._enter(DeviceState.DEGRADED, str(error))
                self._source.tick(now_ns)
            else:
                self._enter(DeviceState.ACTIVE, "answers")

    def _sample(self, values: dict[str, list[Decimal | None]], readings: list[Reading]) -> None:
        first, last = readings[0], readings[-1]
        self._good_ns = last.response_ns
        missing = [name for name, column in values.items() if None in column and name != "frequency_hz"]
        if missing:
            self._source.gap(first.request_ns, last.response_ns, f"{self.name} says not available: {missing}")
        else:
            stamp = Stamp.host(last.response_ns, lo_ns=first.request_ns - self._refresh_ns)
            raw = " | ".join(reading.raw for reading in readings)
            self._source.emit("meter.sample", stamp, self._data(values), evse=self.evse, raw=raw)
        self._source.tick(last.response_ns)

    def _data(self, values: dict[str, list[Decimal | None]]) -> dict[str, Any]:
        def floats(name: str) -> list[float]:
            return [round(float(value), 6) for value in values.get(name, []) if value is not None]

        energy = next(value for value in values["energy_wh"] if value is not None)
        step = max(self._map.quantities["energy_wh"].step(energy), self._map.energy_resolution_wh)
        return {
            "power_w": round(sum(floats("power_w")), 6),
            "current_a": floats("current_a"),
            "voltage_v": floats("voltage_v"),
            "frequency_hz": next(iter(floats("frequency_hz")), None),
            "energy_wh": self._map.energy_text(energy),
            "energy_step_wh": float(step),
        }

    def _on_lost(self) -> None:
        now_ns = time.monotonic_ns()
        self._lost(OSError("the port was closed from the other side"), self._good_ns or now_ns, now_ns)


def _texts(column: list[Decimal | None]) -> str:
    return "[" + ", ".join("none" if value is None else f"{float(value):g}" for value in column) + "]"
