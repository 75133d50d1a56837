"""Limits of one transaction in energy and time (2.1 E16). Costs and the state of charge are not known here."""

from __future__ import annotations

from typing import Any

from ..messages import Payload
from .variables import LIMITS

__all__ = ["TransactionLimits"]


class TransactionLimits:
    """What the back end has set, the last word of each kind; `reached` says which one is.

    `begin_wh`: the register when the transaction began. `early_wh`: so much before a limit of the energy counts as
    reached, so as not to exceed it (E16.FR.19).
    """

    def __init__(self, begin_wh: float = 0.0, early_wh: float = 0.0) -> None:
        self._begin_wh = begin_wh - early_wh
        self._limits: dict[str, float] = {}

    def take(self, said: Payload) -> dict[str, Any]:
        """Set what can be kept to, and return what of it is new, to be confirmed (E16.FR.03)."""
        taken = {name: said[name] for name in LIMITS if name in said and said[name] != self._limits.get(name)}
        self._limits |= taken
        return taken

    def reached(self, register_wh: float, age_s: float) -> str | None:
        """The trigger reason of the limit that is reached; the time counts from the start (E16.FR.09)."""
        if register_wh - self._begin_wh >= self._limits.get("maxEnergy", float("inf")):
            return "EnergyLimitReached"
        if age_s >= self._limits.get("maxTime", float("inf")):
            return "TimeLimitReached"
        return None
