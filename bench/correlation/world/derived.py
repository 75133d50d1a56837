"""Signals that follow from other signals, computed once for all rules of a group.

Each is a function of the newest change of each signal that it needs. It changes when one of them does, at that
change's own place in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...timeline import Event
from ..facts import Facts
from .mark import Mark, between
from .track import Change, Track

__all__ = ["DERIVED", "FLOWS_A", "Derivation", "derive"]

FLOWS_A = 0.5
"""What the meter has to see at least, beyond its error, to say by itself that the outlet is energised."""

Newest = Change | None
Found = tuple[object, str]
"""A value and, where it is None, why it is not known."""
Derivation = Callable[[Facts, Sequence[Newest]], Found]


def _contactor(_: Facts, needs: Sequence[Newest]) -> Found:
    """A dead output says nothing of the contactor while the bench has switched the supply off."""
    output, supply = needs
    if output is None or output.value is None:
        return None, _why(output, "output")
    if output.value is False and supply is not None and supply.value is False:
        return None, "without supply the output is dead whatever the contactor does"
    return output.value, ""


def _energised(facts: Facts, needs: Sequence[Newest]) -> Found:
    """By the output's voltage; where nobody senses it, by a current that flows."""
    output, current = needs
    flows = False
    if current is not None and isinstance(current.value, float):
        u = facts.current_accuracy_a + facts.current_accuracy_pct / 100 * abs(current.value)
        flows = current.value - u >= FLOWS_A
    if output is None or output.value is None:
        return (True, "") if flows else (None, _why(output, "output"))
    if output.value is False and flows and current is not None and between(output.mark, current.mark).lo > 0:
        return None, "the meter sees current while the output sense says dead"
    return output.value, ""


def _auth_active(_: Facts, needs: Sequence[Newest]) -> Found:
    """`auth` with two values: what is within the settle time of an end is neither."""
    auth = needs[0]
    if auth is not None and auth.value == "ending":
        return None, "within the 6 s of IEC 61851-1 sequence 10.2 after an end"
    if auth is None or auth.value is None:
        return None, _why(auth, "auth")
    return auth.value == "yes", ""


def _i_limit(_: Facts, needs: Sequence[Newest]) -> Found:
    """The least of what cable, rating and profiles allow, and what the duty cycle offers now."""
    allowance, offered = needs
    values = [item.value for item in needs if item is not None and isinstance(item.value, float | int)]
    if len(values) == len(needs) or 0.0 in values:
        return float(min(values)), ""
    missing = "allowance" if allowance is None or allowance.value is None else "offered"
    return None, _why(allowance if missing == "allowance" else offered, missing)


def _why(change: Newest, name: str) -> str:
    return change.why if change is not None and change.why else f"{name} is not known"


DERIVED: dict[str, tuple[tuple[str, ...], Derivation]] = {
    "contactor": (("output", "supply"), _contactor),
    "energised": (("output", "current"), _energised),
    "auth_active": (("auth",), _auth_active),
    "i_limit": (("allowance", "offered"), _i_limit),
}
"""Name -> the signals that it needs, in the order in which its function takes them."""


def derive(name: str, facts: Facts, track: Track, needs: Sequence[Track], mark: Mark, event: Event) -> Change | None:
    """Bring a derived signal up to date after a change at `mark`; its own change, or None.

    What was announced for later holds only as long as what it follows from does.
    """
    while track.last is not None and track.last.mark.stamp.order_ns > event.stamp.order_ns:
        track.changes.pop()
    value, why = DERIVED[name][1](facts, [item.last for item in needs])
    change = Change(mark, value, event, why)
    if value is None and (track.last is None or (track.last.value is None and track.last.why == why)):
        return None
    return change if track.push(change) else None
