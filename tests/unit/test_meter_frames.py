"""What counts as an answer: nothing but the frame that was asked for, on a line and on TCP."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pilotbench.drivers.meter.frames import Ask, find_answer

ASK = Ask(unit=1, function=4, address=0, registers=2)
SOUND = bytes.fromhex("01 04 04 43 67 AF 55 E2 10")
"""V L1 of an SDM630, from the field."""
REFUSED = bytes.fromhex("01 84 02 C2 C1")

TCP_ASK = ASK._replace(transaction=0x1234)
TCP_SOUND = bytes.fromhex("12 34 00 00 00 07 01 04 04 43 67 AF 55")
TCP_REFUSED = bytes.fromhex("12 34 00 00 00 03 01 84 02")


def test_answers_and_refusals_are_found() -> None:
    assert find_answer(SOUND, ASK) == SOUND
    assert find_answer(REFUSED, ASK) == REFUSED
    assert find_answer(TCP_SOUND, TCP_ASK) == TCP_SOUND
    assert find_answer(TCP_REFUSED, TCP_ASK) == TCP_REFUSED


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_noise_around_an_answer_is_passed_over(before: bytes, after: bytes) -> None:
    assert find_answer(before + SOUND + after, ASK) == SOUND
    assert find_answer(before + TCP_SOUND + after, TCP_ASK) == TCP_SOUND


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_a_byte_that_changed_makes_it_no_answer(at: int, flip: int) -> None:
    spoiled = bytearray(SOUND)
    spoiled[at] ^= flip
    assert find_answer(bytes(spoiled), ASK) is None


@given(st.integers(0, len(SOUND) - 1))
def test_a_frame_that_was_cut_is_no_answer(length: int) -> None:
    assert find_answer(SOUND[:length], ASK) is None
    assert find_answer(TCP_SOUND[:length], TCP_ASK) is None


def test_answers_to_other_requests_are_none() -> None:
    for other in (
        ASK._replace(unit=2),
        ASK._replace(function=3),
        ASK._replace(registers=1),
        ASK._replace(registers=3),
    ):
        assert find_answer(SOUND, other) is None
    assert find_answer(REFUSED, ASK._replace(unit=2)) is None
    assert find_answer(REFUSED, ASK._replace(function=3)) is None
    assert find_answer(TCP_SOUND, TCP_ASK._replace(transaction=0x1233)) is None
    assert find_answer(TCP_REFUSED, TCP_ASK._replace(transaction=0x1233)) is None
    assert find_answer(TCP_SOUND, TCP_ASK._replace(unit=2)) is None


def test_the_request_that_an_adapter_echoes_is_no_answer() -> None:
    echo = bytes.fromhex("01 04 00 00 00 02 71 CB")
    assert find_answer(echo, ASK) is None
    assert find_answer(echo + SOUND, ASK) == SOUND
