"""Mutated frames: none stops the link, each is on the timeline."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[..., Any]
NOW = "2026-11-21T10:00:00Z"
SAMPLE = {"timestamp": NOW, "sampledValue": [{"value": "1.5", "unit": "kWh", "context": "Transaction.Begin"}]}
SEEDS: list[list[Any]] = [
    [2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}],
    [2, "2", "StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": 1, "timestamp": NOW}],
    [2, "3", "StopTransaction", {"transactionId": 1, "meterStop": 2, "timestamp": NOW, "transactionData": [SAMPLE]}],
    [2, "4", "MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [SAMPLE]}],
    [2, "5", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": NOW}],
    [2, "6", "Authorize", {"idTag": "TAG"}],
    [2, "7", "DataTransfer", {"vendorId": "V", "data": "x"}],
    [3, "8", {"status": "Accepted", "configurationKey": [{"key": "A", "readonly": True}]}],
    [4, "9", "NotSupported", "no", {}],
]
VALUES: list[Any] = [None, True, -1, 0, 1.5, 10**30, "", "x" * 600, [], {}, [[]], {"": None}, "NaN", "1e999", NOW]


def mutated(rng: random.Random, node: Any) -> Any:
    """One place of a document replaced, removed or added."""
    if rng.random() < 0.25 or not isinstance(node, dict | list) or not node:
        return rng.choice(VALUES)
    copy = node.copy()
    key: Any = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
    if rng.random() < 0.15:
        del copy[key]
    elif rng.random() < 0.1 and isinstance(copy, dict):
        copy["extra"] = rng.choice(VALUES)
    else:
        copy[key] = mutated(rng, copy[key])
    return copy


def torn(rng: random.Random, text: str) -> str:
    """A text with a piece missing or a character changed."""
    at = rng.randrange(len(text) + 1)
    return rng.choice([text[:at], text[:at] + chr(rng.randrange(32, 0x2FFF)) + text[at + 1 :], text + text[at:]])


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_frames(play: Play, seed: int) -> None:
    rng = random.Random(seed)
    texts: list[str] = []
    for _ in range(1500):
        text = json.dumps(mutated(rng, rng.choice(SEEDS)))
        texts.append(torn(rng, text) if rng.random() < 0.2 else text)

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            for text in texts:
                await station.send(text)
            await station.send('[2,"the end","Heartbeat",{}]')
            while (await station.recv())[1:2] != ["the end"]:
                pass
            assert rig.csms.station("CP1").connected

    rig = play(story)
    assert rig.frames("rx")[1:-1] == texts
    assert len(rig.all("ocpp.disconnected")) == 1
    assert len(rig.all("ocpp.violation")) > 500
