"""Who says live is believed against all others; a load's voltmeter alone proves nothing dead."""

from __future__ import annotations

import time
from typing import Any

from pilotbench.bench.safety.senses import Senses
from pilotbench.bench.timeline import Event, Stamp


def said(topic: str, source: str, **data: Any) -> Event:
    return Event(topic, source, 1, Stamp.host(time.monotonic_ns()), data, evse=1)


def test_a_charger_that_denies_its_voltage_is_not_believed_against_a_voltmeter() -> None:
    senses = Senses(["battery"])
    assert senses.live is None
    senses.take(said("chademo.charger", "ev", voltage_v=0))
    assert senses.live is False
    senses.take(said("power.sample", "battery", voltage_v=350.0, current_a=0.0, on=False))
    assert senses.live is True
    senses.take(said("chademo.charger", "ev", voltage_v=0))
    assert senses.live is True
    senses.take(said("power.sample", "battery", voltage_v=0.4, current_a=0.0, on=False))
    assert senses.live is False


def test_a_voltmeter_alone_proves_nothing_dead_and_others_are_not_listened_to() -> None:
    senses = Senses(["battery"])
    assert senses.take(said("power.sample", "battery", voltage_v=0.0, current_a=0.0, on=False))
    assert senses.live is None
    assert not senses.take(said("power.sample", "mains", voltage_v=230.0, current_a=0.0, on=True))
    assert senses.live is None


def test_a_charger_that_fell_silent_proves_nothing_dead_and_its_live_output_is_not_forgotten() -> None:
    senses = Senses()
    assert senses.take(said("chademo.silent", "ev", why="it never spoke"))
    assert (senses.live, senses.lost) == (None, None)
    senses.take(said("chademo.charger", "ev", voltage_v=0))
    senses.take(said("chademo.silent", "ev", why="it sleeps"))
    assert (senses.live, senses.lost) == (None, None)
    senses.take(said("chademo.charger", "ev", voltage_v=400))
    senses.take(said("chademo.silent", "ev", why="its wire is cut"))
    assert (senses.live, senses.lost) == (None, True)
    senses.take(said("chademo.charger", "ev", voltage_v=3))
    assert (senses.live, senses.lost) == (False, None)


def test_what_a_lost_device_said_last_is_not_what_is() -> None:
    senses = Senses()
    assert not senses.gone("pilot")
    senses.take(said("output", "pilot", live=True))
    assert senses.gone("pilot")
    assert (senses.live, senses.lost) == (None, True)
    senses.take(said("output", "pilot", live=False))
    assert (senses.live, senses.lost) == (False, None)
