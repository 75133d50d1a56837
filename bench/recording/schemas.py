"""JSON Schemas of the recording's channels, made from the vocabulary.

A recording explains itself: any MCAP tool finds with each channel what its messages hold,
with the units in the names of the keys.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..timeline import TOPICS

__all__ = ["schema_bytes", "schema_for", "schema_name"]

_NS: dict[str, Any] = {"type": "integer", "description": "nanoseconds on the bench clock"}

_STAMP: dict[str, Any] = {
    "type": "object",
    "description": "when it happened: between lo_ns and hi_ns on the bench clock",
    "properties": {
        "order_ns": {**_NS, "description": "receipt by the host; orders the events of a run (with rank and seq)"},
        "lo_ns": _NS,
        "hi_ns": _NS,
        "domain": {"type": "string", "description": "the clock that read device_ns"},
        "epoch": {"type": "integer", "description": "counts the restarts and steps of that clock"},
        "device_ns": {"type": ["integer", "null"], "description": "that clock's own reading in nanoseconds"},
        "residual_ns": {"type": "integer", "description": "half-width of the reading's own error"},
        "delay_lo_ns": {"type": "integer", "description": "least delay of the sensor"},
        "delay_hi_ns": {"type": "integer", "description": "greatest delay of the sensor"},
        "drift_ppm": {"type": "integer", "description": "bound of that clock's rate against the bench clock, 1e-6"},
    },
    "required": ["order_ns", "lo_ns", "hi_ns"],
}


def schema_name(topic: str) -> str:
    """Name under which the schema of `topic` stands in the file."""
    return f"pilotbench.{topic}"


def schema_for(topic: str) -> dict[str, Any]:
    """JSON Schema of one message of `topic`; of a topic outside the vocabulary only the common part."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema_name(topic),
        "type": "object",
        "properties": {
            "topic": {"const": topic},
            "source": {"type": "string", "description": "who says so"},
            "seq": {"type": "integer", "minimum": 1, "description": "counts without holes within the source"},
            "rank": {"type": "integer", "minimum": 0, "description": "the source's place in the canonical order"},
            "stamp": _STAMP,
            "data": {"type": "object", "description": TOPICS.get(topic, "not in the vocabulary of this version")},
            "evse": {"type": ["integer", "null"], "description": "outlet of the station, from 1"},
            "raw": {"type": ["string", "null"], "description": "the bytes on the wire as text"},
            "late": {"type": "boolean", "description": "came after its source had promised nothing older would"},
        },
        "required": ["topic", "source", "seq", "rank", "stamp", "data"],
    }


def schema_bytes(topic: str) -> bytes:
    """The schema as it stands in the file."""
    return msgspec.json.encode(schema_for(topic))
