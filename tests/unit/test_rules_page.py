"""The page of the rules says what the program does: every example loads, no option is missing or made up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pilotbench.bench.correlation import load_pack
from pilotbench.bench.correlation.language.grammar import PATTERNS
from pilotbench.bench.correlation.language.options import HEAD_OPTIONS, OPTIONS
from pilotbench.bench.timeline import UNITS

from traces import CONFIGS

ROOT = CONFIGS.parent
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = PAGE.partition("## Twelve worked examples")[2]
RULE = '\n[rule."filler"]\nabsent = "ocpp.boot while online no"\ntext = "t"\nref = "r"\n'


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: next(iter(re.findall(r'\w+\."([^"]+)"', block)), "block"))
def test_every_example_is_a_pack_that_loads(block: str, tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    text = block if "schema =" in block else f"schema = 2\n{block}"
    path.write_text(text if "[rule." in text else text + RULE, encoding="utf-8")
    assert load_pack([path], sorted((CONFIGS / "limits").glob("*.toml"))).rules


def test_there_are_twelve_and_each_says_whether_it_was_rewritten() -> None:
    heads = re.findall(r"^\*\*(\d+)[ab]?\. .*?(?=```toml)", EXAMPLES, re.MULTILINE | re.DOTALL)
    assert sorted({int(number) for number in heads}) == list(range(13))
    paragraphs = re.findall(r"^\*\*\d+[ab]?\. .*?(?=```toml)", EXAMPLES, re.MULTILINE | re.DOTALL)
    assert all("Rewritten" in text or "One sentence" in text for text in paragraphs)
    assert {name for block in BLOCKS for name in PATTERNS if re.search(rf"^{name} = ", block, re.MULTILINE)} >= {
        "respond", "absent", "invariant", "order", "cadence", "agree",
    }  # fmt: skip


def test_the_table_of_options_is_that_of_the_program() -> None:
    table = PAGE.partition("## Options")[2].partition("## Semantics")[0]
    documented: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", row[0]):
            documented[name] = {part.strip() for part in row[1].split(",")}
    assert {name for name, patterns in documented.items() if patterns == {"all"}} == set(HEAD_OPTIONS)
    for pattern, options in OPTIONS.items():
        said = {name for name, patterns in documented.items() if pattern in patterns}
        # one row may hold two options that do not go with quite the same patterns
        assert set(options) <= said, pattern
        assert {name for name in said - set(options) if name not in ("settle_from",)} == set(), pattern
    assert set(documented) == {*HEAD_OPTIONS, *(name for options in OPTIONS.values() for name in options)}


def test_the_grammar_has_every_pattern_and_unit() -> None:
    ebnf = re.findall(r"```ebnf\n(.*?)```", PAGE, re.DOTALL)[0]
    productions = set(re.findall(r"^(\w+) +=", ebnf, re.MULTILINE))
    assert set(PATTERNS) <= productions
    used = set(re.findall(r"\b[a-z]+\b", re.sub(r'"[^"]*"|\'[^\']*\'', "", ebnf))) - {"text"}
    assert used <= productions
    units = re.findall(r"`UNIT` one of `(.*?)`", PAGE, re.DOTALL)[0].split()
    assert set(units) == {unit for known in UNITS.values() for unit in known}


def test_every_pattern_of_the_program_has_its_section() -> None:
    semantics = PAGE.partition("## Semantics")[2]
    assert set(re.findall(r"^### (\w+)", semantics, re.MULTILINE)) >= set(PATTERNS)
