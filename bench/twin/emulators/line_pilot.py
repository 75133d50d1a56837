"""The pilot emulator on its pty."""

from __future__ import annotations

import time
from typing import Any

from ..model.plant import Fact
from .device_clock import DeviceClock
from .kinds import Place
from .pilot import PilotDevice
from .pty_port import PtyPort

__all__ = ["LinePilotEmulator", "make"]


class LinePilotEmulator:
    """Settings: `serial`, `boot_s` (deaf after power-up or reset), `watchdog`, `mains_relay`, `estop` (the input)."""

    def __init__(
        self,
        place: Place,
        *,
        serial: str = "VP0001",
        boot_s: float = 0.0,
        watchdog: bool = True,
        mains_relay: int | None = None,
        estop: bool = False,
    ) -> None:
        self._place = place
        self._boot_s = boot_s
        self._clock = DeviceClock(place.rng, place.now_ns)
        self._device = PilotDevice(
            place.plant,
            self._clock,
            place.truth,
            place.rng,
            serial=serial,
            boot_s=boot_s,
            watchdog=watchdog,
            mains_relay=mains_relay,
            estop=estop,
            present_token=place.present_token,
            note=place.note,
        )
        self._line = PtyPort(place.loop, place.folder / place.name, self._device.take_bytes, place.note, place.wire)

    @property
    def port(self) -> str:
        return str(self._place.folder / self._place.name)

    async def start(self) -> None:
        self._device.attach(self._line, time.monotonic_ns())

    def step(self, now_ns: int) -> None:
        self._device.step(now_ns)

    def on_fact(self, fact: Fact) -> None:
        self._device.on_fact(fact)

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`reset`: its reset line is pulled (`boot_s`: for so long it is deaf); `e-stop`: the contact at its input
        opens; `clock-drift`, `clock-step`.
        """
        match name:
            case "reset" if on:
                boot_s = float(args["boot_s"])
                self._device.reset(now_ns, self._boot_s if boot_s < 0.0 else boot_s)
            case "e-stop":
                return self._device.press_estop(on, now_ns)
            case "clock-drift":
                self._clock.drift(float(args["ppm"]) if on else 0.0, now_ns)
            case "clock-step" if on:
                self._clock.step(round(float(args["ms"]) * 1000.0))
            case "reset" | "clock-step":
                return True
            case _:
                return False
        return True

    def close(self) -> None:
        self._line.close()


def make(place: Place, settings: dict[str, Any]) -> LinePilotEmulator:
    """See `kinds.KINDS`."""
    return LinePilotEmulator(place, **settings)
