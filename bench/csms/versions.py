"""The OCPP versions there are, by the name of their WebSocket subprotocol."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from .dialect import Dialect

__all__ = ["DIALECTS", "pick", "station_actions"]


def _v16() -> Dialect:
    from .v16.dialect import dialect

    return dialect()


def _v201() -> Dialect:
    from .v201.dialect import dialect

    return dialect()


def _v21() -> Dialect:
    from .v21.dialect import dialect

    return dialect()


DIALECTS: Mapping[str, Callable[[], Dialect]] = {"ocpp1.6": _v16, "ocpp2.0.1": _v201, "ocpp2.1": _v21}
"""Name of the WebSocket subprotocol -> what loads the version."""


def pick(offered: Sequence[str], preferred: str | None = None) -> str | None:
    """The subprotocol to use: `preferred` (an OCPP version) if it is offered, else the first offer that is known.

    None when none is. OCPP-J 1.6 section 3.1.3: the order of the offers is the station's preference.
    """
    wanted = f"ocpp{preferred}"
    if wanted in DIALECTS and wanted in offered:
        return wanted
    return next((name for name in offered if name in DIALECTS), None)


@functools.cache
def station_actions() -> frozenset[str]:
    """Every request that a station may send, in any version."""
    return frozenset(action for load in DIALECTS.values() for action in load().inbound)
