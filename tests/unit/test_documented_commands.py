"""Every command and option that the documentation names exists."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pilotbench.bench.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SPAN = re.compile(r"`pilotbench ([a-z][^`]*)`", re.DOTALL)
LINE = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/)?pilotbench ([a-z].*)$", re.MULTILINE)


def commands(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    prose = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [*SPAN.findall(prose), *LINE.findall(blocks)]


@cache
def root() -> Any:
    return typer.main.get_command(app)


def unknown(command: str) -> str:
    """What of a command line does not exist; empty when all of it does."""
    here = root()
    for word in shlex.split(re.sub(r"[\[\]|…]", " ", command), comments=True):
        below = getattr(here, "commands", None)
        if below and not word.startswith("-"):
            if word not in below:
                return word
            here = below[word]
        elif word.startswith("--"):
            options = [name for option in here.params for name in (*option.opts, *option.secondary_opts)]
            if word.partition("=")[0] not in (*options, "--help", "--version"):
                return word
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_written_can_be_typed(page: Path) -> None:
    assert [(command, unknown(command)) for command in commands(page) if unknown(command)] == []


def test_commands_are_found_and_slips_seen() -> None:
    assert len(commands(ROOT / "README.md")) > 15
    assert unknown("run --bench FILE --wait-stations '3 min'") == "--wait-stations"
    assert unknown("rules doktor") == "doktor"


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))}
    assert "demo" in targets
    assert named - targets == set()
