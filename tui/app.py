"""The application: it opens the live screen on a bench that is up, and leaves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from .bench_view import BenchView
from .live_screen import LiveScreen

__all__ = ["LiveApp", "make_app"]


class LiveApp(App[None]):
    """Shows one bench. It starts no process and closes nothing: the caller makes safe when it ends."""

    CSS_PATH = "live.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "pilotbench"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c,ctrl+q", "quit", "Quit", show=False, priority=True)]

    def __init__(self, bench: BenchView, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._bench = bench
        self._clock_s = clock_s
        self._up: tuple[asyncio.AbstractEventLoop, Context] | None = None

    def leave(self) -> bool:
        """Close the screen; may be called by a signal's handler. False when it is not up.

        An exception out of that handler would end the loop under the screen, and leave the terminal as it is.
        """
        if self._up is None:
            return False
        loop, context = self._up
        loop.call_soon_threadsafe(self.exit, context=context)
        return True

    def on_unmount(self) -> None:
        self._up = None

    def on_mount(self) -> None:
        self._up = asyncio.get_running_loop(), copy_context()
        self.push_screen(LiveScreen(self._bench, clock_s=self._clock_s))

    async def action_quit(self) -> None:
        """Leave at once. The bench is made safe by the caller, and a live output is named on the way out."""
        live = self._bench.snapshot.output_live
        note = "The output is LIVE. " if live else "" if live is False else "The state of the output is unknown. "
        self.exit(message=f"{note}The bench is being made safe; please wait for the result.")


def make_app(bench: BenchView, *, clock_s: Callable[[], float] = time.monotonic) -> LiveApp:
    """The screen for a bench (a `BenchHost`), to be `run()` once the bench is up.

    `clock_s` is the clock for "last change … ago", in seconds.
    """
    return LiveApp(bench, clock_s=clock_s)
