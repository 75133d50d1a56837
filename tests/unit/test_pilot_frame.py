"""Lines of the pilot protocol: what was sealed comes back, and nothing damaged gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.drivers.line_splitter import LineSplitter
from pilotbench.drivers.pilot.frame import (
    MAX_LINE,
    AnswerFrame,
    EventFrame,
    FrameError,
    parse,
    seal,
    unseal,
)

bodies = st.builds(
    lambda head, text: head + text,
    st.sampled_from("$!"),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=120),
)


def test_known_line_of_the_protocol_page() -> None:
    assert seal("$0 HELLO") == b"$0 HELLO*52\n"


@given(bodies)
def test_roundtrip(body: str) -> None:
    assert unseal(seal(body).rstrip(b"\n")) == body


@given(bodies, st.data())
def test_any_single_flipped_bit_is_refused(body: str, data: st.DataObject) -> None:
    line = bytearray(seal(body).rstrip(b"\n"))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError):
        unseal(bytes(line))


@given(bodies, st.data())
def test_a_line_cut_short_is_refused(body: str, data: st.DataObject) -> None:
    line = seal(body).rstrip(b"\n")
    keep = data.draw(st.integers(0, len(line) - 1))
    with pytest.raises(FrameError):
        parse(line[:keep])


@given(st.binary(max_size=300))
def test_noise_is_refused_or_a_frame_and_never_another_error(noise: bytes) -> None:
    try:
        frame = parse(noise)
    except FrameError:
        return
    assert isinstance(frame, (AnswerFrame, EventFrame))


def test_answers_and_events() -> None:
    assert parse(seal("$7 OK 123")[:-1]) == AnswerFrame(7, 0, ("123",))
    assert parse(seal("$7 OK")[:-1]) == AnswerFrame(7, 0, ())
    assert parse(seal("$- ERR 1 checksum")[:-1]) == AnswerFrame(None, 1, ("checksum",))
    assert parse(seal("!3400120 CP 8975 -12010")[:-1]) == EventFrame(3400120, "CP", ("8975", "-12010"))


@pytest.mark.parametrize(
    "body", ["$7 YES", "$7", "$99999999 OK", "$7 ERR", "$7 ERR 0 no", "!CP 1 2", "!12", "!-3 CP 1"]
)
def test_sound_lines_that_say_nothing_are_refused(body: str) -> None:
    with pytest.raises(FrameError):
        parse(seal(body)[:-1])


def test_lower_case_checksum_is_refused() -> None:
    with pytest.raises(FrameError, match="not a line"):
        unseal(b"$2 OK*5d")


def test_too_long_and_not_ascii_cannot_be_sealed() -> None:
    with pytest.raises(FrameError, match="characters"):
        seal("$1 TOKEN ISO14443 " + "x" * MAX_LINE)
    with pytest.raises(FrameError, match="not ASCII"):
        seal("$1 TOKEN ISO14443 ä")
    with pytest.raises(FrameError, match="no line"):
        seal("$1 R A\n$2 R C")


@given(st.lists(bodies, max_size=8), st.data())
def test_splitter_finds_every_line_however_the_bytes_arrive(some: list[str], data: st.DataObject) -> None:
    stream = b"".join(seal(body) + data.draw(st.sampled_from([b"", b"\r", b"\r\n"])) for body in some)
    splitter = LineSplitter(MAX_LINE)
    found: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert [unseal(line) for line in found] == some


def test_splitter_drops_what_never_ends_and_counts_it() -> None:
    splitter = LineSplitter(MAX_LINE)
    assert splitter.feed(b"x" * (MAX_LINE + 1)) == []
    assert splitter.overruns == 1
    assert splitter.feed(b"\n" + seal("$1 OK")) == [seal("$1 OK")[:-1]]
