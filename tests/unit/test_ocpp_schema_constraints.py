"""Every constraint of every schema file: kept it is silent, broken it gets the error code of its kind."""

from __future__ import annotations

from collections import Counter

import pytest
from pilotbench.bench.csms.rpc import CODES_2X, CODES_16
from pilotbench.bench.csms.schemas import Schemas, Side, worst

import schema_samples as samples
from schema_directions import SENDS

SUFFIX = {"1.6": "", "2.0.1": "Request", "2.1": "Request"}


@pytest.mark.parametrize(("version", "least"), [("1.6", 1100), ("2.0.1", 4500), ("2.1", 8800)])
def test_each_constraint_alone(version: str, least: int) -> None:
    schemas = Schemas(samples.FOLDERS[version], SUFFIX[version])
    codes = CODES_16 if version == "1.6" else CODES_2X
    counts: Counter[str] = Counter()
    wrong: list[object] = []
    for action, file_side in samples.files(version):
        side: Side = "send" if action in SENDS[version] else file_side  # pyright: ignore[reportAssignmentType]
        sampler = samples.sampler(version, action, file_side)
        for payload in (sampler.minimal(), sampler.maximal(), *(payload for _, payload in sampler.filled())):
            counts["valid"] += 1
            wrong += [(action, side, fault) for fault in schemas.check(action, side, payload)]
        for broken in sampler.broken():
            counts[broken.keyword] += 1
            faults = schemas.check(action, side, broken.payload)
            got = (codes[worst(faults)], any(fault.blocking for fault in faults)) if faults else None
            if got != (broken.code(version), broken.blocking):
                wrong.append((action, side, broken.place, broken.keyword, got))
    print(f"\n{version}: {dict(counts)}")
    assert not wrong, wrong[:10]
    assert counts.total() >= least
