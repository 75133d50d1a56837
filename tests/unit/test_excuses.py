"""What the back end did wrong on purpose: whom it excuses, for how long, and whom it does not."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pilotbench.bench.correlation import OnlineEngine, Outcome, Pack, Report, Verdict, evaluate, load_pack
from pilotbench.bench.correlation.excuse import is_excusable
from pilotbench.bench.correlation.verdict import Reason
from pilotbench.bench.timeline import Event, Stamp, Timeline

from traces import CONFIG, CONFIGS, MS, TWIN_FACTS, Trace, full_session, shipped_pack

LIMITS = [CONFIGS / "limits" / f"{name}.toml" for name in ("iec61851-1", "ocpp", "lab")]
RETRY = {**CONFIG, "TransactionMessageAttempts": "3", "TransactionMessageRetryInterval": "10"}
RETRY_2X = {
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "10",
}


@functools.cache
def reactions() -> Pack:
    return load_pack([CONFIGS / "rules" / "reactions.toml"], LIMITS)


def deed(
    trace: Trace,
    at: float,
    what: str,
    *,
    action: str | None = None,
    until: float | None = None,
    of: list[str] | None = None,
    nth: int | None = 1,
    station: str = "CP001",
) -> None:
    data = {"action": action, "what": what, "message_id": None, "detail": "", "of": of or [], "nth": nth}
    until_ns = None if until is None else round(until * MS)
    trace.host("csms", "csms.misbehaviour", at, {"station": station, **data, "until_ns": until_ns}, evse=None)


def ids(trace: Trace, what: str) -> list[str]:
    return [e.id for e in trace.events if e.topic == "csms.misbehaviour" and e.data["what"] == what]


def plugged_without_status(*, plug_at: float = 20_000) -> Trace:
    """The vehicle is plugged in and no status follows: `plug.status` (limit 5 s) fails."""
    trace = Trace()
    trace.idle()
    trace.pp(plug_at - 20, 220)
    trace.cp(plug_at, "B", pwm=False)
    trace.meters(200, 60_000, 0.0, every=1000)
    trace.end(60_000)
    return trace


def status(trace: Trace) -> Verdict:
    return trace.verdict("plug.status")


def test_without_a_deed_it_fails() -> None:
    assert status(plugged_without_status()).verdict is Outcome.FAIL


@pytest.mark.parametrize(
    ("at", "until", "excused"),
    [
        (21_000, 300_000, True),
        (10_000, 300_000, True),
        (10_000, 19_990, False),
        (10_000, 20_500, True),
        (26_000, 300_000, False),
        (21_000, None, False),
    ],
    ids=["within", "before, not over", "before, over", "before, over within", "after", "no excuse"],
)
def test_a_deed_excuses_what_it_touches(at: float, until: float | None, excused: bool) -> None:
    trace = plugged_without_status()
    deed(trace, at, "silence", action="StatusNotification", until=until)
    verdict = status(trace)
    if not excused:
        assert verdict.verdict is Outcome.FAIL
        return
    assert (verdict.verdict, verdict.reason, verdict.lean) == (
        Outcome.INCONCLUSIVE,
        Reason.PRECONDITION,
        Outcome.FAIL,
    )
    assert f"csms.misbehaviour {ids(trace, 'silence')[0]}: silence on StatusNotification" in verdict.because
    assert "on purpose" in verdict.text


def test_a_deed_that_was_ended_by_an_exchange_excuses_no_more() -> None:
    trace = plugged_without_status()
    deed(trace, 10_000, "silence", action="StatusNotification", until=310_000)
    first = ids(trace, "silence")
    deed(trace, 12_000, "restored", action="StatusNotification", of=first)
    assert status(trace).verdict is Outcome.FAIL
    # The end of another deed is not the end of this one.
    other = plugged_without_status()
    deed(other, 10_000, "silence", action="StatusNotification", until=310_000)
    deed(other, 12_000, "restored", action="StatusNotification", of=["csms#999"])
    assert status(other).verdict is Outcome.INCONCLUSIVE


def test_what_was_done_to_another_station_excuses_nobody() -> None:
    trace = plugged_without_status()
    deed(trace, 21_000, "silence", until=300_000, station="CP002")
    assert status(trace).verdict is Outcome.FAIL


def test_a_pass_stays_a_pass() -> None:
    trace = full_session()
    deed(trace, 1_000, "blackhole", until=400_000)
    before = {v.rule: v.verdict for v in full_session().judge().verdicts}
    assert {v.rule: v.verdict for v in trace.judge().verdicts} == before


def test_a_contactor_that_opens_late_is_not_excused() -> None:
    trace = full_session(open_after=250)
    for what in ("blackhole", "silence", "malformed"):
        deed(trace, 11_000, what, until=400_000)
    assert trace.verdict("stop.open").verdict is Outcome.FAIL


@pytest.mark.parametrize(("what", "excused"), [("silence", False), ("error", False), ("blackhole", True)])
def test_a_safety_rule_is_excused_only_while_the_bench_could_not_know(what: str, excused: bool) -> None:
    """Current without an authorisation, while the back end does something wrong."""
    trace = Trace()
    trace.idle()
    trace.plugged()
    trace.duty(2200, 53.33)
    trace.cp(2200.5, "B", pwm=True)
    trace.cp(3000, "C", pwm=True)
    trace.output(3100, True)
    trace.meters(200, 3100, 0.0)
    trace.meters(3200, 30_000, 16.0, 50.0)
    trace.end(30_000)
    assert trace.verdict("no_current.unauth").verdict is Outcome.FAIL
    deed(trace, 2_500, what, action="Authorize", until=400_000)
    expected = Outcome.INCONCLUSIVE if excused else Outcome.FAIL
    assert trace.verdict("no_current.unauth").verdict is expected


def test_every_arrival_gives_the_digest_of_the_recording() -> None:
    """Live and recorded, in whatever order the sources' events arrive: one digest."""
    trace = plugged_without_status()
    for at, what in ((10_000, "silence"), (20_500, "error"), (40_000, "blackhole")):
        deed(trace, at, what, until=at + 15_000)
    first = ids(trace, "silence")
    deed(trace, 11_000, "restored", of=first)
    events = trace.events
    offline = evaluate(events, shipped_pack(), TWIN_FACTS)
    assert offline.of("plug.status").verdict is Outcome.INCONCLUSIVE
    for seed in range(20):
        online = live(events, random.Random(seed))
        assert online.digest == offline.digest
        assert online.of("plug.status").because == offline.of("plug.status").because


