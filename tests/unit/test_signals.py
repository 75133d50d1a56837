"""Signals by definition: what each kind makes of readings, and how wide its edges are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.correlation.facts import Facts
from pilotbench.bench.timeline import Event

from lab_signals import MS, Lab, Seen, at, readings

STEP = """
[signal."lab.door"]
text = "the door of the cabinet"
topic = "lab.t"
key = "v"
values = ["open", "closed"]
"""
WARM = """
[signal."lab.warm"]
text = "the plug is warm"
topic = "lab.t"
key = "v"
kind = "sampled"
unit = "degC"
max_gap = "5 s"
values = ["cold", "hot"]
hysteresis = ["50 degC", "60 degC"]
"""
NUMBER = """
[signal."lab.temp"]
text = "temperature"
topic = "lab.t"
key = "v"
kind = "sampled"
unit = "degC"
max_gap = "2 s"
"""
COUNTER = NUMBER.replace('"sampled"', '"register"').replace("degC", "Wh").replace("lab.temp", "lab.energy")


def values(lab: Lab, signal: str) -> list[object]:
    return [item.value for item in lab.seen(signal)]


# ---- step


def test_a_step_signal_holds_its_value_and_changes_at_the_event() -> None:
    lab = Lab(STEP)
    lab.play(readings([(10, "open"), (20, "open"), (5000, "closed")], width=3))
    assert lab.seen("lab.door") == [Seen("open", 7, 10), Seen("closed", 4997, 5000)]


def test_a_value_that_stands_for_no_word_is_not_known_and_says_so() -> None:
    lab = Lab(STEP)
    lab.play(readings([(10, "open"), (20, "ajar"), (30, "open")]))
    assert values(lab, "lab.door") == ["open", None, "open"]
    assert lab.world.track("lab.door", 1).changes[1].why == "v is 'ajar', which stands for none of open, closed"


def test_an_event_without_the_key_says_nothing() -> None:
    lab = Lab(STEP)
    lab.play([at(10, {"v": "open"}), at(20, {"other": 1}), at(30, {"v": None})])
    assert values(lab, "lab.door") == ["open"]


def test_words_stand_for_values_of_the_data() -> None:
    lab = Lab(STEP.replace('["open", "closed"]', "{ open = [1, 2], closed = false }"))
    lab.play(readings([(10, 2), (20, False), (30, "1"), (40, True), (50, 0)]))
    assert values(lab, "lab.door") == ["open", "closed", "open", None]


def test_a_step_signal_is_lost_when_nothing_confirms_it() -> None:
    lab = Lab(STEP + 'max_gap = "1 s"\n')
    lab.play(readings([(0, "open"), (900, "open")]), end_ms=1800)
    assert values(lab, "lab.door") == ["open"]
    lab.until(2000)
    assert lab.seen("lab.door")[1:] == [Seen(None, 1900, 1900)]
    lab.play(readings([(2500, "open")]))
    assert values(lab, "lab.door") == ["open", None, "open"]


def test_a_signal_of_one_outlet_is_that_outlets_alone() -> None:
    lab = Lab(STEP + "evse = 2\n", Facts(evses=(1, 2)))
    lab.play(readings([(10, "open")]))
    assert (lab.seen("lab.door", 1), values_of(lab, 2)) == ([], ["open"])
    both = Lab(STEP, Facts(evses=(1, 2)))
    both.play([*readings([(10, "open")]), at(20, {"v": "closed"}, evse=2)])
    assert (values_of(both, 1), values_of(both, 2)) == (["open"], ["open", "closed"])


def values_of(lab: Lab, evse: int) -> list[object]:
    return [item.value for item in lab.seen("lab.door", evse)]


def test_keys_may_be_paths_list_elements_and_the_highest_of_a_list() -> None:
    number = NUMBER.replace('"sampled"', '"step"')
    for key, data in (("a.b", {"a": {"b": 7}}), ("a[1]", {"a": [1, 7]}), ("max(a)", {"a": [1, "7", 3]})):
        lab = Lab(number.replace('"v"', f'"{key}"'))
        lab.play([at(10, data), at(20, {"a": []})])
        assert values(lab, "lab.temp") == [7.0], key


def test_units_of_the_data_become_base_units() -> None:
    lab = Lab(NUMBER.replace('"sampled"', '"step"').replace("degC", "mA"))
    lab.play(readings([(10, "16100")]))
    assert values(lab, "lab.temp") == [16.1]


# ---- sampled


def test_the_edge_of_a_sampled_signal_lies_between_two_samples() -> None:
    lab = Lab(NUMBER)
    lab.play(readings([(100, 20), (200, 20), (300, 21)], width=10))
    assert lab.seen("lab.temp") == [Seen(20.0, 100, 100), Seen(21.0, 190, 300)]


def test_samples_too_far_apart_leave_a_hole() -> None:
    lab = Lab(NUMBER)
    lab.play(readings([(0, 20), (2000, 20), (4500, 20)]))
    assert lab.seen("lab.temp") == [Seen(20.0, 0, 0), Seen(None, 2000, 2000), Seen(20.0, 4500, 4500)]


def test_samples_that_cease_leave_nothing_known() -> None:
    lab = Lab(NUMBER)
    lab.play(readings([(0, 20), (1000, 21)]), end_ms=3000)
    assert values(lab, "lab.temp") == [20.0, 21.0]
    lab.until(3020)
    assert lab.seen("lab.temp")[2:] == [Seen(None, 1000, 1000)]


def test_a_gap_of_the_source_makes_it_unknown_from_its_begin() -> None:
    lab = Lab(NUMBER)
    gap = at(1500, {"from_ns": 1100 * MS, "to_ns": 1500 * MS, "why": "lost"}, topic="gap", seq=9)
    lab.play([*readings([(0, 20), (1000, 21)]), gap, *readings([(1600, 21)])])
    assert lab.seen("lab.temp")[2:] == [Seen(None, 1100, 1100), Seen(21.0, 1600, 1600)]


def test_hysteresis_needs_the_other_threshold_to_come_back() -> None:
    lab = Lab(WARM)
    lab.play(readings([(0, 55), (100, 45), (200, 59), (300, 60), (400, 51), (500, 50)]))
    known = [Seen("cold", 0, 100), Seen("hot", 200, 300), Seen("cold", 400, 500)]
    assert lab.seen("lab.warm") == [Seen(None, 0, 0), *known]


def test_one_threshold_belongs_to_what_is_above_it() -> None:
    lab = Lab(WARM.replace('["50 degC", "60 degC"]', '"60 degC"'))
    lab.play(readings([(0, 59.9), (100, 60)]))
    assert values(lab, "lab.warm") == ["cold", "hot"]


def test_what_the_accuracy_leaves_open_is_not_known() -> None:
    lab = Lab(WARM + 'accuracy = "1 degC"\n')
    lab.play(readings([(0, 40), (100, 59.5), (200, 55), (300, 61), (400, 55), (500, 50.5), (600, 48)]))
    assert values(lab, "lab.warm") == ["cold", None, "hot", None, "cold"]


def test_a_slew_narrows_an_edge_by_what_it_cannot_have_done() -> None:
    lab = Lab(WARM + 'between = "linear"\nslew = "100 degC/s"\n')
    lab.play(readings([(0, 40), (1000, 70)]))
    # 20 degC up to the threshold take 200 ms at least, the 10 beyond it 100 ms
    assert lab.seen("lab.warm")[1] == pytest.approx(("hot", 200, 900), abs=0.1)


def test_a_slew_that_was_exceeded_narrows_nothing() -> None:
    lab = Lab(WARM + 'between = "linear"\nslew = "10 degC/s"\n')
    lab.play(readings([(0, 40), (1000, 90)]))
    assert lab.seen("lab.warm")[1] == Seen("hot", 0, 1000)


@st.composite
def paths(draw: st.DrawFn) -> tuple[list[float], list[tuple[float, float]], float]:
    """A true course of a number (a value each ms, slew at most 1 per ms), samples of it, and the error of a reading."""
    u = draw(st.sampled_from([0.0, 0.5, 2.0]))
    course = [draw(st.floats(30, 70))]
    for _ in range(draw(st.integers(3, 12))):
        rate, length = draw(st.floats(-1, 1)), draw(st.integers(1, 30))
        start = course[-1]
        course.extend(start + rate * i for i in range(1, length + 1))
    samples: list[tuple[float, float]] = []
    ms = draw(st.integers(0, 3))
    while ms < len(course):
        samples.append((ms, course[ms] + draw(st.floats(-1, 1)) * u))
        ms += draw(st.integers(1, 25))
    return course, samples, u


@given(paths(), st.sampled_from([0.0, 4.0]), st.data())
def test_the_true_crossing_lies_within_the_edge(
    path: tuple[list[float], list[tuple[float, float]], float], width: float, data: st.DataObject
) -> None:
    course, samples, u = path
    more = f'between = "linear"\nslew = "1000 degC/s"\naccuracy = "{u} degC"\n'
    lab = Lab(WARM.replace('["50 degC", "60 degC"]', '"50 degC"') + more)
    told: list[Event] = []
    received = 0.0
    for i, (ms, value) in enumerate(samples, 1):
        # One source tells its readings in the order in which it took them.
        received = max(received, ms + data.draw(st.floats(0, width)))
        told.append(at(received, {"v": value}, width=width, seq=i))
    lab.play(told)
    found = lab.seen("lab.warm")
    for before, edge in pairwise(found):
        if before.value is None or edge.value is None:
            continue
        up = edge.value == "hot"
        inside = range(max(0, int(edge.lo) - 1), min(len(course) - 1, int(edge.hi) + 1) + 1)
        crossed = [i for i in inside if i and ((course[i] >= 50) == up) and ((course[i - 1] >= 50) != up)]
        # it crossed between two milliseconds of the course
        assert any(edge.lo <= i and i - 1 <= edge.hi for i in crossed), (edge, course, samples)


# ---- debounce


def test_a_short_value_is_no_edge_and_a_long_one_begins_where_it_began() -> None:
    lab = Lab(STEP + 'debounce = "100 ms"\n')
    lab.play(readings([(0, "open"), (500, "closed"), (550, "open"), (900, "closed")]), end_ms=5000)
    assert lab.seen("lab.door") == [Seen("open", 0, 0), Seen("closed", 900, 900)]


def test_a_value_that_may_have_lasted_is_not_known() -> None:
    lab = Lab(STEP + 'debounce = "100 ms"\n')
    lab.play(readings([(0, "open"), (500, "closed"), (595, "open")], width=10), end_ms=5000)
    assert values(lab, "lab.door") == ["open", None, "open"]
    assert lab.seen("lab.door")[1:] == [Seen(None, 490, 500), Seen("open", 585, 595)]


def test_a_value_lasts_once_nothing_that_is_still_on_its_way_can_end_it() -> None:
    lab = Lab(STEP + 'debounce = "100 ms"\n')
    lab.play(readings([(0, "open")]), end_ms=105)
    assert lab.seen("lab.door") == []
    lab.until(111)
    assert lab.seen("lab.door") == [Seen("open", 0, 0)]


def test_a_sampled_value_lasts_by_the_samples_that_show_it() -> None:
    lab = Lab(WARM + 'debounce = "150 ms"\n')
    rows = [(0, 40), (100, 40), (200, 40), (300, 70), (400, 40), (500, 40), (600, 40), (700, 70), (800, 70), (900, 70)]
    lab.play(readings(rows))
    # 70 at 300 began after 200 and was over by 400: it may have lasted 150 ms
    assert [item.value for item in lab.seen("lab.warm")] == ["cold", None, "cold", "hot"]
    assert lab.seen("lab.warm")[-1] == Seen("hot", 600, 700)


def test_a_gap_ends_what_had_not_lasted_yet() -> None:
    lab = Lab(STEP + 'debounce = "100 ms"\n')
    gap = at(1000, {"from_ns": 540 * MS, "to_ns": 1000 * MS, "why": "lost"}, topic="gap", seq=9)
    lab.play([*readings([(0, "open"), (500, "closed")]), gap], end_ms=5000)
    assert lab.seen("lab.door") == [Seen("open", 0, 0), Seen(None, 500, 500)]


# ---- register


def test_a_register_tells_what_it_grew_by() -> None:
    lab = Lab(COUNTER)
    lab.play(readings([(0, "1000.1"), (1000, "1000.3"), (2000, "1000.3"), (3000, "1002.1")]))
    assert lab.seen("lab.energy") == [Seen(0.0, 0, 0), Seen(0.2, 0, 1000), Seen(2.0, 2000, 3000)]


def test_a_register_that_decreases_is_a_fault_of_its_source() -> None:
    lab = Lab(COUNTER)
    lab.play(readings([(0, 1000), (1000, 1001), (2000, 3), (3000, 1005)]))
    assert values(lab, "lab.energy") == [0.0, 1.0, None]
    assert list(lab.world.faults) == ["lab#3: lab: the register went from 1001 to 3; it never decreases"]


# ---- pwm


def test_the_edge_of_a_pwm_may_be_as_old_as_the_cycles_it_was_measured_over() -> None:
    lab = Lab(
        """
[signal."lab.duty"]
text = "duty cycle of the fan"
topic = "lab.t"
key = "duty"
kind = "pwm"
unit = "%"
frequency = "hz"
cycles = 20
"""
    )
    rows = [(10, 30, 1000), (100, 50, 1000), (200, 50, 1000), (300, 0, 0)]
    lab.play([at(ms, {"duty": duty, "hz": hertz}, width=1) for ms, duty, hertz in rows])
    assert lab.seen("lab.duty") == [Seen(30.0, -11, 10), Seen(50.0, 79, 100), Seen(0.0, 279, 300)]


# ---- bounds


def test_a_long_trace_is_kept_within_bounds() -> None:
    lab = Lab(NUMBER + STEP)
    lab.play([at(i * 100, {"v": i % 17 if i % 2 else "open"}, seq=i + 1) for i in range(42_000)])
    track = lab.world.track("lab.temp", 1)
    assert len(track.changes) <= 20_001
    assert len(lab.world.samples_of("lab.temp", 1)) <= 20_000
    assert track.changes[0].value is None
    assert track.changes[0].why == "what it was so long ago is not kept"
