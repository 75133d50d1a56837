"""Seeded bugs: small changes of the engine that the tests have to notice. They stand in `tests/mutants/*.toml`.

Each file is a part of the engine, most often one pattern:

    tests = ["tests/unit/test_count.py"]          # those that are run on its mutants

    [counts-one-more]                             # the bug in a few words
    file = "bench/correlation/patterns/counting.py"
    old = "tally.lo > many"                       # stands there exactly once
    new = "tally.lo > many + 1"
    tests = [...]                                 # others than those of the file, if need be
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

__all__ = ["Copy", "Mutant", "Outcome", "mutants"]

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".*", "__pycache__", "runs", "build", "dist", "*.egg-info")
TIMEOUT_S = 60
"""A mutant that makes the tests hang is caught too."""


class Mutant(NamedTuple):
    """A bug: in `file` (from the root of the checkout) `old` becomes `new`; `tests` have to fail."""

    part: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.part}: {self.name}"

    def applied(self, text: str) -> str:
        """The source with the bug.

        Raises:
            ValueError: the old text is not in it, or more than once; or a file of its tests is not there.
        """
        found = text.count(self.old)
        missing = [test for test in self.tests if not (ROOT / test.partition("::")[0]).is_file()]
        if missing:
            raise ValueError(f"tests/mutants/{self.part}.toml [{self.name}]: there is no {', '.join(missing)}")
        if found != 1:
            raise ValueError(
                f"tests/mutants/{self.part}.toml [{self.name}]: its old text stands {found} times in {self.file}, "
                f"not once; write the bug down anew for the code as it is now:\n{self.old}"
            )
        return text.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    """All of them."""
    found: list[Mutant] = []
    for path in sorted((ROOT / "tests" / "mutants").glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        tests = table.pop("tests")
        for name, item in table.items():
            found.append(
                Mutant(path.stem, name, item["file"], item["old"], item["new"], tuple(item.get("tests", tests)))
            )
    return found


class Outcome(NamedTuple):
    """What the tests said: `first`: the first that failed; empty if none did."""

    first: str
    output: str


class Copy:
    """A copy of the checkout named as the package, in which bugs are planted one at a time."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "pilotbench"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(*LEFT_OUT))
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PILOTBENCH"))},
            "PYTHONPATH": str(folder),
        }
        told = self._python("-c", "import pilotbench; print(pilotbench.__file__)").stdout.strip()
        if Path(told).resolve() != (self.root / "__init__.py").resolve():
            raise RuntimeError(f"the tests would run on {told!r} instead of the copy in {self.root}")

    def run(self, tests: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> Outcome:
        """Run these tests up to the first failure.

        Raises:
            RuntimeError: they could not be run at all.
        """
        arguments = ["-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
        try:
            done = self._python(*arguments, timeout_s=timeout_s)
        except subprocess.TimeoutExpired:
            return Outcome(f"(no end within {timeout_s:g} s)", "")
        if done.returncode == 0:
            return Outcome("", done.stdout)
        failed = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        if done.returncode != 1 or not failed:
            raise RuntimeError(f"the tests did not run (exit code {done.returncode}):\n{done.stdout}\n{done.stderr}")
        return Outcome(failed[0].split(" ", 1)[1], done.stdout)

    def run_with(self, mutant: Mutant) -> Outcome:
        """Run a mutant's tests with it, and take it away again."""
        path = self.root / mutant.file
        text = path.read_text(encoding="utf-8")
        try:
            self._write(path, mutant.applied(text))
            return self.run(mutant.tests)
        finally:
            self._write(path, text)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # what was compiled is told from its source by size and second only
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def _python(self, *arguments: str, timeout_s: float = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
