"""A part of the safe-state table: the bench dies in these ways, and the outputs are dead by the model's own log.

The whole table is `make safe-state`.
"""

from __future__ import annotations

import pytest

from safe_state.cells import Cell
from safe_state.judge import Played
from safe_state.table import play_all

AT_ONCE = 3

CELLS = [
    # The longest first, so that the others are played beside them.
    Cell("SIGTERM group", "welded", "both"),
    Cell("unplugged pilot", "charging", "guardian"),
    Cell("hung loop", "charging", "guardian"),
    Cell("full disk", "charging", "both"),
    Cell("exception in teardown", "charging", "both"),
    Cell("hung device thread", "charging", "guardian"),
    Cell("hung device thread", "welded", "watchdog"),
    Cell("SIGKILL", "charging", "guardian"),
    Cell("SIGKILL group", "welded", "guardian"),
    Cell("SIGKILL", "charging", "watchdog"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, Played]:
    base = tmp_path_factory.mktemp("safe-state")
    return {one.cell: one for one in play_all([(cell, 1) for cell in CELLS], base, AT_ONCE)}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nothing_stays_energised(played: dict[Cell, Played], cell: Cell) -> None:
    one = played[cell]
    assert not one.trouble, f"CP {one.cp_ms} ms, load {one.load_ms} ms, output {one.dead_ms} ms"
