"""Which group a RAPI command belongs to, against what a station would do with the bytes that are sent."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pilotbench.drivers.evse.rapi import POLLED
from pilotbench.drivers.evse.rapi_command import GETS, GROUPS, classify
from pilotbench.drivers.evse.rapi_frame import MAX_REQUEST, FrameError, seal

from rapi_station import effects

ALLOWED = {
    "get": {"reads", "nothing"},
    "plain": {"reads", "nothing", "sets"},
    "one-time": {"reads", "nothing", "sets", "one-time"},
    "safety": {"reads", "nothing", "sets", "one-time", "safety"},
}
"""Group -> what a command of it may do."""

words = st.one_of(
    st.sampled_from(["GS", "GG", "FF", "SC", "FE", "FD", "FP", "S2", "S5", "SY", "SA", "SK", "SR", "T0", "Z0", "FO"]),
    st.sampled_from(["0", "1", "D", "G", "R", "T", "V", "F", "B", "M", "16", "32", "165", "272", "A", ":2A"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=4),
)
DANGEROUS = [
    *[f"FF {feature} 0" for feature in "DGRTVF"],
    *["SC 32 M", "SC 6 M", "T0 75", "Z0 1 2", "S2 1", "SY 0 0", "SA 220 0", "SK 0", "SR 3 0", "FO 990"],
]


def dressed(data: st.DataObject, command: str) -> str:
    """The same command, made hard to recognise."""
    text = "".join(data.draw(st.sampled_from([char, char.lower(), char.upper()])) for char in command)
    text = "".join(char + " " * data.draw(st.integers(0, 2)) if char == " " else char for char in text)
    text += data.draw(st.sampled_from(["", " ", " :2A", " :2a", "X", " X", ":01", "\r", "\n", "^00", "*FF", "\t"]))
    if data.draw(st.booleans()):
        check = 0
        for value in f"${text}".encode():
            check ^= value
        text = f"${text}^{check:02X}"
    text = data.draw(st.sampled_from(["", "$", " ", "GS\r$", "GS^30\r$", "GS$", "\x00", "GS ", "$GS"])) + text
    return text + data.draw(st.sampled_from(["", "\r", " ", "\r$FF D 0\r"]))


def sent(text: str) -> tuple[str, bytes | None]:
    """The group that the gate is asked for, and the bytes that go out if it permits; None = none do."""
    group, command = classify(text)
    if command is None:
        return group, None
    try:
        return group, seal(command, 7)
    except FrameError:
        return group, None


@settings(max_examples=200)
@given(st.sampled_from(DANGEROUS), st.data())
def test_no_disguise_makes_a_dangerous_command_look_harmless(command: str, data: st.DataObject) -> None:
    group, line = sent(dressed(data, command))
    if line is not None:
        assert effects(line) <= ALLOWED[group]
    if effects(f"${command}\r".encode()) & {"safety", "one-time"} and line is not None:
        assert GROUPS.index(group) >= GROUPS.index("one-time")


@settings(max_examples=200)
@given(st.lists(words, min_size=1, max_size=5).map(" ".join))
@example("FFX D 0")
@example("FF Dx 0x")
@example("SCx 16 Mx")
@example("SC 272 M")
@example("GS:2A")
def test_what_is_sent_does_no_more_than_its_group_allows(text: str) -> None:
    group, line = sent(text)
    if line is not None:
        assert effects(line) <= ALLOWED[group]
        assert line.count(b"$") == line.count(b"\r") == 1
        assert len(line) <= MAX_REQUEST


@given(st.text(max_size=40))
def test_any_text_has_a_group_and_breaks_nothing(text: str) -> None:
    group, line = sent(text)
    assert group in GROUPS
    assert line is None or effects(line) <= ALLOWED[group]


@pytest.mark.parametrize("command", GETS)
def test_reading_passes_no_gate(command: str) -> None:
    assert classify(command) == ("get", command)
    assert classify(f"  {command.lower()} ") == ("get", command)
    assert effects(seal(command)) == {"reads"}


def test_what_is_polled_only_reads() -> None:
    assert set(POLLED) <= set(GETS)


@pytest.mark.parametrize("feature", "DGRTVF")
def test_a_check_is_taken_away_only_as_safety_and_given_back_plainly(feature: str) -> None:
    assert classify(f"FF {feature} 0") == ("safety", f"FF {feature} 0")
    assert classify(f"FF {feature} 1") == ("plain", f"FF {feature} 1")


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("SC 16", "plain"),
        ("sc  16  v", "plain"),
        ("$SC 16 V :01^7E", "plain"),
        ("$FE^27", "plain"),
        ("$FE*AF", "plain"),
        ("SC 16 M", "one-time"),
        ("sc 16 m", "one-time"),
        ("$SC 16 M :01^65", "one-time"),
        ("SC 16 X", "safety"),
        ("SC 272", "safety"),
        ("SC 016", "safety"),
        ("SK 0", "one-time"),
        ("SY 100 6", "plain"),
        ("SY 0 6", "safety"),
        ("S5 0", "safety"),
        ("XX", "safety"),
        ("GS 1", "safety"),
        ("GSX", "safety"),
        ("", "safety"),
    ],
)
def test_groups(text: str, group: str) -> None:
    assert classify(text).group == group
