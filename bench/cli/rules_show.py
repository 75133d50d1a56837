"""`pilotbench rules show` and `fmt`: one rule in full, and a pack in either spelling."""

from __future__ import annotations

import sys
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError, ConfigError
from ..correlation import Limit, NamedRule
from ..correlation.foresight.bounds import bound
from ..correlation.language.grammar import write_sentence
from ..correlation.language.options import write_options
from ..correlation.language.pack import SCHEMA
from ..correlation.language.write_python import write_module
from ..correlation.language.write_toml import write_pack, write_table
from ..correlation.reads import reads
from ..timeline import did_you_mean
from .output import write_document
from .pack_files import Loaded, load_packs, one_rule

__all__ = ["fmt_command", "show_command"]

SPELLINGS = ("python", "toml")


def show_command(rule_id: str, packs: Sequence[str], limits: Sequence[str], bench: Path | None, *, json: bool) -> int:
    """Print everything about a rule (of each pack that has one of that name); returns the exit code 0.

    Raises:
        BenchError: there is no such rule, or a pack is wrong; with `json` the document says so too.
    """
    try:
        found = one_rule(load_packs(packs, limits, bench), rule_id)
    except BenchError as error:
        if json:
            write_document({"exit_code": error.exit_code, "problems": [str(error)], "rules": []})
        raise
    if json:
        write_document({"exit_code": 0, "problems": [], "rules": [_document(*item) for item in found]})
        return 0
    sys.stdout.write("\n\n".join(_text(*item) for item in found) + "\n")
    return 0


def fmt_command(pack: str, rules: Sequence[str], to: str, limits: Sequence[str]) -> int:
    """Print a pack, or some of its rules, as Python or in canonical TOML; returns the exit code 0.

    Raises:
        BenchError: the pack is wrong, has no such rule, or there is no such spelling.
    """
    if to not in SPELLINGS:
        raise ConfigError(f"--to {to}: there is no such spelling{did_you_mean(to, SPELLINGS)}; give python or toml.")
    loaded = load_packs([pack], limits)[0]
    chosen = loaded.pack.only(*rules).rules if rules else loaded.pack.rules
    if to == "python":
        sys.stdout.write(write_module(chosen))
        return 0
    content = tomllib.loads(loaded.file.read_text(encoding="utf-8"))
    tables = {name: table for name, table in content.get("signal", {}).items() if _named(name, chosen)}
    sys.stdout.write(write_pack(chosen, SCHEMA, content.get("title", ""), tables))
    return 0


def _named(signal: str, rules: Sequence[NamedRule]) -> bool:
    """Whether one of the rules names this signal of its pack."""
    return any(signal in rule.signals for rule in rules)


def _document(loaded: Loaded, named: NamedRule) -> dict[str, Any]:
    found = bound(named)
    return {
        "pack": loaded.name,
        "file": str(loaded.file),
        "id": named.id,
        "pattern": named.pattern,
        "sentence": write_sentence(named.rule, named.known),
        "options": write_options(named.rule, named.pattern, named.known),
        "limits": [msgspec.to_builtins(limit) for limit in named.limits],
        "reads": sorted(reads(named.rule, named.signals)),
        "bound": {"mib": round(found.mib, 3), "parts": msgspec.to_builtins(found.parts)},
        "digest": named.digest,
        "toml": write_table(named),
    }


def _text(loaded: Loaded, named: NamedRule) -> str:
    rule = named.rule
    found = bound(named)
    fails = "can fail a run" if rule.counts else "never fails a run"
    head = [
        f"{named.id}  {rule.text}",
        f"  pack      {loaded.file}",
        f"  ref       {rule.ref}",
        f"  pattern   {named.pattern}; blames the {rule.subject}",
        f"  weight    severity {rule.severity}, force {rule.force}: {fails}",
        f"  about     {'OCPP ' + ', '.join(rule.ocpp) if rule.ocpp else 'every OCPP version'}",
    ]
    if rule.cases:
        head.append(f"  cases     {', '.join(rule.cases)}")
    head += [f"  limit     {_limit(limit)}" for limit in named.limits]
    head += [
        textwrap.fill(
            ", ".join(sorted(reads(rule, named.signals))),
            118,
            initial_indent="  reads     ",
            subsequent_indent=" " * 12,
        ),
        f"  keeps     about {found.mib:.1f} MiB at most",
        *(f"            {part.most} {part.what}: {part.beyond}" for part in found.parts),
        f"  digest    {named.digest}",
        "",
        write_table(named),
    ]
    return "\n".join(head)


def _limit(limit: Limit) -> str:
    trust = "verified" if limit.verified else "not verified against the text"
    note = f"; {limit.note}" if limit.note else ""
    return f"{limit.name} = {limit.value:g} {limit.unit} ({trust}): {limit.clause}; {limit.source}{note}"
