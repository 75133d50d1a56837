"""A CHAdeMO charger on CAN: the other end of the vehicle's 0x100 to 0x102, with its sequence, ramps and timeouts.

::

    idle -> handshake -> waiting -> locked -> ready -> charging -> stopping -> discharging -> idle

It is started as soon as a vehicle speaks. Multi-byte values are little endian; frames go out every 100 ms.
"""

from __future__ import annotations

import struct
import time
from typing import Any

from ..model.plant import Fact
from .can_port import can_port
from .kinds import Place

__all__ = ["ChademoCharger", "make", "pack_output", "pack_station"]

PERIOD_NS = 100_000_000
VEHICLE_TIMEOUT_NS = 1_000_000_000
INSULATION_NS = 200_000_000
RISE_A_S = 20.0
FALL_A_S = 50.0
EMERGENCY_A_S = 200.0
DISCHARGE_V_S = 2000.0
DEAD_V = 10
STOPPED_A = 5

CHARGING, MALFUNCTION, LOCKED, INCOMPATIBLE, SYSTEM_MALFUNCTION, STOP = (1 << bit for bit in range(6))
FAULTS = ("chademo-malfunction", "chademo-silent", "chademo-protocol", "chademo-no-stop")


def pack_station(available_v: int, available_a: int, threshold_v: int) -> bytes:
    """0x108: welding detection is supported."""
    return struct.pack("<BHBHxx", 1, available_v, available_a, threshold_v)


def pack_output(protocol: int, voltage_v: int, current_a: int, status: int, remaining_min: int) -> bytes:
    """0x109; the remaining time is given in minutes."""
    return struct.pack("<BHBBBBB", protocol, voltage_v, current_a, 0, status, 0xFF, remaining_min)


