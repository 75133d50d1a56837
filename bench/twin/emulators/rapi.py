"""The RAPI port of an OpenEVSE: what such a station would say of itself where the model's station stands.

State and flags come from the control pilot and the contactor of the model, current and energy from the station's own
meter. What it is told it remembers, logs and answers, and it moves nothing: the station itself is another process.
"""

from __future__ import annotations

import time
from typing import Any

from ..model.duty import duty_to_current_a
from ..model.plant import Fact
from .kinds import Place
from .pty_port import PtyPort
from .rapi_wire import Request, RequestReader, framed

__all__ = ["RapiEmulator", "make"]

FIRMWARE, PROTOCOL = "8.2.1", "5.2.1"
STATE_A, STATE_B, STATE_C, STATE_D = 0x01, 0x02, 0x03, 0x04
DIODE_CHECK_FAILED, NO_GROUND, STUCK_RELAY = 0x05, 0x07, 0x08
SLEEPING, DISABLED = 0xFE, 0xFF
RELAY_CLOSED, EV_CONNECTED = 0x0040, 0x0100
LEVELS_V = ((STATE_A, 10.5), (STATE_B, 7.5), (STATE_C, 4.5), (STATE_D, 1.5))
"""State and the level above which it is that one; between the windows of IEC 61851-1 table A.4."""

FEATURES = "BDEFGRTV"


