"""The gate and the safe state.

The names below are loaded when they are first used: the guardian's process lives in this package and shall be up
in a moment.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .envelope import Envelope
    from .gate import EnvelopeGate
    from .make_safe import SafeLimits, SafeOutcome, SafeRecipe, together
    from .observed import Outlet

__all__ = ["Envelope", "EnvelopeGate", "Outlet", "SafeLimits", "SafeOutcome", "SafeRecipe", "together"]

_WHERE = {
    "Envelope": "envelope",
    "EnvelopeGate": "gate",
    "Outlet": "observed",
    "SafeLimits": "make_safe",
    "SafeOutcome": "make_safe",
    "SafeRecipe": "make_safe",
    "together": "make_safe",
}


def __getattr__(name: str) -> Any:
    try:
        module = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f".{module}", __name__), name)
