"""From which energy on a bench can compare two meters, and how finely it can compare two clocks."""

from __future__ import annotations

from ..facts import Facts
from ..language.aggregates import CLOCKS
from ..language.pack import Pack
from ..language.rule import Agree
from ..patterns.agree import QUARTER, THIRD
from .measure import Measure, never

__all__ = ["agreement"]

AT_WH = 10_000.0
"""An energy of a usual session, for which limit and uncertainty are told."""


def agreement(rule: Agree, pack: Pack, facts: Facts) -> Measure:
    """What the bench can say of the agreement of two aggregates."""
    if rule.left in CLOCKS:
        return _clocks(rule, pack, facts)
    if "e_bench" in (rule.left, rule.right):
        return _energy(rule, pack, facts)
    limit = pack.quantity(rule.tolerance, "energy")
    # two readings of one instant are compared as they are
    note = "exact where both readings claim one time; else what flowed between them, by the bench's meter, stays open"
    return Measure("Wh", limit, f"{limit:g} Wh", 0.0, "the station's own readings", note=note)


def _energy(rule: Agree, pack: Pack, facts: Facts) -> Measure:
    """U = accuracy x energy + what is fixed, with both ends of the transaction while nothing flows."""
    source = rule.right if rule.left == "e_bench" else rule.left
    absolute = pack.dimension(rule.tolerance) == "energy"
    share = 0.0 if absolute else pack.quantity(rule.tolerance, "share") / 100
    tolerance = pack.quantity(rule.tolerance, "energy") if absolute else 0.0
    accuracy, step = facts.meter_accuracy_pct / 100, facts.meter_resolution_wh
    digit = facts.station_register_resolution_wh if source == "register" else 1.0
    fixed = step + digit
    own, gained = (accuracy, step) if rule.kind == "agree" else (0.0, 0.0)
    # what U is compared with: a part of the limit, or all of it, which is known to a share of U itself
    factor = QUARTER if rule.kind == "conform" else THIRD if rule.minimum == "auto" else 1 + share
    slope, offset = share + own - factor * accuracy, tolerance + gained - factor * fixed
    dominant = f"accuracy of {facts.inventory.meter} ({facts.meter_accuracy_pct:g} %)"
    at, note = AT_WH, ""
    if slope > 0:
        note = f"from about {max(0.0, -offset / slope):.0f} Wh on" if offset < 0 else ""
    elif offset <= 0:
        return never(_coarse(factor, share, own > 0, dominant, fixed))
    else:
        most = -offset / slope if slope < 0 else AT_WH
        at, note = min(at, most), f"up to about {most:.0f} Wh"
    limit, u = tolerance + (share + own) * at + gained, (accuracy * at + fixed) * (1 + share)
    text = f"{tolerance:g} Wh" if absolute else f"{share * 100:g} %"
    return Measure("Wh", limit, f"{text}, at {at / 1e3:g} kWh", u, dominant, note=note)


def _coarse(factor: float, share: float, agrees: bool, dominant: str, fixed: float) -> str:
    """No energy is great (or small) enough."""
    if share <= 0:
        return f"the last digits of the two registers (together {fixed:g} Wh) are too coarse for its limit"
    part = {QUARTER: "a quarter of the limit", THIRD: "a third of the limit"}.get(int(factor), "the limit")
    need = share / (factor - 1 if agrees and factor > 2 else factor) * 100
    return f"its uncertainty is not below {part} at any energy: {dominant}; a meter better than {need:.2g} % is needed"


def _clocks(rule: Agree, pack: Pack, facts: Facts) -> Measure:
    """The station's clock is known between what it claims and when that was received, at best."""
    limit = pack.quantity(rule.tolerance, "time") / 1e9
    has = facts.inventory
    u = (has.claim_resolution_ms + has.ocpp_lag_ms + has.command_ms) / 2e3
    dominant = f"last digit of the station's times ({has.claim_resolution_ms:g} ms)"
    why = None
    if u >= limit:
        why = f"its uncertainty ±{u:.3g} s is not below the limit {limit:g} s: {dominant}"
    note = "at best; from above only if the bench caused something that the station dates"
    return Measure("s", limit, f"{limit:g} s", u, dominant, why, note)
