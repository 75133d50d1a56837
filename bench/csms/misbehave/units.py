"""Times with their unit, as the words of scripts and faults take them."""

from __future__ import annotations

from ....errors import CsmsError
from ...timeline import parse_quantity

__all__ = ["seconds"]


def seconds(text: str, what: str, longest_s: float) -> float:
    """A time with its unit in seconds.

    Raises:
        CsmsError: no such text, negative, or longer than `longest_s`.
    """
    if type(text) is not str:
        raise CsmsError(f"{what} takes a time with its unit, e.g. '2 s', not {text!r}.")
    try:
        value_s = parse_quantity(text, "time") / 1e9
    except ValueError as exc:
        raise CsmsError(f"{what}: {exc}.") from exc
    if not 0 <= value_s <= longest_s:
        raise CsmsError(f"{what} lies between 0 s and {longest_s:g} s, not {text!r}.")
    return value_s