def live(events: list[Event], rng: random.Random) -> Report:
    """The report of the running engine when the sources' events arrive in some order, each source's in its own."""
    queues: dict[str, list[Event]] = {}
    for event in events:
        queue = queues.setdefault(event.source, [tick(event, 1)])
        if rng.random() < 0.3:
            queue.append(tick(event, event.stamp.order_ns))
        queue.append(event)
    engine = OnlineEngine(Timeline(), shipped_pack(), TWIN_FACTS)
    for queue in queues.values():
        engine.take(queue.pop(0))
    while queues:
        source = rng.choice(sorted(queues))
        for _ in range(rng.choice((1, 3, 30))):
            engine.take(queues[source].pop(0))
            if not queues[source]:
                del queues[source]
                break
    return engine.finish()


def tick(event: Event, upto_ns: int) -> Event:
    return Event("tick", event.source, 0, Stamp.host(upto_ns), {"upto_ns": upto_ns}, None, None, event.rank)


# ---- rules about the reaction


def told(version: str, config: dict[str, str]) -> Trace:
    trace = Trace()
    trace.csms("ocpp.connected", 100, evse=None, version=version, subprotocols=[], remote="x")
    trace.call(110, "BootNotification")
    trace.csms("ocpp.boot.answered", 112, evse=None, status="Accepted", interval_s=300)
    trace.csms("station.config", 150, evse=None, values=config, unknown=[], complete=True)
    return trace


def failed(version: str, action: str, *again: float, what: str = "error", config: dict[str, str]) -> Trace:
    """A message at 10 s that is not taken, and is sent again at these times, when it is."""
    trace = told(version, config)
    trace.call(10_000, action)
    deed(trace, 10_002, what, action=action, until=310_000)
    for at in again:
        trace.call(at, action)
    return trace


def cut(version: str, what: str, back: float | None) -> Trace:
    trace = told(version, {})
    deed(trace, 10_000, what, until=None if what == "restart" else 310_000, nth=None)
    trace.disconnected(10_005)
    if back is not None:
        trace.csms("ocpp.connected", back, evse=None, version=version, subprotocols=[], remote="x")
    return trace


def _gave_up(version: str, action: str, config: dict[str, str]) -> Trace:
    """Three failures: after the last one it is not sent again."""
    trace = failed(version, action, 20_010, config=config)
    deed(trace, 20_012, "error", action=action, until=320_000, nth=2)
    trace.call(40_020, action)
    deed(trace, 40_022, "error", action=action, until=340_000, nth=3)
    return trace


