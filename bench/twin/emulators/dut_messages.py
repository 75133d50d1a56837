"""What the DUT port says and accepts: parsing and building of its lines (dut-port, version 1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from ..model.divider import with_noise
from ..model.plant import Plant

__all__ = [
    "MAX_LINE",
    "PROTOCOL",
    "Drive",
    "LineError",
    "encode",
    "parse_drive",
    "parse_hello",
    "parse_line",
    "state",
    "welcome",
]

PROTOCOL = 1
MAX_LINE = 4096


class LineError(Exception):
    """A line that is refused with `code`; `fatal` closes the connection."""

    def __init__(self, code: str, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class Drive:
    """One `set` of an outlet: duty in percent (0 = static -12 V, 100 = static +12 V), coil, lock; None = not named."""

    evse: int
    pwm_pct: float | None
    contactor: bool | None
    lock: bool | None


def encode(kind: str, /, **values: Any) -> bytes:
    """One line."""
    return json.dumps({"type": kind, **values}, separators=(",", ":")).encode() + b"\n"


def parse_line(line: bytes) -> dict[str, Any]:
    """The object in `line`, which has a `type`.

    Raises:
        LineError: too-long, bad-json, bad-type.
    """
    if len(line) > MAX_LINE:
        raise LineError("too-long", f"a line has at most {MAX_LINE} bytes")
    try:
        raw: object = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise LineError("bad-json", f"not a JSON line: {error}") from error
    if not isinstance(raw, dict):
        raise LineError("bad-json", "a line is one JSON object")
    message = cast("dict[str, Any]", raw)
    if not isinstance(message.get("type"), str):
        raise LineError("bad-type", "a message has a type")
    return message


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def parse_drive(message: dict[str, Any], evses: int) -> Drive:
    """The values of a `set`, all checked before any takes effect.

    Raises:
        LineError: bad-evse, bad-value.
    """
    evse = message.get("evse")
    if isinstance(evse, bool) or not isinstance(evse, int) or not 1 <= evse <= evses:
        raise LineError("bad-evse", f"evse is 1..{evses}, not {evse!r}")
    pwm_pct = message.get("pwm_pct")
    if pwm_pct is not None and (
        isinstance(pwm_pct, bool) or not isinstance(pwm_pct, int | float) or not 0 <= pwm_pct <= 100
    ):
        raise LineError("bad-value", f"pwm_pct is 0..100, not {pwm_pct!r}")
    switches: dict[str, bool | None] = {}
    for name in ("contactor", "lock"):
        value = message.get(name)
        if value is not None and not isinstance(value, bool):
            raise LineError("bad-value", f"{name} is true or false, not {value!r}")
        switches[name] = value
    if pwm_pct is None and switches["contactor"] is None and switches["lock"] is None:
        raise LineError("bad-value", "a set names at least one of pwm_pct, contactor and lock")
    return Drive(evse, None if pwm_pct is None else float(pwm_pct), switches["contactor"], switches["lock"])


def parse_hello(message: dict[str, Any]) -> tuple[str, int, int | None]:
    """Station, number of outlets (1 when it does not say) and promised interval of pings in ns (None = no promise).

    Raises:
        LineError: bad-protocol, bad-value.
    """
    protocol = message.get("protocol")
    if isinstance(protocol, bool) or protocol != PROTOCOL:
        raise LineError("bad-protocol", f"this port speaks protocol {PROTOCOL}, not {protocol!r}", fatal=True)
    station, evses, ping_ms = message.get("station"), message.get("evses", 1), message.get("ping_ms")
    if not isinstance(station, str):
        raise LineError("bad-value", f"station is a text, not {station!r}")
    if isinstance(evses, bool) or not isinstance(evses, int) or evses < 1:
        raise LineError("bad-value", f"evses is a number from 1, not {evses!r}")
    if ping_ms is None:
        return station, evses, None
    if isinstance(ping_ms, bool) or not isinstance(ping_ms, int | float) or not 1 <= ping_ms <= 60_000:
        raise LineError("bad-value", f"ping_ms is 1..60000, not {ping_ms!r}")
    return station, evses, int(ping_ms * 1e6)


def welcome(plants: Sequence[Plant], t_us: int) -> bytes:
    """The answer to `hello`: the first outlet, and all of them in `outlets`."""
    made: list[dict[str, Any]] = [
        {
            "outlet": "cable" if plant.outlet.cable else "socket",
            "rated_a": plant.outlet.rated_a,
            "phases": plant.outlet.phases,
            "ventilation": plant.outlet.ventilation,
        }
        for plant in plants
    ]
    return encode(
        "welcome",
        protocol=PROTOCOL,
        t_us=t_us,
        evses=len(plants),
        **made[0],
        mains=plants[0].mains.on,
        outlets=[{"evse": evse, **one} for evse, one in enumerate(made, start=1)],
    )


def state(plant: Plant, evse: int, rng: Random, t_us: int, dropped: int) -> bytes:
    """Everything the station can measure at an outlet; CP levels carry their noise."""
    levels = plant.levels
    high_v = with_noise(levels.high_v, rng)
    low_v = high_v if levels.low_v == levels.high_v else with_noise(levels.low_v, rng)
    meter = plant.station_meter.reading
    return encode(
        "state",
        t_us=t_us,
        evse=evse,
        cp_high_v=round(high_v, 3),
        cp_low_v=round(low_v, 3),
        pp_ohm=None if plant.outlet.cable else _plain(plant.pp_ohm),
        output_v=[round(volt, 1) for volt in plant.output_v],
        lock=plant.lock.closed,
        rcd=plant.rcm.tripped,
        dropped=dropped,
        meter={
            "power_w": round(sum(meter.power_w), 1),
            "current_a": [round(amp, 3) for amp in meter.current_a],
            "voltage_v": [round(volt, 1) for volt in meter.voltage_v],
            "energy_wh": meter.energy_wh,
        },
    )


def _plain(value: float | None) -> float | None:
    """Whole numbers without a point."""
    return int(value) if value is not None and value == int(value) else value
