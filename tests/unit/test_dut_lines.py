"""Lines of the DUT port: whatever arrives is understood whole or refused with a code, and changes nothing then."""

from __future__ import annotations

import asyncio
import json
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.twin.emulators.dut_connection import DutConnection
from pilotbench.bench.twin.emulators.dut_messages import (
    MAX_LINE,
    Drive,
    LineError,
    parse_drive,
    parse_hello,
    parse_line,
)

KEEP = {"bad-json", "too-long", "bad-type", "bad-value", "bad-evse"}
CLOSE = {"bad-protocol", "unknown-station", "busy"}

SCALAR = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=12)
JSON = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
SET = st.fixed_dictionaries(
    {"type": st.just("set")},
    optional={
        "evse": SCALAR | st.integers(0, 4),
        "pwm_pct": SCALAR | st.floats(-1, 101),
        "contactor": SCALAR,
        "lock": SCALAR,
        "more": JSON,
    },
)


def code_of(act, *arguments):
    try:
        act(*arguments)
    except LineError as error:
        return error.code if str(error) else "refused without a word"
    return None


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_message_or_a_code(line):
    code = code_of(parse_line, line)
    assert code in ({"too-long"} if len(line) > MAX_LINE else {None, "bad-json", "bad-type"})
    if code is None:
        assert isinstance(parse_line(line)["type"], str)


@given(st.integers(MAX_LINE - 30, MAX_LINE + 30))
def test_the_longest_line(length):
    line = b'{"type":"ping","pad":"' + b"x" * (length - 24) + b'"}'
    assert len(line) == length
    assert code_of(parse_line, line) == (None if length <= MAX_LINE else "too-long")


@given(SET, st.integers(1, 3))
def test_a_set_takes_effect_whole_or_not_at_all(message, evses):
    code = code_of(parse_drive, message, evses)
    assert code in {None, "bad-evse", "bad-value"}
    if code is not None:
        return
    drive = parse_drive(message, evses)
    assert 1 <= drive.evse <= evses
    assert drive.pwm_pct is None or 0.0 <= drive.pwm_pct <= 100.0
    assert {type(drive.contactor), type(drive.lock)} <= {bool, type(None)}
    assert (drive.pwm_pct, drive.contactor, drive.lock) != (None, None, None)


@given(st.dictionaries(st.sampled_from(["protocol", "station", "evses", "ping_ms"]), SCALAR))
def test_a_hello_is_understood_or_refused(message):
    assert code_of(parse_hello, message) in {None, "bad-protocol", "bad-value"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"type":"set","evse":1,"pwm_pct":NaN}', "bad-json"),
        (b'{"type":"set","evse":1,"pwm_pct":Infinity}', "bad-json"),
        (b"[" * 3000, "bad-json"),
        (b"\xff\xfe", "bad-json"),
        (b'{"type":5}', "bad-type"),
        (b"{}", "bad-type"),
    ],
)
def test_what_looks_like_json_and_is_none(line, code):
    assert code_of(parse_line, line) == code


# --- a connection, cut anywhere --------------------------------------------------------------------------


class Wire:
    """A transport that remembers."""

    def __init__(self):
        self.sent, self.closing = b"", False

    def write(self, data):
        self.sent += data

    def close(self):
        self.closing = True

    def is_closing(self):
        return self.closing

    def abort(self):
        self.closing = True

    def get_write_buffer_size(self):
        return 0

    def set_write_buffer_limits(self, high):
        assert high == 0

    def get_extra_info(self, name):
        return SimpleNamespace(setsockopt=lambda *_: None)


class Model:
    """The port and the station's place on it; remembers what was driven."""

    evses = 2

    def __init__(self):
        self.drives: list[Drive] = []

    def admit(self, connection, station, evses):
        if station != "CP001":
            raise LineError("unknown-station", "a stranger", fatal=True)
        return self

    def drive(self, drive):
        self.drives.append(drive)

    def left(self, connection):
        self.drives.clear()

    def state_line(self, evse, dropped):
        return b"{}\n"

    def overrun(self, from_ns, to_ns):
        raise AssertionError("nothing stalls here")

    def note(self, text):
        raise AssertionError(text)

    def t_us(self):
        return 0


