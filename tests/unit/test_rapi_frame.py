"""Messages of RAPI: the checksums of the public description, and nothing damaged gets through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.drivers.evse.rapi_frame import MAX_LINE, FrameError, Notice, Reply, parse, seal
from pilotbench.drivers.evse.rapi_reading import EMPTY, ReadingError, read_answer, read_notice
from pilotbench.drivers.line_splitter import LineSplitter

GOLDEN = [
    *("$GS^30", "$GG^24", "$GU^36", "$GC^20", "$GE^26", "$GV^35", "$GP^33", "$G0^53", "$GF^25", "$GT^37", "$FE^27"),
    *("$FD^26", "$FS^31", "$FR^30", "$GH^2B", "$GM^2E", "$GO^2C", "$GA^22", "$GD^27", "$G3^50", "$G4^57"),
]
"""From the description of the protocol."""

commands = st.text(st.sampled_from("ABCDEFGSV0123456789 -"), min_size=1, max_size=18)
lines = st.builds(
    lambda name, words, sequence: (name, words, sequence),
    st.sampled_from(["OK", "NK"]),
    st.lists(st.from_regex(r"[0-9a-f]{1,6}", fullmatch=True), max_size=4),
    st.one_of(st.none(), st.integers(1, 255)),
)


def told(name: str, words: list[str], sequence: int | None) -> bytes:
    body = " ".join([f"${name}", *words, *([] if sequence is None else [f":{sequence:02X}"])]).encode()
    check = 0
    for value in body:
        check ^= value
    return body + b"^%02X" % check


@pytest.mark.parametrize("line", GOLDEN)
def test_known_checksums(line: str) -> None:
    assert seal(line[1:].partition("^")[0]) == line.encode() + b"\r"


@pytest.mark.parametrize(
    ("command", "sequence", "line"),
    [
        ("SC 16", None, b"$SC 16^13\r"),
        ("SC 16 V", None, b"$SC 16 V^65\r"),
        ("SC 16 V", 1, b"$SC 16 V :01^7E\r"),
        ("GS", 0x2A, b"$GS :2A^59\r"),
    ],
)
def test_known_messages_with_parameters_and_sequence(command: str, sequence: int | None, line: bytes) -> None:
    assert seal(command, sequence) == line


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"$OK^20", Reply(True, (), None)),
        (b"$OK 16^07", Reply(True, ("16",), None)),
        (b"$OK :2A^49", Reply(True, (), 0x2A)),
        (b"$NK^21", Reply(False, (), None)),
    ],
)
def test_known_answers(line: bytes, reply: Reply) -> None:
    assert parse(line) == reply


@given(lines)
def test_an_answer_comes_back_as_it_was_told(line: tuple[str, list[str], int | None]) -> None:
    name, words, sequence = line
    assert parse(told(name, words, sequence)) == Reply(name == "OK", tuple(words), sequence)


@given(lines, st.data())
def test_any_single_flipped_bit_is_refused(line: tuple[str, list[str], int | None], data: st.DataObject) -> None:
    """But for the case of a digit of the checksum itself."""
    good = told(*line)
    damaged = bytearray(good)
    at = data.draw(st.integers(0, len(good) - 1))
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    if bytes(damaged).upper() == good.upper() and at >= len(good) - 2:
        return
    with pytest.raises(FrameError):
        parse(bytes(damaged))


@given(st.binary(max_size=80))
def test_noise_is_refused_or_a_message_and_never_another_error(noise: bytes) -> None:
    try:
        message = parse(noise)
    except FrameError:
        return
    assert isinstance(message, (Reply, Notice))


@given(commands, st.integers(1, 255), st.data())
def test_nothing_of_the_framing_gets_into_a_request(command: str, sequence: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(command)))
    with pytest.raises(FrameError):
        seal(command[:at] + data.draw(st.sampled_from("$^*:\r\n\x00\x7fä")) + command[at:], sequence)


@pytest.mark.parametrize(("command", "sequence"), [("FP 0 0 " + "A" * 30, 1), ("GS", 0), ("GS", 256), ("", 1)])
def test_what_a_station_would_drop_cannot_be_sent(command: str, sequence: int) -> None:
    with pytest.raises(FrameError):
        seal(command, sequence)


@given(st.lists(lines, max_size=6), st.data())
def test_splitter_finds_every_message_however_the_bytes_arrive(
    some: list[tuple[str, list[str], int | None]], data: st.DataObject
) -> None:
    stream = b"".join(told(*line) + data.draw(st.sampled_from([b"\r", b"\r\n"])) for line in some)
    splitter = LineSplitter(MAX_LINE)
    found: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == [told(*line) for line in some]


def test_splitter_drops_what_never_ends_and_counts_it() -> None:
    splitter = LineSplitter(MAX_LINE)
    assert splitter.feed(b"x" * 200) == []
    assert splitter.overruns == 1
    assert splitter.feed(b"\r$OK^20\r") == [b"$OK^20"]


# ---- what the values say


@pytest.mark.parametrize(
    ("command", "text", "values"),
    [
        (
            "GS",
            "03 147 03 0140",
            {"state": "C", "elapsed_s": 147, "pilot_state": "C", "flags": ["relay-closed", "ev-connected"]},
        ),
        ("GS", "05 0 02 0102", {"state": "diode-check-failed", "pilot_state": "B"}),
        ("GS", "fe 0 ff 0000", {"state": "sleeping", "pilot_state": "disabled"}),
        ("GG", "15980 231200", {"current_a": 15.98, "voltage_v": 231.2}),
        ("GG", "-1 240000", {"current_a": None, "voltage_v": 240.0}),
        ("GC", "6 80 16 32", {"limit_a": 16, "max_current_a": 80}),
        ("GE", "16 0220", {"limit_a": 16, "settings": "0220"}),
        ("GP", "231 -2560 305", {"temperatures_c": [23.1, None, 30.5]}),
        ("GU", "7200 10468", {"session_wh": 2.0, "total_wh": 10468}),
        ("GF", "0 a FF", {"gfi_trips": 0, "no_ground_trips": 10, "stuck_relay_trips": 255}),
    ],
)
def test_answers_in_units(command: str, text: str, values: dict[str, Any]) -> None:
    read = read_answer(command, text.split())
    assert {key: read[key] for key in values} == values
    assert set(read) <= set(EMPTY)


def test_notices_in_units() -> None:
    assert read_notice("AT", ["02", "02", "16", "0100"])["flags"] == ["ev-connected"]
    assert read_notice("AB", ["07", "8.2.1"]) == {"post_code": "07", "firmware": "8.2.1"}
    assert read_notice("AN", ["1"]) == {}


@pytest.mark.parametrize(
    ("command", "text"),
    [("GS", "03 147 03"), ("GS", "33 147 03 0140"), ("GG", "15.98 231"), ("GP", "1 2"), ("GF", "0 g 0"), ("GU", "")],
)
def test_values_that_make_no_sense_are_refused(command: str, text: str) -> None:
    with pytest.raises(ReadingError, match=command):
        read_answer(command, text.split())


@given(st.sampled_from(["GS", "GG", "GC", "GE", "GP", "GU", "GF"]), st.lists(st.text(max_size=6), max_size=6))
def test_any_values_are_read_or_refused(command: str, words: list[str]) -> None:
    try:
        read = read_answer(command, words)
    except ReadingError:
        return
    assert set(read) <= set(EMPTY)
