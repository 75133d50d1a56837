"""The tables of the measurements."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from running_bench import head_of


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Rows of the module's table, whose `COLUMNS` it has; printed in one piece when the module is through."""
    made: list[str] = []
    yield made
    print("\n\n" + "\n".join([head_of(request.module.COLUMNS), *made]))
