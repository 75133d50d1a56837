"""Faults that are on for too long, when a device breaks; and what the guardian is asked to try once more."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench.lifecycle import _unproven
from pilotbench.bench.overdue import faults_back
from pilotbench.bench.safety import SafeOutcome, together
from pilotbench.errors import DeviceError


class Asked:
    """Anything that is asked to take its faults back, or to go to its safe state."""

    role = "relay"

    def __init__(self, name: str, done: list[str], relays: dict[int, str] | None = None, error: Any = None) -> None:
        self.name, self.relays, self._done, self._error = name, relays or {}, done, error

    async def faults(self) -> None:
        self._done.append(self.name)
        if self._error:
            raise self._error

    make_safe = faults

    async def off(self) -> list[str]:
        self._done.append(self.name)
        return []


@pytest.mark.parametrize("error", [None, DeviceError("is gone.", device="left"), KeyError("flags")])
def test_one_that_breaks_does_not_keep_on_the_faults_of_the_others(error: Exception | None) -> None:
    done: list[str] = []
    bench: Any = SimpleNamespace(
        vehicles={1: Asked("left", done, error=error), 2: Asked("right", done)},
        instruments=[Asked("leak", done, {1: "rcd"}), Asked("fine", done, {1: "rcd"})],
        gate=SimpleNamespace(overdue_devices=["left", "leak"]),
        supply=Asked("supply", done),
    )
    assert len(asyncio.run(faults_back(bench))) == (error is not None)
    assert done == ["left", "right", "leak"]


def test_earth_comes_back_by_way_of_the_supply() -> None:
    done: list[str] = []
    bench: Any = SimpleNamespace(
        vehicles={},
        instruments=[Asked("earth", done, {1: "pe"})],
        gate=SimpleNamespace(overdue_devices=["earth"]),
        supply=Asked("supply", done),
    )
    asyncio.run(faults_back(bench))
    assert done == ["supply"]


def test_the_guardian_tries_a_supply_that_did_not_go_off() -> None:
    dead = SafeOutcome(True, "safe: output proven dead")
    assert _unproven(together({1: dead})) == ""
    assert "supply" in _unproven(together({1: dead}, ["supply psu off: is gone"]))
    assert _unproven(SafeOutcome(False, "NOT SAFE: the output is still live"))
    assert _unproven(None) == ""
