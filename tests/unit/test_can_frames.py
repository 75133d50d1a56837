"""Frames of EV simulators: signals in their roles, counters, checksums, and what an SLCAN stream may look like."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pilotbench
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pilotbench.drivers.ev.address import can_address
from pilotbench.drivers.ev.checksums import CHECKSUMS
from pilotbench.drivers.ev.dialect import DEFAULT_RECEIVE, DEFAULT_SEND, Dialect
from pilotbench.drivers.ev.slcan import SlcanWire, send_line
from pilotbench.drivers.ev.trouble import slcan_flags, socketcan_error
from pilotbench.drivers.ev.wall import Reading, on_bench_clock
from pilotbench.drivers.ev.wire import EXTENDED, Arrival
from pilotbench.errors import ConfigError

DBC = Path(pilotbench.__file__).parent / "hw-configs" / "ev" / "pilotbench-ev.dbc"

OTHER = """VERSION ""
NS_ :
BS_:
BU_: Bench Car
BO_ 2365194522 Demand: 8 Bench
 SG_ Mode : 0|4@1+ (1,0) [0|7] "" Car
 SG_ Limit : 15|16@0+ (50,0) [0|200000] "mA" Car
 SG_ Roll : 24|4@1+ (1,0) [0|14] "" Car
 SG_ Spare : 32|8@1+ (1,0) [0|255] "" Car
 SG_ Check : 56|8@1+ (1,0) [0|255] "" Car
BO_ 1280 Contacts: 8 Car
 SG_ Wants : 0|2@1+ (1,0) [0|3] "" Bench
 SG_ Roll : 8|4@1+ (1,0) [0|14] "" Bench
BO_ 1281 Battery: 8 Car
 SG_ Level : 0|8@1+ (0.5,0) [0|100] "%" Bench
 SG_ Pack : 8|16@1+ (1,0) [0|1000] "V" Bench
 SG_ Power : 24|16@1+ (1,0) [0|60000] "W" Bench
