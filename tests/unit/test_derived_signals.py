"""Signals that follow from others: contactor, energised, auth_active, i_limit, e_bench; and the supply."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Any

import pytest
from pilotbench.bench.correlation import evaluate
from pilotbench.bench.correlation.facts import Facts
from pilotbench.bench.correlation.group import Group
from pilotbench.bench.correlation.language.pack import Pack
from pilotbench.bench.correlation.language.rule_reader import read_rule
from pilotbench.bench.correlation.language.signals import SIGNALS
from pilotbench.bench.correlation.world.derived import DERIVED
from pilotbench.bench.correlation.world.world import World
from pilotbench.bench.timeline import Event

from traces import CONFIG, TWIN_FACTS, Trace, full_session

ALL = {name: SIGNALS[name] for name in (*DERIVED, "current", "e_bench")}


def world_of(events: list[Event], facts: Facts = TWIN_FACTS, until_ms: float = 0.0) -> World:
    """A world that has all derived signals, after these events."""
    world, timers, number = World(facts), list[tuple[int, int, Any]](), count()
    world.follow(ALL, lambda when_ns, action: heapq.heappush(timers, (when_ns, next(number), action)))
    for event in events:
        while timers and timers[0][0] < event.stamp.order_ns:
            world.now_ns, _, action = heapq.heappop(timers)
            action()
        world.apply(event)
    while timers and timers[0][0] < until_ms * 1e6:
        world.now_ns, _, action = heapq.heappop(timers)
        action()
    return world


def told(world: World, signal: str) -> list[tuple[object, float]]:
    """The changes of a signal, with the time (ms) at which they were told."""
    return [(change.value, change.mark.stamp.order_ns / 1e6) for change in world.track(signal, 1).changes]


def values(world: World, signal: str) -> list[object]:
    return [value for value, _ in told(world, signal)]


# ---- contactor and supply


def test_the_contactor_is_seen_by_the_voltage_at_the_outlet() -> None:
    t = Trace()
    t.output(100, False)
    t.output(3000, True)
    t.output(5000, False)
    world = world_of(t.events)
    assert values(world, "contactor") == [False, True, False]
    assert [c.mark for c in world.track("contactor", 1).changes] == [c.mark for c in world.track("output", 1).changes]


def test_without_supply_a_dead_output_says_nothing_of_the_contactor() -> None:
    t = Trace()
    t.output(100, True)
    supply = {"device": "rig", "verb": "mains"}
    t.host("bench", "stimulus", 1000, {**supply, "args": {"on": False}})
    t.output(1020, False)
    t.host("bench", "stimulus", 5000, {**supply, "args": {"on": True}})
    t.output(9000, True)
    unswitched = [event for event in t.events if event.topic != "stimulus"]
    assert values(world_of(unswitched), "contactor") == [True, False, True]
    world = world_of(t.events)
    assert values(world, "supply") == [False, True]
    assert values(world, "contactor") == [True, None, False, True]


# ---- energised


def test_energised_goes_by_the_output_where_it_is_sensed() -> None:
    t = Trace()
    t.output(100, False)
    t.output(1000, True)
    t.meters(1100, 1900, 10.0, 1.0)
    t.output(2000, False)
    t.meter(2050, 0.0)
    assert values(world_of(t.events), "energised") == [False, True, False]


def test_where_nobody_senses_it_a_current_shows_it() -> None:
    t = Trace()
    t.meters(1000, 2000, 0.0)
    t.meters(2100, 3000, 10.0, 1.0)
    t.meters(3100, 4000, 0.0)
    world = world_of(t.events)
    assert values(world, "energised") == [True, None]
    edge = world.track("energised", 1).changes[0].mark.stamp
    assert (edge.lo_ns / 1e6, edge.hi_ns / 1e6) == (1900, 2100)


def test_current_at_a_dead_output_is_a_contradiction_and_known_to_be_one() -> None:
    t = Trace()
    t.output(100, False)
    t.meter(500, 0.0)
    t.meter(1000, 8.0)
    world = world_of(t.events)
    assert values(world, "energised") == [False, None]
    last = world.track("energised", 1).last
    assert last is not None
    assert last.why == "the meter sees current while the output sense says dead"


def test_a_gap_of_one_source_leaves_what_the_other_tells() -> None:
    t = Trace()
    t.output(100, True)
    t.meters(200, 1000, 10.0, 1.0)
    t.gap("meter", 1100, 1500)
    assert values(world_of(t.events), "energised") == [True]
    t.gap("pilot", 1600, 1900)
    world = world_of(t.events)
    assert values(world, "energised") == [True, None]
    assert world.track("energised", 1).changes[-1].mark.stamp.lo_ns == 1_600_000_000


# ---- auth_active


def test_auth_active_is_neither_within_the_settle_time_of_an_end() -> None:
    t = Trace()
    t.charging()
    t.remote_stop(8000)
    t.end(20_000)
    world = world_of(t.events)
    assert told(world, "auth_active") == [(False, 150), (True, 2000), (None, 8000), (False, 14_000)]
    assert [change.value for change in world.track("auth", 1).changes] == ["no", "yes", "ending", "no"]


def test_what_was_announced_falls_when_somebody_is_let_in_again() -> None:
    t = Trace()
    t.charging()
    t.remote_stop(8000)
    t.tx_ended(8500, 5010)
    t.authorized(9000)
    t.end(20_000)
    world = world_of(t.events)
    assert told(world, "auth_active") == [(False, 150), (True, 2000), (None, 8000), (True, 9000)]


@pytest.mark.parametrize(
    ("values_read", "more", "expected"),
    [
        (None, {}, []),  # not read at all
        ({"LocalPreAuthorize": "false"}, {}, [False]),
        ({"LocalPreAuthorize": "true"}, {}, [False, None]),
        ({"HeartbeatInterval": "10"}, {}, [False, None]),  # nobody read whether it decides by itself
        ({"HeartbeatInterval": "10"}, {"unknown": ["LocalPreAuthorize"]}, [False]),
        ({"HeartbeatInterval": "10"}, {"complete": True}, [False]),
        ({"AuthCtrlr.LocalPreAuthorize": "false"}, {}, [False]),
        ({"AuthCtrlr.LocalPreAuthorize": "true"}, {}, [False, None]),
        ({"HeartbeatInterval": "10"}, {"unknown": ["AuthCtrlr.LocalPreAuthorize"]}, [False]),
        ({"AuthCtrlr.LocalPreAuthorize": "false", "AuthCtrlr.DisableRemoteAuthorization": "true"}, {}, [False, None]),
        ({"AuthCtrlr.Enabled": "false"}, {}, [True]),  # free
        ({"FreeVend": "true"}, {}, [True]),
    ],
)
def test_a_token_may_be_accepted_by_the_station_itself(
    values_read: dict[str, str] | None, more: dict[str, Any], expected: list[object]
) -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.boot(100, config=None)
    if values_read is not None:
        t.csms("station.config", 200, evse=None, **{"values": values_read, "unknown": [], **more})
    t.token(1000)
    assert values(world_of(t.events), "auth_active") == expected


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        ("Accepted", "true", None),
        ("RebootRequired", "true", None),
        ("Accepted", "false", False),
        ("Rejected", "true", False),
    ],
)
def test_a_setting_that_was_changed_counts(status: str, value: str, expected: object) -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.boot(100, config=CONFIG)
    accepted = status != "Rejected"
    t.csms("csms.setting", 500, evse=None, key="LocalPreAuthorize", value=value, accepted=accepted, status=status)
    t.token(1000)
    assert values(world_of(t.events), "auth_active")[-1] is expected


def test_offline_the_offline_keys_count() -> None:
    for key, online, offline in (("LocalAuthorizeOffline", False, None), ("AllowOfflineTxForUnknownId", False, None)):
        read = {"LocalPreAuthorize": "false", key: "true"}
        for lost, expected in ((False, online), (True, offline)):
            t = Trace()
            t.cp(5, "A", pwm=False)
            t.boot(100, config=read)
            if lost:
                t.disconnected(900)
            t.token(1000)
            assert values(world_of(t.events), "auth_active")[-1] is expected, (key, lost)


# ---- i_limit, e_bench


def test_i_limit_is_the_least_of_what_is_allowed_and_what_is_offered() -> None:
    t = Trace()
    t.charging()
    t.profile(6000, 16.0)
    t.duty(7000, 20.0)
    t.duty(8000, 100.0)
    found = [value if value is None else round(float(str(value)), 1) for value in values(world_of(t.events), "i_limit")]
    assert found == [0.0, 32.0, 16.0, 12.0, 0.0]


def test_e_bench_is_what_the_register_of_the_meter_grew_by() -> None:
    t = Trace()
    t.meters(1000, 2000, 32.0, 10.0)
    world = world_of(t.events)
    assert values(world, "e_bench")[0] == 0.0
    assert values(world, "e_bench")[-1] == pytest.approx(10.0)
    assert world.doubts == {}


def test_without_a_register_the_power_is_summed_up_with_its_error() -> None:
    t = Trace()
    for at, power in ((0, 0.0), (1000, 3600.0), (2000, 3600.0), (3000, 0.0)):
        t.host("meter", "meter.sample", at, {"current_a": [1.0], "power_w": power})
    world = world_of(t.events)
    assert values(world, "e_bench") == pytest.approx([0.0, 0.5, 1.5, 2.0])
    assert world.doubts["e_bench"] == pytest.approx(1.0)  # half of 3600 W for a second, twice


def test_energy_that_nobody_read_is_not_known_any_more() -> None:
    t = Trace()
    for at in (0, 1000, 5000, 6000):
        t.host("meter", "meter.sample", at, {"current_a": [1.0], "power_w": 3600.0})
    assert values(world_of(t.events), "e_bench") == [0.0, pytest.approx(1.0), None]


# ---- in rules, once for all rules of a group


def test_they_are_computed_where_a_rule_names_them_and_nowhere_else() -> None:
    def group(*sentences: str) -> Group:
        table = {"text": "t", "ref": "r"}
        rules = [read_rule(f"r{i}", {**table, "invariant": text}, {}, "p") for i, text in enumerate(sentences)]
        return Group(frozenset(), rules, Pack(rules, {}), Facts(), lambda named, instance, group: None)

    t = Trace()
    t.output(100, True)
    t.meter(200, 10.0)
    both = group("contactor open while cp.state A", "contactor closed while energised yes")
    none = group("output dead while cp.state A")
    for event in t.events:
        both.feed(event)
        none.feed(event)
    assert values(both.world, "contactor") == [True]
    assert values(both.world, "energised") == [True]
    assert values(none.world, "contactor") == []
    assert "meter.sample" in both.topics
    assert "meter.sample" not in none.topics


@pytest.mark.parametrize(
    ("sentence", "option", "expected"),
    [
        ({"respond": "cp.state C -> B => contactor open"}, {"within": "100 ms"}, "PASS"),
        ({"respond": "cp.state C -> B => contactor open"}, {"within": "20 ms"}, "FAIL"),
        ({"respond": "cp.state C -> B => energised no"}, {"within": "100 ms"}, "PASS"),
        ({"absent": "contactor open -> closed while auth_active no"}, {}, "PASS"),
        ({"absent": "contactor closed -> open while auth_active yes"}, {}, "FAIL"),
        ({"invariant": "e_bench <= 100 Wh while tx running"}, {}, "PASS"),
        ({"invariant": "e_bench <= 1 Wh while tx running"}, {}, "FAIL"),
        ({"respond": "i_limit changes => current <= 33 A"}, {"within": "5 s"}, "PASS"),
    ],
)
def test_they_work_in_sentences(sentence: dict[str, str], option: dict[str, str], expected: str) -> None:
    table = {**sentence, **option, "text": "t", "ref": "r"}
    pack = Pack([read_rule("r", table, {}, "p")], {})
    assert evaluate(full_session().events, pack, TWIN_FACTS).of("r").verdict.value == expected
