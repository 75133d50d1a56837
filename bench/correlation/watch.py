"""The standing check as part of the engine, and what it and expired calibrations do to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ..timeline import Event
from .calibration import expired
from .facts import Facts
from .group import Group
from .language.named import NamedRule
from .language.pack import Pack
from .language.rule import Agree
from .language.signals import feeds
from .standing import CLAIM, StandingCheck, Violation
from .verdict import Instance, Outcome, Reason, Verdict

__all__ = ["Watch", "distrust", "uncalibrated"]

_TOPICS = frozenset({"cp.state", "output", "stimulus", "meter.sample", "pilot.reset", "clock.conflict"})


class Watch(Group):
    """A group without rules that compares what two sources tell of one fact."""

    def __init__(self, pack: Pack, facts: Facts) -> None:
        super().__init__(frozenset(), (), pack, facts, lambda named, instance, group: None)
        self.topics |= _TOPICS | feeds("auth") | feeds("status")
        self._check = StandingCheck(facts, self.world.claims)

    @property
    def violations(self) -> Sequence[Violation]:
        """The contradictions that were found."""
        return self._check.violations

    def take(self, event: Event, order_ns: int) -> None:
        """As every group; then compare."""
        super().take(event, order_ns)
        if self.foreign(event):
            return
        try:
            self._check.take(event)
        except Exception as error:  # noqa: BLE001 - as in every group
            self.world.faulted(event, f"{event.topic} cannot be compared ({type(error).__name__}: {error})")


def distrust(verdict: Verdict, named: NamedRule, violations: Iterable[Violation]) -> Verdict:
    """The verdict, or an ERROR when it rests on a source whose declared bounds were seen to be wrong meanwhile."""
    found = list(violations)
    if not found:
        return verdict
    for instance in verdict.instances:
        sources = _sources(instance, named)
        for violation in found:
            if violation.concerns(sources, instance.windows):
                if violation.sources == (CLAIM,):
                    return _unclaimed(verdict, named, violation)
                because = f"{violation.text} ({', '.join(violation.events)}); a verdict that rests on it is none"
                head = f"ERROR {named.id}"
                return msgspec.structs.replace(
                    verdict,
                    verdict=Outcome.ERROR,
                    reason=None,
                    subject="bench",
                    counts=True,
                    because=because,
                    line=f"{head}: {because}",
                    text=f"{head}  {verdict.title}\n  because: {because}\n  before that: {verdict.line}",
                )
    return verdict


def _unclaimed(verdict: Verdict, named: NamedRule, violation: Violation) -> Verdict:
    """A station that sets its clock against the bench's is no fault of the bench: its times decide nothing."""
    if verdict.verdict not in (Outcome.PASS, Outcome.FAIL):
        return verdict
    return msgspec.structs.replace(
        verdict,
        verdict=Outcome.INCONCLUSIVE,
        reason=Reason.CLOCK,
        lean=verdict.verdict,
        because=f"{verdict.because}; but {violation.text}",
        line=f"INCONCLUSIVE {named.id} (CLOCK): {violation.text}",
        text=f"{verdict.text}\n  but: {violation.text}: INCONCLUSIVE(CLOCK), leans to {verdict.verdict.value}",
    )


def uncalibrated(verdict: Verdict, named: NamedRule, facts: Facts, wall_ns: int | None) -> Verdict:
    """The verdict, or INCONCLUSIVE(MEASUREMENT) when the calibration of a device that it rests on ran out."""
    if verdict.verdict not in (Outcome.PASS, Outcome.FAIL) or isinstance(named.rule, Agree):
        return verdict
    sources = sorted({source for instance in verdict.instances for source in _sources(instance, named)})
    for source in sources:
        over = expired(facts, source, wall_ns)
        if over is None:
            continue
        why = f"the calibration of {source} is not valid on the day of the run ({over.calibrated} to {over.due})"
        if over.allowed:
            return msgspec.structs.replace(
                verdict, text=f"{verdict.text}\n  note: {why}; the bench file allows it (allow_expired_calibration)"
            )
        return msgspec.structs.replace(
            verdict,
            verdict=Outcome.INCONCLUSIVE,
            reason=Reason.MEASUREMENT,
            lean=verdict.verdict,
            because=f"{verdict.because}; but {why}",
            line=f"INCONCLUSIVE {named.id} (MEASUREMENT): {why}",
            text=f"{verdict.text}\n  but: {why}: INCONCLUSIVE(MEASUREMENT), leans to {verdict.verdict.value}",
        )
    return verdict


def _sources(instance: Instance, named: NamedRule) -> set[str]:
    """Whose words a verdict rests on; `claim` where it places events by the station's own clock."""
    found = {ref.id.rpartition("#")[0] for ref in instance.evidence}
    found.update(instance.watched)
    if named.rule.at == "claim" or isinstance(named.rule, Agree):
        found.add(CLAIM)
    return found
