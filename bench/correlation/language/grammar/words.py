"""The parts that sentences are made of: values, amounts, conditions, events, edges."""

from __future__ import annotations

from typing import Any, Literal, cast

from ....timeline import TOPICS, UNITS, parse_quantity
from ..limits import dimension_of
from ..rule import Amount, Condition, Happening, Occurrence, Scalar, Test, Trigger, Turn
from .cursor import Cursor
from .names import Names

__all__ = [
    "RESERVED",
    "amount",
    "condition",
    "conditions",
    "happening",
    "happenings",
    "occurrences",
    "parse_amount",
    "parse_conditions",
    "parse_happenings",
    "parse_values",
    "triggers",
]

RESERVED = frozenset({"and", "or", "not", "while", "when", "every", "apart", "within", "changes", "unsure"})
_COMPARISONS = ("<=", ">=", "<", ">")
_FUNCTIONS = ("duty_of", "amps_of")
_SUFFIX = {
    "_ns": "time",
    "_ms": "time",
    "_s": "time",
    "_a": "current",
    "_wh": "energy",
    "_pct": "share",
    "_v": "voltage",
}


def parse_conditions(text: str, names: Names, joined: Literal["and", "or"] = "and") -> tuple[Condition, ...]:
    """`cond and cond …` (or joined by `or`). Raises SentenceError."""
    cursor = Cursor(text, names)
    found = conditions(cursor, joined)
    cursor.done()
    return found


def parse_happenings(text: str, names: Names) -> tuple[Happening, ...]:
    """`event or edge or …`. Raises SentenceError."""
    cursor = Cursor(text, names)
    found = happenings(cursor)
    cursor.done()
    return found


def parse_values(text: str, signal: str, names: Names) -> tuple[Scalar, ...]:
    """`A|B`: values of a signal. Raises SentenceError."""
    cursor = Cursor(text, names)
    found = values(cursor, signal)
    cursor.done()
    return found


def parse_amount(text: str, dimension: str, names: Names) -> Amount:
    """A number of a dimension. Raises SentenceError."""
    cursor = Cursor(text, names)
    found = amount(cursor, dimension)
    cursor.done()
    return found


# ---- numbers


def amount(cursor: Cursor, dimension: str) -> Amount:
    """`[duty_of(]X[)] [+ Y] [- Z]`; each a limit, a quantity, `$key` or `config.KEY`."""
    by: Literal["", "duty_of", "amps_of"] = ""
    inner = dimension
    if cursor.sees(*_FUNCTIONS):
        token = cursor.step()
        by = cast("Literal['duty_of', 'amps_of']", token.text)
        if dimension != ("share" if by == "duty_of" else "current"):
            cursor.fail(f"{by} gives no {dimension}", token)
        inner = "current" if by == "duty_of" else "share"
        cursor.want("'('", "(")
    of = _single(cursor, inner)
    if by:
        cursor.want("')'", ")")
    plus = _single(cursor, dimension) if cursor.skip("+") else ""
    minus = _single(cursor, dimension) if cursor.skip("-") else ""
    return Amount(of, by, plus, minus)


def _single(cursor: Cursor, dimension: str) -> str:
    token = cursor.now
    if token.kind == "param":
        known = next((dim for suffix, dim in _SUFFIX.items() if token.text.endswith(suffix)), dimension)
        if known != dimension:
            cursor.fail(f"{token.text} is a {known}; a {dimension} is needed")
    elif token.kind == "quantity":
        cursor.checked(token, lambda: parse_quantity(token.text, dimension))
    elif token.kind == "name" and token.text.startswith("limit."):
        limit = cursor.checked(token, lambda: cursor.names.limit(token.text))
        if dimension_of(limit.unit) != dimension:
            cursor.fail(f"{token.text} is in {limit.unit}; a {dimension} is needed")
    elif not (token.kind == "name" and token.text.startswith("config.")):
        units = ", ".join(UNITS[dimension])
        cursor.fail(f"here stands {token.text!r}; expected is a {dimension} with its unit ({units}) or a limit")
    return cursor.step().text


# ---- values and conditions


def values(cursor: Cursor, signal: str) -> tuple[Scalar, ...]:
    """`A|B`: one or more values of a signal."""
    found: list[Scalar] = []
    while True:
        token = cursor.kind(f"a value of {signal}", "name", "text")
        found.append(cursor.checked(token, lambda token=token: cursor.names.value(signal, token.text.strip('"'))))
        if not cursor.skip("|"):
            return tuple(found)


def conditions(cursor: Cursor, joined: str = "and") -> tuple[Condition, ...]:
    """One or more conditions."""
    found = [condition(cursor)]
    while cursor.skip(joined):
        found.append(condition(cursor))
    if cursor.sees("or" if joined == "and" else "and"):
        cursor.fail(f"conditions are joined by {joined!r} here")
    return tuple(found)


def condition(cursor: Cursor) -> Condition:
    """`signal VALUES [unsure VALUES]`, `signal not VALUES`, `signal <= AMOUNT`, `signal >= AMOUNT`."""
    token = cursor.kind("a signal", "name")
    name = token.text
    signal = cursor.checked(token, lambda: cursor.names.signal(name))
    if cursor.sees(*_COMPARISONS):
        if signal.words:
            cursor.fail(f"{name} is no number; it is {', '.join(signal.words)}")
        sign = cursor.step().text
        return compared(name, sign, amount(cursor, signal.dimension or _dimension(cursor)))
    if cursor.sees("=", "!="):
        cursor.fail(f"a signal is compared with <=, >=, < or >, or has a value: {name} {next(iter(signal.words), '')}")
    inverse = cursor.skip("not")
    among = values(cursor, name)
    unsure = values(cursor, name) if cursor.skip("unsure") else ()
    return Condition(name, None if inverse else among, among if inverse else None, unsure)