VAL_ 2365194522 Mode 0 "Off" 2 "Charge";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 1281 1000;
"""

SEND: dict[str, Any] = {
    "charge": {"signal": "Demand.Mode", "on": "Charge", "off": "Off"},
    "max_current_a": "Demand.Limit",
    "counter": "Demand.Roll",
    "checksum": {"signal": "Demand.Check", "kind": "crc8-j1850"},
}
RECEIVE: dict[str, Any] = {
    "s2_wish": "Contacts.Wants",
    "soc_pct": "Battery.Level",
    "battery_v": "Battery.Pack",
    "counter": ["Contacts.Roll"],
}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "car.dbc"
    path.write_text(OTHER, encoding="ascii")
    return path


def test_a_dbc_of_somebody_else(other: Path) -> None:
    dialect = Dialect(other, SEND, RECEIVE, {"Demand.Spare": 7})
    (sent,) = dialect.sent
    assert sent.key == 2365194522, "a DBC file marks 29 bits in the same way"
    assert (sent.turn, dialect.highest_current_a) == (15, 200.0)
    frame = sent.encode({"plugged": True, "s2_closed": False, "charge": True, "max_current_a": 16.03}, 16)
    assert frame[:5] == bytes([0x02, 0x01, 0x40, 0x01, 0x07]), "320 steps of 50 mA, never more than was asked"
    assert frame[7] == CHECKSUMS["crc8-j1850"](frame[:7])
    contacts, battery = dialect.received[1280], dialect.received[1281]
    assert (contacts.timeout_s, battery.timeout_s) == (0.5, 3.0)
    wishes = [contacts.decode(bytes([raw, 3, 0, 0, 0, 0, 0, 0]))["s2_wish"] for raw in range(4)]
    assert wishes == [False, True, None, None], "error and not available are no wish"
    assert battery.decode(bytes([90, 0x90, 1, 0, 0, 0, 0, 0])) == {"soc_pct": 45.0, "battery_v": 400.0}


@pytest.mark.parametrize(
    ("send", "receive", "fixed", "says"),
    [
        ({**SEND, "charge": "Demnd.Mode"}, RECEIVE, {}, "no message 'Demnd' .*did you mean 'Demand'"),
        ({**SEND, "charge": "Demand.Level"}, RECEIVE, {}, "It is in Battery"),
        ({**SEND, "charge": "Demand"}, RECEIVE, {}, 'write "Message.Signal"'),
        ({**SEND, "chrge": "Demand.Mode"}, RECEIVE, {}, "did you mean 'charge'"),
        ({**SEND, "max_current_a": "Battery.Power"}, RECEIVE, {}, "is in A, but .* is in 'W'"),
        ({**SEND, "charge": {"signal": "Demand.Mode", "on": "Charg"}}, RECEIVE, {}, "did you mean 'Charge'"),
        ({**SEND, "charge": {"signal": "Demand.Mode", "on": 9}}, RECEIVE, {}, r"holds 0\.\.7"),
        ({**SEND, "charge": {"signal": "Demand.Mode", "on": 0}}, RECEIVE, {}, "are both 0"),
        ({**SEND, "checksum": {"signal": "Demand.Check", "kind": "crc9"}}, RECEIVE, {}, "crc8-j1850"),
        ({**SEND, "checksum": {"signal": "Demand.Limit", "kind": "xor8"}}, RECEIVE, {}, "not one whole byte"),
        ({**SEND, "counter": "Demand.Limit"}, RECEIVE, {}, "no counter"),
        ({"plugged": "Demand.Mode"}, RECEIVE, {}, "map `charge` or `max_current_a`"),
        (SEND, {}, {}, "map a signal of its status"),
        (SEND, RECEIVE, {"Battery.Level": 1}, "not sent at all"),
    ],
)
def test_mistakes_in_a_mapping(other: Path, send: Any, receive: Any, fixed: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Dialect(other, send, receive, fixed)


def test_signal_that_cannot_say_zero_is_refused(other: Path) -> None:
    other.write_text(OTHER.replace('(50,0) [0|200000] "mA"', '(50,6000) [6000|200000] "mA"'), encoding="ascii")
    with pytest.raises(ConfigError, match="cannot say 0 A"):
        Dialect(other, SEND, RECEIVE)


@given(st.booleans(), st.booleans(), st.booleans(), st.floats(0.0, 6553.5), st.integers(0, 1000))
@example(True, True, True, 16.0, 0)
def test_a_command_says_no_more_than_was_asked(
    plugged: bool, s2_closed: bool, charge: bool, current_a: float, count: int
) -> None:
    (sent,) = DIALECT.sent
    wanted = {"plugged": plugged, "s2_closed": s2_closed, "charge": charge, "max_current_a": current_a}
    data = sent.encode(wanted, count)
    assert data[0] == count % 16 | plugged << 4 | s2_closed << 5 | charge << 6
    said_a = int.from_bytes(data[1:3], "little") * 0.1
    assert current_a - 0.1 - 1e-6 <= said_a <= current_a + 1e-6


@given(st.sampled_from(sorted(CHECKSUMS)), st.binary(min_size=1, max_size=8), st.data())
def test_a_checksum_sees_every_single_bit(kind: str, data: bytes, draw: Any) -> None:
    bit = draw.draw(st.integers(0, 8 * len(data) - 1))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    assert CHECKSUMS[kind](bytes(changed)) != CHECKSUMS[kind](data)


def test_crc_of_the_catalogue() -> None:
    assert CHECKSUMS["crc8-j1850"](b"123456789") == 0x4B


def test_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sum.dbc"
    path.write_text(OTHER.replace("SG_ Power : 24|16@1+", "SG_ Sum : 56|8@1+"), encoding="ascii")
    mapped = {**RECEIVE, "checksum": {"signal": "Battery.Sum", "kind": "sum8"}}
    battery = Dialect(path, SEND, mapped).received[1281]
    assert battery.decode(bytes([90, 0x90, 1, 0, 0, 0, 0, 0xEB]))["soc_pct"] == 45.0
    with pytest.raises(ValueError, match="wrong checksum"):
        battery.decode(bytes([91, 0x90, 1, 0, 0, 0, 0, 0xEB]))


# ---- SLCAN


class Pty:
    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.wire = SlcanWire("x", os.ttyname(slave))
        os.close(slave)
        os.read(self.master, 100)

    def bring(self, *pieces: bytes) -> list[Arrival]:
        arrivals = []
        for piece in pieces:
            os.write(self.master, piece)
            arrivals.append(self.wire.receive(1.0))
        return arrivals

    def close(self) -> None:
        self.wire.close()
        os.close(self.master)


@pytest.fixture(scope="module")
def pty() -> Iterator[Pty]:
    made = Pty()
    yield made
    made.close()


FRAME = st.tuples(
    st.integers(0, 0x7FF) | st.integers(0, 0x1FFF_FFFF).map(lambda n: n | EXTENDED), st.binary(max_size=8)
)
NOISE = st.sampled_from([b"", b"\r", b"z\r", b"Z\r", b"\a", b"V1013\r", b"r1230\r", b"F00\r"])


@given(st.lists(st.tuples(NOISE, FRAME), min_size=1, max_size=6), st.data())
def test_any_stream_cut_anywhere_gives_its_frames(pty: Pty, said: list[Any], data: Any) -> None:
    """Answers, BELs and stamps come between; a frame is never glued to them, and none is lost."""
    stream = b"".join(noise + send_line(*frame) for noise, frame in said)
    cut = data.draw(st.integers(1, len(stream)))
    pty.wire.watch = frozenset(key for _, (key, _) in said)
    pty.wire.record = True
    arrivals = pty.bring(*(piece for piece in (stream[:cut], stream[cut:]) if piece))
    frames = [(frame.key, frame.data) for arrival in arrivals for frame in arrival.frames]
    assert frames == [frame for _, frame in said]
    assert not [text for arrival in arrivals for text in arrival.damaged]
    texts = [text.partition("#") for arrival in arrivals for text in arrival.raw if not text.startswith("r")]
    assert [int(text[0], 16) for text in texts] == [key & ~EXTENDED for _, (key, _) in said]
    raw = [bytes.fromhex(text[2]) for text in texts]
    assert raw == [frame[1] for _, frame in said]


@pytest.mark.parametrize(
    "text", [b"t201XYZ\r", b"t20181122\r", b"T0000020181122334455667788\r"[:20] + b"\r", b"t2018\r"]
)
def test_damage_is_seen(pty: Pty, text: bytes) -> None:
    pty.wire.watch = frozenset({0x201})
    (arrival,) = pty.bring(text + send_line(0x201, b"\1"))
    assert len(arrival.damaged) == 1
    assert [frame.data for frame in arrival.frames] == [b"\1"]


def test_stamps_of_the_adapter_are_no_damage(pty: Pty) -> None:
    pty.wire.watch = frozenset({0x201})
    (arrival,) = pty.bring(b"t2012AABB1F40\r")
    assert [frame.data for frame in arrival.frames] == [b"\xaa\xbb"]
    assert not arrival.damaged


def test_endless_noise_does_not_grow(pty: Pty) -> None:
    arrivals = pty.bring(*[b"U" * 1000] * 5, b"\r")
    assert [text for arrival in arrivals for text in arrival.damaged] == ["5000 bytes without an end of line"]


# ---- what adapters say


def test_flags_and_error_classes_in_words() -> None:
    assert [trouble.kind for trouble in slcan_flags(0xA8)] == ["overrun", "passive", "error-frame"]
    assert [trouble.kind for trouble in slcan_flags(0)] == ["recovered"]
    assert [trouble.kind for trouble in socketcan_error(0x044, b"\0\x10")] == ["bus-off", "passive"]
    assert [trouble.kind for trouble in socketcan_error(0x200, b"")] == ["error-frame"]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2 * 10**6), st.integers(-(10**12), 10**12))
def test_stamp_of_the_wall_clock_lies_between_the_readings(width: int, at: int, later: int, offset: int) -> None:
    """True instant `at` after the first reading; the wall clock is the bench clock plus an offset."""
    before = Reading(1000, 1500 + offset, 2000)
    end = 2000 + max(at, later)
    after = Reading(end, end + offset + width % 1000, end + 1000)
    true_ns = 1000 + at
    lo_ns, hi_ns = on_bench_clock(true_ns + offset, before, after)
    assert before.lo_ns <= lo_ns <= true_ns <= hi_ns <= after.hi_ns


def test_stamp_over_a_step_of_the_wall_clock_is_not_believed() -> None:
    before, after = Reading(0, 10**9, 0), Reading(10**6, 10**9 + 10**6 + 200_000, 10**6)
    assert on_bench_clock(10**9 + 500_000, before, after) == (0, 10**6)


def test_addresses() -> None:
    assert can_address("/dev/ttyACM0") == can_address("slcan:/dev/ttyACM0")
    assert can_address("socket://10.0.0.2:3000").interface == "slcan"
    assert can_address("socketcand:pi.local:29536/can0").port == "socketcand:pi.local:29536/can0"
    assert can_address("kvaser:0").number == 0


DIALECT = Dialect(DBC, DEFAULT_SEND, DEFAULT_RECEIVE)
