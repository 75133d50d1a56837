"""Events whose data are not what the vocabulary says: of a driver from elsewhere, or of a recording."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pilotbench.bench.correlation import Facts, OnlineEngine, Outcome, Pack, Reason, evaluate
from pilotbench.bench.correlation.excerpt import describe
from pilotbench.bench.correlation.fluent import never
from pilotbench.bench.timeline import Event, Stamp, Timeline

from traces import MS, TWIN_FACTS, full_session, shipped_pack

ODD: list[tuple[str, str, Any]] = [
    ("cp.state", "state", ...),
    ("cp.pwm", "duty_pct", ...),
    ("cp.pwm", "duty_pct", "much"),
    ("output", "live", ...),
    ("meter.sample", "current_a", 16.0),
    ("stimulus", "args", "on"),
    ("station.config", "values", None),
    ("clock.anchor", "wall_ns", ...),
    ("gap", "from_ns", ...),
    ("twin.overrun", "from_ns", None),
]


def with_odd(topic: str, key: str, value: Any) -> tuple[list[Event], Event]:
    """A session in which the first event of a topic lacks a key (...), or has something else there."""
    trace = full_session()
    trace.gap("meter", 15000, 15200)
    trace.overrun(9000, 9050)
    events = trace.events
    n = next(n for n, event in enumerate(events) if event.topic == topic)
    data = {name: what for name, what in events[n].data.items() if name != key}
    events[n] = msgspec.structs.replace(events[n], data=data if value is ... else {**data, key: value})
    return events, events[n]


@pytest.mark.parametrize(("topic", "key", "value"), ODD)
def test_it_is_told_and_raises_nothing(topic: str, key: str, value: Any) -> None:
    events, odd = with_odd(topic, key, value)
    report = evaluate(events, shipped_pack(), TWIN_FACTS)
    assert [text for text in report.violations if text.startswith(f"{odd.id}: ") and topic in text]
    assert not [verdict.rule for verdict in report.verdicts if "defect of pilotbench" in verdict.because]
    assert describe(odd)


def test_it_raises_nothing_into_the_driver_that_published_it() -> None:
    timeline = Timeline()
    OnlineEngine(timeline, shipped_pack(), TWIN_FACTS).start()
    pilot = timeline.source("pilot")
    pilot.note("cp.pwm", {"on": True}, evse=1)
    pilot.tick(pilot.watermark_ns + 10**15)


def test_what_it_may_have_said_is_not_known() -> None:
    """The level that cannot be read may have been the one that the rule asks about: nobody passes."""
    rule = never("cp.state -> C").during("output dead").text("t").ref("r").named("own.never")
    pack = Pack([rule.build()], {})

    def run(odd: bool) -> list[Event]:
        second: dict[str, Any] = {"pwm": True} if odd else {"state": "B", "pwm": True}
        told: list[tuple[str, dict[str, Any]]] = [
            ("cp.state", {"state": "B", "pwm": False}),
            ("output", {"live": False}),
            ("cp.state", second),
            ("cp.state", {"state": "B", "pwm": False}),
            ("output", {"live": True}),
        ]
        return [
            Event(topic, "pilot", n, Stamp(n * 1000 * MS, n * 1000 * MS - MS, n * 1000 * MS), data, 1, None, 1)
            for n, (topic, data) in enumerate(told, 1)
        ]

    assert evaluate(run(odd=False), pack, Facts()).of("own.never").verdict is Outcome.PASS
    verdict = evaluate(run(odd=True), pack, Facts()).of("own.never")
    assert (verdict.verdict, verdict.reason) == (Outcome.INCONCLUSIVE, Reason.GAP)
