"""Virtual benches for tests that change their bench file, and close them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost

from hosts import Starts, told


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starts]:
    """Starts virtual benches, with texts of the bench file replaced."""
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    made: list[BenchHost] = []

    def start(*changes: tuple[str, str], **options: Any) -> BenchHost:
        text = virtual_bench().read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / f"bench{len(made)}.toml"
        path.write_text(text, encoding="utf-8")
        folder = tmp_path / f"run{len(made)}"
        folder.mkdir()
        host = BenchHost(load_bench_file(path), options=RunOptions(directory=folder, **options))
        made.append(host)
        host.start()
        return host

    yield start
    for host in made:
        told(host)
