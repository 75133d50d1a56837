"""Finds a station's stalls by the pings it has promised."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TOLERANCE_NS", "PingWatch"]

TOLERANCE_NS = 20_000_000
REPORT_NS = 500_000_000
"""A stall that lasts is reported in pieces, so that a rule need not wait for its end."""


class PingWatch:
    """Reports each time a ping came more than 20 ms late.

    Args:
        period_ns: the period the station has promised.
        overrun: called with from_ns and to_ns.
    """

    def __init__(self, period_ns: int, now_ns: int, overrun: Callable[[int, int], None]) -> None:
        self._period_ns = period_ns
        self._due_ns = now_ns + period_ns
        self._overrun = overrun

    def ping(self, now_ns: int) -> None:
        """A ping arrived."""
        if now_ns - self._due_ns > TOLERANCE_NS:
            self._overrun(self._due_ns, now_ns)
        self._due_ns = now_ns + self._period_ns

    def step(self, now_ns: int) -> None:
        """Report a stall that goes on."""
        if now_ns - self._due_ns > REPORT_NS:
            self._overrun(self._due_ns, now_ns)
            self._due_ns = now_ns

    def end(self, now_ns: int) -> None:
        """The connection ended."""
        if now_ns - self._due_ns > TOLERANCE_NS:
            self._overrun(self._due_ns, now_ns)