class ChademoCharger:
    """Behind an SLCAN adapter or socketcand.

    Args:
        protocol: number it speaks. `available_v`, `available_a`: what it can give.
        battery_v: voltage of the vehicle's battery, once the contactors are closed.
        faults: names of `FAULTS` that hold from the beginning.
    """

    def __init__(
        self,
        place: Place,
        *,
        wire: str = "slcan",
        protocol: int = 2,
        available_v: int = 500,
        available_a: int = 125,
        battery_v: int = 350,
        faults: tuple[str, ...] | list[str] = (),
    ) -> None:
        self._name = place.name
        self._truth = place.truth
        self._protocol = protocol
        self._available_v = available_v
        self._available_a = available_a
        self._battery_v = battery_v
        self._faults = set(faults)
        self._bus = can_port(wire, place, self._on_frame)
        self._next_ns = 0
        self._last_ns = place.now_ns
        self._state = "idle"
        self._since_ns = place.now_ns
        self._vehicle_ns: int | None = None
        self._limits = b""
        self._says = b""
        self._current_a = 0.0
        self._voltage_v = 0.0
        self._rejected = False

    @property
    def port(self) -> str:
        return self._bus.port

    async def start(self) -> None:
        await self._bus.start()

    def on_fact(self, fact: Fact) -> None:
        """Nothing: it has an outlet of its own."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        if name == "can-bus-off":
            self._bus.set_bus_off(on)
        elif name in FAULTS:
            (self._faults.add if on else self._faults.discard)(name)
        else:
            return False
        return True

    def close(self) -> None:
        self._bus.close()

    def _on_frame(self, identifier: int, data: bytes) -> None:
        if len(data) != 8:
            return
        if identifier == 0x100:
            self._limits = data
        elif identifier == 0x102:
            now_ns = time.monotonic_ns()
            if self._says[3:6] != data[3:6]:
                permit, is_open = bool(data[5] & 1), bool(data[5] & 8)
                self._truth.command(
                    self._name, now_ns, "0x102", request_a=data[3], permit=permit, contactor_open=is_open
                )
            self._says = data
            self._vehicle_ns = now_ns

    # ---- the charger

    @property
    def _permit(self) -> bool:
        """The vehicle wants to charge, and has no fault."""
        return bool(self._says) and bool(self._says[5] & 1) and not self._says[4]

    @property
    def _request_a(self) -> int:
        return self._says[3] if self._permit else 0

    @property
    def _contactors_open(self) -> bool:
        return not self._says or bool(self._says[5] & 8)

    def step(self, now_ns: int) -> None:
        passed_s, self._last_ns = (now_ns - self._last_ns) / 1e9, now_ns
        spoken = self._vehicle_ns is not None and now_ns - self._vehicle_ns < VEHICLE_TIMEOUT_NS
        self._move(now_ns, spoken)
        self._follow(passed_s)
        if now_ns >= self._next_ns:
            self._next_ns = max(self._next_ns + PERIOD_NS, now_ns + PERIOD_NS // 2)
            if self._state != "idle" and "chademo-silent" not in self._faults:
                self._tell(now_ns)

    def _move(self, now_ns: int, spoken: bool) -> None:
        waited_ns = now_ns - self._since_ns
        stubborn = "chademo-no-stop" in self._faults and self._state == "charging"
        ends = (
            not (self._permit and spoken) or "chademo-malfunction" in self._faults or self._says[3] > self._available_a
        )
        match self._state:
            case "idle" if spoken and self._limits:
                self._rejected = self._incompatible()
                self._go("handshake", now_ns)
            case "handshake" | "waiting" if not spoken:
                self._go("idle", now_ns)
            case "handshake" if not self._rejected and self._permit and not ends:
                self._go("locked", now_ns)
            case "locked" | "ready" | "charging" if ends and not stubborn:
                self._go("stopping", now_ns)
            case "locked" if waited_ns >= INSULATION_NS:
                self._go("ready", now_ns)
            case "ready" if not self._contactors_open:
                self._go("charging", now_ns)
            case "stopping" if self._current_a <= STOPPED_A and (self._contactors_open or not spoken):
                self._go("discharging", now_ns)
            case "discharging" if self._voltage_v <= DEAD_V and not (spoken and self._permit):
                self._go("handshake" if spoken else "idle", now_ns)
            case _:
                pass

    def _go(self, state: str, now_ns: int) -> None:
        self._state, self._since_ns = state, now_ns
        self._truth.command(
            self._name, now_ns, state, current_a=round(self._current_a, 1), voltage_v=round(self._voltage_v)
        )

    def _incompatible(self) -> bool:
        target_v = int.from_bytes(self._says[1:3], "little")
        return target_v > self._available_v or self._limits[0] > self._available_a

    def _follow(self, passed_s: float) -> None:
        """Current and voltage at the output."""
        aim_a = float(self._request_a) if self._state == "charging" else 0.0
        if "chademo-no-stop" in self._faults:
            aim_a = max(aim_a, self._current_a)
        fall_a_s = EMERGENCY_A_S if "chademo-malfunction" in self._faults else FALL_A_S
        before_a = self._current_a
        if aim_a >= before_a:
            self._current_a = min(aim_a, before_a + RISE_A_S * passed_s)
        else:
            self._current_a = max(aim_a, before_a - fall_a_s * passed_s)
        if (before_a > 0.0) != (self._current_a > 0.0):
            self._truth.command(
                self._name, self._last_ns, "output", live=self._current_a > 0.0, voltage_v=round(self._voltage_v)
            )
        if self._state in ("charging", "stopping"):
            self._voltage_v = float(self._battery_v) if not self._contactors_open else self._voltage_v
        elif self._state == "locked":
            self._voltage_v = float(self._available_v) * 0.9  # the insulation test
        else:
            self._voltage_v = max(0.0, self._voltage_v - DISCHARGE_V_S * passed_s)
        if self._contactors_open and self._state != "locked":
            self._current_a = 0.0
            if self._state == "stopping":
                self._voltage_v = max(0.0, self._voltage_v - DISCHARGE_V_S * passed_s)

    def _tell(self, now_ns: int) -> None:
        battery_v = int.from_bytes(self._limits[4:6], "little") if self._limits else 0
        self._bus.send(
            0x108, pack_station(self._available_v, self._available_a, min(battery_v, self._available_v)), now_ns
        )
        charging = self._state == "charging" or (self._state == "stopping" and self._current_a > STOPPED_A)
        locked = self._state in ("locked", "ready", "charging", "stopping", "discharging")
        status = (CHARGING if charging else 0) | (LOCKED if locked or self._voltage_v > DEAD_V else 0)
        status |= 0 if self._state == "charging" else STOP
        status |= INCOMPATIBLE if self._rejected else 0
        status |= MALFUNCTION if "chademo-malfunction" in self._faults else 0
        protocol = 9 if "chademo-protocol" in self._faults else self._protocol
        self._bus.send(0x109, pack_output(protocol, round(self._voltage_v), round(self._current_a), status, 30), now_ns)


def make(place: Place, settings: dict[str, Any]) -> ChademoCharger:
    """See `kinds.KINDS`."""
    return ChademoCharger(place, **settings)
