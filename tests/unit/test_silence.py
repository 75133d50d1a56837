"""Silence after which the twin stood still: it blames once the standstill cannot explain it any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pilotbench.bench.correlation import Outcome

import ocpp16_boot
from traces import Trace

FAIL, OPEN = Outcome.FAIL, Outcome.INCONCLUSIVE


def opening(open_at: float | None = None, *, till: float = 15_000) -> Trace:
    """The vehicle leaves state C at 6 s."""
    trace = Trace()
    trace.charging()
    trace.cp(6000, "B", pwm=True)
    if open_at is not None:
        trace.output(open_at, False)
    trace.end(till)
    return trace


def told_after_boot(zero: float | None) -> Trace:
    """The boot is accepted at 0.1 s; the record ends 70 s later."""
    return ocpp16_boot.told_after_boot(zero, 300)


@pytest.mark.parametrize(
    ("rule", "traced", "stall_ms", "expected"),
    [
        # 100 ms; what the standstill holds up for 0.48 s may come up to 2.4 s later
        ("stop.open", opening, 480, FAIL),
        ("stop.open", lambda: opening(7500), 480, OPEN),
        ("stop.open", lambda: opening(9500), 480, FAIL),
        ("stop.open", lambda: opening(till=8000), 480, OPEN),
        ("stop.open", opening, 3000, OPEN),
        # a minute
        ("boot.status0", lambda: told_after_boot(None), 1000, FAIL),
        ("boot.status0", lambda: told_after_boot(62_000), 1000, OPEN),
        ("boot.status0", lambda: told_after_boot(None), 2500, OPEN),
    ],
)
def test_silence_blames_when_a_standstill_does_not_explain_it(
    rule: str, traced: Callable[[], Trace], stall_ms: float, expected: Outcome
) -> None:
    trace = traced()
    trace.overrun(6020, 6020 + stall_ms)
    verdict = trace.verdict(rule)
    assert verdict.verdict is expected, verdict.text
    undisturbed = traced().verdict(rule)
    assert undisturbed.verdict is FAIL, undisturbed.text


@pytest.mark.parametrize(("till_ms", "expected"), [(6500, FAIL), (9500, OPEN), (12_500, OPEN)])
def test_a_standstill_that_goes_on_is_told_in_pieces_and_counts_as_one(till_ms: int, expected: Outcome) -> None:
    """What watches the station tells every half second that it still does not answer."""
    trace = opening(till=40_000)
    for piece in range(6020, till_ms, 500):
        trace.overrun(piece, min(piece + 500, till_ms))
    verdict = trace.verdict("stop.open")
    assert verdict.verdict is expected, verdict.text
