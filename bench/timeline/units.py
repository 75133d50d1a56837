"""Quantities written with their unit, as in `"100 ms"` or `"16 A"`."""

from __future__ import annotations

import re

__all__ = ["UNITS", "parse_quantity"]

UNITS: dict[str, dict[str, float]] = {
    "time": {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9},
    "current": {"mA": 1e-3, "A": 1},
    "voltage": {"mV": 1e-3, "V": 1},
    "power": {"W": 1, "kW": 1e3},
    "energy": {"Wh": 1, "kWh": 1e3},
    "resistance": {"ohm": 1, "kohm": 1e3},
    "frequency": {"Hz": 1},
    "share": {"%": 1, "pp": 1},
    "temperature": {"degC": 1},
}
"""Dimension -> unit -> factor to the base unit (ns, A, V, W, Wh, ohm, Hz, percent, degC)."""

_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([^\s\d.]\S*)\s*")


def parse_quantity(text: str, dimension: str) -> float:
    """The value of `text` in the base unit of `dimension`.

    Raises:
        ValueError: no unit, an unknown unit, or a unit of another dimension; says what is expected.
    """
    known = UNITS[dimension]
    expected = f"a {dimension} with its unit ({', '.join(known)})"
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not {expected}, e.g. '10 {next(iter(known))}'")
    number, unit = match.groups()
    if unit not in known:
        other = next((name for name, units in UNITS.items() if unit in units), None)
        reason = f"{unit!r} is a unit of {other}" if other else f"{unit!r} is no unit"
        raise ValueError(f"{text!r}: {reason}; this is {expected}")
    return float(number) * known[unit]
