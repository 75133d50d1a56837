"""A relay board on a Modbus segment: coils, functions 1, 5 and 15, and inputs, function 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..model.plant import Fact
from .kinds import Place
from .modbus_bus import Bus, Way
from .relay_bank import RelayBank

__all__ = ["ModbusRelays", "make"]

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class ModbusRelays:
    """One unit with `count` coils from 0, and as many inputs, of which `estop_input` has the emergency stop's contact.

    Settings: those of `RelayBank`; `unit`, `wire` (rtu, tcp, rtu+tcp), `baud` and `segment` as of a meter.
    """

    def __init__(
        self,
        place: Place,
        *,
        relays: Mapping[str, str] | None = None,
        inverted: Sequence[int] = (),
        count: int = 8,
        unit: int = 1,
        wire: str = "rtu",
        baud: int = 0,
        segment: str | None = None,
        estop_input: int | None = None,
        ac_ma: float = 34.0,
        dc_ma: float = 8.0,
    ) -> None:
        self._bank = RelayBank(place, relays or {}, inverted, count=count, first=0, ac_ma=ac_ma, dc_ma=dc_ma)
        self._deaf = False
        self._estop_input = estop_input
        self._estop_pressed = False
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
        self._bank.power_up()
        await self._bus.start()

    def step(self, now_ns: int) -> None:
        """Nothing: it has no firmware watchdog, as such boards have none."""

    def on_fact(self, fact: Fact) -> None:
        """Nothing: it feels nothing of the outlet."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`deaf`: it answers nothing. `stuck`: it answers as if it switched, and does not. `reset`: all coils off.
        `e-stop`: the contact at its input opens.
        """
        if name == "deaf":
            self._deaf = on
        elif name == "stuck":
            self._bank.stuck = on
        elif name == "e-stop" and self._estop_input is not None:
            self._estop_pressed = on
        elif name == "reset":
            if on:
                self._bank.power_up()
        else:
            return False
        return True

    def close(self) -> None:
        self._bus.close()

    def answer(self, request: bytes, dress: Callable[[bytes], bytes]) -> Way:
        """See `modbus_bus.Unit`."""
        return Way(None if self._deaf else dress(self._pdu(request)))

    def _pdu(self, request: bytes) -> bytes:
        function, coils = request[0], self._bank.coils
        if function not in (1, 2, 5, 15) or len(request) < 5:
            return bytes((function | 0x80, ILLEGAL_FUNCTION))
        address, word = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
        count = 1 if function == 5 else word
        if function == 5 and word not in (0x0000, 0xFF00):
            return bytes((function | 0x80, ILLEGAL_VALUE))
        if not 1 <= count <= 2000 or any(number not in coils for number in range(address, address + count)):
            return bytes((function | 0x80, ILLEGAL_ADDRESS))
        if function == 2:
            closed = self._estop_input is not None and not self._estop_pressed
            bits = sum((closed and address + at == self._estop_input) << at for at in range(count))
            return bytes((2, (count + 7) // 8)) + bits.to_bytes((count + 7) // 8, "little")
        if function == 1:
            bits = sum(coils[address + at] << at for at in range(count))
            return bytes((1, (count + 7) // 8)) + bits.to_bytes((count + 7) // 8, "little")
        if function == 5:
            self._bank.switch(address, word == 0xFF00, "write coil")
        else:
            bits = int.from_bytes(request[6:], "little")
            for at in range(count):
                self._bank.switch(address + at, bool(bits >> at & 1), "write coils")
        return request[:5]


def make(place: Place, settings: dict[str, Any]) -> ModbusRelays:
    """See `kinds.KINDS`."""
    return ModbusRelays(place, **settings)