class RapiEmulator:
    """Settings.

    - `mcu_id`: what GI answers; empty = that firmware has no GI.
    - `ammeter`: False = GG says -1 mA.
    - `delay_ms`: how long it takes to answer.
    - `aux_power`: its controller is fed apart and not by the mains, as over a programmer's cable.
    """

    def __init__(
        self,
        place: Place,
        *,
        mcu_id: str = "VRAPI10123456789",
        ammeter: bool = True,
        delay_ms: float = 4.0,
        aux_power: bool = False,
    ) -> None:
        self._place = place
        self._mcu_id = mcu_id
        self._ammeter = ammeter
        self._delay_ns = int(delay_ms * 1e6)
        self._line = PtyPort(place.loop, place.folder / place.name, self._take_bytes, place.note, place.wire)
        self._reader = RequestReader()
        self._answers: list[tuple[int, bytes]] = []
        self._told: tuple[int, int, int, int] | None = None
        self._on_since_ns: int | None = None
        self._elapsed_s = 0
        self._session_wh = place.plant.station_meter.reading.energy_wh
        self._configured_a = round(place.plant.outlet.rated_a)
        self._written_max_a: int | None = None
        self._features = {feature: feature not in "E" for feature in FEATURES}
        self._asleep = self._deaf = False
        self._aux_power = aux_power

    @property
    def port(self) -> str:
        return str(self._place.folder / self._place.name)

    async def start(self) -> None:
        self._say(framed(f"AB 00 {FIRMWARE}"))

    def step(self, now_ns: int) -> None:
        """Answers that are due, and a notice when something changed."""
        plant = self._place.plant
        while self._answers and self._answers[0][0] <= now_ns:
            self._say(self._answers.pop(0)[1])
        if plant.contactor.closed:
            self._on_since_ns = self._on_since_ns or now_ns
            self._elapsed_s = (now_ns - self._on_since_ns) // 1_000_000_000
        else:
            self._on_since_ns = None
        told = (self._state(), self._pilot_state(), self._limit_a(), self._vflags())
        if told != self._told:
            self._told = told
            state, pilot, amps, flags = told
            self._say(framed(f"AT {state:02x} {pilot:02x} {amps} {flags:04x}"))

    def on_fact(self, fact: Fact) -> None:
        if fact.name == "plug" and fact.value is True:
            self._session_wh = self._place.plant.station_meter.reading.energy_wh
            self._elapsed_s = 0

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`deaf`: it answers nothing. `slow`: it answers `delay_ms` late. `boot`: it starts, and says so."""
        if name == "deaf":
            self._deaf = on
        elif name == "slow":
            self._delay_ns = int(float(args.get("delay_ms", 800.0)) * 1e6) if on else 4_000_000
        elif name == "boot":
            self._say(framed(f"AB {int(args.get('post_code', 0)):02x} {FIRMWARE}"))
        else:
            return False
        return True

    def close(self) -> None:
        self._line.close()

    @property
    def _powered(self) -> bool:
        return self._aux_power or self._place.plant.mains.on

    # --- what it sees --------------------------------------------------------------------------------

    def _pilot_state(self) -> int:
        """The state by the level alone."""
        plant = self._place.plant
        if plant.pwm_pct is None:
            return DISABLED
        high_v = plant.levels.high_v
        if high_v < -1.0:
            return SLEEPING
        return next((state for state, above_v in LEVELS_V if high_v > above_v), NO_GROUND)

    def _state(self) -> int:
        plant = self._place.plant
        pilot = self._pilot_state()
        if self._asleep:
            return SLEEPING
        if plant.pwm_running and pilot in (STATE_B, STATE_C, STATE_D) and plant.levels.low_v > -10.0:
            return DIODE_CHECK_FAILED
        return pilot

    def _vflags(self) -> int:
        flags = RELAY_CLOSED if self._place.plant.contactor.closed else 0
        if self._pilot_state() in (STATE_B, STATE_C, STATE_D):
            flags |= EV_CONNECTED
        return flags

    def _limit_a(self) -> int:
        """What the pilot offers; what is configured while there is no PWM."""
        plant = self._place.plant
        if plant.pwm_pct is not None and plant.pwm_running:
            return round(duty_to_current_a(plant.pwm_pct))
        return self._max_a()

    def _max_a(self) -> int:
        most = round(self._place.plant.outlet.rated_a) if self._written_max_a is None else self._written_max_a
        return min(self._configured_a, most)

    # --- what it is told -----------------------------------------------------------------------------

    def _take_bytes(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        if self._deaf or not self._powered:
            return
        for request in self._reader.feed(data):
            ok, values = self._execute(request, now_ns) if request.sound else (False, "")
            text = f"{'OK' if ok else 'NK'} {values}".strip()
            self._answers.append((now_ns + self._delay_ns, framed(text, request.sequence)))

    def _execute(self, request: Request, now_ns: int) -> tuple[bool, str]:
        tokens = request.tokens
        name = tokens[0][:2]  # the firmware looks at no more
        if name[:1] == "G":
            values = self._get(name)
            return values is not None, values or ""
        ok, values, did = self._do(name, tokens[1:])
        self._place.truth.command(self._place.name, now_ns, " ".join(tokens), accepted=ok, **did)
        return ok, values

    def _get(self, name: str) -> str | None:
        plant = self._place.plant
        reading = plant.station_meter.reading
        match name:
            case "GV":
                return f"{FIRMWARE} {PROTOCOL}"
            case "GI":
                return self._mcu_id or None
            case "GS":
                return f"{self._state():02x} {self._elapsed_s} {self._pilot_state():02x} {self._vflags():04x}"
            case "GG":
                milliamps = round(max(reading.current_a) * 1000) if self._ammeter else -1
                return f"{milliamps} {round(reading.voltage_v[0] * 1000)}"
            case "GC":
                return f"6 {round(plant.outlet.rated_a)} {self._limit_a()} {self._max_a()}"
            case "GE":
                return (
                    f"{self._limit_a()} {sum(1 << at for at, on in enumerate(self._features.values()) if not on):04x}"
                )
            case "GP":
                return f"{250 + round(sum(reading.power_w) * 0.002)} -2560 -2560"
            case "GU":
                return f"{round((reading.energy_wh - self._session_wh) * 3600)} {round(reading.energy_wh)}"
            case "GF":
                return "0 0 0"
            case "G0":
                return str(int(self._vflags() & EV_CONNECTED != 0))
            case _:
                return None

    def _do(self, name: str, values: tuple[str, ...]) -> tuple[bool, str, dict[str, Any]]:
        """Accepted or not, what it answers, and what it did. It looks at first letters only, as the firmware does."""
        if name == "FF" and len(values) == 2 and values[0][:1] in self._features and values[1][:1] in ("0", "1"):
            self._features[values[0][0]] = values[1][0] == "1"
            return True, "", {"feature": values[0][0], "on": values[1][0] == "1"}
        if name == "SC" and len(values) in (1, 2) and values[0].isdigit():
            amps = int(values[0]) & 0xFF
            if len(values) == 2 and values[1][:1] == "M":
                if self._written_max_a is not None:
                    return False, str(self._written_max_a), {}
                self._written_max_a = amps
                return True, str(amps), {"written_max_a": amps}
            self._configured_a = min(max(amps, 6), round(self._place.plant.outlet.rated_a))
            return self._configured_a == amps, str(self._configured_a), {"configured_a": self._configured_a}
        if name in ("FE", "FS", "FD"):
            self._asleep = name != "FE"
            return True, "", {"asleep": self._asleep}
        return name in ("F0", "F1", "FB", "FR", "SY", "SB", "SL", "S4"), "", {}

    def _say(self, message: bytes) -> None:
        if not self._deaf and self._powered:
            self._line.write(message)


def make(place: Place, settings: dict[str, Any]) -> RapiEmulator:
    """See `kinds.KINDS`."""
    return RapiEmulator(place, **settings)
