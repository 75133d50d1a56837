"""The charging profiles that a station accepted, and what they allow together (OCPP 1.6 section 3.13)."""

from __future__ import annotations

from typing import Any

__all__ = ["NO_LIMIT_A", "ProfileBook"]

NO_LIMIT_A = 1_000_000.0
_KINDS = {
    "ChargePointMaxProfile": "station",
    "ChargingStationMaxProfile": "station",
    "TxDefaultProfile": "default",
    "TxProfile": "transaction",
}
_OUTLET_KEYS = frozenset({"evse", "connector", "connectorId"})


class ProfileBook:
    """Accepted profiles of one outlet: constant limits, the newest of a purpose and stack level."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[int | None, float | None]] = {}
        self._places: dict[int, tuple[str, int]] = {}
        self.partial = False

    def accept(self, data: dict[str, Any]) -> None:
        """A profile was accepted; `limit_a` None (a limit in watts, or none given) is not known in ampere."""
        purpose = str(data.get("purpose") or "default")
        kind = _KINDS.get(purpose, purpose)
        limit = data.get("limit_a")
        highest = data.get("max_limit_a", limit)
        known = float(limit) if isinstance(limit, int | float) and highest == limit else None
        level = data.get("stack_level")
        self._replace(data.get("profile_id"), kind, level)
        kept = self._kept.setdefault(kind, {})
        if level is None and kept and kept.get(None) != known:
            known = None  # whether it replaced the earlier one, or stands below it, cannot be told
        kept[level] = known

    def _replace(self, number: object, kind: str, level: object) -> None:
        """A profile with the same id is replaced, also one of another purpose or level (1.6 3.13.2, K01.FR.05)."""
        if not isinstance(number, int) or not isinstance(level, int):
            return
        self._places = {one: place for one, place in self._places.items() if one == number or place != (kind, level)}
        before = self._places.get(number)
        if before is not None and before != (kind, level):
            self._kept.get(before[0], {}).pop(before[1], None)
        self._places[number] = (kind, level)

    def clear(self, wanted: dict[str, Any] | None = None) -> None:
        """Profiles were cleared: all of them, or those that the filter in `wanted` fits.

        Which ones a filter left is not looked at: none is counted on any more, and `partial` says that a lower
        limit may still stand.
        """
        chosen = any(value is not None for key, value in (wanted or {}).items() if key not in _OUTLET_KEYS)
        self.partial = chosen and (self.partial or bool(self._kept))
        self._kept.clear()
        self._places.clear()

    def end_transaction(self) -> None:
        """A transaction's own profiles end with it."""
        self._kept.pop("transaction", None)
        self._places = {one: place for one, place in self._places.items() if place[0] != "transaction"}

    def limit_a(self) -> float | None:
        """What they allow together; None when it cannot be told; NO_LIMIT_A when nothing limits."""
        of_tx = "transaction" if self._kept.get("transaction") else "default"
        limits: list[float | None] = []
        for kind in ("station", of_tx):
            stack = self._kept.get(kind)
            if stack:
                levels = [level for level in stack if level is not None]
                limits.append(stack[max(levels)] if levels and None not in stack else stack.get(None))
        if any(limit is None for limit in limits):
            return None
        return min((limit for limit in limits if limit is not None), default=NO_LIMIT_A)
