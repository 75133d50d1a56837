"""Benches of tests that start and close them themselves."""

from __future__ import annotations

from collections.abc import Callable

from pilotbench.bench.host import BenchHost

Starts = Callable[..., BenchHost]
"""Starts a virtual bench, with texts of the bench file replaced: pairs of old and new. Keywords are run options."""


def told(host: BenchHost) -> list[str]:
    """Close, and return what it had to say."""
    try:
        host.close()
    except ExceptionGroup as group:
        return [str(error) for error in group.exceptions]
    return []
