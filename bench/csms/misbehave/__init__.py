"""Breaking the rules on command: scripted answers, and faults of the connection."""

from __future__ import annotations

from .plan import Handler, Plan
from .scripts import Script, Scripts

__all__ = ["Handler", "Plan", "Script", "Scripts"]
