"""The instances of one rule: counted, hashed, and the worst of them kept, in bounded memory.

An instance stays open to qualification (a gap that is told later) for `HORIZON_NS` of the bench's time; then it is
folded into the running hash. When that happens depends on the canonical sequence only, so that the hash does too.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from .verdict import Instance, Outcome

__all__ = ["HORIZON_NS", "KEEP", "Ledger"]

HORIZON_NS = 10_000_000_000
KEEP = 1000
"""Instances kept whole, per rule; of those that are PASS the first ones."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Ledger:
    """Takes instances as they are decided; `settle` says what became of one (see `qualify`)."""

    def __init__(self, settle: Callable[[Instance], Instance]) -> None:
        self._settle = settle
        self._waiting: deque[Instance] = deque()
        self._hash = hashlib.sha256()
        self._kept: list[Instance] = []
        self._bad: deque[Instance] = deque(maxlen=KEEP)
        self.worst: Instance | None = None
        self.tally: dict[str, int] = {}

    def take(self, instance: Instance, now_ns: int) -> None:
        """One more instance was decided at `now_ns` of the canonical sequence."""
        waiting = self._waiting
        waiting.append(instance)
        horizon = now_ns - HORIZON_NS
        while waiting[0].decided_ns < horizon:
            self._fold(waiting.popleft())

    def close(self) -> None:
        """Fold what is left: the record is over."""
        while self._waiting:
            self._fold(self._waiting.popleft())

    @property
    def digest(self) -> str:
        """SHA-256 over the rows of all folded instances, in the order in which they were decided."""
        return self._hash.hexdigest()

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Those that were kept, in the order in which their scopes opened."""
        kept = {id(item): item for item in (*self._kept, *self._bad)}
        if self.worst is not None:
            kept[id(self.worst)] = self.worst
        return tuple(sorted(kept.values(), key=lambda item: (item.opened_ns, item.n)))

    def __iter__(self) -> Iterator[Instance]:
        """What is kept or still open to qualification."""
        yield from self.instances
        yield from self._waiting

    def _fold(self, instance: Instance) -> None:
        item = self._settle(instance)
        row = [item.n, item.outcome.value, item.reason, item.measured, item.limit, item.margin, item.evidence]
        self._hash.update(_encode(row))
        name = item.outcome.value
        self.tally[name] = self.tally.get(name, 0) + 1
        if self.worst is None or _badness(item) > _badness(self.worst):
            self.worst = item
        if len(self._kept) < KEEP:
            self._kept.append(item)
        elif item.outcome.rank > Outcome.PASS.rank:
            self._bad.append(item)


def _badness(item: Instance) -> tuple[int, float]:
    """Worse outcomes first; among equals the smallest margin."""
    margin = item.margin.lo if item.margin is not None and item.margin.lo is not None else float("-inf")
    return item.outcome.rank, -margin if item.margin is not None else float("-inf")
