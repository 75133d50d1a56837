"""What keeps the instances of a rule apart: the outlet, the station, or keys of the events' data."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import product
from typing import Any, cast

from ...timeline import Event
from ..condition import value_at

__all__ = ["Key", "Keys", "keys_by", "outlet_of"]

Key = Hashable
Keys = Callable[[Event], Sequence[Key]]
"""Event -> the keys that it belongs to; none when it lacks one, several when it names no outlet."""


def keys_by(per: Sequence[str], evses: Sequence[int]) -> Keys:
    """The function that gives an event's keys. A single part's key is its value, several parts' keys are tuples."""
    outlets = tuple(evses)
    single = {evse: (evse,) for evse in outlets}
    if tuple(per) == ("evse",):
        return lambda event: outlets if event.evse is None else single.get(event.evse, ())
    if tuple(per) == ("station",):
        return lambda event: (0,)
    if len(per) == 1:
        name = per[0]

        def one(event: Event) -> Sequence[Key]:
            value = value_at(event.data, name)
            return () if value is None else (_text(value),)

        return one

    def pairs(event: Event) -> Sequence[Key]:
        return tuple(product(*(_part(name, event, outlets) for name in per)))

    return pairs


def outlet_of(per: Sequence[str], key: Key, event: Event) -> int | None:
    """The outlet that a key of an event is about: its own part where the rule is `per` evse, else the event's."""
    if "evse" not in per:
        return event.evse
    part: Any = key if len(per) == 1 else cast("tuple[Any, ...]", key)[list(per).index("evse")]
    return int(part)


def _part(name: str, event: Event, outlets: tuple[int, ...]) -> Sequence[Any]:
    if name == "station":
        return (0,)
    if name == "evse":
        return outlets if event.evse is None else (event.evse,) if event.evse in outlets else ()
    value = value_at(event.data, name)
    return () if value is None else (_text(value),)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
