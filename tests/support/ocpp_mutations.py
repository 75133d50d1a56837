"""Frames that a station might send if it were broken: mutated documents, torn texts, and WebSocket frames of odd kinds.

Everything follows from the seed. A `Shot` is the bytes for the wire, and what has to stand on the timeline for them.
"""

from __future__ import annotations

import functools
import itertools
import json
import random
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import schema_samples as samples
from schema_directions import FROM_STATION, SENDS, from_csms

BIGGEST = 64 * 1024
"""Longest message that the back end under fire takes."""
SAMPLE_CHARS = 3000
"""Longer samples say nothing more, and cost time."""
KILLERS = 0.002
"""Share of frames after which RFC 6455 wants the connection failed."""

NOW = "2026-11-21T10:00:00Z"
VALUES: list[Any] = [
    None, True, False, -1, 0, 1, 1.5, 0.1, 2**31, 2**63, 10**30, -(10**30), 1e300,
    "", "x", "x" * 600, "ä\u2028\U0001f50c", "NaN", "1e999", "0x10", "-0", NOW, "2026-02-30T25:61:61Z", "\x00",
    [], {}, [[]], [None], {"": None}, {"a": {"a": {}}},
]  # fmt: skip
_ALIKE = {kind: [value for value in VALUES if type(value) is kind] for kind in (bool, int, float, str)}
RUBBISH = [
    "", " ", "null", "true", "2", '"', "[", "]", "{}", "[]", "[[]]", "[2]", "[3]", "[4]", "[5]", "[6]", '[2,"x"]',
    "[2,2,2,2]", '[6,"x","y"]', "[" * 2000, '{"a":' * 500, "\ufeff[]", "[1e400]", "[-]", "\\u0000", "[2,'a','b',{}]",
    '[2,"dup","Heartbeat",{"a":1,"a":2}]', "[2.0,\"f\",\"Heartbeat\",{}]", '[true,"f","Heartbeat",{}]', "NaN",
    '[2,"\\ud800","Heartbeat",{}]', '[2,"long' + "g" * 60 + '","Heartbeat",{}]', '[5,"a","GenericError","",{}]',
    '[7,"a","Heartbeat",{}]', '[2,"","Heartbeat",{}]', '[3,"a",{}]', '[4,"a","NoSuchCode","",{}]',
]  # fmt: skip

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Shot(NamedTuple):
    """Bytes for the wire. `told`: the frames to be recorded, as (kind, raw). `kills`: the connection ends with it."""

    data: bytes
    told: list[tuple[str, str]]
    kills: bool = False


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, bits: int = 0) -> bytes:
    """A WebSocket frame of a client. Its mask is zero, which leaves the payload as it is."""
    first = bytes([(0x80 if fin else 0) | bits | opcode])
    flag, size = 0x80 if masked else 0, len(payload)
    if size < 126:
        head = bytes([flag | size])
    elif size < 65536:
        head = bytes([flag | 126]) + struct.pack("!H", size)
    else:
        head = bytes([flag | 127]) + struct.pack("!Q", size)
    return first + head + (b"\0\0\0\0" if masked else b"") + payload


def mutated(rng: random.Random, node: Any) -> Any:
    """A document with one place replaced, removed, doubled or added."""
    if rng.random() < 0.1 or not isinstance(node, dict | list) or not node:
        # A value of the same type often still fits, and goes deeper.
        return rng.choice(_ALIKE.get(type(node), VALUES) if rng.random() < 0.6 else VALUES)
    copy: Any = node.copy()
    key: Any = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
    dice = rng.random()
    if dice < 0.12:
        del copy[key]
    elif dice < 0.18 and isinstance(copy, dict):
        copy[rng.choice(["extra", "", key + "x", key.upper()])] = rng.choice(VALUES)
    elif dice < 0.24 and isinstance(copy, list):
        copy.extend(copy[: rng.choice([1, 2, 30])])
    else:
        copy[key] = mutated(rng, copy[key])
    return copy


def torn(rng: random.Random, text: str) -> str:
    """A text with a piece missing, doubled, or a character changed."""
    at, to = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
    changed = chr(rng.choice([rng.randrange(0x20, 0x7F), rng.randrange(0x80, 0xD7FF), rng.randrange(0x20)]))
    return rng.choice([text[:at], text[:at] + changed + text[at + 1 :], text + text[at:], text[:at] + text[to:]])


