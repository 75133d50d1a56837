"""Breaches of a requirement that a message itself shows, beyond its schema. They are recorded, and answered all the
same: a refusal would change the course that is under test."""

from __future__ import annotations

from ..timeline import Stamp
from .settings import Desk

__all__ = ["breach"]


def breach(desk: Desk, station: str, action: str, code: str, text: str, ref: str, stamp: Stamp) -> None:
    """Record a breach as `ocpp.violation`. `code` is one word, `ref` the requirement."""
    data = {"station": station, "layer": "sequencing", "code": code, "text": f"{text} ({ref})", "action": action}
    desk.source.emit("ocpp.violation", stamp, {**data, "dir": "rx"})
