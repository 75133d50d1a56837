"""The EV Sim Remote emulator: one letter sets the resistor, text reports come after each sampling window.

Behaves as the firmware of https://github.com/nsayer/ev_sim: it acknowledges nothing, has no watchdog for its link, and
its processor starts at A.
"""

from __future__ import annotations

import time
from typing import Any

from ..model.divider import Resistor, with_noise
from ..model.plant import Fact
from .kinds import Place
from .pty_port import PtyPort

__all__ = ["EvSimEmulator", "make"]

BYTES_PER_NS = 960e-9
CLOCK_HZ = 16_000_000
ADC_ZERO, ADC_STEP_V = 556, 0.032
LETTERS: dict[int, Resistor] = {ord("A"): "A", ord("B"): "B", ord("C"): "C", ord("D"): "D"}


class EvSimEmulator:
    """Settings.

    - `reports`: "volts" (letter and volts, each 0.5 s) or "counts" (raw converter counts, each 1 s).
    - `pp_ohm`: the plug that lies in a socket while this device is there, since it has no PP of its own; None = none.
    """

    def __init__(self, place: Place, *, reports: str = "volts", pp_ohm: float | None = 220.0) -> None:
        self._place = place
        self._volts = reports != "counts"
        self._window_ns = 500_000_000 if self._volts else 1_000_000_000
        self._pp_ohm = pp_ohm
        self._line = PtyPort(place.loop, place.folder / place.name, self._take_bytes, place.note, place.wire)
        self._out = b""
        self._sent = 0
        self._out_from_ns = 0
        self._deaf = self._mute = False
        self._begin_window(place.now_ns)

    @property
    def port(self) -> str:
        return str(self._place.folder / self._place.name)

    async def start(self) -> None:
        if not self._place.plant.outlet.cable and self._pp_ohm is not None:
            self._place.plant.set_pp(self._pp_ohm, time.monotonic_ns())
        self._begin_window(time.monotonic_ns())

    def step(self, now_ns: int) -> None:
        """Sample; report when the window is full; let the line carry 960 characters a second."""
        plant = self._place.plant
        high_v, low_v = plant.levels.high_v, plant.levels.low_v
        self._high_v, self._low_v = max(self._high_v, high_v), min(self._low_v, low_v)
        until_ns = min(now_ns, self._window_from_ns + self._window_ns)  # a late tick makes no window longer
        ms = (until_ns - self._sampled_ns) / 1e6
        self._sampled_ns = until_ns
        duty = (plant.pwm_pct or 0.0) / 100.0
        if plant.pwm_running and high_v > 0.5 > low_v:
            self._changes += 2.0 * ms * plant.pwm_hz / 1000.0
            self._high_ms += duty * ms
            self._low_ms += (1.0 - duty) * ms
            self._last_duty = duty
        elif high_v > 0.5:
            self._high_ms += ms
        else:
            self._low_ms += ms
        if now_ns - self._window_from_ns >= self._window_ns:
            self._report(now_ns)
            self._begin_window(now_ns)
        self._transmit(now_ns)

    def on_fact(self, fact: Fact) -> None:
        """Nothing: it samples."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`reset`: its processor restarts, at A. `deaf`: it takes no letters. `silent`: it sends no reports."""
        if name == "reset":
            if on:
                self._out = b""
                self._place.truth.command(self._place.name, now_ns, "reset", resistor="A")
                self._set("A", now_ns)
                self._begin_window(now_ns)
        elif name == "deaf":
            self._deaf = on
        elif name == "silent":
            self._mute = on
        else:
            return False
        return True

    def close(self) -> None:
        self._line.close()

    def _begin_window(self, now_ns: int) -> None:
        levels = self._place.plant.levels
        self._window_from_ns = self._sampled_ns = now_ns
        self._high_v, self._low_v = levels.high_v, levels.low_v
        self._changes = self._high_ms = self._low_ms = 0.0
        self._last_duty = 0.0

    def _take_bytes(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        for byte in data:
            letter = LETTERS.get(byte & 0x5F)  # seven bits, small letters as large ones
            if letter is None:
                continue
            did = {} if self._deaf else {"resistor": letter}
            self._place.truth.command(self._place.name, now_ns, letter, **did)
            if not self._deaf:
                self._set(letter, now_ns)

    def _set(self, letter: Resistor, now_ns: int) -> None:
        self._place.plant.set_circuit(letter, self._place.plant.faults, now_ns)

    def _report(self, now_ns: int) -> None:
        rng = self._place.rng
        high_v, low_v = with_noise(self._high_v, rng, 0.005), with_noise(self._low_v, rng, 0.005)
        high_v = max(high_v, low_v)
        changes = round(self._changes)
        if self._volts:
            period = CLOCK_HZ // 1000
            high, low = (round(period * share) if changes else 0 for share in (self._last_duty, 1.0 - self._last_duty))
            text = (
                f'{{ state: "{self._place.plant.resistor}", state_changes: {changes}, low_count: {low}, '
                f"high_count: {high}, min_volts: {low_v:.3f}, max_volts: {high_v:.3f} }}\r\n"
            )
        else:
            low_adc, high_adc = (round(volt / ADC_STEP_V) + ADC_ZERO for volt in (low_v, high_v))
            text = (
                f"{{ state_changes={changes}, low_count={round(self._low_ms * 150)}, "
                f"high_count={round(self._high_ms * 150)}, low_adc={low_adc}, high_adc={high_adc} }}\r\n"
            )
        if self._mute:
            return
        self._out = self._out[self._sent :] + text.encode("ascii")
        self._sent = 0
        self._out_from_ns = now_ns

    def _transmit(self, now_ns: int) -> None:
        """Eight characters at a time: a bridge hands over what it has, not whole lines."""
        if not self._out:
            return
        due = min(len(self._out), int((now_ns - self._out_from_ns) * BYTES_PER_NS))
        if due - self._sent >= 8 or due == len(self._out):
            self._line.write(self._out[self._sent : due])
            self._sent = due
            if due == len(self._out):
                self._out, self._sent = b"", 0


def make(place: Place, settings: dict[str, Any]) -> EvSimEmulator:
    """See `kinds.KINDS`."""
    return EvSimEmulator(place, **settings)
