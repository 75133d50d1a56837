"""The vehicle's side of CHAdeMO: the car that a DC charger sees on CAN."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from ...bench.timeline import Gate, Source, Stamp
from ...errors import DeviceError
from ..base import DeviceState
from ..emergency import EmergencyRecipe
from .can_driver import CanDriver, Cyclic
from .can_emergency import EmergencyFrame, can_recipe
from .chademo_frames import CAPABILITY, CHARGER, LIMITS, OUTPUT, STATE, TIMES, Charger, Says, Traits, pack
from .chademo_sequence import DEAD_V, OPEN_BELOW_A, Sequence, Wanted
from .ev_command import ev_args
from .wire import Frame, id_text

__all__ = ["ChademoEv"]

CYCLE_S = 0.1
CHARGER_TIMEOUT_S = 1.0
SAY_EVERY_NS = 500_000_000


class ChademoEv(CanDriver):
    """Sends 0x100 to 0x102 every 100 ms while it is plugged, hears 0x108 and 0x109, and goes through the sequence.

    The verb `command` means: `plugged` the car is awake and speaks; `charge` it gives its permission (line k and the
    permission bit, once the charger is found compatible); `max_current_a` is its DC current request; `s2_closed` its
    contactors, where the bench closes them (`contactors = "bench"`) because it sees line d2; by itself the car closes
    them one second after the lock. `s2_wish` of `ev.status` says that it wants them closed.

    What the charger says is told as `chademo.charger` and, as it measures its output, as `power.sample`; how far the
    car is, as `chademo.vehicle`. Silence of the charger for 1 s is a gap and DEGRADED, and ends the charging; while the
    car is not plugged it is no more than silence. In both cases `chademo.silent` says that its last word is over.
    """

    topics: ClassVar[tuple[str, ...]] = ("ev.", "can.", "chademo.", "power.")

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        vehicle: Traits | None = None,
        contactors: Literal["self", "bench"] = "self",
        soc_pct: float = 40.0,
        bitrate: int = 500_000,
        baud: int = 115200,
        record_frames: bool = False,
        answer_timeout_s: float = 1.0,
        charger_timeout_s: float = 10.0,
        stop_timeout_s: float = 3.0,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        self._traits = vehicle or Traits()
        self._contactors: Literal["self", "bench"] = contactors
        self._soc_pct = soc_pct
        self._answer_timeout_s = answer_timeout_s
        self._charger_timeout_s = charger_timeout_s
        self._stop_timeout_s = stop_timeout_s
        super().__init__(
            name, source, gate, port=port, bitrate=bitrate, baud=baud, record_frames=record_frames, evse=evse,
            state_dir=state_dir, reconnect=reconnect,
        )  # fmt: skip

    def _reset(self) -> None:
        super()._reset()
        self._wanted = Wanted()
        self._sequence = Sequence(self._traits, self._contactors)
        self._charger = Charger()
        self._heard: set[int] = set()
        self._silent: set[int] = set()
        self._output_ns = 0
        self._speaks = False
        self._permitted = False
        self._asked_ns: int | None = None
        self._stepped_ns = time.monotonic_ns()
        self._said: dict[str, tuple[Any, int]] = {}
        self._moved = asyncio.Event()
        self._heard_ns = 0

    # ---- life

    def _prepare(self) -> frozenset[int]:
        return CHARGER

    async def _greet(self) -> None:
        assert self._wire is not None
        await self._adapter_answers(self._answer_timeout_s)
        self._permit("ev.command", self._safe_args(), to_safe=True)
        self._recognise({"vehicle": f"CHAdeMO {self._traits.protocol}", **self._wire.identity})
        self._say_command(time.monotonic_ns(), time.monotonic_ns())

    @staticmethod
    def _safe_args() -> dict[str, Any]:
        return {"plugged": False, "s2_closed": False, "charge": False, "max_current_a": 0.0}

    def emergency(self) -> EmergencyRecipe:
        """The guardian asks for 0 A and withdraws the permission.

        The contactors are not told open, since they may carry current; when nothing follows for 1 s the charger stops
        anyway.
        """
        data = pack(STATE, self._traits, Says(stop=True, contactor_open=False))
        frame = EmergencyFrame("CHAdeMO: 0 A, no permission", STATE, data)
        return can_recipe(self.name, self._address, [frame], bitrate=self._bitrate, baud=self._baud)

    async def make_safe(self) -> None:
        """Request 0 A, withdraw the permission, and, once the charger gives less than 5 A, open the contactors.

        Raises:
            DeviceError: the charger still gives current after `stop_timeout_s`, or fell silent while it gave some. Its
                state is UNKNOWN then.
        """
        await self.command(charge=False, max_current_a=0.0)
        try:
            async with asyncio.timeout(self._stop_timeout_s):
                while self._current_possible():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            silent = " and says nothing any more" if self._charger_silent else ""
            why = f"the charger last gave {self._charger.current_a} A{silent}, though it was told to stop"
            self._enter(DeviceState.UNKNOWN, why)
            raise DeviceError(
                f"{why} {self._stop_timeout_s:g} s ago. Cut its supply.", device=self.name, port=self.port
            ) from None
        if self._state is DeviceState.UNKNOWN:
            self._enter(DeviceState.ACTIVE, "no permission, contactors open")

    @property
    def _charger_silent(self) -> bool:
        """One of its frames was expected, and has stopped coming."""
        return bool(self._silent)

    def _current_possible(self) -> bool:
        """Nothing proves yet that the charger gives no current to this car."""
        if not self._permitted:
            return False
        return self._charger_silent or self._charger.current_a >= OPEN_BELOW_A or not self._sequence.contactor_open

    # ---- the verb

    async def command(
        self,
        *,
        plugged: bool | None = None,
        s2_closed: bool | None = None,
        max_current_a: float | None = None,
        charge: bool | None = None,
    ) -> None:
        """Change what the car wants; what is None stays. `max_current_a` is DC, whole ampere, rounded down.

        The gate sees it as `ev.command` with `voltage_v`, the car's target voltage. The connector is locked while
        current may flow: `plugged=False` stops the charging first, and then falls silent.

        Raises:
            SafetyError: the gate refuses.
            DeviceError: the wire is gone, or the charger still gives current; then the car stays where it is.
        """
        self._require_open()
        if plugged is False and self._wanted.plugged and self._current_possible():
            await self.make_safe()
        args = ev_args(self.name, float(self._traits.max_current_a), plugged, s2_closed, max_current_a, charge)
        to_safe = not any(args.values())
        shown = args if to_safe else {**args, "voltage_v": float(self._traits.target_v)}
        self._permit("ev.command", shown, to_safe=to_safe)
        before = self._wanted
        self._wanted = before._replace(**args)
        if not before.charging and self._wanted.charging:
            self._asked_ns = time.monotonic_ns()
        self._step()
        sent_ns = time.monotonic_ns()
        raw = ""
        try:
            if self._wanted.plugged or before.plugged:  # the last word of a car that leaves: contactors open
                raw = self._send(STATE, self._data(STATE))
        except DeviceError:
            self._enter(DeviceState.UNKNOWN, "a command could not be written")
            raise
        written_ns = time.monotonic_ns()
        self._stimulus("ev.command", shown, sent_ns, written_ns, raw)
        if self._wanted != before:
            self._say_command(sent_ns, written_ns)

    def _say_command(self, sent_ns: int, written_ns: int) -> None:
        stamp = Stamp.host(written_ns, lo_ns=sent_ns)
        self._source.emit("ev.command", stamp, self._wanted._asdict(), evse=self.evse)

    # ---- frames

    def _cyclic(self) -> list[Cyclic]:
        return [Cyclic(key, CYCLE_S, lambda key=key: self._due(key)) for key in (LIMITS, TIMES, STATE)]

    def _due(self, key: int) -> bytes | None:
        if key == LIMITS:
            self._step()
            self._look_for_charger()
        return self._data(key) if self._wanted.plugged else None

    def _data(self, key: int) -> bytes:
        return pack(key, self._traits, self._sequence.says(self._soc_pct))

    def _on_frame(self, frame: Frame, since_ns: int | None) -> None:
        try:
            self._charger = self._charger.heard(frame.key, frame.data)
        except ValueError as error:
            self._source.gap(frame.lo_ns, frame.at_ns, f"{self.name}: {error}")
            return
        if frame.key not in self._heard:
            self._heard.add(frame.key)
            self._settle("no charger")
            if self._wanted.plugged:
                self._expect(frame.key, f"0x{id_text(frame.key)} of the charger", CHARGER_TIMEOUT_S)
        self._heard_ns = frame.at_ns
        if frame.key == OUTPUT:
            self._output_ns = frame.at_ns
        self._silent.discard(frame.key)
        self._step()
        if len(self._heard) < len(CHARGER) or frame.at_ns - self._output_ns > CHARGER_TIMEOUT_S * 1e9:
            return  # half of what it says would be our own zeros, or what its output was once
        self._speaks = True
        charger, stamp = self._charger, Stamp.host(frame.at_ns, lo_ns=frame.lo_ns)
        raw = f"{id_text(frame.key)}#{frame.data.hex().upper()}"
        self._tell("chademo.charger", msgspec.to_builtins(charger), stamp, raw)
        if frame.key == OUTPUT:
            power_w = float(charger.voltage_v * charger.current_a)
            on = charger.charging or charger.voltage_v > DEAD_V
            sample = {"voltage_v": charger.voltage_v, "current_a": charger.current_a, "power_w": power_w, "on": on}
            self._tell("power.sample", sample, stamp, raw)

    def _on_silence(self, key: int) -> None:
        self._silent.add(key)
        self._step()

    def _look_for_charger(self) -> None:
        """A charger sleeps until it is started: its silence counts only once charging is asked for."""
        if self._speaks and self._told_ns - self._output_ns > CHARGER_TIMEOUT_S * 1e9:
            self._speaks = False
            self._said.pop("chademo.charger", None)
            why = f"no 0x{id_text(OUTPUT)} of the charger for {CHARGER_TIMEOUT_S:g} s"
            self._source.emit("chademo.silent", Stamp.host(time.monotonic_ns()), {"why": why}, evse=self.evse)
        if not self._wanted.plugged and self._heard:
            for key in (CAPABILITY, OUTPUT):
                self._expect_no_more(key)
            if time.monotonic_ns() - self._heard_ns > CHARGER_TIMEOUT_S * 1e9:
                self._forget_charger()
        asked_ns = self._asked_ns
        if self._heard or not self._wanted.charging or asked_ns is None:
            self._settle("no charger")
        elif time.monotonic_ns() - asked_ns > self._charger_timeout_s * 1e9:
            self._complain("no charger", f"no frame of a charger for {self._charger_timeout_s:g} s")

    def _forget_charger(self) -> None:
        """It has gone to sleep after a session. One that fell silent while it gave current may give some yet."""
        self._heard.clear()
        if self._charger.current_a < OPEN_BELOW_A:
            self._permitted = False
        self._charger = Charger()
        self._silent.clear()

    # ---- the car

    def _step(self) -> None:
        now_ns = time.monotonic_ns()
        charger = self._charger if len(self._heard) == len(CHARGER) else None
        sequence = self._sequence
        sequence.step(now_ns, self._wanted, charger, silent=self._charger_silent)
        self._permitted = self._permitted or sequence.permit
        current_a = 0 if charger is None or sequence.contactor_open else charger.current_a
        voltage_v = self._traits.target_v - 60 if charger is None or not current_a else charger.voltage_v
        energy_wh = voltage_v * current_a * (now_ns - self._stepped_ns) / 3.6e12
        self._stepped_ns = now_ns
        self._soc_pct = min(100.0, self._soc_pct + energy_wh / (self._traits.capacity_kwh * 10.0))
        self._moved.set()
        if self._cycle is None:
            return
        stamp = Stamp.host(now_ns)
        vehicle = {
            "phase": sequence.phase,
            "why": sequence.why,
            "request_a": int(sequence.request_a),
            "permit": sequence.permit,
            "contactor_open": sequence.contactor_open,
            "faults": sequence.faults,
        }
        self._tell("chademo.vehicle", vehicle, stamp)
        status = {
            "plugged": self._wanted.plugged,
            "s2_wish": sequence.wishes_contactors(charger),
            "soc_pct": round(self._soc_pct, 1),
            "current_a": current_a,
            "battery_v": voltage_v,
            "counter": None,
        }
        self._tell("ev.status", status, stamp)

    def _tell(self, topic: str, data: dict[str, Any], stamp: Stamp, raw: str | None = None) -> None:
        """Tell on change, and every 500 ms."""
        said = self._said.get(topic)
        if said is None or said[0] != data or stamp.order_ns - said[1] >= SAY_EVERY_NS:
            self._said[topic] = (data, stamp.order_ns)
            self._source.emit(topic, stamp, data, evse=self.evse, raw=raw)
