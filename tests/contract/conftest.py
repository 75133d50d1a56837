"""Fixtures of the drivers' contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driver_rig import WIRES, Rig
from twin_client import TwinProcess


@pytest.fixture
def rig(tmp_path: Path, twin: Callable[..., TwinProcess]) -> Iterator[Rig]:
    rig = Rig(tmp_path, twin)
    yield rig
    rig.close()


@pytest.fixture(params=list(WIRES))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param
