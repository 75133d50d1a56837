"""Measured values of the station as decimal text, and the events that they become.

Nothing passes through a binary fraction: kilo and the multiplier move the decimal point and lose no digit.
Defaults of all versions (1.6 section 7.43; 2.0.1 and 2.1 part 2, SampledValueType and UnitOfMeasureType):
measurand Energy.Active.Import.Register, context Sample.Periodic, location Outlet, unit Wh for an energy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from .dialect import Fact

__all__ = ["Reading", "decimal_text", "reading", "reading_facts"]

REGISTER = "Energy.Active.Import.Register"
MOST_EXPONENT = 30
"""Numbers with more places before or after the point are no measurement."""

_NUMBER = re.compile(r"\s*([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?\s*\Z")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,12})?\Z")
"""Texts that are decimal text already: most of what stations send."""
_UNITS = {
    "kWh": ("Wh", 3),
    "kW": ("W", 3),
    "kVA": ("VA", 3),
    "kVAh": ("VAh", 3),
    "kvar": ("var", 3),
    "kvarh": ("varh", 3),
    "Celcius": ("Celsius", 0),
}
"""Units with kilo and without; and the spelling of the 1.6 schema (errata sheet: Celsius is meant)."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One sampled value: `value` is decimal text in `unit` (None when the station names none)."""

    measurand: str
    context: str
    location: str
    phase: str | None
    value: str
    unit: str | None
    claim: str | None

    @property
    def is_register(self) -> bool:
        """Whether this is the import register of the outlet, all phases together."""
        return self.measurand == REGISTER and self.location == "Outlet" and self.phase is None and self.unit == "Wh"


def decimal_text(value: Any, places: int = 0) -> str | None:
    """A number (or text of one) times ten to the power of `places`, in full; None when it is not a plain number.

    A JSON number is taken by its shortest text, so 0.1 stays 0.1.
    """
    if type(value) is str and not places and _PLAIN.match(value):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    match = _NUMBER.match(str(value))
    if match is None or not (match[2] or match[3]):
        return None
    whole, fraction = match[2] or "", match[3] or ""
    exponent = int(match[4] or 0) + places - len(fraction)
    digits = (whole + fraction).lstrip("0")
    if len(digits) > 2 * MOST_EXPONENT:
        return None
    if digits and abs(len(digits) + exponent - 1) > MOST_EXPONENT:
        return None
    if not digits:
        exponent = max(min(exponent, 0), -MOST_EXPONENT)
    number = Decimal((int(match[1] == "-"), tuple(int(digit) for digit in digits or "0"), exponent))
    return format(number, "f")


def reading(
    value: Any,
    *,
    measurand: Any = None,
    context: Any = None,
    location: Any = None,
    phase: Any = None,
    unit: Any = None,
    multiplier: Any = None,
    claim: Any = None,
) -> Reading | None:
    """A sampled value with the defaults filled in; None when it cannot be read as a number, or a field is no text."""
    measurand = REGISTER if measurand is None else measurand
    context, location = context or "Sample.Periodic", location or "Outlet"
    if not (type(measurand) is str and type(context) is str and type(location) is str):
        return None
    if not (
        (phase is None or type(phase) is str)
        and (unit is None or type(unit) is str)
        and (claim is None or type(claim) is str)
    ):
        return None
    if multiplier is not None and type(multiplier) is not int:
        return None
    if unit is None and measurand.startswith("Energy."):
        unit = "Wh"
    plain, places = (None, 0) if unit is None else _UNITS.get(unit, (unit, 0))
    moved = decimal_text(value, places + (multiplier or 0))
    return None if moved is None else Reading(measurand, context, location, phase, moved, plain, claim)


def reading_facts(station: str, readings: Iterable[Reading], tx: Any, evse: int | None) -> list[Fact]:
    """The readings as `ocpp.register` and `ocpp.value`."""
    facts: list[Fact] = []
    for one in readings:
        data: dict[str, Any]
        if one.measurand == REGISTER and one.is_register:
            data = {"station": station, "tx": tx, "context": one.context, "value_wh": one.value, "claim": one.claim}
            facts.append(Fact("ocpp.register", data, evse))
        else:
            data = {
                "station": station,
                "tx": tx,
                "measurand": one.measurand,
                "phase": one.phase,
                "location": one.location,
                "context": one.context,
                "value": one.value,
                "unit": one.unit,
                "claim": one.claim,
            }
            facts.append(Fact("ocpp.value", data, evse))
    return facts
