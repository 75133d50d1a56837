"""Shipped cases: pytest tests that run against a station.

A case uses only the fixtures of the plugin (`bench`, `vehicle`, `csms`, `timeline`). It plays a
course of events and does not judge: the rules do.
"""

from __future__ import annotations

__all__ = ["CASES"]

CASES: dict[str, str] = {
    "session": "a complete AC session: plug, authorise, charge, limit to 16 A, pause, resume, remote stop, unplug",
}
"""Name -> what it does. The case NAME lives in the module `case_NAME`."""
