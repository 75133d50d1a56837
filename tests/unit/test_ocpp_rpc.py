"""OCPP-J frames: whatever a station sends is a message, or classified, and never an exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pilotbench.bench.csms import rpc
from pilotbench.bench.csms.rpc import CODES_2X, RULES_16, Call, CallError, CallResult, Kind, RpcRules

RULES_201 = RpcRules(CODES_2X, frozenset({2, 3, 4}), unreadable_id="-1")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
NEARLY = st.tuples(
    st.sampled_from([2, 3, 4, 5, 6, "2", True, None, 2.0]), st.text(max_size=40) | st.integers(), JSON, JSON
)


def check(text: str, rules: RpcRules) -> rpc.Parsed:
    parsed = rpc.parse(text, rules)
    assert parsed.message is not None or parsed.faults
    for fault in parsed.faults:
        assert fault.layer == "rpc"
        assert rules.codes[fault.kind]
    if parsed.reply_to is not None:
        assert parsed.message is None
        rpc.error_text(parsed.reply_to, rules.codes[parsed.faults[-1].kind], parsed.faults[-1].text)
    return parsed


@settings(max_examples=300, deadline=None)
@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_classified(text: str) -> None:
    for rules in (RULES_16, RULES_201):
        check(text, rules)


@settings(max_examples=300, deadline=None)
@given(JSON | NEARLY.map(list), st.integers(0, 60))
def test_any_json_and_any_torn_json_is_classified(document: object, cut: int) -> None:
    whole = json.dumps(document)
    for rules in (RULES_16, RULES_201):
        check(whole, rules)
        check(whole[: max(0, len(whole) - cut)], rules)


@settings(max_examples=200, deadline=None)
@given(NEARLY)
def test_an_answer_is_never_answered_in_16(frame: tuple[object, ...]) -> None:
    parsed = check(json.dumps(frame), RULES_16)
    if frame[0] != 2 or isinstance(frame[0], bool | float):
        assert parsed.reply_to is None


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_deep_nesting_is_a_violation(depth: int) -> None:
    parsed = check('[2,"deep","A",' + "[" * depth, RULES_16)
    assert parsed.message is None
    assert parsed.reply_to == "deep"


def test_messages_are_read() -> None:
    assert check('[2,"1","Heartbeat",{}]', RULES_16).message == Call("1", "Heartbeat", {})
    assert check('[3,"1",{"a":1}]', RULES_16).message == CallResult("1", {"a": 1})
    assert check('[4,"1","NotSupported","no",{}]', RULES_16).message == CallError("1", "NotSupported", "no", {})


def test_null_is_an_empty_payload_in_16_only() -> None:
    text = '[2,"1","Heartbeat",null]'
    assert check(text, RULES_16) == rpc.Parsed(Call("1", "Heartbeat", {}), (), None, "Heartbeat")
    assert check(text, RULES_201).message is None


@pytest.mark.parametrize(
    ("text", "kind", "reply_to"),
    [
        ('[2,"7","Heartbeat"]', Kind.FRAMEWORK, "7"),
        ('[2,"7","Heartbeat",{},{}]', Kind.FRAMEWORK, "7"),
        ('[2,"7",5,{}]', Kind.FRAMEWORK, "7"),
        ('[2,"7","Heartbeat",[]]', Kind.FORMATION, "7"),
        ('[2,"7","Heartbeat",{"a":', Kind.FRAMEWORK, "7"),
        ('[2,"7","Heartbeat",{"a":NaN}]', Kind.FRAMEWORK, "7"),
        ('[2,null,"Heartbeat",{}]', Kind.FRAMEWORK, None),
        ("[2]", Kind.FRAMEWORK, None),
        ("{}", Kind.FRAMEWORK, None),
        ("hello", Kind.FRAMEWORK, None),
        ('[9,"7","Heartbeat",{}]', Kind.MESSAGE_TYPE, None),
        ('[3,"7"]', Kind.FORMATION, None),
    ],
)
def test_a_malformed_frame_of_16(text: str, kind: Kind, reply_to: str | None) -> None:
    parsed = check(text, RULES_16)
    assert parsed.message is None
    assert parsed.faults[-1].kind is kind
    assert parsed.reply_to == reply_to


def test_2x_answers_what_it_cannot_identify_under_minus_one() -> None:
    assert check("hello", RULES_201).reply_to == "-1"
    assert check('[6,"7","Notify",{}]', RULES_201).reply_to == "7"


def test_odd_ids_are_recorded_and_kept() -> None:
    number = check('[2,17,"Heartbeat",{}]', RULES_16)
    assert number.message == Call(17, "Heartbeat", {})
    assert len(number.faults) == 1
    long = check(f'[2,"{"x" * 37}","Heartbeat",{{}}]', RULES_16)
    assert isinstance(long.message, Call)
    assert len(long.faults) == 1
    assert not check(f'[2,"{"x" * 36}","Heartbeat",{{}}]', RULES_16).faults


def test_16_keeps_its_own_spellings() -> None:
    assert RULES_16.codes[Kind.FORMATION] == "FormationViolation"
    assert RULES_16.codes[Kind.OCCURRENCE] == "OccurenceConstraintViolation"
    assert RULES_201.codes[Kind.FORMATION] == "FormatViolation"
    assert RULES_201.codes[Kind.OCCURRENCE] == "OccurrenceConstraintViolation"


def test_texts_read_back_as_they_were_built() -> None:
    payload = {"limit": 0.3, "text": 'ä\u2028"\\'}
    assert check(rpc.call_text("1", "X", payload), RULES_16).message == Call("1", "X", payload)
    assert check(rpc.result_text("1", payload), RULES_16).message == CallResult("1", payload)
    error = check(rpc.error_text("1", "GenericError", "y" * 300), RULES_16).message
    assert error == CallError("1", "GenericError", "y" * 255, {})
