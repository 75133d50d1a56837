"""What the DUT port says and accepts: parsing and building of its lines (dut-port, version 1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from ..model.divider import with_noise
from ..model.plant import Plant

__all__ = ["MAX_LINE", "PROTOCOL", "Drive", "LineError", "encode", "parse_drive", "parse_line", "state", "welcome"]

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
    """One `set`: duty in percent (0 = static -12 V, 100 = static +12 V), coil, lock; None = not named."""

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
        raw: object = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LineError("bad-json", f"not a JSON line: {error}") from error
    if not isinstance(raw, dict):
        raise LineError("bad-json", "a line is one JSON object")
    message = cast("dict[str, Any]", raw)
    if not isinstance(message.get("type"), str):
        raise LineError("bad-type", "a message has a type")
    return message


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
    return Drive(None if pwm_pct is None else float(pwm_pct), switches["contactor"], switches["lock"])


def welcome(plant: Plant, t_us: int) -> bytes:
    """The answer to `hello`."""
    outlet = plant.outlet
    return encode(
        "welcome",
        protocol=PROTOCOL,
        t_us=t_us,
        evses=1,
        outlet="cable" if outlet.cable else "socket",
        rated_a=outlet.rated_a,
        phases=outlet.phases,
        mains=plant.mains.on,
    )


def state(plant: Plant, rng: Random, t_us: int, dropped: int) -> bytes:
    """Everything the station can measure; CP levels carry their noise."""
    levels = plant.levels
    high_v = with_noise(levels.high_v, rng)
    low_v = high_v if levels.low_v == levels.high_v else with_noise(levels.low_v, rng)
    meter = plant.station_meter.reading
    return encode(
        "state",
        t_us=t_us,
        evse=1,
        cp_high_v=round(high_v, 3),
        cp_low_v=round(low_v, 3),
        pp_ohm=None if plant.outlet.cable or plant.pp_ohm is None else int(plant.pp_ohm),
        output_v=[round(volt, 1) for volt in plant.output_v],
        lock=plant.lock.closed,
        rcd=False,
        dropped=dropped,
        meter={
            "power_w": round(sum(meter.power_w), 1),
            "current_a": [round(amp, 3) for amp in meter.current_a],
            "voltage_v": [round(volt, 1) for volt in meter.voltage_v],
            "energy_wh": meter.energy_wh,
        },
    )
