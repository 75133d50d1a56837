"""The live screen on the virtual bench: a session by keys, over the real wires."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.host import BenchHost
from pilotbench.tui.app import make_app
from pilotbench.tui.widgets.status_line import StatusLine
from textual.pilot import Pilot

WAIT_S = 20.0


async def until(pilot: Pilot[None], reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not reached():
        said = pilot.app.screen.query_one(StatusLine).text
        assert time.monotonic() < deadline, f"{what} did not come about; the screen says: {said}"
        await pilot.pause(0.05)


def test_a_session_by_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plug, card, limit, pause, resume, remote stop, unplug: each key does on the bench what it says."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with BenchHost(options=RunOptions(directory=tmp_path)) as host:
        app = make_app(host)

        async def session() -> None:
            async with app.run_test(size=(120, 40)) as pilot:
                said = pilot.app.screen.query_one(StatusLine)

                async def press(key: str, what: str, reached: Callable[[], bool]) -> None:
                    await pilot.press(key)
                    await until(pilot, reached, what)

                await press("p", "CP at B", lambda: host.snapshot.cp_state == "B")
                await press("a", "a live output", lambda: host.snapshot.output_live is True)
                await press("l", "an accepted limit", lambda: "answered Accepted" in said.text)
                await until(pilot, lambda: 0 < (host.snapshot.offered_a or 0) < 16.5, "an offer of 16 A")
                await press("s", "a pause", lambda: host.snapshot.cp_state == "B")
                await press("s", "a resumed charge", lambda: host.snapshot.cp_state == "C")
                await press("r", "an accepted stop", lambda: said.text.startswith("Remote stop: the station"))
                assert "answered Accepted" in said.text
                await until(pilot, lambda: host.snapshot.transaction is None, "the end of the transaction")
                await press("u", "CP at A", lambda: host.snapshot.cp_state == "A")
                await until(pilot, lambda: host.snapshot.output_live is False, "a dead output")
                await press("r", "a refusal", lambda: "no transaction is open" in said.text)
                await pilot.press("q")

        asyncio.run(session())
    assert "proven dead" in host.outcome_text
