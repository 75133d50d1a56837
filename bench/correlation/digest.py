"""The digest of a run's verdicts: the same for the same evidence, whoever judges it and whenever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from .verdict import Verdict

__all__ = ["digest_of"]


def digest_of(verdicts: Iterable[Verdict]) -> str:
    """SHA-256 over rule digest, rule, verdict, reason and the hash of all of its instances.

    An instance's row is its number, outcome, reason, interval, limit, margin and evidence (ids with stamps).
    """
    rows = [
        [verdict.rule_digest, verdict.rule, verdict.verdict.value, verdict.reason, verdict.digest]
        for verdict in verdicts
    ]
    return hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()
