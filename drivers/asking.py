"""Does a driver that can energise ask the gate at all? What can be told of its class before it is made.

A driver asks by calling `_permit` of its base. One that never mentions it was written without a thought of the gate.
What a driver does that asks for some verbs and forgets others, nobody can see here: the supervisor sees it, when it
hears of a stimulus that nobody permitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType

__all__ = ["asks_the_gate"]

ASKING = "_permit"


def asks_the_gate(driver: type, base: type) -> bool:
    """True when a method of the class, or of one between it and `base`, calls `_permit` or hands it on."""
    classes = driver.__mro__[: driver.__mro__.index(base)]
    return any(ASKING in code.co_names for one in classes for code in _codes(one))


def _codes(owner: type) -> Iterator[CodeType]:
    for value in vars(owner).values():
        function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        if isinstance(function, FunctionType):
            yield from _with_inner(function.__code__)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
