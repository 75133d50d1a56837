"""Sentences: one per pattern, from text to the fields of the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..aggregates import AGGREGATES
from ..rule import Absent, Agree, AnyRule, Cadence, Count, Invariant, Order, Respond
from .cursor import Cursor
from .names import Names
from .words import (
    amount,
    condition,
    conditions,
    happening,
    is_condition,
    occurrences,
    triggers,
)

__all__ = ["PATTERNS", "parse_sentence"]

Fields = dict[str, Any]


def parse_sentence(pattern: str, text: str, names: Names) -> Fields:
    """The fields of a rule that its sentence gives.

    Raises:
        SentenceError: the sentence is no sentence of this pattern; says where and what was expected.
    """
    cursor = Cursor(text, names)
    fields = _READERS[pattern](cursor)
    cursor.done()
    return fields


def _respond(cursor: Cursor) -> Fields:
    trigger = triggers(cursor)
    cursor.want("'=>' and what has to follow", "=>")
    if is_condition(cursor):
        return {"trigger": trigger, "response": condition(cursor)}
    if not cursor.sees("[") and cursor.after().text == "->":
        cursor.fail('a response is a state (output dead) or an event, not an edge; `already = "new"` wants a new one')
    return {"trigger": trigger, "answers": occurrences(cursor)}


def _absent(cursor: Cursor) -> Fields:
    first = triggers(cursor)
    if cursor.skip("=>"):
        return {"trigger": first, "never": happening(cursor)}
    only, *others = first
    if others or only.given:
        cursor.fail("expected is '=>' and what must not follow")
    cursor.want("'while' and a condition, or '=>' and what must not follow", "while")
    return {"never": only.on, "scope": condition(cursor)}


def _invariant(cursor: Cursor) -> Fields:
    holds = condition(cursor)
    cursor.want("'while' and a condition", "while")
    return {"holds": holds, "scope": condition(cursor)}


def _order(cursor: Cursor) -> Fields:
    if is_condition(cursor):
        before = conditions(cursor)
        cursor.want("'<' and the event that comes after", "<")
        anchor = happening(cursor)
        later = condition(cursor) if cursor.skip("<") else None
        return {"before": before, "anchor": anchor, "not_before": later}
    start = cursor.now
    first = occurrences(cursor)
    if cursor.skip("<"):
        return {"first": first, "then": occurrences(cursor)}
    token = cursor.kind("'<', or a key and its law", "name")
    only, *others = first
    if others:
        cursor.fail("a law is about one kind of event; join topics by |", start)
    for topic in only.topics:
        cursor.checked(token, lambda topic=topic: cursor.names.key(topic, token.text))
    law = cursor.want("contiguous, increasing, unique or constant", "contiguous", "increasing", "unique", "constant")
    return {"sequence": only, "key": token.text, "law": law.text}


def _cadence(cursor: Cursor) -> Fields:
    fields: Fields = {"event": happening(cursor)}
    which = cursor.want("'every' or 'apart' and a time", "every", "apart").text
    if cursor.now.kind == "name" and cursor.now.text == "heartbeat.interval":
        fields[which] = cursor.step().text
    else:
        token = cursor.now
        found = amount(cursor, "time")
        if found.plus or found.minus:
            cursor.fail("a cadence is one time", token)
        fields[which] = found.of
    if cursor.skip("while"):
        fields["scope"] = condition(cursor)
    return fields


def _count(cursor: Cursor) -> Fields:
    fields: Fields = {"event": happening(cursor)}
    while cursor.sees("<=", ">="):
        key = "at_most" if cursor.step().text == "<=" else "at_least"
        token = cursor.kind("a whole number", "number")
        if not token.text.isdigit():
            cursor.fail("a count is a whole number", token)
        fields[key] = int(token.text)
    if len(fields) == 1:
        cursor.fail("expected is <= or >= and a whole number")
    if cursor.skip("while"):
        fields["scope"] = condition(cursor)
    elif cursor.skip("within"):
        fields["within"] = amount(cursor, "time").of
    return fields


def _agree(cursor: Cursor) -> Fields:
    left = _aggregate(cursor)
    cursor.want("'~' and what it is compared with", "~")
    return {"left": left, "right": _aggregate(cursor)}


def _aggregate(cursor: Cursor) -> str:
    token = cursor.kind(f"one of {', '.join(AGGREGATES)}", "name")
    if token.text not in AGGREGATES:
        from ....timeline import did_you_mean

        cursor.fail(f"{token.text!r} is no aggregate{did_you_mean(token.text, AGGREGATES)}", token)
    return token.text


_READERS: dict[str, Callable[[Cursor], Fields]] = {
    "respond": _respond,
    "absent": _absent,
    "invariant": _invariant,
    "order": _order,
    "cadence": _cadence,
    "count": _count,
    "agree": _agree,
}

PATTERNS: dict[str, type[AnyRule]] = {
    "respond": Respond,
    "absent": Absent,
    "invariant": Invariant,
    "order": Order,
    "cadence": Cadence,
    "count": Count,
    "agree": Agree,
}
"""Pattern -> its structure."""
