"""Rules that are about one OCPP version, and a station that comes back with another."""

from __future__ import annotations

from pilotbench.bench.correlation import Outcome, Pack, Reason, Verdict, evaluate
from pilotbench.bench.correlation.fluent import when

from traces import TWIN_FACTS, Trace


def told(*, back_as: str, told_after: float | None, plugged: float = 1000) -> Verdict:
    """Plugged in; away from 2000 to 3000; the status comes `told_after` milliseconds after the plug."""
    rule = when("cp.state A -> B").then("ocpp.status[logical=occupied]").within("10 s")
    pack = Pack([rule.ocpp("1.6").text("t").ref("r").named("own.status").build()], {})
    t = Trace()
    t.idle()
    t.cp(plugged, "B", pwm=False)
    t.disconnected(2000)
    t.csms("ocpp.connected", 3000, evse=None, version=back_as, subprotocols=[], remote="x")
    if told_after is not None:
        t.status(plugged + told_after, "Preparing")
    t.end(40000)
    return evaluate(t.events, pack, TWIN_FACTS).of("own.status")


def test_what_it_owes_in_one_version_it_may_tell_in_another() -> None:
    verdict = told(back_as="2.0.1", told_after=4000)
    assert (verdict.verdict, verdict.reason, verdict.lean) == (Outcome.INCONCLUSIVE, Reason.GAP, Outcome.FAIL)


def test_in_the_same_version_it_is_told_or_owed() -> None:
    assert told(back_as="1.6", told_after=4000).verdict is Outcome.PASS
    assert told(back_as="1.6", told_after=None).verdict is Outcome.FAIL


def test_a_rule_of_the_other_version_begins_nothing_any_more() -> None:
    assert told(back_as="2.0.1", told_after=500).verdict is Outcome.PASS
    assert told(back_as="2.0.1", told_after=None, plugged=4000).verdict is Outcome.NOT_APPLICABLE
