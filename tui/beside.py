"""Blocking work beside the screen's loop, without making the screen's end wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["beside"]

T = TypeVar("T")


async def beside(work: Callable[[], T], name: str) -> T:
    """Run `work` in a thread of its own and return what it returns.

    A daemon thread and not the loop's executor: the executor is joined when the loop closes, so a
    request that the station leaves unanswered would hold back quitting, and with it making safe.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def hand_over(act: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(lambda: None if result.done() else act())
        except RuntimeError:
            pass  # the screen is closed: nobody is left to tell, and the caller makes the bench safe

    def run() -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            hand_over(lambda error=error: result.set_exception(error))
        else:
            hand_over(lambda: result.set_result(value))

    threading.Thread(target=run, name=f"tui: {name}", daemon=True).start()
    return await result
