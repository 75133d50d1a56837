"""Open triggers in the order in which they are due, with one timer of the engine for all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from ..world.mark import NEVER
from .base import Context
from .owed import Owed

__all__ = ["Deadlines"]


class Deadlines:
    """Calls `expired` for each open trigger when its place in the canonical sequence and the slack are over."""

    def __init__(self, context: Context, expired: Callable[[Owed], None]) -> None:
        self._context = context
        self._expired = expired
        self._due: list[tuple[float, int, Owed]] = []
        self._timer_ns = NEVER

    def add(self, owed: Owed, still_open: int) -> None:
        """A trigger waits until its `due_ns`. `still_open`: how many wait; the others are cleared away now and then."""
        due_ns = owed.due_ns
        heapq.heappush(self._due, (due_ns, owed.n, owed))
        if due_ns + self._context.slack_ns < self._timer_ns:
            self._set_timer()
        if len(self._due) > 64 + 4 * still_open:
            self._due = [item for item in self._due if item[2].open]
            heapq.heapify(self._due)

    def hasten(self, owed: Owed, due_ns: float) -> None:
        """Let it be due at this place of the canonical sequence, if that is earlier."""
        if due_ns < owed.due_ns:
            owed.due_ns = due_ns
            heapq.heappush(self._due, (due_ns, owed.n, owed))
            self._set_timer()

    def first(self) -> Owed:
        """The one that is due first.

        Raises:
            IndexError: none waits.
        """
        return self._open()[0][2]

    def clear(self) -> None:
        """Nothing waits any more."""
        self._due.clear()

    def _open(self) -> list[tuple[float, int, Owed]]:
        while self._due and not self._due[0][2].open:
            heapq.heappop(self._due)
        return self._due

    def _set_timer(self) -> None:
        due = self._open()
        if not due:
            return
        when_ns = due[0][0] + self._context.slack_ns
        if when_ns < self._timer_ns:  # never for one without a limit
            self._timer_ns = when_ns
            self._context.schedule(int(when_ns), lambda: self._expire(when_ns))

    def _expire(self, when_ns: float) -> None:
        if when_ns != self._timer_ns:
            return  # an earlier one was set since
        self._timer_ns = NEVER
        now_ns, slack_ns = self._context.world.now_ns, self._context.slack_ns
        while (due := self._open()) and due[0][0] + slack_ns <= now_ns:
            self._expired(heapq.heappop(due)[2])
        self._set_timer()
