"""Rules that can be read and still make no sense."""

from __future__ import annotations

from collections.abc import Mapping

from ...timeline import parse_quantity
from .aggregates import CLOCKS, comparable
from .limits import Limit, dimension_of
from .rule import Absent, Agree, Amount, AnyRule, Cadence, Count, Respond

__all__ = ["contradiction"]


def contradiction(rule: AnyRule, limits: Mapping[str, Limit]) -> tuple[str, str] | None:
    """The option at fault and what is wrong with it; None for a rule that is all right."""
    match rule:
        case Respond():
            return _respond(rule, limits)
        case Absent() if rule.scope is None and rule.within is None and not rule.until:
            return "absent", "never for ever is no window: give `within` or `until`"
        case Absent() if rule.settle_from and not rule.settle:
            return "settle_from", "`settle_from` says when a `settle` is granted: give one"
        case Absent() if rule.scope is not None and (rule.within is not None or rule.until):
            return "within", "a scope has its own end; `within` and `until` go with a trigger"
        case Cadence() if rule.scope is None and rule.every:
            return "cadence", "`every` needs a scope (`while …`): nothing comes for ever"
        case Count() if rule.at_least is not None and rule.within:
            return "count", "at least so many in any window is a cadence; use `every`"
        case Count() if rule.at_least is not None and rule.at_most is not None and rule.at_least > rule.at_most:
            return "count", f"at least {rule.at_least} and at most {rule.at_most} cannot both be"
        case Agree():
            return _agree(rule, limits)
        case _:
            return None


def _agree(rule: Agree, limits: Mapping[str, Limit]) -> tuple[str, str] | None:
    if not comparable(rule.left, rule.right):
        return "agree", f"{rule.left} and {rule.right} are not two measurements of one quantity"
    ends = {rule.left, rule.right} == {"tx_meter", "register"}
    allowed = ("time",) if rule.left in CLOCKS else ("energy",) if ends else ("share", "energy")
    unit = limits[rule.tolerance].unit if rule.tolerance in limits else rule.tolerance.lstrip("+-0123456789. ")
    if dimension_of(unit) not in allowed:
        return "tolerance", f"{rule.tolerance or 'nothing'} is no tolerance here; a {' or '.join(allowed)} is needed"
    if rule.kind != "agree" and rule.left in CLOCKS:
        return "kind", "clocks agree or do not; `kind` is about energies"
    if rule.kind == "conform" and ends:
        return "kind", "`conform` needs the bench's meter as the reference: compare with e_bench"
    return None


def _respond(rule: Respond, limits: Mapping[str, Limit]) -> tuple[str, str] | None:
    lower, upper = _fixed_ns(rule.after, limits), _fixed_ns(rule.within, limits)
    if lower is not None and upper is not None and lower > upper:
        return "after", f"the window is empty: not before {lower / 1e6:g} ms, and within {upper / 1e6:g} ms"
    if rule.after is not None and rule.within is None:
        return "after", "a window that begins needs an end: give `within`"
    if rule.answers and (rule.hold or rule.proven or rule.already != "accept"):
        return "hold", "an event does not last: `hold`, `proven` and `already` go with a condition"
    if rule.proven and not rule.hold:
        return "proven", "`proven` says what a `hold` is worth: give one"
    return None


def _fixed_ns(amount: Amount | None, limits: Mapping[str, Limit]) -> float | None:
    if amount is None or amount.minus or amount.plus.startswith("config.") or amount.of.startswith(("$", "config.")):
        return None
    texts = [amount.of, amount.plus] if amount.plus else [amount.of]
    return sum(limits[text].base if text in limits else parse_quantity(text, "time") for text in texts)
