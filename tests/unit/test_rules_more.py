"""What a rule must not conclude from silence, from an answer that did not last, or from another outlet's facts."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from pilotbench.bench.correlation import Outcome, Reason, Verdict, evaluate, online
from pilotbench.bench.timeline import Event, Stamp, Timeline
from pilotbench.errors import RuleError

from traces import CONFIG, TWIN_FACTS, Trace, full_session, shipped_pack

FAIL, PASS, OPEN, NA, ERROR = Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE, Outcome.ERROR


# ---- what was not measured


def in_state_a(first: float, last: float) -> Trace:
    """State A from 5 to 9000, the meter read from `first` to `last` only."""
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.meters(first, last, 0.0)
    t.cp(9000, "B", pwm=False)
    t.end(9500)
    return t


@pytest.mark.parametrize(("first", "last"), [(60.0, 2000.0), (5000.0, 8900.0), (9100.0, 9400.0)])
def test_a_scope_that_was_sampled_in_part_is_no_pass(first: float, last: float) -> None:
    verdict = in_state_a(first, last).verdict("no_current.a")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_scope_that_was_sampled_from_end_to_end_passes() -> None:
    assert in_state_a(60, 8900).verdict("no_current.a").verdict is PASS


def test_a_meter_that_falls_silent_with_the_unplug_hides_nothing() -> None:
    run = full_session().events
    heard = [event for event in run if event.source != "meter" or event.stamp.order_ns < 21_900_000_000]
    verdict = evaluate(heard, shipped_pack().only("no_current.a"), TWIN_FACTS).of("no_current.a")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_bench_without_a_meter_cannot_tell() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.boot(100)
    t.end(20000)
    for rule in ("no_current.a", "no_current.unauth"):
        verdict = t.verdict(rule)
        assert (verdict.verdict, verdict.reason) == (OPEN, Reason.PRECONDITION)


def test_the_meter_may_start_with_the_bench_and_end_with_it() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.host("bench", "bench.state", 6000, {"state": "ready", "why": ""}, evse=None)
    t.meters(6100, 9000, 0.0)
    t.host("bench", "bench.state", 9050, {"state": "safe", "why": ""}, evse=None)
    t.end(15000)
    assert t.verdict("no_current.a").verdict is PASS


def test_without_output_sense_nobody_knows_that_it_stayed_off() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.cp(3000, "C", pwm=False)
    t.cp(5000, "B", pwm=False)
    t.end(20000)
    verdict = t.verdict("c1.stays_off")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.PRECONDITION)


def test_an_output_that_was_not_known_when_the_scope_began_is_no_pass() -> None:
    t = Trace()
    t.idle()
    t.plugged()
    t.gap("pilot", 2500, 2600)
    t.cp(3000, "C", pwm=False)
    t.output(6000, True)
    t.cp(9000, "B", pwm=False)
    t.end(20000)
    verdict = t.verdict("c1.stays_off")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_bounce_that_is_read_late_is_a_bounce() -> None:
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    t.output(6040, False)
    live = {"live": True, "phases": [True] * 3, "kind": "ac"}
    t.pilot("output", 6100, live, sense=True, read_after=300.0)
    t.call(6350, "Heartbeat")
    t.end(15000)
    assert t.verdict("stop.open").verdict is FAIL


# ---- authorisation

FED_BY_MAINS = msgspec.structs.replace(TWIN_FACTS, powered_by_bench=False)


def draws(t: Trace, begin: float, end: float) -> Trace:
    """10 A from `begin` to `end`, read all the time."""
    t.meters(200, begin - 100, 0.0)
    t.meters(begin, end, 10.0, 10.0)
    t.end(end + 500)
    return t


def test_a_session_that_ran_before_the_bench_came_is_not_blamed() -> None:
    t = Trace()
    t.cp(5, "C", pwm=True)
    t.duty(6, 53.33)
    t.output(7, True)
    t.csms("ocpp.connected", 100, evse=None, version="1.6", subprotocols=[], remote="x")
    t.csms("ocpp.attached", 121, evse=None, how="first CALL was Heartbeat")
    t.csms("station.config", 150, evse=None, values=CONFIG, unknown=[])
    verdict = draws(t, 300, 20000).verdict("no_current.unauth", facts=FED_BY_MAINS)
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.PRECONDITION)


@pytest.mark.parametrize("again", [False, True])
def test_reading_the_configuration_again_takes_nobodys_permission(again: bool) -> None:
    config = {**CONFIG, "LocalPreAuthorize": "true"}
    t = Trace()
    t.idle(config=config)
    t.plugged()
    t.token(1500)
    t.output(3100, True)
    if again:
        t.csms("station.config", 4000, evse=None, values=config, unknown=[])
    verdict = draws(t, 3200, 9000).verdict("no_current.unauth")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.PRECONDITION)


def test_after_the_unplug_a_token_that_was_accepted_locally_is_worth_nothing() -> None:
    t = Trace()
    t.idle(config={**CONFIG, "LocalPreAuthorize": "true"})
    t.plugged()
    t.token(1500)
    t.cp(3000, "A", pwm=False)
    t.cp(10000, "B", pwm=False)
    assert draws(t, 11000, 15000).verdict("no_current.unauth").verdict is FAIL


def test_an_unplug_inside_a_gap_ends_the_authorisation_and_a_gap_in_state_a_does_not() -> None:
    t = Trace()
    t.charging()
    t.gap("pilot", 5900, 6500)
    t.cp(6600, "A", pwm=False)
    t.cp(13000, "B", pwm=False)
    t.tx_ended(7000, 5000)
    assert draws(t, 14000, 18000).verdict("no_current.unauth").verdict is FAIL
    card_first = Trace()
    card_first.idle()
    card_first.authorized(600)
    card_first.gap("pilot", 700, 800)
    card_first.cp(900, "A", pwm=False)
    card_first.plugged()
    assert draws(card_first, 9000, 12000).verdict("no_current.unauth").verdict is PASS


def test_an_old_stop_from_the_queue_ends_nothing_of_today() -> None:
    t = Trace()
    t.charging()
    t.disconnected(6000)
    t.csms("ocpp.connected", 9000, evse=None, version="1.6", subprotocols=[], remote="x")
    t.csms("ocpp.attached", 9010, evse=None, how="first CALL was StopTransaction")
    old = t.claim(-900_000)
    t.csms("ocpp.tx.ended", 9100, tx=3, reason="Local", meter_wh="4000", claim=old, orphan=True)
    assert draws(t, 3500, 20000).verdict("no_current.unauth").verdict is PASS


def resumed(config: dict[str, str]) -> Trace:
    """Unplugged at 6000 with its transaction open, back at 16000, current from 17200."""
    t = Trace()
    t.charging(config=config)
    t.cp(6000, "A", pwm=True)
    t.output(6040, False)
    t.cp(16000, "B", pwm=True)
    t.cp(17000, "C", pwm=True)
    t.output(17100, True)
    return draws(t, 17200, 25000)


@pytest.mark.parametrize(("key", "expected"), [("false", PASS), ("true", FAIL), ("", OPEN)])
def test_a_transaction_may_outlast_the_unplug_where_the_station_says_so(key: str, expected: Outcome) -> None:
    trace = resumed({**CONFIG, "StopTransactionOnEVSideDisconnect": key} if key else CONFIG)
    for rule in ("no_current.unauth", "start.order"):
        assert trace.verdict(rule).verdict is expected


def test_a_remote_start_whose_token_is_then_refused_permits_nothing() -> None:
    t = Trace()
    t.idle()
    t.plugged()
    t.csms("csms.remote_start", 1500, id_tag="04A2", accepted=True, status="Accepted")
    t.authorized(1600, accepted=False)
    t.duty(2200, 53.33)
    t.cp(2200.5, "B", pwm=True)
    t.cp(3000, "C", pwm=True)
    t.output(9000, True)
    report = draws(t, 9200, 20000).judge("no_current.unauth", "start.order")
    assert {v.verdict for v in report.verdicts} == {FAIL}


@pytest.mark.parametrize(("timeout_s", "expected"), [("30", OPEN), ("120", PASS), ("", PASS)])
def test_a_card_that_was_shown_long_before_the_plug_may_have_lapsed(timeout_s: str, expected: Outcome) -> None:
    t = Trace()
    t.idle(config={**CONFIG, "ConnectionTimeOut": timeout_s})
    t.authorized(600)
    t.plugged(at=60_000)
    assert draws(t, 62_000, 70_000).verdict("no_current.unauth").verdict is expected


def test_a_free_bench_needs_no_configuration() -> None:
    free = msgspec.structs.replace(TWIN_FACTS, authorisation="free")
    t = Trace()
    t.idle(config=None)
    t.plugged()
    t.duty(2200, 53.33)
    t.cp(2200.5, "B", pwm=True)
    t.cp(3000, "C", pwm=True)
    t.output(3100, True)
    t.end(9000)
    assert t.verdict("start.order", facts=free).verdict is PASS


def test_free_vend_that_is_switched_on_during_the_run_permits_current() -> None:
    t = Trace()
    t.idle()
    t.plugged()
    t.csms("station.config", 2000, evse=None, values={**CONFIG, "FreeVendEnabled": "true"}, unknown=[])
    assert draws(t, 3000, 9000).verdict("no_current.unauth").verdict is PASS


# ---- which profile binds, and which outlet is meant


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"stack_level": 1}, {"stack_level": 0}),
        ({"purpose": "ChargePointMaxProfile"}, {"purpose": "TxProfile"}),
    ],
)
@pytest.mark.parametrize(("duty", "expected"), [(26.67, FAIL), (16.67, PASS)])
def test_a_lower_profile_binds_when_a_higher_one_is_accepted_after_it(
    first: dict[str, object], second: dict[str, object], duty: float, expected: Outcome
) -> None:
    t = Trace()
    t.charging()
    t.profile(10000, 10.0, **first)
    t.profile(12000, 16.0, **second)
    t.duty(12500, duty)
    t.end(40000)
    assert t.verdict("profile.duty").verdict is expected
    assert t.verdict("profile.floor").verdict is not FAIL


@pytest.mark.parametrize(("args", "expected"), [({"purpose": "tx"}, OPEN), ({"evse": 1}, FAIL)])
def test_what_a_filtered_clear_left_behind_may_still_bind(args: dict[str, object], expected: Outcome) -> None:
    t = Trace()
    t.charging()
    t.profile(5000, 10.0, purpose="ChargePointMaxProfile")
    t.duty(5500, 16.67)
    t.profile(9000, 16.0)
    t.csms("csms.profile_cleared", 12000, args=args, accepted=True, status="Accepted")
    t.profile(20000, 16.0)
    t.end(50000)
    floor = t.verdict("profile.floor")
    assert floor.instances[-1].outcome is expected
    assert t.verdict("profile.duty").verdict is PASS


def test_a_remote_stop_asks_one_outlet() -> None:
    two = msgspec.structs.replace(TWIN_FACTS, evses=(1, 2))
    t = Trace()
    t.charging()
    claim = t.claim(2100)
    t.csms("ocpp.tx.started", 2100, evse=2, tx=8, id_tag="B", meter_wh="0", claim=claim, accepted=True)
    t.remote_stop(5000)
    t.tx_ended(7000, 5003)
    t.end(40000)
    verdict = t.verdict("tx.stop", facts=two)
    assert [(item.evse, item.outcome) for item in verdict.instances] == [(1, PASS)]


# ---- what happened inside a gap


@pytest.mark.parametrize("off_at", [6610.0, None])
def test_a_stop_inside_a_gap_is_not_passed_over(off_at: float | None) -> None:
    t = Trace()
    t.charging()
    t.gap("pilot", 5900, 6500)
    t.cp(6600, "B", pwm=True)
    t.output(off_at or 6610, off_at is None)
    t.end(20000)
    verdict = t.verdict("stop.open")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_closing_inside_a_gap_is_looked_at_too() -> None:
    t = Trace()
    t.idle()
    t.plugged()
    t.gap("pilot", 3000, 3100)
    t.cp(3200, "C", pwm=True)
    t.output(3300, True)
    t.end(9000)
    assert t.verdict("start.order").verdict in (OPEN, FAIL)


def test_a_gap_in_which_nothing_changed_triggers_nothing() -> None:
    t = Trace()
    t.charging()
    t.gap("pilot", 5900, 6500)
    t.cp(6600, "C", pwm=True)
    t.output(6610, True)
    t.end(20000)
    assert t.verdict("stop.open").verdict is NA


# ---- energy


def stopped_under_load(upto: float) -> Trace:
    """meterStop is 4 Wh and 1.5 s older than the last register; the bench meter is read until `upto`."""
    t = Trace()
    t.charging()
    t.register(2070, "Begin", 5000.0)
    t.meters(3200, 20000, 16.0, 60.0)
    t.remote_stop(18000)
    t.register(20010, "End", 5059.0, claimed=19990)
    t.tx_ended(20015, 5055, claimed=18500)
    if upto > 20100:
        t.meters(20100, upto, 0.0)
    t.end(upto + 500)
    return t


@pytest.mark.parametrize(("upto", "reason"), [(20000.0, Reason.TRUNCATED), (26000.0, Reason.MEASUREMENT)])
def test_what_flowed_between_two_readings_is_no_deviation(upto: float, reason: Reason) -> None:
    verdict = stopped_under_load(upto).judge("energy.register", truncated=upto < 21000).of("energy.register")
    assert (verdict.verdict, verdict.reason) == (OPEN, reason)


def test_two_readings_of_one_instant_do_not_differ_by_what_flows() -> None:
    t = Trace()
    t.charging()
    t.register(2070, "Begin", 5000.0)
    t.meters(3200, 20000, 16.0, 60.0)
    t.remote_stop(18000)
    t.register(20010, "End", 5059.0, claimed=18500)
    t.tx_ended(20015, 5055, claimed=18500)
    t.meters(20100, 26000, 0.0)
    t.end(26500)
    assert t.verdict("energy.register").verdict is Outcome.FAIL


def test_a_transaction_whose_end_was_not_seen_is_not_settled_by_its_start() -> None:
    t = Trace()
    t.charging()
    t.end(9000)
    verdict = t.judge("energy.register", truncated=True).of("energy.register")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.TRUNCATED)


@pytest.mark.parametrize("back_s", [1.5, 5.0, 3600.0])
def test_a_station_clock_that_was_set_back_decides_nothing_wrongly(back_s: float) -> None:
    t = Trace()
    t.charging()
    t.meters(3200, 19900, 16.0, 60.0)
    t.remote_stop(19000)
    t.meters(20000, 26000, 0.0)
    claimed = 19950 - back_s * 1000
    t.register(20010, "End", 5060.2, claimed=claimed)
    t.tx_ended(20015, 5060, claimed=claimed)
    t.end(26500)
    verdict = t.verdict("energy.agree")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.MEASUREMENT)
    assert verdict.measured is not None
    assert verdict.measured.lo == 0


# ---- a verdict in between


def between_times(monkeypatch: pytest.MonkeyPatch, keep: int) -> Verdict:
    """A late stop at the very end of what is known, asked for while the run goes on."""
    monkeypatch.setattr(online, "KEEP", keep)
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    engine = online.OnlineEngine(Timeline(), shipped_pack(), TWIN_FACTS)
    for event in t.events:
        engine.take(event)
    future_ns = time.monotonic_ns() + 3_600_000_000_000
    engine.take(Event("tick", "pilot", 0, Stamp.host(future_ns), {"upto_ns": future_ns}, None, None, 3))
    return asyncio.run(engine.decided("stop.open", 1.0))


def test_a_verdict_in_between_knows_all_that_the_watermark_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    assert between_times(monkeypatch, 1000).verdict is FAIL


def test_a_verdict_in_between_is_refused_where_events_were_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuleError, match="kept in memory"):
        between_times(monkeypatch, 10)


@pytest.mark.parametrize(("begin", "expected"), [(6050.0, OPEN), (6400.0, PASS)])
def test_a_long_gap_that_is_told_later_may_hide_a_bounce(begin: float, expected: Outcome) -> None:
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    t.output(6040, False)
    t.call(8000, "Heartbeat")
    t.gap("pilot", begin, 12_000)
    t.cp(12_100, "B", pwm=True)
    t.output(12_110, False)
    t.end(20000)
    assert t.verdict("stop.open").verdict is expected


def test_a_bounce_that_comes_too_late_to_count_takes_the_pass_away() -> None:
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    t.output(6040, False)
    t.end(20000)
    events = t.events
    pilot = [event for event in events if event.source == "pilot"]
    stamp = Stamp(15_000_000_000, 6_100_000_000, 6_110_000_000)
    data = {"live": True, "phases": [True], "kind": "ac"}
    late = Event("output", "pilot", len(pilot) + 1, stamp, data, 1, None, pilot[0].rank, True)
    verdict = evaluate([*events, late], shipped_pack().only("stop.open"), TWIN_FACTS).of("stop.open")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.LATE)


@pytest.mark.parametrize("truncated", [False, True])
def test_a_scope_that_lasts_to_the_end_of_the_run_is_settled_by_it_unless_the_record_was_cut(truncated: bool) -> None:
    t = Trace()
    t.idle()
    t.plugged()
    t.cp(3000, "C", pwm=False)
    t.end(9000)
    verdict = t.judge("c1.stays_off", truncated=truncated).of("c1.stays_off")
    assert verdict.verdict is (OPEN if truncated else PASS)
    assert verdict.reason is (Reason.TRUNCATED if truncated else None)
