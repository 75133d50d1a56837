"""100,000 mutated frames per version over a real socket: none stops the back end, each is on the timeline.

`make fuzz` does the same with a million and another seed: `make fuzz SEED=7`.
"""

from __future__ import annotations

import time

import pytest

from ocpp_fuzz import SUBPROTOCOLS, fire

FRAMES = 100_000
SEED = 20_261_121


@pytest.mark.parametrize("version", list(SUBPROTOCOLS))
def test_mutated_frames(version: str) -> None:
    began = time.monotonic()
    counts = fire(version, SEED, FRAMES)
    print(f"\nOCPP {version}, seed {SEED}: {dict(counts)}, {time.monotonic() - began:.0f} s")
    sent = sum(counts[kind] for kind in ("text", "binary", "ping", "pong", "killed"))
    assert sent >= FRAMES
    assert min(counts["answered"], counts["refused"], counts["answers taken"], counts["killed"]) > 100
