"""The quantities of a bench file: texts with their unit (`"16 A"`), and the model that refuses unknown keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from .timeline import parse_quantity

__all__ = ["Amps", "Delay", "Milliseconds", "Model", "Seconds", "Share", "Volts", "WattHours", "quantity"]


def quantity(dimension: str) -> BeforeValidator:
    def parse(value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} has no unit; write it as text with one, e.g. '{value} …'")
        return parse_quantity(value, dimension)

    return BeforeValidator(parse, json_schema_input_type=str)


def _milliseconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} has no unit; write it as text with one, e.g. '100 ms'")
    return parse_quantity(value, "time") / 1e6


def _delay(value: Any) -> tuple[float, float] | None:
    """`0..10 ms`, or `none`."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no delay; write it as text, e.g. '0..10 ms', or 'none'")
    if value.strip() == "none":
        return None
    least, dots, most = value.partition("..")
    unit = most.strip().lstrip("0123456789.").strip()
    try:
        lo, hi = (_milliseconds(f"{number} {unit}") for number in (least.strip(), most.strip().removesuffix(unit)))
    except ValueError:
        dots = ""
        lo = hi = 0.0
    if not dots or not 0 <= lo <= hi:
        raise ValueError(f"{value!r} is no delay; write it from least to most, e.g. '0..10 ms', or 'none'")
    return lo, hi


Seconds = Annotated[float, BeforeValidator(lambda value: _milliseconds(value) / 1e3, json_schema_input_type=str)]
Amps = Annotated[float, quantity("current")]
Volts = Annotated[float, quantity("voltage")]
WattHours = Annotated[float, quantity("energy")]
Milliseconds = Annotated[float, BeforeValidator(_milliseconds, json_schema_input_type=str)]
Delay = Annotated[tuple[float, float] | None, BeforeValidator(_delay, json_schema_input_type=str)]
"""From least to most, in milliseconds; None for `none`: there is no such sense."""
Share = Annotated[float, quantity("share")]
"""Percent, or percentage points where the quantity is itself a percentage."""


class Model(BaseModel):
    """Unknown keys are refused; numbers are not silently made from texts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)
