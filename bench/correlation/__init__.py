"""Rules, the engine that judges them, and verdicts. Reads the timeline only."""

from __future__ import annotations

from .engine import Engine, canonical, evaluate
from .facts import Calibration, Facts
from .language.limits import Limit, load_limits
from .language.pack import NamedRule, Pack, load_pack
from .online import OnlineEngine
from .standing import StandingCheck, Violation
from .verdict import EvidenceRef, Instance, Outcome, Range, Reason, Report, Verdict, exit_code

__all__ = [
    "Calibration",
    "Engine",
    "EvidenceRef",
    "Facts",
    "Instance",
    "Limit",
    "NamedRule",
    "OnlineEngine",
    "Outcome",
    "Pack",
    "Range",
    "Reason",
    "Report",
    "StandingCheck",
    "Verdict",
    "Violation",
    "canonical",
    "evaluate",
    "exit_code",
    "load_limits",
    "load_pack",
]
