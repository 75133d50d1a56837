"""The instances of one rule: counted, hashed, and the worst of them kept, in bounded memory.

An instance stays open to qualification (a gap that is told later) for `HORIZON_NS` of the bench's time; then it is
folded into the running hash. When that happens depends on the canonical sequence only, so that the hash does too.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from .verdict import RANKS, Instance, Outcome

__all__ = ["HORIZON_NS", "KEEP", "KEEP_ALL", "Ledger"]

HORIZON_NS = 10_000_000_000
KEEP = 1000
KEEP_ALL = 20_000
"""Instances kept whole, per rule and in a whole pack; of those that are PASS the first ones."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Ledger:
    """Takes instances as they are decided; `settle` says what became of one (see `qualify`)."""

    def __init__(self, settle: Callable[[Instance], Instance], keep: int = KEEP) -> None:
        self._settle = settle
        self._waiting: deque[Instance] = deque()
        self._hash = hashlib.sha256()
        self._kept: list[Instance] = []
        self._bad: deque[Instance] = deque(maxlen=keep)
        self._keep = keep
        self.worst: Instance | None = None
        self._rank = -1
        self._margin = 0.0
        self._tally = dict.fromkeys(Outcome, 0)

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
    def tally(self) -> dict[str, int]:
        """How many instances have which verdict."""
        return {outcome.value: number for outcome, number in self._tally.items() if number}

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
        outcome = item.outcome
        row = [item.n, outcome, item.reason, item.measured, item.limit, item.margin, item.evidence]
        self._hash.update(_encode(row))
        self._tally[outcome] += 1
        if self.worst is None or self._is_worse(item):
            self.worst = item
            self._rank = RANKS[outcome]
            self._margin = _least(item)
        if len(self._kept) < self._keep:
            self._kept.append(item)
        elif outcome is not Outcome.PASS and outcome is not Outcome.NOT_APPLICABLE:
            self._bad.append(item)

    def _is_worse(self, item: Instance) -> bool:
        """A worse outcome, or the same with a smaller margin."""
        rank = RANKS[item.outcome]
        return rank > self._rank or (rank == self._rank and item.margin is not None and _least(item) < self._margin)


def _least(item: Instance) -> float:
    """The margin that is left at least; the most where there is none."""
    if item.margin is None:
        return float("inf")
    return float("-inf") if item.margin.lo is None else item.margin.lo