def play(data, cuts=()):
    """What a connection drove and answered, and whether it was closed, when `data` arrives cut at `cuts`."""

    async def run():
        model, wire = Model(), Wire()
        connection = DutConnection(model)
        connection.connection_made(wire)
        start = 0
        for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
            connection.data_received(data[start:cut])
            start = cut
        drives = list(model.drives)
        connection.connection_lost(None)
        answers = [json.loads(line) for line in wire.sent.splitlines()]
        return drives, [(answer["type"], answer.get("code")) for answer in answers], wire.closing

    return asyncio.run(run())


HELLO = b'{"type":"hello","protocol":1,"station":"CP001","evses":2}\n'
LINES = st.lists(
    st.sampled_from(
        [
            b'{"type":"set","evse":1,"pwm_pct":53.33}\n',
            b'{"type":"set","evse":2,"contactor":true,"lock":false}\n',
            b'{"type":"set","evse":3,"contactor":true}\n',
            b'{"type":"set","evse":1}\n',
            b'{"type":"ping","id":1}\n',
            b"\n",
            b"garbage\n",
            b'{"type":"hello","protocol":1,"station":"CP001"}\n',
            b'{"type":"ping","pad":"' + b"x" * 5000 + b'"}\n',
        ]
    ),
    max_size=8,
).map(b"".join)


@given(LINES, st.lists(st.integers(0, 60_000), max_size=6))
def test_how_the_bytes_are_cut_makes_no_difference(data, cuts):
    assert play(HELLO + data, cuts) == play(HELLO + data)


@given(LINES)
def test_refused_lines_drive_nothing_and_keep_the_connection(data):
    drives, answers, closed = play(HELLO + data)
    assert not closed
    assert len(drives) == data.count(b'"pwm_pct"') + data.count(b'"lock":false')
    codes = [code for kind, code in answers if kind == "error"]
    assert set(codes) <= KEEP
    assert codes.count("too-long") == data.count(b"pad")
    assert sum(kind == "pong" for kind, _ in answers) == data.count(b'"id":1')


@given(st.binary(max_size=2000), st.integers(0, 2**32))
def test_noise_of_any_kind_never_breaks_the_connection(noise, seed):
    cuts = [Random(seed).randrange(1, 3000) for _ in range(4)]
    drives, answers, closed = play(HELLO + noise + b"\n" + b'{"type":"set","evse":1,"lock":true}\n', cuts)
    assert not closed
    assert drives[-1] == Drive(1, None, None, True)
    assert {kind for kind, _ in answers} <= {"error", "pong"}


@pytest.mark.parametrize(
    ("line", "code", "closed"),
    [
        (b'{"type":"set","evse":1,"lock":true}\n', "bad-protocol", True),
        (b'{"type":"hello","protocol":"1","station":"CP001"}\n', "bad-protocol", True),
        (b'{"type":"hello","protocol":1,"station":"CP9"}\n', "unknown-station", True),
        (b'{"type":"hello","protocol":1}\n', "bad-value", False),
        (b'{"type":"hello","protocol":1,"station":"CP001","evses":0}\n', "bad-value", False),
        (b'{"type":"hello","protocol":1,"station":"CP001","ping_ms":"20"}\n', "bad-value", False),
        (b"hello\n", "bad-json", False),
    ],
)
def test_before_its_hello_a_station_may_do_nothing(line, code, closed):
    drives, answers, was_closed = play(line + b'{"type":"set","evse":1,"lock":true}\n')
    assert drives == []
    assert answers[0] == ("error", code)
    assert code in (CLOSE if closed else KEEP)
    # a line after a hello that was refused is no hello either, and closes
    assert was_closed
    assert len(answers) == (1 if closed else 2)
