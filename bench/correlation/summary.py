"""From a rule's instances to its verdict."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from .digest import digest_of
from .language.pack import NamedRule
from .ledger import Ledger
from .verdict import Instance, Outcome, Reason, Report, Verdict

__all__ = ["left_open", "verdict_of"]


def verdict_of(
    named: NamedRule, ledger: Ledger, told: Callable[[Instance, bool], Instance], broken: str | None
) -> Verdict:
    """The verdict of the worst instance; `told` gives an instance its text. `broken`: it could not be judged."""
    rule = named.rule
    worst = None if ledger.worst is None else told(ledger.worst, True)
    instances = tuple(worst if worst and item is ledger.worst else told(item, False) for item in ledger.instances)
    outcome = worst.outcome if worst is not None else Outcome.NOT_APPLICABLE
    never = f"NOT_APPLICABLE {named.id}"
    if broken is not None:
        return _error(named, broken, instances, ledger)
    return Verdict(
        rule=named.id,
        title=rule.text,
        verdict=outcome,
        reason=worst.reason if worst else None,
        subject=rule.subject,
        severity=rule.severity,
        force=rule.force,
        ref=rule.ref,
        counts=rule.counts or outcome is Outcome.ERROR,
        verified=named.verified,
        measured=worst.measured if worst else None,
        limit=worst.limit if worst else None,
        limit_names=tuple(item.name for item in named.limits),
        margin=worst.margin if worst else None,
        lean=worst.lean if worst else None,
        decides=worst.decides if worst else None,
        interval=worst.interval if worst else "bound",
        risk=worst.risk if worst else None,
        evidence=tuple(ref.id for ref in worst.evidence) if worst else (),
        because=worst.because if worst else "never triggered",
        text=worst.text if worst else f"{never}  {rule.text}\n  because: never triggered",
        line=worst.line if worst else f"{never}: never triggered",
        rule_digest=named.digest,
        instances=instances,
        tally=dict(ledger.tally),
        digest=ledger.digest,
    )


def left_open(report: Report, rules: Collection[str], why: str) -> Report:
    """The report with what these rules decided taken back: INCONCLUSIVE(LATE), for the reason given."""

    def opened(verdict: Verdict) -> Verdict:
        if verdict.rule not in rules or verdict.verdict in (Outcome.INCONCLUSIVE, Outcome.ERROR):
            return verdict
        lean = verdict.verdict if verdict.verdict is not Outcome.NOT_APPLICABLE else None
        return msgspec.structs.replace(
            verdict,
            verdict=Outcome.INCONCLUSIVE,
            reason=Reason.LATE,
            lean=lean,
            because=f"{verdict.because}; but {why}",
            line=f"INCONCLUSIVE {verdict.rule} (LATE): {why}",
            text=f"{verdict.text}\n  but: {why}",
        )

    verdicts = [opened(verdict) for verdict in report.verdicts]
    return msgspec.structs.replace(report, verdicts=verdicts, digest=digest_of(verdicts))


def _error(named: NamedRule, broken: str, instances: tuple[Instance, ...], ledger: Ledger) -> Verdict:
    rule = named.rule
    because = (
        f"this rule could not be judged for a defect of pilotbench ({broken}); please report it with the recording"
    )
    line = f"ERROR {named.id}: {because}"
    return Verdict(
        rule=named.id,
        title=rule.text,
        verdict=Outcome.ERROR,
        reason=None,
        subject="bench",
        severity=rule.severity,
        force=rule.force,
        ref=rule.ref,
        counts=True,
        verified=named.verified,
        measured=None,
        limit=None,
        limit_names=tuple(item.name for item in named.limits),
        margin=None,
        lean=None,
        decides=None,
        interval="bound",
        evidence=(),
        because=because,
        text=line,
        line=line,
        rule_digest=named.digest,
        instances=instances,
        tally=dict(ledger.tally),
        digest=ledger.digest,
    )
