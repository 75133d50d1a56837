"""The queue of transaction messages: kept in order, over lost connections and with their original times.

OCPP 1.6 section 3.7; 2.x E04 and E13.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .faults import Knobs
from .link import CallFailed, Link, Offline
from .messages import Message
from .settings import Settings
from .slips.kinds import transaction_kind

__all__ = ["TransactionQueue"]


def _ignore(_answer: Any = None) -> None:
    return


@dataclass(eq=False)
class _Item:
    build: Callable[[], Message]
    answered: Callable[[dict[str, Any]], None]
    given_up: Callable[[], None]
    of: object
    attempts: int = 0


class TransactionQueue:
    """Sends the messages of the station's transactions, the next one when the one before is settled."""

    def __init__(self, link: Link, settings: Settings, knobs: Knobs) -> None:
        self._link = link
        self._settings = settings
        self._knobs = knobs
        self._items: deque[_Item] = deque()
        self._wake = asyncio.Event()

    def put(
        self,
        build: Callable[[], Message],
        answered: Callable[[dict[str, Any]], None] = _ignore,
        given_up: Callable[[], None] = _ignore,
        of: object = None,
    ) -> None:
        """Queue a message; it is built when its turn comes. `of` is what `holds` is asked for."""
        forgotten = not self._link.ready and transaction_kind(build()) in self._knobs.forgets_offline
        if self._knobs.sends_transactions and not forgotten:
            self._items.append(_Item(build, answered, given_up, of))
            self._wake.set()

    @property
    def empty(self) -> bool:
        """Everything has been delivered."""
        return not self._items

    def holds(self, of: object) -> bool:
        """Whether a message of this is waiting."""
        return any(item.of == of for item in self._items)

    def wake(self) -> None:
        """The connection is back."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver in order, until cancelled."""
        while True:
            if not self._items or not self._link.ready:
                self._wake.clear()
                await self._wake.wait()
                continue
            await asyncio.sleep(self._knobs.queue_wait_s)
            await self._deliver(self._items[-1 if self._knobs.newest_first else 0])

    async def _deliver(self, item: _Item) -> None:
        try:
            answer = await self._link.call(item.build())
        except Offline:
            # waits for wake(); a connection that is ready again already is tried at once
            await asyncio.sleep(0.05)
            return
        except CallFailed as error:
            item.attempts += 1
            print(f"station: {error} (attempt {item.attempts})", file=sys.stderr, flush=True)
            if item.attempts >= (self._knobs.attempts or self._settings.attempts):
                self._items.remove(item)
                item.given_up()
            else:
                agreed_s = self._settings.attempt_interval_s * item.attempts
                await asyncio.sleep(agreed_s if self._knobs.retry_s is None else self._knobs.retry_s)
            return
        self._items.remove(item)
        item.answered(answer)
