"""Transactions and their messages: kept in order, over lost connections and with their original times (section 3.7)."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .clock import text_of
from .config import Config
from .faults import Knobs
from .link import CallFailed, Link, Offline
from .meter import Sample, SampledValue, sampled_values
from .ocpp_lib import call

__all__ = ["Transaction", "TransactionQueue"]

_NO_ID = -1
"""Transaction id when StartTransaction was never answered (errata sheet of OCPP 1.6, StartTransaction)."""


@dataclass
class Transaction:
    """One transaction: who, since when, from which register value."""

    id_tag: str
    started_at: datetime
    begin: Sample
    id: int | None = None
    data: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class _Item:
    build: Callable[[], Any]
    answered: Callable[[Any], None]
    given_up: Callable[[], None]
    attempts: int = 0


def _ignore(_answer: Any = None) -> None:
    return


class TransactionQueue:
    """Builds and sends StartTransaction, MeterValues and StopTransaction of the station's outlet."""

    def __init__(self, link: Link, config: Config, knobs: Knobs) -> None:
        self._link = link
        self._config = config
        self._knobs = knobs
        self._items: deque[_Item] = deque()
        self._wake = asyncio.Event()

    def start(self, tx: Transaction, answered: Callable[[Any], None]) -> None:
        """Queue StartTransaction and the MeterValues with context Transaction.Begin."""

        def take(answer: Any) -> None:
            tx.id = int(answer.transaction_id)
            answered(answer)

        def build() -> Any:
            return call.StartTransaction(1, tx.id_tag, round(tx.begin.energy_wh), text_of(tx.started_at))

        def give_up() -> None:
            tx.id = _NO_ID

        tx.data.append(self._entry(tx.started_at, tx.begin, "Transaction.Begin", "StopTxnSampledData", None))
        self._put(_Item(build, take, give_up))
        self.values(tx, tx.started_at, tx.begin, "Transaction.Begin", None)

    def values(self, tx: Transaction, at: datetime, sample: Sample, context: str, offered_a: float | None) -> None:
        """Queue a MeterValues message of the transaction."""
        entry = self._entry(at, sample, context, "MeterValuesSampledData", offered_a)
        if entry["sampledValue"]:
            self._put(_Item(lambda: call.MeterValues(1, [entry], tx.id), _ignore, _ignore))

    def stop(self, tx: Transaction, at: datetime, end: Sample, reason: str, id_tag: str | None) -> None:
        """Queue StopTransaction with the values of its beginning and its end."""
        tx.data.append(self._entry(at, end, "Transaction.End", "StopTxnSampledData", None))
        data = [entry for entry in tx.data if entry["sampledValue"]]

        def build() -> Any:
            return call.StopTransaction(
                meter_stop=round(end.energy_wh) + self._knobs.meter_stop_offset_wh,
                timestamp=text_of(at),
                transaction_id=_NO_ID if tx.id is None else tx.id,
                reason=reason,
                id_tag=id_tag,
                transaction_data=data or None,
            )

        self._put(_Item(build, _ignore, _ignore))

    @property
    def empty(self) -> bool:
        """Everything has been delivered."""
        return not self._items

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
            await self._deliver(self._items[0])

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
            if item.attempts >= self._config.whole("TransactionMessageAttempts"):
                self._items.popleft()
                item.given_up()
            else:
                await asyncio.sleep(self._config.whole("TransactionMessageRetryInterval") * item.attempts)
            return
        self._items.popleft()
        item.answered(answer)

    def _put(self, item: _Item) -> None:
        if self._knobs.sends_transactions:
            self._items.append(item)
            self._wake.set()

    def _entry(self, at: datetime, sample: Sample, context: str, key: str, offered_a: float | None) -> dict[str, Any]:
        values: list[SampledValue] = sampled_values(sample, self._config.names(key), context, offered_a)
        return {"timestamp": text_of(at), "sampledValue": values}
