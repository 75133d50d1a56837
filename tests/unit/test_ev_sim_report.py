"""Reports of an EV Sim Remote: read right or refused, and times that hold what happened."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.timeline import Event, Timeline
from pilotbench.drivers.pilot.ev_sim_report import MAX_LINE, Lines, Report, ReportError, agree, letter_of, parse
from pilotbench.drivers.pilot.ev_sim_watch import LevelWatch, Sighting
from pilotbench.drivers.serial_line import Block

README = b"{ state_changes=2000, low_count=50000, high_count=100000, low_adc=172, high_adc=844 }"
NEWER = b'{ state: "B", state_changes: 1000, low_count: 12000, high_count: 4000, min_volts: -12.010, max_volts: 8.970 }'
SECOND = 1_000_000_000


def test_the_report_of_the_public_page() -> None:
    """Frequency = changes / 2, duty = high / (high + low), volts = (adc - 556) x 32 mV."""
    report = parse(README)
    assert (report.freq_hz, report.duty_pct, report.window_s, report.letter) == (1000.0, 66.67, 1.0, None)
    assert (report.high_v, report.low_v) == (9.216, -12.288)
    assert letter_of(report.high_v) == "B"


def test_the_report_of_the_newer_firmware() -> None:
    report = parse(NEWER)
    assert (report.freq_hz, report.duty_pct, report.window_s, report.letter) == (1000.0, 25.0, 0.5, "B")
    assert (report.high_v, report.low_v, report.pwm) == (8.97, -12.01, True)


@pytest.mark.parametrize(
    ("line", "duty_pct"),
    [
        (b"{ state_changes=0, low_count=0, high_count=150000, low_adc=930, high_adc=933 }", 100.0),
        (b"{ state_changes=0, low_count=150000, high_count=0, low_adc=180, high_adc=183 }", 0.0),
        (b"{ state_changes=731, low_count=80000, high_count=70000, low_adc=554, high_adc=558 }", 0.0),  # noise at 0 V
    ],
)
def test_without_pwm_it_is_static(line: bytes, duty_pct: float) -> None:
    report = parse(line)
    assert (report.pwm, report.freq_hz, report.duty_pct) == (False, 0.0, duty_pct)


@pytest.mark.parametrize(
    "line",
    [
        README[1:],
        README[:-1],
        README.replace(b"844", b"1844"),
        README.replace(b"low_adc=172", b"low_adc=944"),
        README.replace(b"=844", b"=8\x344 "),
        NEWER.replace(b"8.970", b"28.970"),
        NEWER.replace(b'"B"', b'"E"'),
        NEWER.replace(b"low_count: 12000, high_count: 4000", b"low_count: 0, high_count: 0"),
        README + NEWER,
        b"{ }",
        b"",
    ],
)
def test_what_is_damaged_or_contradicts_itself_is_refused(line: bytes) -> None:
    with pytest.raises(ReportError):
        parse(line)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_another_error(noise: bytes) -> None:
    with pytest.raises(ReportError):
        parse(noise)


@given(st.sampled_from([README, NEWER]), st.data())
def test_one_damaged_byte_is_refused_or_does_not_agree_or_changes_little(line: bytes, data: st.DataObject) -> None:
    """There is no checksum: what still reads as a report must not be believed twice when it is told once."""
    at = data.draw(st.integers(0, len(line) - 1))
    damaged = line[:at] + bytes([data.draw(st.integers(0, 255))]) + line[at + 1 :]
    try:
        report = parse(damaged)
    except ReportError:
        return
    good = parse(line)
    if agree(good, report):
        assert abs(report.high_v - good.high_v) < 0.5
        assert abs(report.duty_pct - good.duty_pct) < 0.6
        assert report.letter == good.letter


@given(st.lists(st.sampled_from([README, NEWER]), max_size=5), st.data())
def test_lines_are_found_however_the_bytes_arrive(some: list[bytes], data: st.DataObject) -> None:
    """And each carries the mark of the piece in which its first byte came."""
    stream = b"".join(line + data.draw(st.sampled_from([b"\r\n", b"\n", b"\r"])) for line in some)
    piece_of: list[int] = []
    lines: Lines[int] = Lines(lambda _mark: None)
    found: list[tuple[bytes, int]] = []
    rest, number = stream, 0
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        piece_of += [number] * size
        found += lines.feed(rest[:size], number)
        rest, number = rest[size:], number + 1
    begins = [match.start() for match in re.finditer(rb"\{", stream)]
    assert found == [(line, piece_of[begin]) for line, begin in zip(some, begins, strict=True)]


def test_what_never_ends_is_dropped_and_told() -> None:
    told: list[int] = []
    lines = Lines(told.append)
    assert lines.feed(b"x" * (MAX_LINE + 1), 7) == []
    assert told == [7]
    assert lines.feed(README + b"\r\n", 8) == [(README, 8)]


@pytest.mark.parametrize(
    ("high_v", "letter"),
    [(12.0, "A"), (8.98, "B"), (6.0, "C"), (2.93, "D"), (0.0, None), (-12.0, None), (10.5, None), (7.5, None)],
)
def test_only_a_level_in_a_window_shows_a_resistor(high_v: float, letter: str | None) -> None:
    assert letter_of(high_v) == letter


# ---- when it was


def seen(level_at: list[tuple[float, float]], begin_s: float) -> Sighting:
    """The report of a window of one second in which the high level moved as given: `(from when on, volts)`."""
    end_s = begin_s + 1.0
    spans = zip(level_at, [*level_at[1:], (1e9, 0.0)], strict=True)
    inside = [volts for (since, volts), (until, _) in spans if since < end_s and until > begin_s]
    report = Report(max(inside), -12.0, 50.0, 1000.0, 1.0)
    end_ns = int(end_s * SECOND)
    return Sighting(report, int(begin_s * SECOND), end_ns, Block(b"", end_ns, end_ns + SECOND // 10), "raw")


@given(st.floats(2.0, 8.0), st.sampled_from([(9.0, 6.0), (6.0, 9.0), (12.0, 9.0), (9.0, 12.0), (6.0, 12.0)]))
def test_the_stamp_of_a_change_holds_the_change(at_s: float, levels: tuple[float, float]) -> None:
    """Wherever in its window a change lies, upwards or downwards."""
    timeline = Timeline()
    events: list[Event] = []
    timeline.subscribe(events.append)
    watch = LevelWatch(timeline.source("pilot"), 1)
    for window in range(12):
        watch.take(seen([(-1.0, levels[0]), (at_s, levels[1])], float(window)))
    states = [event for event in events if event.topic == "cp.state"]
    assert len(states) == 2
    assert states[1].stamp.lo_ns <= at_s * SECOND <= states[1].stamp.hi_ns
    assert states[1].stamp.hi_ns - states[1].stamp.lo_ns <= 2 * SECOND
    assert not [event for event in events if event.topic == "gap"]


def test_a_short_state_that_is_over_again_is_a_gap() -> None:
    timeline = Timeline()
    events: list[Event] = []
    timeline.subscribe(events.append)
    watch = LevelWatch(timeline.source("pilot"), 1)
    for window in range(8):
        watch.take(seen([(-1.0, 6.0), (3.2, 9.0), (3.4, 6.0)], float(window)))
    assert [event.data["state"] for event in events if event.topic == "cp.state"] == ["C"]
    (gap,) = [event for event in events if event.topic == "gap"]
    assert gap.data["from_ns"] <= 3.2 * SECOND <= 3.4 * SECOND <= gap.data["to_ns"]


def test_levels_that_never_settle_are_gaps_and_not_silence() -> None:
    timeline = Timeline()
    events: list[Event] = []
    timeline.subscribe(events.append)
    watch = LevelWatch(timeline.source("pilot"), 1)
    for window in range(8):
        watch.take(seen([(-1.0, 6.0 if window % 2 else 9.0)], float(window)))
    assert not [event for event in events if event.topic == "cp.state"]
    assert len([event for event in events if event.topic == "gap"]) == 5
