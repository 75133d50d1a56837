"""Signals that ask a run to stop: each becomes one orderly stop, and none cuts the stop short.

SIGINT raises KeyboardInterrupt by Python's own doing, also where the shell that started the run had it ignored (as
shells do for what they put in the background); SIGTERM and SIGHUP raise `StopRequested`, which is one, so that pytest
and every `finally` treat all three alike.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["STOP_SIGNALS", "StopRequested", "signals_held", "stop_signals"]

AGAIN_S = 0.02

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(KeyboardInterrupt):
    """A signal other than Ctrl-C asked the run to stop; its name is the argument."""


@contextmanager
def stop_signals(leave: Callable[[], bool] | None = None) -> Generator[list[str]]:
    """A stop signal is asked of the main thread while this is open, whatever the parent process had ignored.

    Yields the names of those beside Ctrl-C that came. `leave` is asked first, once: True when what runs will end by
    itself, and is not to be cut short.
    """
    came: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def ask(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)
        if len(came) == 1 and leave is not None and leave():
            return
        raise StopRequested(came[-1])

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGHUP)}
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _asked_again():
            yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _asked_again() -> Generator[None]:
    """A stop that was raised where Python drops exceptions (a weak reference's callback, `__del__`) is asked again."""
    before = sys.unraisablehook
    timers: list[threading.Timer] = []

    def look(dropped: Any) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            before(dropped)
            return
        asked = dropped.exc_value.args
        number = signal.Signals[asked[0]] if asked else signal.SIGINT
        timer = threading.Timer(AGAIN_S, os.kill, (os.getpid(), number))
        timer.daemon = True
        timers.append(timer)
        timer.start()

    sys.unraisablehook = look
    try:
        yield
    finally:
        sys.unraisablehook = before
        for timer in timers:
            timer.cancel()


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
