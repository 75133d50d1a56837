"""Stop signals reach the main thread, also when the first one is raised where Python drops exceptions."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from pilotbench.bench.stop import StopRequested, signals_held, stop_signals


class Asks:
    """Gets the signal while it is being deleted."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def signalled(number: signal.Signals) -> None:
    with stop_signals():
        os.kill(os.getpid(), number)
        threading.Event().wait(5)


def signalled_in_a_deletion() -> None:
    with stop_signals():
        asks = Asks()
        del asks
        threading.Event().wait(5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_to_stop(number: signal.Signals) -> None:
    with pytest.raises(StopRequested, match=number.name):
        signalled(number)


def test_a_stop_that_was_dropped_is_asked_again() -> None:
    with pytest.raises(StopRequested, match="SIGTERM"):
        signalled_in_a_deletion()


def test_signals_that_are_held_are_named_and_do_nothing() -> None:
    with stop_signals(), signals_held() as came:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert came == ["SIGTERM", "SIGINT"]