def _lost(version: str, action: str, config: dict[str, str]) -> Trace:
    """The connection is lost meanwhile, and the message comes as soon as it is there again."""
    trace = failed(version, action, 13_000, config=config)
    trace.disconnected(11_000)
    trace.csms("ocpp.connected", 12_900, evse=None, version=version, subprotocols=[], remote="x")
    return trace


def _others(version: str, action: str, config: dict[str, str]) -> Trace:
    """Messages that are of no transaction go on between."""
    trace = failed(version, action, 20_010, config=config)
    for at in (10_500, 11_000, 15_000):
        trace.call(at, "Heartbeat")
    return trace


Case = tuple[str, str, Callable[[], Trace], Outcome]


def _of_messages(name: str, version: str, action: str, config: dict[str, str]) -> list[Case]:

    def again(*at: float, what: str = "error", config: dict[str, str] = config) -> Trace:
        return failed(version, action, *at, what=what, config=config)

    once = {key: "1" if "Attempts" in key else value for key, value in config.items()}
    gave_up = functools.partial(_gave_up, version, action, config)
    lost = functools.partial(_lost, version, action, config)
    others = functools.partial(_others, version, action, config)
    repeated, early = f"{name}.repeated", f"{name}.not_early"
    return [
        (repeated, "never", again, Outcome.FAIL),
        (repeated, "once more", lambda: again(20_010), Outcome.PASS),
        (repeated, "after its own time limit", lambda: again(50_000, what="silence"), Outcome.PASS),
        (repeated, "given up after three", gave_up, Outcome.PASS),
        (repeated, "one attempt only", lambda: again(config=once), Outcome.NOT_APPLICABLE),
        (repeated, "connection lost meanwhile", lost, Outcome.NOT_APPLICABLE),
        (early, "at once", lambda: again(10_100), Outcome.FAIL),
        (early, "other messages between", others, Outcome.PASS),
        (early, "connection lost meanwhile", lost, Outcome.PASS),
    ]


def _of_connections(rule: str, version: str) -> list[Case]:
    return [
        (rule, "stays away", lambda: cut(version, "reset", None), Outcome.FAIL),
        (rule, "comes back late", lambda: cut(version, "close", 100_000), Outcome.PASS),
        (rule, "restarted in order, stays away", lambda: cut(version, "restart", None), Outcome.FAIL),
        (rule, "another fault", lambda: cut(version, "half-open", None), Outcome.NOT_APPLICABLE),
    ]


CASES = [
    *_of_messages("react.tx", "1.6", "StopTransaction", RETRY),
    *_of_messages("react.v2.tx", "2.0.1", "TransactionEvent", RETRY_2X),
    *_of_messages("react.v2.tx", "2.1", "TransactionEvent", RETRY_2X),
    *_of_connections("react.reconnects", "1.6"),
    *_of_connections("react.v2.reconnects", "2.0.1"),
]


@pytest.mark.parametrize(("rule", "story", "trace", "expected"), CASES)
def test_reactions(rule: str, story: str, trace: Callable[[], Trace], expected: Outcome) -> None:
    made = trace()
    made.end(200_000)
    report = evaluate(made.events, reactions(), TWIN_FACTS)
    verdict = report.of(rule)
    assert verdict.verdict is expected, (story, verdict.text)
    bad = [v.rule for v in report.verdicts if v.verdict in (Outcome.FAIL, Outcome.ERROR)]
    assert bad == ([rule] if expected is Outcome.FAIL else [])


def test_every_reaction_has_a_trace_that_breaks_it_and_one_that_is_odd_and_fits() -> None:
    rules = {named.id for named in reactions().rules}
    assert {rule for rule, _, _, expected in CASES if expected is Outcome.FAIL} == rules
    assert {rule for rule, _, _, expected in CASES if expected is not Outcome.FAIL} == rules


def test_who_may_be_excused(tmp_path: Path) -> None:
    path = tmp_path / "who.toml"
    path.write_text(
        """
schema = 2
title = "Whom"

[rule."told"]
absent = "ocpp.status => ocpp.problem"
text = "x"
ref = "x"
within = "1 s"

[rule."vehicle"]
absent = "ocpp.status => ocpp.problem"
text = "x"
ref = "x"
within = "1 s"
subject = "vehicle"

[rule."instruments"]
absent = "cp.state A -> B => output dead -> live"
text = "x"
ref = "x"
within = "1 s"

[rule."reaction"]
absent = "ocpp.status => ocpp.problem"
text = "x"
ref = "x"
within = "1 s"
until = "csms.misbehaviour[what=reset]"
"""
    )
    assert [named.id for named in load_pack([path], []).rules if is_excusable(named)] == ["told"]
