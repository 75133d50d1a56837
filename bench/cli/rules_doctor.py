"""`pilotbench rules doctor`: which rules a bench can decide, how finely, and which it never can."""

from __future__ import annotations

import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ...errors import BenchError
from ..config import load_bench_file, speaking, virtual_bench
from ..correlation.foresight.decidability import Decidability, decidability, summary
from .output import write_document
from .pack_files import load_packs

__all__ = ["NOTHING", "doctor_command"]

NOTHING = 5
"""Exit code when no rule can be decided."""
TOGETHER = 3
"""More rules than this with one reason are told in one line."""


def doctor_command(
    bench: Path | None, packs: Sequence[str], limits: Sequence[str], *, json: bool, ocpp: str | None = None
) -> int:
    """Print a line a rule, and how many can be decided; returns the exit code: 0, or 5 when none can.

    Raises:
        BenchError: the bench file or a pack is wrong; with `json` the document says so too.
    """
    from ..assembly import facts_of

    file = bench or virtual_bench()
    try:
        facts = facts_of(speaking(load_bench_file(file), ocpp))
        loaded = load_packs(packs, limits, file)
        found = {item.name: decidability(item.pack, facts, time.time_ns()) for item in loaded}
    except BenchError as error:
        if json:
            write_document({"bench": str(file), "exit_code": error.exit_code, "problems": [str(error)]})
        raise
    rules = [item for rows in found.values() for item in rows]
    code = 0 if any(item.decidable for item in rules) else NOTHING
    if json:
        rows = [
            {"pack": name, "decidable": item.decidable, **msgspec.to_builtins(item)}
            for name, items in found.items()
            for item in items
        ]
        decidable = sum(item.decidable for item in rules)
        write_document({"bench": str(file), "exit_code": code, "problems": [], "decidable": decidable, "rules": rows})
        return code
    lines: list[str] = []
    for name, items in found.items():
        lines += [f"{name}: {summary(items)}", *_lines(items), ""]
    sys.stdout.write("\n".join([*lines, summary(rules)]) + "\n")
    return code


def _lines(items: Sequence[Decidability]) -> Iterator[str]:
    """A line a rule; those that can never be decided for one and the same reason share one."""
    reasons = Counter(item.never for item in items if item.never is not None)
    told: set[str] = set()
    alone = [item for item in items if item.never is None or reasons[item.never] <= TOGETHER]
    for item in items:
        if item in alone:
            yield _line(item, _width(alone))
        elif item.never is not None and item.never not in told:
            told.add(item.never)
            names = ", ".join(other.rule for other in items if other.never == item.never)
            yield f"  {reasons[item.never]} rules can never be decided on this bench, because {item.never}:"
            yield from textwrap.wrap(names, 110, initial_indent="    ", subsequent_indent="    ")


def _width(items: Sequence[Decidability]) -> int:
    return max(len(item.rule) for item in items)


def _line(item: Decidability, width: int) -> str:
    begin = f"  {item.rule:{width}}  "
    if item.never is not None:
        return f"{begin}can never be decided on this bench, because {item.never}"
    note = f"; {item.note}" if item.note else ""
    if not item.u:
        return f"{begin}{item.limit_text}: exact ({item.dominant}){note}" if item.dominant else begin + item.limit_text
    u = f"{begin}{item.limit_text}, ±{item.u:.4g} {item.unit}"
    band = "" if item.band is None else f", undecided {item.band[0]:.6g} .. {item.band[1]:.6g} {item.unit}"
    return f"{u}{band}; most by {item.dominant}{note}"
