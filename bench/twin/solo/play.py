"""One session, played by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..station.app import Station
from .bay import Bay

__all__ = ["play_session"]

_BOOT_S = 30.0
_CARD_S = 5.0
_CHARGES_S = 20.0
_STOPS_S = 25.0
_ENERGY_S = 2.0
"""For so long current flows."""


async def play_session(station: Station, bay: Bay, card: str, tell: Callable[[str], None]) -> bool:
    """Plug, card, charge, card, unplug; False, with a line that says why, when a step does not come about."""

    outlet = station.posts[1].outlet

    async def comes(what: str, holds: Callable[[], bool], within_s: float) -> bool:
        if await outlet.until(holds, within_s):
            tell(f"session: {what}")
            return True
        tell(f"session: not within {within_s:g} s: {what}")
        return False

    if not await comes("connected and accepted", lambda: station.link.ready, _BOOT_S):
        return False
    bay.plug()
    bay.charge()
    if not await comes("the station has noticed the vehicle", lambda: outlet.plugged, 5.0):
        return False
    bay.card(card)
    if not await comes("the card is accepted", lambda: outlet.session is not None, _CARD_S):
        return False
    if not await comes("charging", lambda: bay.charging and outlet.transaction is not None, _CHARGES_S):
        return False
    await asyncio.sleep(_ENERGY_S)
    bay.card(card)
    if not await comes("the transaction has ended", lambda: outlet.session is None and station.queue.empty, _STOPS_S):
        return False
    bay.unplug()

    def told() -> bool:
        return station.queue.empty and station.reporter.quiet and not outlet.cable_in()

    return await comes("unplugged, and everything told", told, _STOPS_S)
