"""The verb of every EV simulator: `ev.command`, as the gate sees it."""

from __future__ import annotations

from typing import Any

from ...errors import ConfigError

__all__ = ["ev_args"]


def ev_args(
    name: str,
    highest_a: float,
    plugged: bool | None,
    s2_closed: bool | None,
    max_current_a: float | None,
    charge: bool | None,
) -> dict[str, Any]:
    """What is to change, without what stays.

    Raises:
        ConfigError: `max_current_a` is outside 0..`highest_a`.
    """
    if max_current_a is not None and not 0 <= max_current_a <= highest_a:
        raise ConfigError(f"{name}: max_current_a = {max_current_a} is outside 0..{highest_a:g} A")
    given: dict[str, float | bool | None] = {
        "plugged": plugged,
        "s2_closed": s2_closed,
        "max_current_a": None if max_current_a is None else float(max_current_a),
        "charge": charge,
    }
    return {key: value for key, value in given.items() if value is not None}
