"""From registers to the data of `meter.sample`. What a meter does not have is absent, never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from .maps import Block, RegisterMap
from .segment import Reading

__all__ = ["Poll", "data_of", "unavailable"]

_MANDATORY = ("power_w", "energy_wh")


class Poll(NamedTuple):
    """Everything that was read in one go, and what it means."""

    register_map: RegisterMap
    found: Mapping[Block, Sequence[int]]
    readings: Sequence[Reading]
    values: Mapping[str, list[Decimal | None]]


def unavailable(poll: Poll) -> set[str]:
    """Names of the quantities that the map has and the meter says nothing of, at least not of every phase.

    Voltage and frequency are not looked at: many meters have none while the outlet is dead.
    """
    return {name for name in ("current_a", *_MANDATORY) if None in poll.values.get(name, ())}


def data_of(poll: Poll) -> dict[str, Any] | None:
    """The data of a sample; None when power or energy is not available.

    A list has a value for each phase, from L1 on, as far as the meter has them; it is empty when the meter has none.
    """
    power, energy = (_sum(poll.values[name]) for name in _MANDATORY)
    if power is None or energy is None:
        return None
    return {
        "power_w": _rounded(power),
        "current_a": _phases(poll.values.get("current_a", [])),
        "voltage_v": _phases(poll.values.get("voltage_v", [])),
        "frequency_hz": next(iter(_phases(poll.values.get("frequency_hz", []))), None),
        "energy_wh": poll.register_map.energy_text(energy),
        "energy_step_wh": float(poll.register_map.energy_step(energy, poll.found)),
    }


def _sum(column: Sequence[Decimal | None]) -> Decimal | None:
    values = [value for value in column if value is not None]
    return sum(values, Decimal(0)) if values and len(values) == len(column) else None


def _phases(column: Sequence[Decimal | None]) -> list[float]:
    """L1 alone, or L1 and L2, of a meter that has no more; but nothing where a phase in front is missing."""
    values = [value for value in column if value is not None]
    whole = all(value is not None for value in column[: len(values)])
    return [_rounded(value) for value in values] if whole else []


def _rounded(value: Decimal) -> float:
    return round(float(value), 6)