def _dimension(cursor: Cursor) -> str:
    """What a setting of the station is compared with says what it is: its unit, or that of the limit."""
    token = cursor.now
    if token.kind == "name" and token.text.startswith("limit."):
        unit = cursor.checked(token, lambda: cursor.names.limit(token.text)).unit
    else:
        unit = token.text.lstrip("+-0123456789. ")
    return dimension_of(unit) or "time"


def compared(name: str, sign: str, bound: Amount) -> Condition:
    """A number compared: `sign` is one of <=, >=, <, >."""
    match sign:
        case "<=":
            return Condition(name, at_most=bound)
        case ">=":
            return Condition(name, at_least=bound)
        case "<":
            return Condition(name, below=bound)
        case _:
            return Condition(name, above=bound)


# ---- events and edges


def triggers(cursor: Cursor) -> tuple[Trigger, ...]:
    """`HAPPENING [(when CONDITIONS)] or …`."""
    found: list[Trigger] = []
    while True:
        on = happening(cursor)
        given: tuple[Condition, ...] = ()
        if cursor.skip("("):
            cursor.want("'when'", "when")
            given = conditions(cursor)
            cursor.want("')'", ")")
        found.append(Trigger(on, given))
        if not cursor.skip("or"):
            return tuple(found)


def happenings(cursor: Cursor) -> tuple[Happening, ...]:
    """`HAPPENING or …`."""
    found = [happening(cursor)]
    while cursor.skip("or"):
        found.append(happening(cursor))
    return tuple(found)


def happening(cursor: Cursor) -> Happening:
    """`signal VALUES -> VALUES`, `signal -> VALUES`, `signal changes`, or an event."""
    return _turn(cursor) if is_turn(cursor) else occurrence(cursor)


def is_turn(cursor: Cursor) -> bool:
    """An edge comes next, not an event."""
    if cursor.now.kind != "name" or cursor.now.text not in cursor.names.signals:
        return False
    following = cursor.after()
    if following.text in ("->", "changes"):
        return True
    ahead = 1
    while cursor.after(ahead).kind in ("name", "text") and cursor.after(ahead).text not in RESERVED:
        ahead += 1
        if cursor.after(ahead).text != "|":
            return cursor.after(ahead).text == "->"
        ahead += 1
    return False


def is_condition(cursor: Cursor) -> bool:
    """A condition on a signal comes next."""
    if cursor.now.kind != "name" or is_turn(cursor):
        return False
    name, following = cursor.now.text, cursor.after()
    if name not in cursor.names.signals and (name in TOPICS or name.endswith(".*") or name.startswith("lab.")):
        return False
    if following.text in ("<=", ">=", ">", "not", "=", "!="):
        return True
    if following.text == "<":
        known = cursor.names.signals.get(name)
        return name.startswith("config.") or (known is not None and bool(known.dimension))
    return following.kind in ("name", "text") and following.text not in RESERVED


def _turn(cursor: Cursor) -> Turn:
    name = cursor.step().text
    if cursor.skip("changes"):
        return Turn(name)
    leaves = () if cursor.sees("->") else values(cursor, name)
    cursor.want("'->'", "->")
    return Turn(name, leaves, values(cursor, name))


def occurrences(cursor: Cursor) -> tuple[Occurrence, ...]:
    """Events only, joined by `or`."""
    found = [occurrence(cursor)]
    while cursor.skip("or"):
        found.append(occurrence(cursor))
    return tuple(found)


def occurrence(cursor: Cursor) -> Occurrence:
    """`topic[|topic…][[TEST, …]]`."""
    topics: list[str] = []
    while True:
        token = cursor.kind("an event or an edge of a signal", "name")
        topics.extend(cursor.checked(token, lambda token=token: cursor.names.topics(token.text)))
        if not cursor.skip("|"):
            break
    tests: list[Test] = []
    if cursor.skip("["):
        while not cursor.sees("]"):
            tests.append(_test(cursor, topics))
            if not cursor.skip(","):
                break
        cursor.want("']' or ','", "]")
    return Occurrence(tuple(dict.fromkeys(topics)), tuple(tests))


_OPS = ("=", "!=", "<", "<=", ">", ">=", "?", "!?")


def _test(cursor: Cursor, topics: list[str]) -> Test:
    inverse = cursor.skip("not")
    token = cursor.kind("a key of the event's data", "name")
    for topic in topics:
        cursor.checked(token, lambda topic=topic: cursor.names.key(topic, token.text))
    if not cursor.sees(*_OPS):
        return Test(token.text, "=", (not inverse,))
    if inverse:
        cursor.fail("'not' goes with a key alone; write != here")
    op: Any = cursor.step().text
    if op in ("?", "!?"):
        return Test(token.text, op)
    found = [_scalar(cursor)]
    while cursor.skip("|"):
        found.append(_scalar(cursor))
    if op not in ("=", "!=") and len(found) > 1:
        cursor.fail("only = and != take several values")
    return Test(token.text, op, tuple(found))


def _scalar(cursor: Cursor) -> Scalar:
    token = cursor.kind("a value", "name", "text", "number", "param")
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.kind == "name" and token.text in ("true", "false"):
        return token.text == "true"
    if token.kind == "text":
        return token.text.strip('"')
    return token.text
