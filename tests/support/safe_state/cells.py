"""The cells of the safe-state table: a cause, a state of the outlet, and which nets there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CAUSES", "MANY", "NETS", "ORDERLY", "SIGNALS", "STATES", "Cell", "all_cells"]

SIGNALS = {
    "SIGTERM": ("SIGTERM", False),
    "SIGTERM group": ("SIGTERM", True),
    "SIGHUP": ("SIGHUP", False),
    "SIGHUP group": ("SIGHUP", True),
    "SIGINT": ("SIGINT", False),
    "SIGINT group": ("SIGINT", True),
    "SIGKILL": ("SIGKILL", False),
    "SIGKILL group": ("SIGKILL", True),
}
"""Cause -> signal, and whether the whole process group gets it."""

CAUSES = (
    *SIGNALS,
    "hung loop",
    "hung device thread",
    "exception in a test",
    "exception in teardown",
    "unplugged pilot",
    "full disk",
)

STATES = ("idle", "plugged", "charging", "welded")
"""`welded`: charging, and the contactor has welded; the bench can open the station's supply."""

NETS = ("guardian", "watchdog", "both")
"""Guardian alone: the firmware watchdog is off. Watchdog alone: the guardian is stopped before, and killed after."""

MANY = ("SIGKILL", "SIGKILL group", "hung loop", "hung device thread")
"""While charging, these are repeated 30 times."""

ORDERLY = frozenset(CAUSES) - {"SIGKILL", "SIGKILL group", "hung loop", "hung device thread"}
"""The bench itself makes safe, if it can."""


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    cause: str
    state: str
    nets: str

    @property
    def limit_ms(self) -> float:
        """Until CP is at A, the load off and the output dead.

        Killed: 250 ms by the guardian. Hung: 600 ms of silence, and 250 ms. The watchdog: its second, and 100 ms. An
        orderly stop waits for the current to fall and for the output; where that stays live, for its deadline of 3 s.
        """
        if self.cause in ORDERLY:
            return 10_000.0
        if self.nets == "watchdog":
            return 1_100.0
        return 250.0 if self.cause.startswith("SIGKILL") else 850.0

    @property
    def out_of_reach(self) -> bool:
        """Nobody reaches the pilot, whose watchdog is off: the load goes off, and the run must say NOT SAFE."""
        return self.cause == "unplugged pilot" and self.nets == "guardian" and self.state != "idle"

    @property
    def stays(self) -> bool:
        """It hangs, and the guardian that would have ended it is gone: the outputs are off, and the process remains."""
        return self.cause.startswith("hung") and self.nets == "watchdog"

    @property
    def repetitions(self) -> int:
        """How often the whole table plays it."""
        return 30 if self.cause in MANY and self.state == "charging" else 5

    def __str__(self) -> str:
        return f"{self.cause}, {self.state}, {self.nets}"


def all_cells() -> Iterable[Cell]:
    """All of them, net by net."""
    return (Cell(cause, state, nets) for nets in NETS for cause in CAUSES for state in STATES)
