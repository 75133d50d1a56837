"""Fixtures for every test that needs the virtual bench's devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from twin_client import TwinProcess


def pytest_configure() -> None:
    """A property is judged by what it says, not by how busy the machine is."""
    slow = (HealthCheck.too_slow,)
    settings.register_profile("untimed", parent=settings(), deadline=None, suppress_health_check=slow)
    settings.load_profile("untimed")


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Callable[..., TwinProcess]]:
    """Start a twin: `twin(name="twin", **config)`. Its `ready` names the ports: pilot, meter, can, dut_port."""
    started: list[TwinProcess] = []

    def start(name: str = "twin", **config: Any) -> TwinProcess:
        process = TwinProcess(tmp_path / name, **config)
        started.append(process)
        return process

    yield start
    for process in started:
        process.close()
