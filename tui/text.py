"""Turning measured values and foreign text into something a terminal line can hold."""

from __future__ import annotations

__all__ = ["amount", "energy", "plain"]

UNKNOWN = "–"
LINE_LIMIT = 2000


def plain(text: str, limit: int = LINE_LIMIT) -> str:
    """One line without control characters: what a station sent must not be able to steer the terminal."""
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return "".join(char if char.isprintable() else " " if char in "\n\t" else "·" for char in cut)


def amount(value: float | None, unit: str, digits: int = 1) -> str:
    """A value with its unit; a dash where nothing is known."""
    return UNKNOWN if value is None else f"{value:.{digits}f} {unit}"


def energy(value_wh: float | None) -> str:
    """Energy in Wh, in kWh from one kWh on."""
    if value_wh is None or abs(value_wh) < 1000:
        return amount(value_wh, "Wh")
    return amount(value_wh / 1000, "kWh", 3)
