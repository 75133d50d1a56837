"""Settings of the station as text: what a list holds, and what a number is worth.

OCPP gives settings as text. A list is separated by commas (1.6 section 9; 2.x MemberList); times are in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..language.rule import Scalar

__all__ = ["number_in", "setting_has"]


def setting_has(value: object, words: Iterable[Scalar]) -> bool:
    """The setting is one of the words, or a list with one of them; capitals do not matter."""
    members = {member.strip().lower() for member in str(value).split(",")}
    return any(str(word).lower() in members for word in words)


def number_in(value: object, dimension: str) -> float | None:
    """The setting as a number in the base unit of its dimension; None when it is none."""
    try:
        return float(str(value)) * (1e9 if dimension == "time" else 1.0)
    except ValueError:
        return None
