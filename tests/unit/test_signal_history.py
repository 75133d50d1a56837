"""How far back a condition is read: to the change that was in force at the trigger, whatever the length of the run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.correlation import Pack
from pilotbench.bench.correlation.condition import Reader
from pilotbench.bench.correlation.facts import Facts
from pilotbench.bench.correlation.language.rule import Condition
from pilotbench.bench.correlation.language.rule_reader import read_rule
from pilotbench.bench.correlation.world.mark import Mark
from pilotbench.bench.correlation.world.track import KEEP, Change, Track, first_true
from pilotbench.bench.correlation.world.world import World
from pilotbench.bench.timeline import Event, Stamp

STATE = Condition("cp.state", among=("C",))


def reader_of(world: World) -> Reader:
    table = {"respond": "output -> dead => cp.state C", "text": "t", "ref": "r"}
    return Reader(world, Pack([], {}), read_rule("r", table, {}, "p"))


def told(at_ns: int, state: str, seq: int, width: int = 0) -> Event:
    stamp = Stamp(at_ns, at_ns - width, at_ns)
    return Event("cp.state", "pilot", seq, stamp, {"state": state, "pwm": False}, 1)


marks = st.tuples(st.integers(0, 200), st.integers(0, 40)).map(lambda item: Stamp(item[0], item[0], item[0] + item[1]))


@given(
    st.lists(st.tuples(marks, st.sampled_from(["B", "C", None])), max_size=12),
    marks,
    st.integers(0, 30),
    st.booleans(),
)
def test_reading_from_the_trigger_on_finds_what_reading_all_finds(
    rows: list[tuple[Stamp, str | None]], at: Stamp, hold_ns: int, new: bool
) -> None:
    world = World(Facts())
    track = world.track("cp.state", 1)
    for seq, (stamp, value) in enumerate(sorted(rows, key=lambda row: row[0].lo_ns), 1):
        track.push(Change(Mark(stamp, "x", seq), value))
    reader, trigger = reader_of(world), Mark(at)

    def found(since: Mark | None) -> object:
        steps = reader.steps(STATE, 1, {}, since)
        return first_true(steps, trigger, hold_ns=hold_ns, now_ns=300, new=new)[0]

    assert found(trigger) == found(None)


def test_what_is_read_does_not_grow_with_the_run() -> None:
    world = World(Facts())
    for i in range(5000):
        world.apply(told(i * 100, "BC"[i % 2], i + 1, width=30))
    reader = reader_of(world)
    assert len(reader.steps(STATE, 1, {})) == 5000
    assert len(reader.steps(STATE, 1, {}, Mark(Stamp(499_900, 499_890, 499_900)))) == 2
    assert len(reader.steps(STATE, 1, {}, Mark(Stamp(499_000, 498_950, 499_000)))) == 11


def test_a_track_gives_up_what_is_older_than_it_keeps_and_says_so() -> None:
    track = Track()
    for i in range(3 * KEEP):
        track.push(Change(Mark(Stamp(i, i, i)), i % 2 == 0))
    assert len(track.changes) <= KEEP
    assert track.dropped + len(track.changes) >= 3 * KEEP
    first = track.changes[0]
    assert (first.value, first.why) == (None, "what it was so long ago is not kept")
    assert track.value is False
