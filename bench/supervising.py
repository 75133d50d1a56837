"""The supervisor of a bench: when it begins to watch and ceases, and what a trip means to whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from ..errors import SafetyError
from .assembly import Bench
from .supervision import Supervision

__all__ = ["start_supervisor", "stop_supervisor", "unless_tripped"]

T = TypeVar("T")

AFTER_TRIP_S = 1.0
"""Who waits for something when the supervisor trips may still see it come: it may be what the trip leads to."""

MakeSafe = Callable[[Bench, str], Awaitable[None]]


async def start_supervisor(bench: Bench, make_safe: MakeSafe) -> None:
    """Begin to watch. What happened since the run began is taken in first; `make_safe` is what a trip does."""
    bench.supervision = Supervision(bench, partial(make_safe, bench))
    bench.supervision.start()


async def stop_supervisor(bench: Bench) -> None:
    """End the watch; what a trip began is finished first.

    Raises:
        SafetyError: it had tripped, so that the run ends in ERROR.
    """
    supervision, bench.supervision = bench.supervision, None
    if supervision is not None:
        await supervision.stop()


async def unless_tripped(bench: Bench, work: Awaitable[T]) -> T:
    """Wait for `work`, but not on when the supervisor trips meanwhile: what a test waits for will not come any more.

    Raises:
        SafetyError: it tripped.
    """
    supervision = bench.supervision
    if supervision is None or supervision.trip is not None:
        return await work
    working = asyncio.ensure_future(work)
    tripped = asyncio.ensure_future(supervision.tripped.wait())
    try:
        await asyncio.wait({working, tripped}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=AFTER_TRIP_S)
        if not working.done():
            raise SafetyError(supervision.told)
        return working.result()
    finally:
        for task in (working, tripped):
            task.cancel()
        await asyncio.gather(working, tripped, return_exceptions=True)
