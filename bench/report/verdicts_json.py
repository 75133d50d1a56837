"""Verdicts as plain JSON values."""

from __future__ import annotations

from typing import Any

import msgspec

from ..correlation import Report

__all__ = ["verdict_rows", "verdicts_json"]


def verdict_rows(report: Report) -> list[dict[str, Any]]:
    """One object per rule: rule, verdict, reason, subject, measured {lo, hi, unit}, limit, margin, evidence, ..."""
    return [verdict.to_dict() for verdict in report.verdicts]


def verdicts_json(report: Report) -> bytes:
    """The content of `verdicts.json`: a list of objects, indented for readers."""
    return msgspec.json.format(msgspec.json.encode(verdict_rows(report)), indent=2) + b"\n"
