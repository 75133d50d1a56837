"""`pilotbench rules list` and `check`: what is in packs, what rules may name, what each keeps, and what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError
from ..correlation import NamedRule
from ..correlation.foresight.bounds import bound
from ..correlation.language.signals import SIGNALS, Signal
from ..timeline import TOPICS, keys_of
from .output import write_document
from .pack_files import Loaded, load_packs

__all__ = ["check_command", "list_command"]


def list_command(
    packs: Sequence[str],
    limits: Sequence[str],
    bench: Path | None,
    *,
    bounds: bool,
    names: bool,
    json: bool,
) -> int:
    """Print the rules of packs, or with `names` what they (or those given) may name; returns the exit code 0.

    Raises:
        BenchError: a pack, limits or the bench file is wrong; with `json` the document says so too.
    """
    if names:
        own = _loaded(packs, limits, bench, json=json) if packs or bench is not None else []
        return _names({**SIGNALS, **{name: item for one in own for name, item in one.pack.signals.items()}}, json=json)
    loaded = _loaded(packs, limits, bench, json=json)
    if json:
        write_document({"exit_code": 0, "problems": [], "packs": [_pack(item, bounds=bounds) for item in loaded]})
        return 0
    lines: list[str] = []
    for item in loaded:
        rules = item.pack.rules
        width = max(len(rule.id) for rule in rules)
        lines.append(f"{item.name}: {len(rules)} rules, {item.file}")
        lines += [_bound_line(rule, width) if bounds else _line(rule, width) for rule in rules]
        lines.append("")
    sys.stdout.write("\n".join(lines[:-1]) + "\n")
    return 0


def check_command(packs: Sequence[str], limits: Sequence[str], *, json: bool) -> int:
    """Read packs and their limits; returns the exit code 0.

    Raises:
        BenchError: something is wrong with one of them: which file and line, what, and what was meant.
    """
    loaded = _loaded(packs, limits, None, json=json)
    if json:
        document = [{"pack": item.name, "file": str(item.file), "rules": len(item.pack.rules)} for item in loaded]
        write_document({"exit_code": 0, "problems": [], "packs": document})
        return 0
    for item in loaded:
        sys.stdout.write(f"{item.file}: {len(item.pack.rules)} rules, digest {item.pack.digest[:16]}\n")
    return 0


def _loaded(packs: Sequence[str], limits: Sequence[str], bench: Path | None, *, json: bool) -> list[Loaded]:
    try:
        return load_packs(packs, limits, bench)
    except BenchError as error:
        if json:
            write_document({"exit_code": error.exit_code, "problems": [str(error)], "packs": []})
        raise


def _line(named: NamedRule, width: int) -> str:
    rule = named.rule
    trust = "" if named.verified else "  (limit not verified)"
    about = f"  OCPP {', '.join(rule.ocpp)}" if rule.ocpp else ""
    return f"  {named.id:{width}}  {named.pattern:9}  {rule.severity:6}  {rule.force:9}  {rule.text}{about}{trust}"


def _bound_line(named: NamedRule, width: int) -> str:
    found = bound(named)
    parts = ", ".join(f"{part.most} {part.what}" for part in found.parts)
    return f"  {named.id:{width}}  {found.mib:6.1f} MiB at most  {parts}"


def _pack(item: Loaded, *, bounds: bool) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for named in item.pack.rules:
        rule = named.rule
        row: dict[str, Any] = {
            "id": named.id,
            "pattern": named.pattern,
            "text": rule.text,
            "ref": rule.ref,
            "force": rule.force,
            "severity": rule.severity,
            "subject": rule.subject,
            "ocpp": list(rule.ocpp),
            "limits_verified": named.verified,
            "digest": named.digest,
        }
        if bounds:
            found = bound(named)
            row["bound"] = {"mib": round(found.mib, 3), "parts": msgspec.to_builtins(found.parts)}
        rows.append(row)
    return {"pack": item.name, "file": str(item.file), "digest": item.pack.digest, "rules": rows}


# ---- what a rule may name


def _names(known: Mapping[str, Signal], *, json: bool) -> int:
    if json:
        signals = [
            {"name": name, "text": item.text, "kind": item.kind, "values": list(item.words), "unit": item.dimension}
            for name, item in known.items()
        ]
        topics = [{"name": name, "keys": list(keys_of(name) or ())} for name in TOPICS]
        write_document({"exit_code": 0, "problems": [], "signals": signals, "events": topics})
        return 0
    lines = ["Signals (a value at every instant)"]
    width = max(len(name) for name in known)
    lines += [f"  {name:{width}}  {_values(item)}\n  {'':{width}}  {item.text}" for name, item in known.items()]
    lines += [f"  {'config.KEY':{width}}  any word, or a number with its unit", ""]
    lines.append("Events (they happen; tests on their keys stand in brackets)")
    width = max(len(name) for name in TOPICS)
    lines += [f"  {name:{width}}  {', '.join(keys_of(name) or ())}" for name in TOPICS]
    lines.append(f"  {'lab.…':{width}}  any key: a laboratory's own")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _values(item: Signal) -> str:
    return "|".join(item.words) if item.words else f"a {item.dimension or 'word'} ({item.kind})"
