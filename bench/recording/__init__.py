"""Recordings: one MCAP file a run, written while it goes on and readable however it ended."""

from __future__ import annotations

from ..timeline.credentials import Redactor
from .reader import Run, read_run
from .rewrite import repair, rewrite
from .writer import Recorder

__all__ = ["Recorder", "Redactor", "Run", "read_run", "repair", "rewrite"]
