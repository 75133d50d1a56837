"""One look for every state: a shape, a word and a colour, so that none of them is needed alone."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEVICE", "LOCK", "OUTPUT", "VERDICT", "Look"]


class Look(NamedTuple):
    """How a state looks."""

    shape: str
    word: str
    style: str


OUTPUT = {
    True: Look("◉", "LIVE", "bold white on red"),
    False: Look("○", "dead", "green"),
    None: Look("?", "unknown", "yellow"),
}
LOCK = {
    True: Look("▣", "locked", "bold"),
    False: Look("□", "open", ""),
    None: Look("?", "unknown", "yellow"),
}
DEVICE = {
    "ACTIVE": Look("●", "ACTIVE", "green"),
    "IDLE": Look("○", "IDLE", "dim"),
    "DEGRADED": Look("▲", "DEGRADED", "bold yellow"),
    "FAULTED": Look("✖", "FAULTED", "bold red"),
    "UNKNOWN": Look("?", "UNKNOWN", "bold magenta"),
}
VERDICT = {
    "PASS": Look("✔", "PASS", "green"),
    "FAIL": Look("✘", "FAIL", "bold red"),
    "INCONCLUSIVE": Look("?", "INCON", "yellow"),
    "ERROR": Look("!", "ERROR", "bold magenta"),
    "NOT_APPLICABLE": Look("-", "N/A", "dim"),
}
