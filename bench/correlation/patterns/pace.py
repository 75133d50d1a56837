"""The time that a cadence names: written, a limit, a setting of the station, or the agreed heartbeat interval."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

from ...timeline import Event, Interval
from ..condition import Reader
from ..language.signals import CONFIG
from ..world.mark import NEVER, Mark, between

__all__ = ["HEARTBEAT", "Heartbeat", "factor_of", "pace_of"]

HEARTBEAT = "heartbeat.interval"
_KEYS = ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval")


def pace_of(
    reader: Reader, text: str, factor: Fraction, begin: Mark, end: Mark, nothing: float = NEVER
) -> Interval | None:
    """`text` times `factor` in nanoseconds, with all values that a setting may have had from `begin` to `end`.

    `nothing`: stands for a setting of 0, or one that the station does not have; it asks nothing. None: the setting was
    not read back, or is no number.
    """
    if not text.startswith(CONFIG):
        exact = float(Fraction(reader.quantity(text, "time")) * factor)
        return Interval(exact, exact)
    changes = reader.world.track(text, 0).changes
    found: set[float] = set()
    for i, change in enumerate(changes):
        over = i + 1 < len(changes) and between(begin, changes[i + 1].mark).hi <= 0
        later = between(change.mark, end).hi < 0
        if change.value is None or over or later:
            continue
        try:
            asked = Fraction(str(change.value) or "0") * 1_000_000_000
        except (ValueError, ZeroDivisionError):
            return None
        found.add(float(asked * factor) if asked > 0 else nothing)
    return Interval(min(found), max(found)) if found else None


def factor_of(reader: Reader, tolerance: str, sign: int) -> Fraction:
    """1 plus (or minus) a tolerance."""
    return 1 + sign * Fraction(str(reader.quantity(tolerance, "share"))) / 100


class Heartbeat:
    """The interval that the boot's answer set, until the back end changes it; else what was read back."""

    def __init__(self) -> None:
        self.every_ns = 0.0

    def take(self, event: Event) -> bool:
        """Whether the interval became known, or was set anew."""
        data = event.data
        match event.topic:
            case "ocpp.boot.answered":
                return self._put(data.get("interval_s"))
            case "station.config" if not self.every_ns:
                values = cast("dict[str, Any]", data.get("values") or {})
                return self._put(next((values[key] for key in _KEYS if key in values), None))
            case "csms.setting" if data.get("accepted") and data.get("key") in _KEYS:
                return self._put(data.get("value"))
            case "csms.request" if data.get("accepted") and data.get("verb") == "ChangeConfiguration":
                args = cast("dict[str, Any]", data.get("args") or {})
                return args.get("key") in _KEYS and self._put(args.get("value"))
            case _:
                return False

    def _put(self, told: object) -> bool:
        if isinstance(told, bool) or not isinstance(told, int | float | str):
            return False
        try:
            every_ns = float(told) * 1e9
        except ValueError:
            return False
        if not 0 < every_ns < NEVER:
            return False
        self.every_ns = every_ns
        return True