@functools.cache
def _payloads(version: str, action: str, side: str) -> list[Any]:
    """Payloads of one schema that fit, and those with one fault, as far as they are short."""
    sampler = samples.sampler(version, action, side)
    fitting = [sampler.minimal(), sampler.maximal()]
    broken = [broken.payload for broken in sampler.broken()]
    return [one for one in fitting * max(1, len(broken) // 2) + broken if len(json.dumps(one)) < SAMPLE_CHARS]


class Mutations:
    """An endless supply of shots for one version."""

    def __init__(self, version: str, seed: int) -> None:
        self._version = version
        self._rng = random.Random(f"{version} {seed}")
        self._ids = itertools.count(1)
        self._asked = [*FROM_STATION[version], *SENDS[version]]
        self._answered = from_csms(version)

    def shots(self) -> Iterator[Shot]:
        """Shots without end."""
        rng = self._rng
        while True:
            dice = rng.random()
            if dice < KILLERS:
                yield self._killer()
            elif dice < 0.04:
                yield self._odd_frame()
            else:
                yield self.text(self._text())

    @staticmethod
    def text(text: str) -> Shot:
        """A text in one frame."""
        return Shot(frame(TEXT, text.encode()), [("text", text)])

    def answer(self, message_id: str, action: str) -> Shot:
        """An answer to a request of the back end, mostly one that does not fit."""
        rng = self._rng
        dice = rng.random()
        if dice < 0.1:
            return self.text(self._dumped([4, message_id, rng.choice(["GenericError", "Rubbish"]), "why", {}]))
        payload = rng.choice(_payloads(self._version, action, "response"))
        if dice < 0.2:
            return self.text(self._dumped([3, message_id, payload]))
        for _ in range(rng.choice([0, 1, 2])):
            payload = mutated(rng, payload)
        return self.text(json.dumps([3, message_id, payload]))

    def _document(self) -> list[Any]:
        """A message that could be right, but for its payload."""
        rng, version = self._rng, self._version
        message_id = f"f{next(self._ids)}"
        dice = rng.random()
        if dice < 0.85:
            action = rng.choice(self._asked)
            number = 6 if action in SENDS[version] and rng.random() < 0.8 else 2
            return [number, message_id, action, rng.choice(_payloads(version, action, "request"))]
        if dice < 0.93:
            return [3, message_id, rng.choice(_payloads(version, rng.choice(self._answered), "response"))]
        if dice < 0.97:
            return [rng.choice([4, 5]), message_id, "GenericError", "why", {}]
        action = rng.choice(self._answered)
        return [2, message_id, action, rng.choice(_payloads(version, action, "request"))]

    def _dumped(self, document: Any) -> str:
        rng = self._rng
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
            document = mutated(rng, document)
        text = json.dumps(document, ensure_ascii=rng.random() < 0.5)
        return torn(rng, text) if rng.random() < 0.12 else text

    def _text(self) -> str:
        if self._rng.random() < 0.03:
            return self._rng.choice(RUBBISH)
        return self._dumped(self._document())

    def _odd_frame(self) -> Shot:
        """Frames that are allowed, and seldom."""
        rng = self._rng
        dice = rng.random()
        noise = rng.randbytes(rng.choice([0, 1, 20, 125]))
        if dice < 0.25:
            data = rng.randbytes(rng.choice([0, 1, 300, 5000]))
            return Shot(frame(BINARY, data), [("binary", data.hex())])
        if dice < 0.4:
            return Shot(frame(PING, noise), [("ping", noise.hex())])
        if dice < 0.5:
            return Shot(frame(PONG, noise), [("pong", noise.hex())])
        text = self._text()
        raw = text.encode()
        cuts = sorted(rng.randrange(len(raw) + 1) for _ in range(rng.choice([1, 2, 5])))
        pieces = [raw[a:b] for a, b in itertools.pairwise([0, *cuts, len(raw)])]
        last, data, told = len(pieces) - 1, b"", [("text", text)]
        for number, piece in enumerate(pieces):
            data += frame(0 if number else TEXT, piece, fin=number == last)
            if number == 0 and last and dice < 0.7:
                data += frame(PING, noise)
                told.insert(0, ("ping", noise.hex()))
        return Shot(data, told)

    def _killer(self) -> Shot:
        """Frames after which the connection is failed (RFC 6455 sections 5 and 8.1), with nothing to tell but that."""
        rng = self._rng
        text = b'[2,"k","Heartbeat",{}]'
        return Shot(
            rng.choice(
                [
                    frame(TEXT, b'[2,"\xff\xfe","Heartbeat",{}]'),
                    frame(TEXT, text[:-1] + b"\xc3"),
                    frame(TEXT, b"x" * (BIGGEST + 1)),
                    frame(BINARY, b"x" * (BIGGEST + 1)),
                    frame(TEXT, b"x" * BIGGEST, fin=False) + frame(0, b"y"),
                    frame(TEXT, text, masked=False),
                    frame(TEXT, text, bits=rng.choice([0x40, 0x20, 0x10])),
                    frame(rng.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), text),
                    frame(0, text),
                    frame(TEXT, b"[", fin=False) + frame(TEXT, text),
                    frame(PING, b"x" * 126),
                    frame(PING, b"x", fin=False),
                    frame(CLOSE, b"\x03"),
                    frame(CLOSE, struct.pack("!H", 1000) + b"\xff"),
                    frame(CLOSE, struct.pack("!H", rng.choice([0, 999, 1004, 1005, 1006, 1015, 65535]))),
                    b"\xff" * 40,
                ]
            ),
            [],
            kills=True,
        )
