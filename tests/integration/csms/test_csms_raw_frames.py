"""Frames byte by byte: whatever a station sends is recorded, whole, split, refused or cut off."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest

Play = Callable[..., Any]
MASK = b"\x11\x22\x33\x44"
HEARTBEAT = b'[2,"h","Heartbeat",{}]'
TEXT, CONT, BINARY, CLOSE, PING, PONG = 0x1, 0x0, 0x2, 0x8, 0x9, 0xA


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, mask: bool = True, rsv: int = 0, size: int | None = None
) -> bytes:
    """One frame as it stands on the wire; `size`: what its header says, if not the truth."""
    size = len(payload) if size is None else size
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    if not mask:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


def written(play: Play, *pieces: bytes, pause_s: float = 0.0, abort: bool = True, **options: Any) -> Any:
    """A station that boots, writes these bytes, one write each, and is gone."""

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            for piece in pieces:
                station.ws.transport.write(piece)
                await asyncio.sleep(pause_s)
            if abort:
                await asyncio.sleep(0.02)
                station.ws.transport.close()
            await rig.seen("ocpp.disconnected")

    return play(story, **options)


def heard(rig: Any) -> list[tuple[str, str]]:
    """What came after the boot."""
    return [(e.data["kind"], e.raw) for e in rig.all("ocpp.frame", dir="rx")][1:]


def test_a_frame_in_many_reads_is_one_frame(play: Play) -> None:
    whole = frame(TEXT, HEARTBEAT)
    rig = written(play, *[whole[i : i + 1] for i in range(len(whole))], pause_s=0.001)
    assert heard(rig) == [("text", HEARTBEAT.decode())]
    assert not rig.all("ocpp.violation")
    # It arrived when its last byte did.
    assert (
        rig.one("ocpp.call", action="Heartbeat").stamp.lo_ns
        > rig.one("ocpp.result", action="BootNotification").stamp.hi_ns
    )


def test_many_frames_in_one_read_are_many_frames(play: Play) -> None:
    pieces = [frame(PING, bytes([i])) + frame(TEXT, HEARTBEAT.replace(b'"h"', b'"h%d"' % i)) for i in range(20)]
    rig = written(play, b"".join(pieces))
    assert [kind for kind, _ in heard(rig)] == ["ping", "text"] * 20
    assert len(rig.all("ocpp.frame", dir="tx", kind="pong")) == 20


@pytest.mark.parametrize("split", [False, True], ids=["one read", "many reads"])
def test_a_message_in_several_frames_with_a_ping_between(play: Play, split: bool) -> None:
    frames = [
        frame(TEXT, HEARTBEAT[:5], fin=False),
        frame(PING, b"between"),
        frame(CONT, HEARTBEAT[5:9], fin=False),
        frame(PONG, b""),
        frame(CONT, HEARTBEAT[9:]),
    ]
    wire = b"".join(frames)
    pieces = [wire[i : i + 3] for i in range(0, len(wire), 3)] if split else [wire]
    rig = written(play, *pieces, pause_s=0.001)
    assert heard(rig) == [("ping", b"between".hex()), ("pong", ""), ("text", HEARTBEAT.decode())]
    message = rig.all("ocpp.frame", dir="rx", kind="text")[1]
    assert message.data["fragments"] == 3
    assert rig.one("ocpp.result", action="Heartbeat")


def test_a_text_whose_letters_are_split_over_frames(play: Play) -> None:
    text = '[2,"h","DataTransfer",{"vendorId":"Ä€"}]'
    data = text.encode()
    at = data.index("Ä".encode()) + 1
    rig = written(play, frame(TEXT, data[:at], fin=False) + frame(CONT, data[at:]))
    assert heard(rig) == [("text", text)]


BAD: dict[str, tuple[str, bytes]] = {
    "reserved bit": ("ProtocolError", frame(TEXT, HEARTBEAT, rsv=4)),
    "unknown opcode": ("ProtocolError", frame(0x3, b"abc")),
    "unmasked": ("ProtocolError", frame(TEXT, HEARTBEAT, mask=False)),
    "long ping": ("ProtocolError", frame(PING, b"x" * 126)),
    "split ping": ("ProtocolError", frame(PING, b"x", fin=False)),
    "continues nothing": ("ProtocolError", frame(CONT, b"x")),
    "too long": ("PayloadTooBig", frame(TEXT, b'"' + b"x" * 6000 + b'"')),
    "says it is huge": ("PayloadTooBig", frame(TEXT, b"", size=1 << 62)),
    "close with half a code": ("ProtocolError", frame(CLOSE, b"\x03")),
    "close with a code that none may send": ("ProtocolError", frame(CLOSE, struct.pack("!H", 1005))),
    "close with a reason that is no text": ("UnicodeDecodeError", frame(CLOSE, struct.pack("!H", 1000) + b"\xff")),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("before", [b"", frame(TEXT, HEARTBEAT)], ids=["alone", "after another"])
def test_a_refused_frame_is_recorded_from_its_first_byte(play: Play, name: str, before: bytes) -> None:
    code, bad = BAD[name]
    rig = written(play, before + bad, abort=False, max_message_bytes=4096)
    violation = rig.one("ocpp.violation", layer="frame")
    assert violation.data["code"] == code
    assert violation.raw == bad.hex()
    assert len(heard(rig)) == bool(before)
    rig.one("ocpp.frame", dir="tx", kind="close")


@pytest.mark.parametrize("name", ["reserved bit", "long ping", "close with a reason that is no text"])
def test_a_refused_frame_in_many_reads(play: Play, name: str) -> None:
    code, bad = BAD[name]
    wire = frame(TEXT, HEARTBEAT) + bad
    rig = written(play, *[wire[i : i + 7] for i in range(0, len(wire), 7)], pause_s=0.001, abort=False)
    violation = rig.one("ocpp.violation", layer="frame")
    assert (violation.data["code"], violation.raw) == (code, bad.hex())


def test_a_refused_frame_is_kept_up_to_64_kib(play: Play) -> None:
    bad = frame(TEXT, b"y" * 300_000, rsv=4)
    rig = written(play, bad, abort=False)
    violation = rig.one("ocpp.violation", layer="frame")
    assert violation.raw == bad[: 64 * 1024].hex()


@pytest.mark.parametrize("cut", [1, 4, 20])
def test_half_a_frame_at_the_end(play: Play, cut: int) -> None:
    half = frame(TEXT, HEARTBEAT)[:cut]
    rig = written(play, frame(TEXT, HEARTBEAT) + half)
    violation = rig.one("ocpp.violation")
    assert violation.data["code"] == "IncompleteFrame"
    assert violation.raw == half.hex()
    assert f"after {cut} bytes" in violation.data["text"]


@pytest.mark.parametrize("how", ["lost", "refused"])
def test_half_a_message_at_the_end(play: Play, how: str) -> None:
    parts = frame(TEXT, HEARTBEAT[:4], fin=False) + frame(CONT, HEARTBEAT[4:8], fin=False)
    bad = frame(TEXT, b"no") if how == "refused" else b""
    rig = written(play, parts + bad, abort=how == "lost")
    found = {e.data["code"]: e for e in rig.all("ocpp.violation")}
    assert found["IncompleteMessage"].raw == HEARTBEAT[:8].hex()
    assert "2 frames with 8 bytes" in found["IncompleteMessage"].data["text"]
    assert ("ProtocolError" in found) == (how == "refused")
    if how == "refused":
        assert found["ProtocolError"].raw == bad.hex()


def test_a_clean_end_leaves_nothing_incomplete(play: Play) -> None:
    rig = written(play, frame(TEXT, HEARTBEAT) + frame(CLOSE, struct.pack("!H", 1000) + b"bye") + b"junk", abort=False)
    assert not rig.all("ocpp.violation", layer="frame")
    assert rig.one("ocpp.frame", dir="rx", kind="close").data["reason"] == "bye"


SECRET = "00112233445566778899aabbccddeeff"
TOLD = f'[3,"x",{{"configurationKey":[{{"key":"AuthorizationKey","value":"{SECRET}","readonly":false}}]}}]'.encode()


@pytest.mark.parametrize(
    "pieces",
    [
        [frame(TEXT, TOLD, rsv=4)],
        [frame(TEXT, TOLD)[:-3]],
        [frame(TEXT, TOLD)[:-30]],
        [frame(TEXT, TOLD, mask=False)],
        [frame(TEXT, TOLD, fin=False)],
        [frame(BINARY, TOLD)],
        [frame(TEXT, TOLD + b"\xff")],
    ],
    ids=["refused", "cut off", "cut off within", "unmasked", "half a message", "binary", "no UTF-8"],
)
def test_credentials_in_what_is_no_text_are_not_recorded(play: Play, pieces: Sequence[bytes]) -> None:
    rig = written(play, *pieces)
    raws = [bytes.fromhex(e.raw) for e in rig.timeline.events() if e.raw and not e.raw.startswith(("[", "{"))]
    assert raws
    for raw in raws:
        unmasked = [bytes(b ^ MASK[(i + shift) % 4] for i, b in enumerate(raw)) for shift in range(4)]
        assert not [text for text in (raw, *unmasked) if SECRET[:16].encode() in text]
    assert any(b"redacted:" in raw for raw in raws)
