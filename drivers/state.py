"""The states of a device, and which may follow which.

::

    IDLE ──open──> ACTIVE <──> DEGRADED          it answers, but not as it should
      ^              │  │
      │              │  └────> FAULTED           gone, or it never came up
      └────close─────┴───────> UNKNOWN           nobody knows what its outputs do;
                                                 only the verified safe state leads out
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["MAY_FOLLOW", "DeviceState"]


class DeviceState(StrEnum):
    """State of a device as the bench sees it; the value stands in `device.state`."""

    IDLE = "IDLE"
    ACTIVE = "ACTIVE"
    DEGRADED = "DEGRADED"
    FAULTED = "FAULTED"
    UNKNOWN = "UNKNOWN"


MAY_FOLLOW: Mapping[DeviceState, frozenset[DeviceState]] = {
    DeviceState.IDLE: frozenset({DeviceState.ACTIVE, DeviceState.UNKNOWN, DeviceState.FAULTED}),
    DeviceState.ACTIVE: frozenset(
        {DeviceState.IDLE, DeviceState.DEGRADED, DeviceState.FAULTED, DeviceState.UNKNOWN},
    ),
    DeviceState.DEGRADED: frozenset(
        {DeviceState.IDLE, DeviceState.ACTIVE, DeviceState.FAULTED, DeviceState.UNKNOWN},
    ),
    DeviceState.FAULTED: frozenset({DeviceState.IDLE, DeviceState.ACTIVE, DeviceState.UNKNOWN}),
    DeviceState.UNKNOWN: frozenset({DeviceState.ACTIVE, DeviceState.FAULTED}),
}
