"""Verdicts as plain JSON values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from ..correlation.verdict import Report, Verdict

__all__ = ["verdict_rows", "verdicts_json"]


def verdict_rows(report: Report) -> list[dict[str, Any]]:
    """One object per rule: rule, verdict, reason, subject, measured {lo, hi, unit}, limit, margin, evidence, ..."""
    return [_row(verdict) for verdict in cast("Iterable[Verdict]", report.verdicts)]


def verdicts_json(report: Report) -> bytes:
    """The content of `verdicts.json`: a list of objects, indented for readers."""
    return msgspec.json.format(msgspec.json.encode(verdict_rows(report)), indent=2) + b"\n"


def _row(verdict: Verdict) -> dict[str, Any]:
    own = cast("Callable[[], dict[str, Any]] | None", getattr(verdict, "to_dict", None))
    return own() if own is not None else cast("dict[str, Any]", msgspec.to_builtins(verdict))
