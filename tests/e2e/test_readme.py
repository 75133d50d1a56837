"""Every command of the README does what it says, and every link of the documentation leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from cli_runs import environment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ELSEWHERE = {
    "make test": "this very suite is what it runs",
    ".venv/bin/pilotbench tui": "needs a terminal: see test_tui.py",
}
CODES = {".venv/bin/pilotbench run --station-fault late-open --out runs/late-open": 1}
CODES[".venv/bin/pilotbench check runs/late-open/run.mcap"] = 1


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a fresh clone: the project's files by link, and no run in it."""
    desk = tmp_path_factory.mktemp("desk")
    for path in ROOT.iterdir():
        if path.name not in ("runs", ".git", ".venv"):
            (desk / path.name).symlink_to(path)
    if not (ROOT / ".venv").exists():
        pytest.skip("there is no .venv here: the tests were started without make")
    # The environment is the one that runs this test, and counts as fresh: nothing is installed anew from here.
    (desk / ".venv").mkdir()
    (desk / ".venv" / "bin").symlink_to(ROOT / ".venv" / "bin")
    for stamp in (".run", ".dev"):
        (desk / ".venv" / stamp).touch()
    (desk / "test_stop.py").write_text(re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0], encoding="utf-8")
    return desk


def test_the_readme_has_commands_and_its_test_is_short() -> None:
    assert "make demo" in commands()
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    assert len(example.strip().splitlines()) < 20


def test_every_command_of_the_readme_works_in_its_order(desk: Path) -> None:
    for command in commands():
        if command in ELSEWHERE:
            continue
        done = subprocess.run(
            command,
            shell=True,
            cwd=desk,
            env={**environment(desk / "state"), "PATH": f"{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == CODES.get(command, 0), f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
