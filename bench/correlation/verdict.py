"""What a rule says in the end, and what a run's verdicts add up to.

A limit L on a quantity known as [lo, hi]: PASS if hi <= L, FAIL if lo > L, else INCONCLUSIVE. The order
NOT_APPLICABLE < PASS < INCONCLUSIVE < FAIL < ERROR is the one of TTCN-3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from ..timeline import Stamp

__all__ = ["RANKS", "EvidenceRef", "Instance", "Outcome", "Range", "Reason", "Report", "Verdict", "exit_code"]


class Outcome(StrEnum):
    """One of the five verdicts."""

    NOT_APPLICABLE = "NOT_APPLICABLE"
    PASS = "PASS"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        """Place in the order of badness, from 0."""
        return RANKS[self]


RANKS: dict[Outcome, int] = {outcome: rank for rank, outcome in enumerate(Outcome)}


class Reason(StrEnum):
    """Why something stays undecided."""

    CLOCK = "CLOCK"
    MEASUREMENT = "MEASUREMENT"
    GAP = "GAP"
    TRUNCATED = "TRUNCATED"
    AMBIGUOUS = "AMBIGUOUS"
    LATE = "LATE"
    LIMIT = "LIMIT"
    PRECONDITION = "PRECONDITION"


class Range(msgspec.Struct, frozen=True, gc=False):
    """A closed interval in `unit`; None stands for an end that is not known (without bound)."""

    lo: float | None
    hi: float | None
    unit: str


class EvidenceRef(msgspec.Struct, frozen=True, gc=False):
    """An event a verdict rests on, with its stamp as it was."""

    id: str
    role: str
    stamp: Stamp


class Instance(msgspec.Struct, frozen=True, gc=False):
    """One application of a rule: one trigger, one scope, one transaction.

    - `n`: counts the instances of a rule from 1, in the order in which their scopes opened.
    - `windows`: spans of the bench clock (ns) in which a disturbance would matter.
    - `watched`: the sources whose silence the verdict rests on (empty: it rests on what was seen).
    - `topics`: the topics for which a late event could change it.
    - `lengthened`: a standstill of the twin can explain a FAIL.
    - `decided_ns`: where in the canonical sequence it was decided (`order_ns`).
    - `interval`: what `measured` is, `bound` or `k=2`; `risk`: of a `k=2` verdict (or its lean), the probability that
      it is false at this margin, 0..1.
    """

    rule: str
    n: int
    evse: int | None
    outcome: Outcome
    reason: Reason | None
    because: str
    opened_ns: int
    measured: Range | None = None
    limit: float | None = None
    limit_names: tuple[str, ...] = ()
    margin: Range | None = None
    lean: Outcome | None = None
    decides: str | None = None
    evidence: tuple[EvidenceRef, ...] = ()
    text: str = ""
    line: str = ""
    windows: tuple[tuple[int, int], ...] = ()
    watched: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    lengthened: bool = True
    decided_ns: int = 0
    interval: str = "bound"
    risk: float | None = None


class Verdict(msgspec.Struct, frozen=True):
    """A rule's verdict over a whole run: that of its worst instance.

    `tally` counts all instances by verdict; `instances` holds them all, or of very many the first and the bad ones.
    `digest` is the hash over the rows of all instances.

    `counts`: whether it takes part in the run's exit code; `verified`: False when it rests on a limit that
    nobody checked against the standard's text; `interval`: what `measured` is, `bound` or `k=2`; `risk`: of a `k=2`
    verdict, the probability that it is false at this margin, 0..1.
    """

    rule: str
    title: str
    verdict: Outcome
    reason: Reason | None
    subject: str
    severity: str
    force: str
    ref: str
    counts: bool
    verified: bool
    measured: Range | None
    limit: float | None
    limit_names: tuple[str, ...]
    margin: Range | None
    lean: Outcome | None
    decides: str | None
    interval: str
    evidence: tuple[str, ...]
    because: str
    text: str
    line: str
    rule_digest: str
    instances: tuple[Instance, ...]
    tally: dict[str, int] = {}
    digest: str = ""
    risk: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; `limit` is a number in the unit of `measured`."""
        return msgspec.json.decode(msgspec.json.encode(self))


class Report(msgspec.Struct, frozen=True):
    """All verdicts of a run, in the order of the packs, and their digest.

    `late`: ids of events that came after their source had promised nothing older; `truncated`: the
    record ends before the run did; `violations`: where the bench contradicted its own bounds, or a source
    what is declared of its signals.
    """

    verdicts: list[Verdict]
    digest: str
    truncated: bool
    late: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()

    @property
    def worst(self) -> Outcome:
        """The worst verdict that counts; NOT_APPLICABLE when none does."""
        counted = [verdict.verdict for verdict in self.verdicts if verdict.counts]
        return max(counted, key=lambda outcome: outcome.rank, default=Outcome.NOT_APPLICABLE)

    def of(self, rule: str) -> Verdict:
        """The verdict of one rule.

        Raises:
            KeyError: no such rule was evaluated.
        """
        for verdict in self.verdicts:
            if verdict.rule == rule:
                return verdict
        raise KeyError(rule)


_EXIT = {
    Outcome.ERROR: 4,
    Outcome.FAIL: 1,
    Outcome.INCONCLUSIVE: 3,
    Outcome.NOT_APPLICABLE: 5,
    Outcome.PASS: 0,
}


def exit_code(report: Report) -> int:
    """What the command line returns: 4 ERROR, 1 FAIL, 3 INCONCLUSIVE, 5 nothing decided, 0 at least one PASS."""
    return _EXIT[report.worst]
