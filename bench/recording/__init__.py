"""Recordings: one MCAP file a run, written while it goes on and readable however it ended."""

from __future__ import annotations

from .reader import Run, read_run
from .redact import Redactor
from .rewrite import repair, rewrite
from .writer import Recorder

__all__ = ["Recorder", "Redactor", "Run", "read_run", "repair", "rewrite"]
