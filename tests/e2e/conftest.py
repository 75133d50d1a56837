"""Fixtures of the end-to-end tests: runs of the real command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli_runs import CliRun, Sessions


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    made = Sessions(tmp_path_factory.mktemp("sessions"))
    yield made
    made.end()


@pytest.fixture(scope="session")
def clean_run(sessions: Sessions) -> CliRun:
    """The demo's session with a station that does everything right."""
    run = sessions.get()
    assert run.code == 0, run.out + run.err
    return run
