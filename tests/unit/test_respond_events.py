"""respond with events: each sentence of the semantics on a few events."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation import Instance, Outcome, Pack, Reason
from pilotbench.bench.correlation.condition import Reader
from pilotbench.bench.correlation.patterns import Context, monitor_for, waiting
from pilotbench.bench.correlation.patterns.respond_events import RespondEventsMonitor
from pilotbench.bench.correlation.world.world import World

from rule_runs import MS, Run, rule_of

PASS, FAIL, OPEN, NONE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE
WITHIN = rule_of(respond="lab.a => lab.b", within="100 ms")


def one(run: Run, pack: Pack = WITHIN, *, cut: bool = False) -> tuple[Outcome, Reason | None]:
    (said,) = run.says(pack, cut=cut)
    return said


@pytest.mark.parametrize(
    ("answer", "says"), [(99.0, PASS), (100.0, PASS), (100.001, FAIL), (None, FAIL), (0.0, PASS), (-1.0, FAIL)]
)
def test_the_limit_belongs_to_what_is_allowed_and_so_does_the_instant_of_the_trigger(
    answer: float | None, says: Outcome
) -> None:
    run = Run()
    run.add("lab.a", 0)
    if answer is not None:
        run.add("lab.b", answer, source="gauge")
    run.end()
    assert one(run) == (says, None)


@pytest.mark.parametrize(
    ("answer", "age", "says"), [(104.0, 5, OPEN), (105.0, 5, OPEN), (105.001, 5, FAIL), (100.0, 5, PASS)]
)
def test_an_answer_that_may_be_in_time_is_blamed_by_nobody(answer: float, age: float, says: Outcome) -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", answer, source="gauge", age=age)
    run.end()
    assert one(run) == (says, Reason.CLOCK if says is OPEN else None)


def test_what_is_measured_and_what_it_rests_on() -> None:
    run = Run()
    run.add("lab.a", 0, age=2)
    run.add("lab.b", 40, source="gauge", age=5)
    run.end()
    (item,) = run.instances(WITHIN)
    assert item.measured is not None
    assert item.margin is not None
    assert (item.measured.lo, item.measured.hi, item.measured.unit) == (35.0, 42.0, "ms")
    assert (item.margin.lo, item.margin.hi, item.limit) == (58.0, 65.0, 100.0)
    assert [(ref.id, ref.role) for ref in item.evidence] == [("rig#1", "trigger"), ("gauge#1", "response")]
    assert item.evse == 1


def test_a_pass_is_said_when_its_answer_comes_and_what_is_received_later_changes_nothing() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 60, source="gauge")
    run.add("lab.b", 20, source="probe", received=70)
    run.add("lab.x", 10, source="csms", received=80)
    run.end()
    (item,) = run.instances(WITHIN)
    assert item.measured is not None
    assert item.measured.lo == 60.0
    assert item.decided_ns == item.opened_ns + 60 * MS


def test_an_answer_that_is_received_before_its_trigger_may_have_come_after_it() -> None:
    run = Run()
    run.add("lab.b", 10, source="gauge", age=5)
    run.add("lab.a", 11, age=4)
    run.end()
    assert one(run) == (OPEN, Reason.CLOCK)
    surely = Run()
    surely.add("lab.b", 10, source="gauge", age=1)
    surely.add("lab.a", 8, age=1, received=11)
    surely.end()
    assert one(surely) == (PASS, None)


def test_what_the_source_of_the_trigger_reported_before_it_is_no_answer() -> None:
    run = Run()
    run.add("lab.b", 10, age=5)
    run.add("lab.a", 11, age=5)
    run.end()
    assert one(run) == (FAIL, None)


def test_of_one_source_the_sequence_decides_what_the_stamps_leave_open() -> None:
    run = Run()
    run.add("lab.a", 10, age=9)
    run.add("lab.b", 11, age=9)
    run.end()
    assert one(run) == (PASS, None)


def test_two_candidates_of_which_either_may_be_the_first() -> None:
    run = Run()
    run.add("lab.b", 10, source="gauge", age=5)
    run.add("lab.a", 11, age=4)
    run.add("lab.b", 300, source="gauge")
    run.end()
    assert one(run) == (OPEN, Reason.AMBIGUOUS)


def test_the_readings_of_one_instrument_are_compared_on_its_clock() -> None:
    run = Run()
    run.device("lab.a", 0, width=0.5, received=10)
    run.device("lab.b", 90, width=0.5, received=100)
    run.end()
    assert one(run) == (PASS, None)
    near = Run()
    near.device("lab.a", 0, width=0.5, received=10)
    near.device("lab.b", 100, width=0.5, received=110)
    near.end()
    assert one(near) == (OPEN, Reason.MEASUREMENT)


def test_after_begins_the_window() -> None:
    pack = rule_of(respond="lab.a => lab.b", after="50 ms", within="100 ms")
    for at, says in ((49.0, FAIL), (50.0, PASS), (100.0, PASS), (101.0, FAIL)):
        run = Run()
        run.add("lab.a", 0)
        run.add("lab.b", at, source="gauge")
        run.end()
        assert one(run, pack) == (says, None)


def test_what_comes_before_the_window_begins_is_no_candidate() -> None:
    pack = rule_of(respond="lab.a => lab.b", after="50 ms", within="100 ms")
    run = Run()
    run.device("lab.a", 0, width=0.5, received=10)
    run.device("lab.b", 30, width=0.5, received=40)
    run.device("lab.b", 60, width=0.5, received=70)
    run.end()
    (item,) = run.instances(pack)
    assert item.outcome is PASS
    assert item.measured is not None
    assert (item.measured.lo, item.measured.hi) == (59.0, 61.0)


def test_the_limit_is_longer_where_a_signal_just_changed() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", extend="50 ms if cp.state changed within 20 ms")
    for changed, age, says in ((-10, 0, PASS), (-30, 0, FAIL), (-15, 10, OPEN)):
        run = Run(evses=(1,))
        run.cp(-500, "A")
        run.cp(changed, "B", age=age)
        run.add("lab.a", 0)
        run.add("lab.b", 140, source="gauge", received=1140)
        run.end()
        assert one(run, pack)[0] is says


def test_each_trigger_waits_for_the_slack_of_its_own() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.a", 500, evse=2)
    run.add("lab.b", 550, source="gauge", evse=2, received=1300)
    run.end()
    assert run.says(WITHIN) == [(FAIL, None), (PASS, None)]


def test_the_trigger_is_not_its_own_answer() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.a", 50)
    run.end()
    pack = rule_of(respond="lab.a => lab.a", within="100 ms")
    assert run.says(pack) == [(PASS, None), (FAIL, None)]


def test_a_trigger_whose_source_reports_in_no_order_is_not_its_own_answer_either() -> None:
    run = Run()
    run.add("stimulus", 0, source="rig", device="pilot", verb="state", args={})
    run.end()
    assert one(run, rule_of(respond="stimulus => stimulus", within="100 ms")) == (FAIL, None)


def test_each_outlet_has_its_own_answers_and_an_event_without_one_counts_for_all() -> None:
    run = Run()
    run.add("lab.a", 0, evse=1)
    run.add("lab.a", 1, evse=2)
    run.add("lab.b", 50, source="gauge", evse=2)
    run.end()
    assert run.says(WITHIN) == [(FAIL, None), (PASS, None)]
    both = Run()
    both.add("lab.a", 0, evse=None)
    both.add("lab.b", 50, source="gauge", evse=1)
    both.end()
    assert sorted((item.evse, item.outcome) for item in both.instances(WITHIN)) == [(1, PASS), (2, FAIL)]
    for_all = Run()
    for_all.add("lab.a", 0, evse=1)
    for_all.add("lab.b", 50, source="gauge", evse=None)
    for_all.end()
    assert one(for_all) == (PASS, None)


def test_keys_of_the_data_keep_instances_apart_and_what_lacks_them_is_neither() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", per="id")
    run = Run()
    run.add("lab.a", 0, id="x")
    run.add("lab.a", 1, id=7)
    run.add("lab.a", 2)
    run.add("lab.b", 50, source="gauge", id="7", evse=2)
    run.add("lab.b", 50, source="gauge")
    run.end()
    assert run.says(pack) == [(FAIL, None), (PASS, None)]
    pair = rule_of(respond="lab.a => lab.b", within="100 ms", per="evse, id")
    assert [item.outcome for item in run.instances(pair)] == [FAIL, FAIL]


def test_a_key_of_the_trigger_is_compared_with_one_of_the_answer() -> None:
    pack = rule_of(respond="lab.a => lab.b[other=$mine, ok]", within="100 ms")
    run = Run()
    run.add("lab.a", 0, mine="x")
    run.add("lab.a", 1, mine="y")
    run.add("lab.b", 50, source="gauge", other="y", ok=True)
    run.add("lab.b", 51, source="gauge", other="x", ok=False)
    run.end()
    assert run.says(pack) == [(FAIL, None), (PASS, None)]


def test_the_limit_may_be_a_number_of_the_trigger() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="$wait_s + 10 ms")
    run = Run()
    run.add("lab.a", 0, wait_s=0.05)
    run.add("lab.b", 60, source="gauge")
    run.add("lab.a", 1000, wait_s=0.04)
    run.add("lab.b", 1060, source="gauge")
    run.add("lab.a", 2000)
    run.end()
    assert run.says(pack) == [(PASS, None), (FAIL, None), (OPEN, Reason.PRECONDITION)]


@pytest.mark.parametrize(("read", "says"), [("0.05", FAIL), ("1", PASS), (None, OPEN)])
def test_the_limit_may_be_a_setting_of_the_station(read: str | None, says: Outcome) -> None:
    pack = rule_of(respond="lab.a => lab.b", within="10 ms + config.MinimumStatusDuration")
    run = Run()
    run.add("lab.a", 0)
    if read is not None:
        values = {"MinimumStatusDuration": read}
        run.add("station.config", 20, source="csms", evse=None, values=values, unknown=[])
    run.add("lab.b", 500, source="gauge")
    run.end()
    assert one(run, pack) == (says, Reason.PRECONDITION if says is OPEN else None)


@pytest.mark.parametrize(("answer", "says"), [(500.0, PASS), (500.001, FAIL)])
def test_a_limit_that_is_read_back_after_the_answer_is_the_limit(answer: float, says: Outcome) -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", answer, source="gauge")
    run.add("station.config", 600, source="csms", evse=None, values={"X": "0.5"}, unknown=[])
    run.end()
    assert one(run, rule_of(respond="lab.a => lab.b", within="config.X")) == (says, None)


def test_an_edge_triggers_and_its_values_can_be_asked() -> None:
    pack = rule_of(respond="cp.state A -> B|C => lab.b[state=$value]", within="100 ms")
    run = Run()
    run.cp(-10, "A")
    run.cp(0, "B")
    run.add("lab.b", 50, source="gauge", state="C")
    run.add("lab.b", 60, source="gauge", state="B")
    run.end()
    (item,) = run.instances(pack)
    assert item.outcome is PASS
    assert item.measured is not None
    assert item.measured.lo == 60.0


def test_until_withdraws_what_is_owed() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", until="lab.c[ok]")
    said: list[tuple[Outcome, Reason | None]] = []
    for until, answer, ok in ((50, None, True), (50, None, False), (50, 40, True), (50, 60, True), (150, 120, True)):
        run = Run()
        run.add("lab.a", 0)
        run.add("lab.c", until, source="gauge", ok=ok)
        if answer is not None:
            run.add("lab.b", answer, source="gauge")
        run.end()
        said.append(one(run, pack))
    assert said == [(NONE, None), (FAIL, None), (PASS, None), (NONE, None), (FAIL, None)]


def test_an_answer_that_may_have_come_before_what_withdrew_it_owes_nothing() -> None:
    """It was answered or withdrawn, both before the limit: whichever it was, it is no failure, and proves no pass."""
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", until="lab.c")
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.c", 50, source="csms")
    run.add("lab.b", 60, source="gauge", age=30)
    run.end()
    assert one(run, pack) == (NONE, None)


def test_until_that_may_come_before_the_limit_leaves_it_open() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", until="lab.c")
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.c", 110, source="gauge", age=20)
    run.end()
    assert one(run, pack) == (OPEN, Reason.PRECONDITION)


def test_until_without_the_key_of_the_rule_ends_it_for_every_key() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", until="lab.c", per="id")
    run = Run()
    run.add("lab.a", 0, id="x")
    run.add("lab.a", 1, id="y")
    run.add("lab.c", 50, source="gauge")
    run.end()
    assert run.says(pack) == [(NONE, None), (NONE, None)]


def test_unless_a_condition_became_true() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", unless="cp.state A")
    run = Run()
    run.cp(-10, "B")
    run.add("lab.a", 0)
    run.cp(50, "A")
    run.end()
    assert one(run, pack) == (NONE, None)
    other = Run()
    other.cp(-10, "B")
    other.add("lab.a", 0)
    other.cp(150, "A")
    other.end()
    assert one(other, pack) == (FAIL, None)


def test_when_is_asked_at_the_trigger() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", when="cp.state B")
    run = Run()
    run.add("lab.a", -20)
    run.cp(-10, "A")
    run.add("lab.a", 0)
    run.cp(10, "B")
    run.add("lab.a", 20)
    run.end()
    assert run.says(pack) == [(OPEN, Reason.PRECONDITION), (FAIL, None)]


def test_each_trigger_has_a_when_of_its_own() -> None:
    pack = rule_of(respond="lab.a (when cp.state B) or lab.c => lab.b", within="100 ms")
    run = Run()
    run.cp(-10, "A")
    run.add("lab.a", 0)
    run.add("lab.c", 1)
    run.add("lab.b", 10, source="gauge")
    run.cp(20, "B")
    run.add("lab.a", 30)
    run.end()
    assert run.says(pack) == [(PASS, None), (FAIL, None)]


def test_it_watches_from_arm_until_disarm() -> None:
    pack = rule_of(respond="lab.a => lab.b", within="10 ms", arm="lab.on", disarm="lab.off")
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.on", 20)
    run.add("lab.a", 30)
    run.add("lab.a", 40, evse=2)
    run.add("lab.off", 50, evse=2)
    run.add("lab.on", 60, evse=2, source="gauge", age=15)
    run.add("lab.a", 55, evse=2, received=70)
    run.add("lab.off", 80, evse=None)
    run.add("lab.a", 90)
    run.end()
    assert [(item.opened_ns // MS - 1000, item.outcome, item.reason) for item in run.instances(pack)] == [
        (30, FAIL, None),
        (70, OPEN, Reason.PRECONDITION),
    ]
    unarmed = rule_of(respond="lab.a => lab.b", within="10 ms", disarm="lab.off")
    assert [item.opened_ns // MS - 1000 for item in run.instances(unarmed)] == [0, 30, 40]


def test_the_end_of_the_record() -> None:
    for end, cut, says in (
        (50, False, (OPEN, Reason.TRUNCATED)),
        (100, False, (FAIL, None)),
        (500, True, (OPEN, Reason.TRUNCATED)),
        (3000, True, (FAIL, None)),
    ):
        run = Run()
        run.add("lab.a", 0)
        run.end(end)
        assert one(run, cut=cut) == says


def test_a_gap_of_who_would_have_answered() -> None:
    for source, begin, says in (("gauge", 50, OPEN), ("gauge", 500, FAIL), ("csms", 50, FAIL), ("recorder", 50, OPEN)):
        run = Run()
        run.add("lab.b", -500, source="gauge")
        run.add("lab.a", 0)
        run.add("lab.x", 10, source="csms")
        run.gap(source, begin, begin + 20)
        run.end()
        assert one(run) == (says, Reason.GAP if says is OPEN else None)


def test_an_answer_that_came_after_its_source_promised_none() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge", received=3000, late=True)
    run.end()
    assert one(run) == (OPEN, Reason.LATE)


def test_without_a_limit_the_time_is_measured_and_nothing_fails() -> None:
    pack = rule_of(respond="lab.a => lab.b")
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 3000, source="gauge")
    run.add("lab.a", 3500)
    run.end()
    first, second = run.instances(pack)
    assert (first.outcome, second.outcome) == (PASS, NONE)
    assert first.measured is not None
    assert (first.measured.lo, first.limit, first.margin) == (3000.0, None, None)


def test_the_middle_decides_where_that_is_asked_for() -> None:
    table = {"respond": "lab.a => lab.b", "within": "100 ms", "decision": "simple"}
    for answer, says in ((103, PASS), (109, FAIL)):
        run = Run()
        run.add("lab.a", 0)
        run.add("lab.b", answer, source="gauge", age=10)
        run.end()
        (item,) = run.instances(rule_of(**table))
        assert (item.outcome, item.reason) == (says, None)
        assert "decision = simple" in item.because
        assert one(run) == (OPEN, Reason.CLOCK)


def test_a_fault_of_the_bench_itself_is_an_error() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.end()
    assert one(run, rule_of(respond="lab.a => lab.b", within="100 ms", subject="bench")) == (Outcome.ERROR, None)


def test_of_too_many_at_once_the_oldest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "OPEN_PER_KEY", 3)
    run = Run()
    for at in range(5):
        run.add("lab.a", at)
    run.add("lab.b", 50, source="gauge")
    run.end()
    assert run.says(WITHIN) == [(OPEN, Reason.LIMIT)] * 2 + [(PASS, None)] * 3
    monkeypatch.setattr(waiting, "OPEN", 2)
    both = Run()
    for at in range(4):
        both.add("lab.a", at, id=str(at))
    both.end()
    per_id = rule_of(respond="lab.a => lab.b", within="100 ms", per="id")
    assert both.says(per_id) == [(OPEN, Reason.LIMIT)] * 2 + [(FAIL, None)] * 2


def test_an_answer_before_the_trigger_that_was_given_up_leaves_it_open() -> None:
    run = Run()
    run.add("lab.b", 0, source="gauge", age=1)
    for i in range(waiting.BEFORE):
        run.add("lab.b", 1 + i / 100, source="gauge", evse=2)
    run.add("lab.a", 2, age=2)
    run.end()
    assert [item.reason for item in run.instances(WITHIN) if item.evse == 1] == [Reason.LIMIT]


def test_what_is_kept_does_not_grow_with_what_was_answered() -> None:
    run = Run(evses=tuple(range(1, 17)))
    for i in range(2000):
        run.add("lab.a", i, evse=1 + i % 16)
        run.add("lab.b", i + 0.5, source="gauge", evse=1 + i % 16)
    said: list[Instance] = []
    reader = Reader(World(run.facts), WITHIN, WITHIN.rules[0])
    timers: list[int] = []
    monitor = monitor_for(Context(reader, lambda when_ns, _: timers.append(when_ns), said.append))
    assert isinstance(monitor, RespondEventsMonitor)
    for event in run.events:
        monitor.take(event, ())
    assert [item.outcome for item in said] == [PASS] * 2000
    assert len(timers) == 1
    assert monitor.open_deadlines() == 0
    assert len(monitor._deadlines._due) < 100
    assert len(monitor._before._kept) == waiting.BEFORE


def test_a_claimed_time_and_one_that_cannot_be_placed() -> None:
    pack = rule_of(respond="ocpp.tx.started => ocpp.tx.ended", within="100 ms", at="claim", per="tx")
    run = Run()
    run.add("ocpp.tx.started", 0, source="csms", tx=1)
    run.add("ocpp.tx.ended", 50, source="csms", tx=1, claim="2026-03-01T12:00:00Z")
    run.end()
    assert one(run, pack) == (OPEN, Reason.CLOCK)
    claimed = Run()
    second = {"a": "2026-03-01T12:00:10.000Z", "b": "2026-03-01T12:00:10.050Z", "c": "2026-03-01T12:00:10.400Z"}
    claimed.add("ocpp.tx.started", 0, source="csms", tx=1, claim=second["a"])
    claimed.add("ocpp.tx.ended", 900, source="csms", tx=1, claim=second["b"])
    claimed.end(8000)
    (item,) = claimed.instances(pack)
    assert item.outcome is not FAIL
    assert one(claimed, rule_of(respond="ocpp.tx.started => ocpp.tx.ended", within="100 ms", per="tx")) == (FAIL, None)
