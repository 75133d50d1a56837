"""An event as the bytes that stand in the recording, without credentials."""

from __future__ import annotations

import math
from typing import Any, cast

import msgspec

from ..timeline import Event
from ..timeline.credentials import Redactor

__all__ = ["decode_event", "encode_event", "encode_events"]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode_event(event: Event, redactor: Redactor) -> bytes:
    """JSON of `event`, credentials replaced.

    Values that JSON does not know (a lone surrogate, a foreign object, a number that is none)
    are written as text, and the data then says `written_as_text`: nothing is bent in silence.
    """
    try:
        payload = _encoder.encode(event)
        plain = event
    except (TypeError, ValueError, OverflowError, RecursionError):
        data = {**cast("dict[str, Any]", _as_text(event.data)), "written_as_text": True}
        raw = None if event.raw is None else _clean(event.raw)
        plain = msgspec.structs.replace(event, data=data, raw=raw)
        payload = _encoder.encode(plain)
    if not redactor.suspects(payload):
        return payload
    try:
        data = cast("dict[str, Any]", redactor.value(plain.data))
    except RecursionError:
        data = cast("dict[str, Any]", redactor.value({**_as_text(plain.data), "written_as_text": True}))
    raw = None if plain.raw is None else redactor.text(plain.raw)
    return _encoder.encode(msgspec.structs.replace(plain, data=data, raw=raw))


def encode_events(events: list[Event], redactor: Redactor) -> list[bytes]:
    """The same for several events: looked through together, and each by itself only when one of them is suspect."""
    try:
        lines = _encoder.encode_lines(events)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return [encode_event(event, redactor) for event in events]
    # A line feed stands in no JSON text that was encoded here, so nothing is found across two events.
    if redactor.suspects(lines):
        return [encode_event(event, redactor) for event in events]
    return lines.splitlines()


def decode_event(payload: bytes) -> Event:
    """The event in `payload`.

    Raises:
        msgspec.MsgspecError: it holds none.
    """
    return _decoder.decode(payload)


def _as_text(value: Any, depth: int = 0) -> Any:
    if depth > 50:
        return "..."
    if isinstance(value, str):
        return _clean(value)
    if value is None or isinstance(value, (bool, int)):
        return cast("object", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return {_clean(str(key)): _as_text(item, depth + 1) for key, item in pairs.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_as_text(item, depth + 1) for item in cast("list[object]", value)]
    return _clean(repr(value))


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
