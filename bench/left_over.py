"""What earlier runs left in a station that was on before this one: found, told, and cleared.

A station keeps its transactions, charging profiles and reservations over a restart of the back end, and most of them
over one of its own. A session that begins on top of them measures yesterday's limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ..errors import CsmsError
from .csms import Csms, CsmsState
from .csms.verbs.answer import CallRefused
from .timeline import Event, Timeline

__all__ = ["LeftOver", "clear_left_overs"]

ENDED_WITHIN_S = 15.0
BUSY = ("Charging", "SuspendedEV", "SuspendedEVSE", "Finishing")
"""Status of a connector (1.6) that only a transaction explains."""


class LeftOver(msgspec.Struct, frozen=True):
    """One thing that was found. `what`: transaction, profiles, reservation or charging.

    `done`: cleared; kept, as asked for; lost: the station knows nothing of it; refused: the station would not.
    """

    what: str
    id: int | str | None
    evse: int | None
    done: str
    detail: str = ""

    def __str__(self) -> str:
        name = self.what if self.id is None else f"{self.what} {self.id}"
        where = "" if self.evse is None else f" at outlet {self.evse}"
        return f"left over from earlier: {name}{where}: {self.done}{f' ({self.detail})' if self.detail else ''}"


async def clear_left_overs(
    csms: Csms, state: CsmsState, timeline: Timeline, station: str, *, keep: bool
) -> list[LeftOver]:
    """Look for what is left in a station that is connected, and clear it unless it is to be kept; each is an event.

    A station that refuses, or does not know a request, is told of; nothing is raised for it.

    Raises:
        SafetyError: the bench file forbids one of the requests.
    """
    found: list[LeftOver] = []
    verbs = csms.station(station).verbs
    for left in state.left_open(station):
        began = "" if left.claim is None else f"began {left.claim}"
        done, detail = "kept", began
        if not keep:
            done, detail = await _stop(timeline, verbs.remote_stop, left.tx)
            if done == "lost":
                state.give_up(station, left.tx)
        found.append(LeftOver("transaction", left.tx, left.evse, done, ", ".join(filter(None, (began, detail)))))
    for number, kept in state.reservations(station).items():
        until = "" if kept.expires is None else f"until {kept.expires}"
        done, said = "kept", ""
        if not keep:
            done, said = await _asked(lambda number=number: verbs.cancel_reservation(number))
        found.append(LeftOver("reservation", number, kept.evse, done, ", ".join(filter(None, (until, said)))))
        if done in ("lost", "cleared"):
            left_ones = {one: it for one, it in state.reservations(station).items() if one != number}
            state.keep_reservations(station, left_ones)
    if not keep:
        done, said = await _asked(verbs.clear_limits)
        # A station that has none says so by its status; there is nothing to tell then.
        if done != "lost":
            found.append(LeftOver("profiles", None, None, done, said))
    found += _unexplained(timeline, station, state)
    for one in found:
        data: dict[str, Any] = {"station": station, **msgspec.structs.asdict(one)}
        timeline.bench.note("bench.left_over", data, evse=one.evse)
    return found


async def _asked(ask: Callable[[], Awaitable[Any]]) -> tuple[str, str]:
    """What became of it, and the station's word for it."""
    try:
        answer = await ask()
    except CallRefused as error:
        return "refused", error.code
    except CsmsError as error:
        return "refused", str(error)
    return "cleared" if answer.accepted else "lost", str(answer.status)


async def _stop(timeline: Timeline, remote_stop: Callable[[Any], Awaitable[Any]], tx: int | str) -> tuple[str, str]:
    """Stop a transaction, and wait for the station to say that it ended."""
    ended = asyncio.ensure_future(
        timeline.wait_for("ocpp.tx.ended", lambda event: event.data["tx"] == tx, timeout_s=ENDED_WITHIN_S)
    )
    try:
        done, said = await _asked(lambda: remote_stop(tx))
        if done != "cleared":
            return done, said
        try:
            await ended
        except TimeoutError:
            return "lost", f"accepted the stop, and did not say within {ENDED_WITHIN_S:g} s that it ended"
        return "cleared", ""
    finally:
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)


def _unexplained(timeline: Timeline, station: str, state: CsmsState) -> list[LeftOver]:
    """Outlets that are charging by their own word, in a transaction that nobody here knows."""
    newest: dict[int, Event] = {}
    for event in timeline.events("ocpp.status"):
        if event.data["station"] == station and event.evse is not None:
            newest[event.evse] = event
    known = {left.evse for left in state.left_open(station)}
    fix = "its transaction is not known here: unplug, or reset the station"
    return [
        LeftOver("charging", None, evse, "refused", f"reports {event.data['status']}; {fix}")
        for evse, event in newest.items()
        if event.data["status"] in BUSY and evse not in known
    ]
