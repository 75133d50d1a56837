"""Credentials never reach a recording or a report, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.recording.encode import encode_event
from pilotbench.bench.timeline import Event, Stamp
from pilotbench.bench.timeline.credentials import Redactor

SECRET = "hunter2-Xq9/s3cr3t"
HTTP_BASIC = base64.b64encode(f"CP001:{SECRET}".encode()).decode()
MARK = re.compile(r"redacted:[0-9a-f]{8}")

SECRETS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=24).map(
    lambda text: f"Zq{text}"
)
KEYS = st.sampled_from(
    [
        "password",
        "Password",
        "basicAuthPassword",
        "BasicAuthPassword",
        "AuthorizationKey",
        "authorization_key",
        "apn-password",
        "Authorization",
        "client_secret",
        "simPin",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def event(data: dict[str, Any], raw: str | None = None) -> Event:
    return Event("ocpp.call", "csms", 1, Stamp.host(1), data, raw=raw)


@given(KEYS, SECRETS, JSON)
def test_a_value_under_a_secret_name_is_gone_at_any_depth(key: str, secret: str, other: Any) -> None:
    data = {"a": [other, {"deep": {key: secret, "list": [{key: [secret]}]}}]}
    raw = json.dumps([2, "1", "DataTransfer", data])
    text = encode_event(event(data, raw), Redactor()).decode()
    assert secret not in text
    assert len(MARK.findall(text)) >= 4


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": SECRET},
        {"value": SECRET, "key": "AuthorizationKey"},
        {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": SECRET}]},
        {"setVariableData": [{"attributeValue": SECRET, "variable": {"name": "BasicAuthPassword"}}]},
        {"r": [{"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"type": "A", "value": SECRET}]}]},
        {"connectionData": {"basicAuthPassword": SECRET, "vpn": {"server": "x", "key": SECRET, "password": SECRET}}},
        {"apn": {"apnPassword": SECRET, "simPin": SECRET}},
        {"values": {"AuthorizationKey": SECRET, "HeartbeatInterval": "30"}},
        {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": SECRET},
        {"data": json.dumps({"password": SECRET})},
        {"headers": {"Authorization": f"Basic {HTTP_BASIC}"}},
        {"headers": [["Authorization", f"Basic {HTTP_BASIC}"]]},
        {"reason": f"refused: Authorization: Basic {HTTP_BASIC}"},
        {"idToken": {"idToken": SECRET, "type": "KeyCode"}},
        {"key": f"-----BEGIN EC PRIVATE KEY-----\n{SECRET}\n-----END EC PRIVATE KEY-----\n"},
        {"text": json.dumps({"pem": f"-----BEGIN PRIVATE KEY-----\n{SECRET}"})},
        {"presharedKey": SECRET},
        {"component": {"name": "NetworkConfiguration"}, "variable": {"name": "VpnKey"}, "attributeValue": SECRET},
        {"location": "ftp://user:hunter2-Xq9@files.example/log"},
        {"url": "ws://CP001:hunter2-Xq9@127.0.0.1:9000/CP001"},
    ],
)  # fmt: skip
def test_places_where_ocpp_and_http_carry_credentials(payload: dict[str, Any]) -> None:
    frame = json.dumps([2, "17", "Action", payload])
    cut = frame[: frame.rindex("}")]
    for written in (frame, cut, json.dumps([2, "17", "Action", payload], separators=(",", ":"))):
        encoded = encode_event(event({"payload": payload}, written), Redactor()).decode()
        for leak in (SECRET, "hunter2", HTTP_BASIC, json.dumps(SECRET)[1:-1]):
            assert leak not in encoded, (leak, encoded)
        assert MARK.search(encoded)


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{SECRET}"',
        f"[csms]\nAuthorizationKey = '{SECRET}'  # of the lab",
        f"{{'password': '{SECRET}'}}",
        f"Authorization: Basic {HTTP_BASIC}\r\nHost: x",
        f"ConnectionError: wss://CP001:{SECRET.replace('/', '')}@host refused",
        f'[2,"1","X",{{"password":"{SECRET}"',
        '[2,"1","X",{"pass\\u0077ord":"' + SECRET + '"}]',
        '[2,"1","X",{"p\\u0061ssword":"' + SECRET + '"}]',
        f"GET /?password={SECRET}&x=1",
    ],
)
def test_text_that_is_no_json(text: str) -> None:
    clean = Redactor().text(text)
    assert "hunter2" not in clean
    assert HTTP_BASIC not in clean
    assert MARK.search(clean)
    assert "hunter2" not in encode_event(event({"text": text}, text), Redactor()).decode()


def test_a_known_secret_is_gone_wherever_it_stands() -> None:
    redactor = Redactor([SECRET])
    words = {"text": f"said {SECRET} aloud", SECRET: 1, "hex": SECRET.encode().hex()}
    encoded = encode_event(event(words, f"\x00{SECRET}"), redactor).decode()
    assert SECRET not in encoded
    assert SECRET.encode().hex() not in encoded


@given(st.dictionaries(KEYS | st.text(max_size=8), JSON, max_size=5), st.text(max_size=60))
def test_replacing_twice_changes_nothing_more(data: dict[str, Any], text: str) -> None:
    redactor = Redactor()
    once = redactor.value(data)
    assert redactor.value(once) == once
    line = redactor.text(f"{text} password={text} ws://a:{text}@h Authorization: Basic {text}")
    assert redactor.text(line) == line


@given(JSON)
def test_what_holds_no_credential_stays_to_the_byte(value: Any) -> None:
    raw = json.dumps([2, "1", "StatusNotification", value], indent=1)
    lowered = raw.lower()
    if any(word in lowered for word in ("pass", "pwd", "secret", "auth", "cookie", "basic", "bearer", "vpn", "://")):
        return
    redactor = Redactor()
    assert redactor.text(raw) == raw
    assert redactor.value(value) == value


@pytest.mark.parametrize(
    "text",
    [
        "Basic information follows",
        "AuthorizationCacheEnabled=true",
        "http://host:80/path",
        "ocpp.authorized id_tag=TAG1",
        '[2,"9","Authorize",{"idTag":"TAG1"}]',
        '[3,"9",{"configurationKey":[{"key":"AuthorizationKey","readonly":true},{"key":"Heartbeat","value":"300"}]}]',
        '[3, "9", {"unknownKey": ["AuthorizationKey", "Other"]}]',
        "password = true",
    ],
)
def test_innocent_text_is_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


def test_equal_secrets_stay_equal_within_a_run_and_differ_between_runs() -> None:
    one, other = Redactor(), Redactor()
    assert one.mark(SECRET) == one.mark(SECRET) != one.mark(SECRET + "x")
    assert one.mark(SECRET) != other.mark(SECRET)
    assert one.mark("redacted:0123456789abcdef") == "redacted:0123456789abcdef"


@given(KEYS, SECRETS)
def test_the_first_look_never_misses_what_the_second_would_find(key: str, secret: str) -> None:
    data = {"x": {key: secret}, "u": f"ftp://u:{secret}@h"}
    redactor = Redactor()
    assert redactor.value(data) != data
    assert redactor.suspects(json.dumps(data).encode())


def test_values_that_json_does_not_know_are_written_as_text_and_marked() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    for value in ("\ud800", object(), deep, {"password": "\ud800hunter2"}):
        written = json.loads(encode_event(event({"value": value}), Redactor()))
        assert written["data"]["written_as_text"] is True
        assert "hunter2" not in json.dumps(written)


_TRICKY = st.sampled_from(
    [
        "password",
        'password: "x',
        "Authorization: Basic QTpi",
        "a@b",
        "wss://u:p@h/",
        '"',
        "\\",
        "secret=1,",
        "vpn",
        "value",
    ]
)
_TREES = st.recursive(
    st.none() | st.integers() | _TRICKY | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TRICKY | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(tree=st.lists(_TREES, min_size=1, max_size=4))
def test_json_stays_json_whatever_stands_in_it(tree: list[object]) -> None:
    text = json.dumps(tree)
    assert isinstance(json.loads(Redactor().text(text)), list)


def test_a_name_that_is_there_twice_hides_nothing() -> None:
    assert "hidden1" not in Redactor().text('[2,"1","X",{"password":"hidden1","password":""}]')


@pytest.mark.parametrize("name", ["password", "key", "BasicAuthPassword"])
def test_an_empty_secret_tears_nothing(name: str) -> None:
    text = f'[2,"1","SetNetworkProfile",{{"vpn":{{"{name}": "", "password": "", "type": "IKEv2"}}}}]'
    assert Redactor(salt=b"1" * 16).text(text) == text
    broken = text[:-2]
    assert Redactor(salt=b"1" * 16).text(broken) == broken
