"""Signals that ask a run to stop: each becomes one orderly stop, and none cuts the stop short.

SIGINT raises KeyboardInterrupt by Python's own doing; SIGTERM and SIGHUP raise `StopRequested`,
which is one, so that pytest and every `finally` treat all three alike.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["STOP_SIGNALS", "StopRequested", "signals_held", "stop_signals"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(KeyboardInterrupt):
    """A signal other than Ctrl-C asked the run to stop; its name is the argument."""


@contextmanager
def stop_signals() -> Generator[None]:
    """SIGTERM and SIGHUP raise `StopRequested` in the main thread while this is open."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        raise StopRequested(signal.Signals(number).name)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_held() -> Generator[list[str]]:
    """No stop signal interrupts what is inside: the bench is on its way to the safe state.

    Yields the names of those that came meanwhile.
    """
    came: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def keep(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)

    before = {number: signal.signal(number, keep) for number in STOP_SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
