"""What a request may let flow, and what settings it names, however it is built: for the gate.

OCPP's own structure is not trusted here: a request can be sent as it is, also one that breaks its schema, with a limit
where no schema has one. What is found is read in the strictest way that a station might.

- Ampere are per phase, watts are of all phases together; `numberPhases` says how many those are, 3 when it is not there
  (1.6 section 7.14, 2.x K01.FR.49 and K01.FR.50). A period with values for L2 or L3 (2.1) gives each phase its own.
- Set points and limits for discharging count by their amount: current that flows back heats a cable as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import msgspec

__all__ = ["bounds", "names_in"]

FIELDS = tuple(name.casefold() for name in ("limit", "dischargeLimit", "setpoint", "setpointReactive"))
PHASES = ("", "_l2", "_l3")
CURVE = "power"
"""Field of a point in a 2.1 frequency or signal curve."""
BASELINE = "v2xbaseline"
UNIT = "chargingrateunit"
COUNT = "numberphases"
NAMES = frozenset({"name", "key"})
DEEPEST = 200

_TELLING = (b"limit", b"setpoint", b"power", b"v2xbaseline", b"\\\\u")
"""What stands in a payload that has a limit: its name, or an escape that may write one inside of a text."""

_Node = tuple[Any, frozenset[str], int | None, float, int]
"""A value; the units and the fewest phases named on the way to it; the curve's baseline; and how deep it lies."""


class _Found:
    """The highest of what was found so far, by the name the gate knows it by."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, amount: float, units: frozenset[str], phases: int | None) -> None:
        """A limit of all phases together, or in ampere of each. Without a unit it is taken for ampere."""
        self._ampere(amount, units)
        if "W" in units:
            self.most("max_limit_w", amount)
            self.most("max_phase_w", amount / (phases or 3))

    def add_phases(self, amounts: list[float], units: frozenset[str]) -> None:
        """Limits of single phases."""
        self._ampere(max(amounts), units)
        if "W" in units:
            self.most("max_limit_w", sum(amounts))
            self.most("max_phase_w", max(amounts))

    def _ampere(self, amount: float, units: frozenset[str]) -> None:
        if units - {"A", "W"}:
            # What a station makes of a unit that OCPP does not have, nobody knows.
            self.most("max_limit_a", math.inf)
        elif not units or "A" in units:
            self.most("max_limit_a", amount)

    def most(self, name: str, amount: float) -> None:
        self.values[name] = max(amount, self.values.get(name, 0.0))


def bounds(payload: Any, unit: str | None = None, phases: int | None = None) -> dict[str, float]:
    """The highest limits anywhere in a payload: `max_limit_a`, `max_limit_w`, `max_phase_w`, those that are there.

    `unit` ("A" or "W") and `phases` are those of limits where the payload does not say them. What is no number,
    or nested deeper than 200, counts as infinite.
    """
    if not _worth_a_look(payload):
        return {}
    found = _Found()
    start = frozenset({unit}) if unit else frozenset[str]()
    todo: list[_Node] = [(payload, start, phases, 0.0, 0)]
    while todo:
        node, units, fewest, baseline, depth = todo.pop()
        if depth > DEEPEST:
            found.most("max_limit_a", math.inf)
        elif isinstance(node, dict):
            todo += _object(cast("dict[Any, Any]", node), found, units, fewest, baseline, depth + 1)
        elif isinstance(node, (list, tuple)):
            todo += [(item, units, fewest, baseline, depth + 1) for item in cast("list[Any]", node)]
        elif isinstance(node, str):
            inner = _json(node)
            if inner is not None:
                todo.append((inner, units, fewest, baseline, depth + 1))
    return found.values


def _worth_a_look(payload: Any) -> bool:
    """False when no name of a limit stands anywhere in a payload: long local lists need no walk."""
    try:
        text = msgspec.json.encode(payload).lower()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return True
    return any(word in text for word in _TELLING)


def names_in(payload: Any) -> list[str]:
    """Every text in a field `name` or `key` anywhere in a payload, sorted: the settings a request may be about."""
    found: set[str] = set()
    todo = [payload]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            for key, value in cast("dict[Any, Any]", node).items():
                if str(key).casefold() in NAMES:
                    found |= set(_texts(value))
                todo.append(value)
        elif isinstance(node, (list, tuple)):
            todo += cast("list[Any]", node)
    return sorted(found)


def _object(
    node: dict[Any, Any], found: _Found, units: frozenset[str], phases: int | None, baseline: float, depth: int
) -> Iterator[_Node]:
    table: dict[str, list[Any]] = {}
    for key, value in node.items():
        table.setdefault(str(key).casefold(), []).append(value)
    units = units | {word.upper() for word in _texts(table.get(UNIT))}
    if COUNT in table:
        counts = [count if type(count) is int and 1 <= count <= 3 else 1 for count in table[COUNT]]
        phases = min(counts if phases is None else [*counts, phases])
    if BASELINE in table:
        baseline = max(_amounts(table[BASELINE]), default=0.0)
        found.add(baseline, units, phases)
    for field in FIELDS:
        listed = [_amounts(table.get(field + phase)) for phase in PHASES]
        amounts = [max(values) for values in listed if values]
        if listed[1] or listed[2]:
            found.add_phases(amounts, units)
        elif amounts:
            found.add(amounts[0], units, phases)
    for amount in _amounts(table.get(CURVE)):
        found.add(amount + baseline, units, phases)
    for values in table.values():
        yield values, units, phases, baseline, depth


def _amounts(value: Any) -> list[float]:
    """Every number in the value of a limit, by its amount; also those written as text, or wrapped into something."""
    found: list[float] = []
    todo = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, bool) or node is None:
            continue
        if isinstance(node, (int, float)):
            found.append(_amount(node))
        elif isinstance(node, str):
            try:
                found.append(_amount(float(node)))
            except ValueError:
                continue
        elif isinstance(node, dict):
            todo += cast("dict[Any, Any]", node).values()
        elif isinstance(node, (list, tuple)):
            todo += cast("list[Any]", node)
    return found


def _amount(value: float) -> float:
    try:
        amount = abs(float(value))
    except OverflowError:
        return math.inf
    return math.inf if math.isnan(amount) else amount


def _texts(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            todo += cast("dict[Any, Any]", node).values()
        elif isinstance(node, (list, tuple)):
            todo += cast("list[Any]", node)


def _json(value: str) -> Any:
    """What a text holds when it is a JSON object or list, as the data of a vendor's message may be."""
    if not value.lstrip().startswith(("{", "[")):
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
