"""The bench's energy meter: one unit on a Modbus segment, of any of the makes in `meter_registers`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..model.energy_meter import Reading
from ..model.plant import Fact
from .kinds import Place
from .meter_registers import MODELS, Value
from .modbus_bus import Bus, Way

__all__ = ["FAULTS", "MeterDevice", "make"]

FAULTS = (
    "meter-freeze",
    "meter-rollback",
    "meter-word-order",
    "meter-crc-noise",
    "meter-silent",
    "meter-late",
    "meter-exception",
)

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BROKEN = 1, 2, 3, 4


class MeterDevice:
    """One meter.

    Settings:
        unit: its address on the bus.
        model: see `meter_registers.MODELS`.
        wire: rtu (a pty), tcp, or rtu+tcp (both on loopback).
        baud: answers take the time that they would take on such a line; 0 = none.
        segment: name of the device whose bus it is on; left out: a bus of its own.
    """

    def __init__(
        self,
        place: Place,
        *,
        unit: int = 1,
        model: str = "sdm630",
        wire: str = "rtu",
        baud: int = 0,
        segment: str | None = None,
    ) -> None:
        if model not in MODELS:
            raise ValueError(f"{place.name}: there is no meter {model!r}; known are {', '.join(MODELS)}")
        self._meter = place.plant.bench_meter
        self._model = MODELS[model]
        self._rng = place.rng
        self._on: dict[str, dict[str, Any]] = {}
        self._frozen: Reading | None = None
        key = f"modbus:{segment or place.name}"
        bus = place.shared.get(key)
        if bus is None:
            bus = place.shared[key] = Bus(
                place.loop, place.folder / place.name, wire=wire, baud=baud, note=place.note, faults=place.wire
            )
        self._bus: Bus = bus
        self._bus.units[unit] = self

    @property
    def port(self) -> str:
        return self._bus.port

    async def start(self) -> None:
        await self._bus.start()

    def step(self, now_ns: int) -> None:
        """Nothing of its own: the model steps the meter."""

    def on_fact(self, fact: Fact) -> None:
        """Nothing: a meter is asked."""

    def close(self) -> None:
        self._bus.close()

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """See `FAULTS`: `wh` of a rollback, `share` of noise, `by_ms` of lateness, `code` of an exception.

        Noise does nothing on Modbus TCP, which has no checksum of its own.
        """
        if name not in FAULTS:
            return False
        self._on.pop(name, None)
        if on:
            self._on[name] = args
        if name == "meter-freeze":
            self._frozen = self._meter.reading if on else None
        return True

    def answer(self, request: bytes, dress: Callable[[bytes], bytes]) -> Way:
        """See `modbus_bus.Unit`."""
        if "meter-silent" in self._on:
            return Way(None)
        data = dress(self._pdu(request))
        noise = self._on.get("meter-crc-noise") if self._bus.has_checksum else None
        if noise is not None and self._rng.random() < float(noise.get("share", 1.0)):
            data = data[:-1] + bytes((data[-1] ^ 0x55,))
        late = self._on.get("meter-late")
        return Way(data, float(late.get("by_ms", 500.0)) / 1e3 if late is not None else 0.0)

    def _pdu(self, request: bytes) -> bytes:
        function = request[0]
        broken = self._on.get("meter-exception")
        if broken is not None:
            return bytes((function | 0x80, int(broken.get("code", BROKEN))))
        if function not in (3, 4) or len(request) != 5:
            return bytes((function | 0x80, ILLEGAL_FUNCTION))
        address, count = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
        if not 1 <= count <= self._model.most:
            return bytes((function | 0x80, ILLEGAL_VALUE))
        words = self._read(function, address, count)
        if words is None:
            return bytes((function | 0x80, ILLEGAL_ADDRESS))
        return bytes((function, 2 * count)) + b"".join(word.to_bytes(2, "big") for word in words)

    def _read(self, function: int, address: int, count: int) -> list[int] | None:
        """The registers asked for; None when one of them does not exist, or a value would be cut."""
        end = address + count
        if not any(of == function and first <= address and end <= first + n for of, first, n in self._model.areas):
            return None
        words = [0] * count
        for at, value in self._values(function):
            inside = [address <= number < end for number in range(at, at + len(value))]
            if self._model.whole and any(inside) and not all(inside):
                return None
            for offset, word in enumerate(value):
                if inside[offset]:
                    words[at + offset - address] = word
        return words

    def _values(self, function: int) -> list[tuple[int, tuple[int, ...]]]:
        values: list[Value] = [value for value in self._model.values(self._reading()) if value[0] == function]
        turned = "meter-word-order" in self._on
        return [(at, words[::-1] if turned else words) for _, at, words in values]

    def _reading(self) -> Reading:
        reading = self._frozen or self._meter.reading
        back = self._on.get("meter-rollback")
        if back is None:
            return reading
        return replace(reading, energy_wh=max(0.0, reading.energy_wh - float(back.get("wh", 10.0))))


def make(place: Place, settings: dict[str, Any]) -> MeterDevice:
    """See `kinds.KINDS`."""
    return MeterDevice(place, **settings)
