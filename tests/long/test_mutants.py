"""The tests of the engine notice bugs: each of the seeded ones makes one of them fail (`make mutants`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from mutants import ROOT, Copy, Mutant, mutants

pytestmark = pytest.mark.long
MUTANTS = mutants()
LEAST = 6
PATTERNS = ("respond", "absent", "invariant", "order", "cadence", "count", "agree")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("mutants"))


@pytest.fixture(scope="module")
def table() -> Iterator[list[tuple[Mutant, str]]]:
    """What caught each mutant, printed in the end."""
    rows: list[tuple[Mutant, str]] = []
    yield rows
    for mutant, caught_by in rows:
        print(f"\n{mutant.part:10} {mutant.name:42} {caught_by}", end="")
    caught = Counter(mutant.part for mutant, caught_by in rows if caught_by)
    of_all = ", ".join(f"{part} {caught[part]} of {n}" for part, n in Counter(m.part for m, _ in rows).items())
    print(f"\nseeded bugs that are caught: {of_all}")


def test_every_mutant_is_one_of_the_code_as_it_is() -> None:
    """Told of all at once, before a test is run."""
    wrong: list[str] = []
    for mutant in MUTANTS:
        try:
            mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)


def test_every_pattern_has_enough_of_them() -> None:
    parts = Counter(mutant.part for mutant in MUTANTS)
    assert not [pattern for pattern in PATTERNS if parts[pattern] < LEAST]


def test_without_a_bug_all_tests_pass(copy: Copy) -> None:
    outcome = copy.run(tuple(sorted({test for mutant in MUTANTS for test in mutant.tests})), timeout_s=600)
    assert not outcome.first, outcome.output


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_seeded_bug_is_caught(mutant: Mutant, copy: Copy, table: list[tuple[Mutant, str]]) -> None:
    outcome = copy.run_with(mutant)
    table.append((mutant, outcome.first))
    assert outcome.first, f"{mutant.file}: {mutant.old!r} -> {mutant.new!r} survives {', '.join(mutant.tests)}"
