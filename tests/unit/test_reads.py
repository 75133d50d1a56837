"""What a rule reads is all that it needs: shown every event there is, it decides the same."""

from __future__ import annotations

from typing import Any

import pytest
from pilotbench.bench.correlation import evaluate, group
from pilotbench.bench.timeline import TOPICS

from traces import TWIN_FACTS, Trace, full_session, shipped_pack

BENDS: list[dict[str, Any]] = [{}, {"open_after": 163}]


def unplugged_while_charging() -> Trace:
    trace = Trace()
    trace.boot(0)
    trace.cp(200, "A", pwm=False)
    trace.output(210, False)
    trace.cp(1000, "B", pwm=False)
    trace.status(1100, "Preparing")
    trace.authorized(2000)
    trace.cp(2500, "B", pwm=True)
    trace.duty(2500, 26.67)
    trace.cp(3000, "C", pwm=True)
    trace.output(3100, True)
    trace.tx_started(3200, 1000)
    trace.meters(3300, 6000, 16.0, 8.0)
    trace.cp(6000, "A", pwm=True)
    trace.output(6400, False)
    trace.status(6500, "Finishing")
    return trace


@pytest.mark.parametrize(
    "trace", [*(full_session(**bend) for bend in BENDS), unplugged_while_charging()], ids=["clean", "late", "unplugged"]
)
def test_a_rule_that_sees_everything_decides_as_one_that_sees_what_it_reads(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = shipped_pack()
    mine = evaluate(trace.events, pack, TWIN_FACTS)
    monkeypatch.setattr(group, "reads", lambda *_: frozenset(TOPICS))
    everything = evaluate(trace.events, pack, TWIN_FACTS)
    assert [(v.rule, v.verdict, v.digest) for v in mine.verdicts] == [
        (v.rule, v.verdict, v.digest) for v in everything.verdicts
    ]
