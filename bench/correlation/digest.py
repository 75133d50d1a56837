"""The digest of a run's verdicts: the same for the same evidence, whoever judges it and whenever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from .verdict import Verdict

__all__ = ["digest_of"]


def digest_of(verdicts: Iterable[Verdict]) -> str:
    """SHA-256 over rule digest, verdict, reason, interval, margin and evidence (ids with stamps) of each instance."""
    rows: list[object] = []
    for verdict in verdicts:
        rows.append([verdict.rule_digest, verdict.rule, verdict.verdict.value, verdict.reason])
        for item in verdict.instances:
            rows.append(
                [item.n, item.outcome.value, item.reason, item.measured, item.limit, item.margin, item.evidence]
            )
    return hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()
