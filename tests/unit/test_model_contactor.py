"""Delays of contacts and of the output sense."""

from __future__ import annotations

from random import Random

from pilotbench.bench.twin.model.sense import AcSense
from pilotbench.bench.twin.model.switch import DelayedSwitch

MS = 1_000_000


def contactor(seed=1):
    return DelayedSwitch(Random(seed), on_s=(0.020, 0.060), off_s=(0.010, 0.030))


def delay_ms(switch, on, at_ns):
    switch.command(on, at_ns)
    edge_ns = switch.step(at_ns + 100 * MS)
    assert edge_ns is not None
    assert switch.closed is on
    return (edge_ns - at_ns) / MS


def test_pull_in_and_drop_out_delays_cover_their_ranges():
    switch = contactor()
    pull_in, drop_out = [], []
    for round_ in range(300):
        pull_in.append(delay_ms(switch, True, round_ * 1000 * MS))
        drop_out.append(delay_ms(switch, False, (round_ * 1000 + 500) * MS))
    assert 20.0 <= min(pull_in) < 22.0
    assert 58.0 < max(pull_in) <= 60.0
    assert 10.0 <= min(drop_out) < 11.0
    assert 29.0 < max(drop_out) <= 30.0


def test_delays_are_seeded():
    first, same, other = contactor(5), contactor(5), contactor(6)
    assert delay_ms(first, True, 0) == delay_ms(same, True, 0) != delay_ms(other, True, 0)


def test_nothing_moves_before_the_shortest_delay():
    switch = contactor()
    switch.command(True, 0)
    assert switch.step(20 * MS - 1) is None
    assert not switch.closed


def test_a_command_taken_back_in_time_never_closes():
    switch = contactor()
    switch.command(True, 0)
    switch.command(False, 15 * MS)
    assert switch.step(1000 * MS) is None
    assert not switch.closed


def test_sense_sees_each_phase_at_its_next_crest():
    sense = AcSense(3, phase_ns=0)
    fact_ns = 1_000 * 10 * MS + 1 * MS
    sense.output_moved(fact_ns)
    live = [True, True, True]
    assert sense.step(fact_ns + 2 * MS, live) == []
    changes = sense.step(fact_ns + 10 * MS, live)
    assert [fact for _, fact in changes] == [fact_ns] * 3
    delays_ms = [round((seen - fact) / MS, 2) for seen, fact in changes]
    # Crests lie at 0, 6.67 and 3.33 ms of each half period; the fact lies at 1 ms.
    assert delays_ms == [2.33, 5.67, 9.0]
    assert sense.seen == live


def test_sense_misses_what_is_over_before_the_crest():
    sense = AcSense(1, phase_ns=0)
    sense.output_moved(1 * MS)
    sense.output_moved(3 * MS)
    assert sense.step(20 * MS, [False]) == []
