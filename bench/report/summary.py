"""`summary.txt`: the run on one page of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ..correlation import Report
from .cases import CaseResult
from .run_folder import RUN_FILES
from .verdicts_json import verdict_rows

__all__ = ["last_line", "measured_text", "summary_lines", "summary_text"]

_HEAD = ("rule", "verdict", "measured", "limit", "margin", "subject")


def summary_lines(report: Report) -> list[str]:
    """Verdict table, then what is behind each verdict that is neither PASS nor NOT_APPLICABLE, then the digest."""
    rows = verdict_rows(report)
    told = [row for row in rows if row["verdict"] != "NOT_APPLICABLE"]
    lines = _table(told)
    if len(told) < len(rows):
        lines += ["", f"and {len(rows) - len(told)} rules that nothing in this run triggered"]
    for row in rows:
        if row["verdict"] not in ("PASS", "NOT_APPLICABLE"):
            lines += ["", *str(row.get("text") or row.get("because") or row["rule"]).rstrip().splitlines()]
    lines += [f"The bench itself: {text}" for text in report.violations]
    return [*lines, "", f"digest  {report.digest}"]


def summary_text(
    report: Report,
    *,
    folder: Path,
    cases: Sequence[CaseResult] = (),
    problems: Sequence[str] = (),
    exit_code: int,
) -> str:
    """The content of `summary.txt`."""
    lines = summary_lines(report)
    for case in cases:
        lines.append(f"case    {case.name}: {case.outcome} {case.text}".rstrip())
    lines += [f"ERROR   {problem}" for problem in problems]
    if report.truncated:
        lines.append("The record ends before the run did; what is before is judged.")
    lines.append(f"run     {folder}")
    lines.append(f"files   {', '.join(RUN_FILES)}")
    lines.append(last_line(report, exit_code))
    return "\n".join(lines) + "\n"


def last_line(report: Report, exit_code: int) -> str:
    """The exit code; a failed safety rule is named beside it, whatever else decided the code."""
    unsafe = [
        row["rule"]
        for row in verdict_rows(report)
        if row["verdict"] == "FAIL" and row.get("severity") == "safety" and row.get("counts", True)
    ]
    return f"exit    {exit_code}" + (f"   SAFETY FAIL: {', '.join(unsafe)}" if unsafe else "")


def measured_text(row: Mapping[str, Any], key: str) -> str:
    """`measured`, `limit` or `margin` of a verdict's row as text with its unit; empty when there is none."""
    value: object = row.get(key)
    unit = _unit(row)
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return f"{_number(value)} {unit}".strip()
    if not isinstance(value, Mapping):
        return str(value)
    parts = cast("Mapping[str, Any]", value)
    unit = str(parts.get("unit") or unit)
    if "value" in parts:
        return f"{_number(parts['value'])} {unit}".strip()
    lo, hi = parts.get("lo"), parts.get("hi")
    if lo is None and hi is None:
        return ""
    if lo == hi:
        return f"{_number(lo)} {unit}".strip()
    low, high = ("?" if end is None else _number(end) for end in (lo, hi))
    return f"{low} .. {high} {unit}".strip()


def _unit(row: Mapping[str, Any]) -> str:
    for key in ("measured", "margin"):
        value: object = row.get(key)
        if isinstance(value, Mapping):
            return str(cast("Mapping[str, Any]", value).get("unit") or "")
    return ""


def _number(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells: list[tuple[str, ...]] = [_HEAD]
    for row in rows:
        verdict = str(row["verdict"])
        if row.get("reason"):
            verdict += f" {row['reason']}"
        if row["verdict"] != "PASS" and not row.get("counts", True):
            verdict += f" ({row.get('force')})"
        values = (measured_text(row, key) for key in ("measured", "limit", "margin"))
        cells.append((str(row["rule"]), verdict, *values, str(row["subject"])))
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
