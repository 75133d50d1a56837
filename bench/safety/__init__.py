"""The gate and the safe state."""

from __future__ import annotations

from .envelope import Envelope
from .gate import EnvelopeGate
from .make_safe import SafeLimits, SafeOutcome, SafeRecipe, together
from .observed import Outlet

__all__ = ["Envelope", "EnvelopeGate", "Outlet", "SafeLimits", "SafeOutcome", "SafeRecipe", "together"]
