"""What a bench can decide, before anything has happened.

For each rule its limit, the uncertainty on this bench, and the band in which a measured value would stay undecided. A
measured value is the middle of its interval; u is half of the interval's width. PASS needs value + u within the limit,
FAIL value - u beyond it: what lies between is the band. Where u is not below the limit, what a station does well
cannot be told from a fault, and the rule can never be decided.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..calibration import expired
from ..facts import Facts
from ..language.named import NamedRule
from ..language.pack import Pack
from ..language.rule import Agree, Invariant
from ..reads import reads
from .agree import agreement
from .measure import Measure, never
from .measure_time import time_of
from .measure_value import value_of
from .needs import lack

__all__ = ["Decidability", "decidability", "summary"]


class Decidability(msgspec.Struct, frozen=True):
    """What the doctor says of one rule.

    - `unit`: of `limit`, `u` and `band`: ms, A, %, Wh, s, or empty where an order is asked.
    - `limit`: None where it is not known before the run; `limit_text` says it in words.
    - `band`: measured values that stay undecided; None where there is no limit, or nothing is left open.
    - `dominant`: the device or source that u owes most to. `never`: why it can never be decided; None if it can.
    - `note`: what else decides.
    """

    rule: str
    pattern: str
    unit: str
    limit: float | None
    limit_text: str
    u: float | None
    band: tuple[float, float] | None
    dominant: str
    never: str | None
    note: str

    @property
    def decidable(self) -> bool:
        """Whether the bench can decide it at all."""
        return self.never is None


def decidability(pack: Pack, facts: Facts, wall_ns: int | None = None) -> list[Decidability]:
    """Of each rule of a pack on a bench. `wall_ns`: today, for calibrations that ran out; None: do not ask."""
    return [_of(named, pack, facts, wall_ns) for named in pack.rules]


def _of(named: NamedRule, pack: Pack, facts: Facts, wall_ns: int | None) -> Decidability:
    why = lack(named, facts) or _outdated(named, facts, wall_ns)
    if why is not None:
        return _said(named, never(why))
    if isinstance(named.rule, Agree):
        return _said(named, agreement(named.rule, pack, facts))
    timed, valued = time_of(named, pack, facts), value_of(named, pack, facts)
    return _said(named, _together(named, timed, valued))


def _together(named: NamedRule, timed: Measure, valued: Measure | None) -> Measure:
    """A rule with a limit in time and one in value is decided by both; of an invariant the value comes first."""
    if valued is None or timed.never is not None:
        return timed
    if valued.never is not None:
        return valued
    if isinstance(named.rule, Invariant):
        edges = f"{timed.text}, ±{timed.u:.3g} ms" if timed.u else timed.text
        return valued.noted(edges)
    return timed.noted(f"and the value within ±{valued.u:.3g} {valued.unit}" if valued.u else "")


def _outdated(named: NamedRule, facts: Facts, wall_ns: int | None) -> str | None:
    topics = reads(named.rule, named.signals)
    read = (
        (facts.inventory.pilot, ("cp.", "output")),
        (facts.inventory.meter, ("meter.",)),
    )
    for source, beginnings in read:
        if not any(topic.startswith(beginnings) for topic in topics):
            continue
        over = expired(facts, source, wall_ns)
        if over is not None and not over.allowed:
            return f"the calibration of {source} holds from {over.calibrated or '?'} to {over.due or '?'} only"
    return None


def _said(named: NamedRule, found: Measure) -> Decidability:
    return Decidability(
        named.id,
        named.pattern,
        found.unit,
        found.limit,
        found.text,
        None if found.never is not None else found.u,
        None if found.never is not None else found.band,
        found.dominant,
        found.never,
        found.note,
    )


def summary(found: Sequence[Decidability]) -> str:
    """How many of them can be decided."""
    return f"{sum(item.decidable for item in found)} of {len(found)} rules decidable on this bench"
