"""Meter values as 2.x writes them: numbers, with the unit in an object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..meter import Sample, sampled_values

__all__ = ["meter_value"]


def meter_value(
    stamp: str, sample: Sample, measurands: Iterable[str], context: str, offered_a: float | None = None
) -> list[dict[str, Any]]:
    """MeterValueType in a list; an empty one when nothing is to be measured."""
    values: list[dict[str, Any]] = []
    for one in sampled_values(sample, measurands, context, offered_a):
        value: dict[str, Any] = dict(one)
        value["value"] = float(value["value"])
        value["unitOfMeasure"] = {"unit": value.pop("unit")}
        values.append(value)
    return [{"timestamp": stamp, "sampledValue": values}] if values else []
