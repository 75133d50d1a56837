"""Stamps of a pilot emulator's events, from its lines and its pings."""

from __future__ import annotations

import pytest
from pilotbench.bench.timeline import Event, Timeline
from pilotbench.drivers.pilot.frame import EventFrame
from pilotbench.drivers.pilot.identity import PilotIdentity
from pilotbench.drivers.pilot.observer import Observer
from pilotbench.drivers.serial_line import Block

MS = 1_000_000
WHO = PilotIdentity("model", "serial", "1", cp_res_us=200, clock_ppm=20)


class Rig:
    """An observer whose device's clock is the bench clock, with a ping of 2 ms at 0."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.conflicts: list[str] = []
        self.observer = Observer(self.timeline.source("pilot"), 1, self.conflicts.append)
        self.observer.begin(WHO)

    def ping(self, at_ms: float) -> None:
        assert self.observer.ping(round((at_ms - 1) * MS), round(at_ms * 1000), round((at_ms + 1) * MS))

    def level(self, device_ms: float, read_ms: float, high_mv: int = 9000) -> Event:
        frame = EventFrame(round(device_ms * 1000) % 2**32, "CP", (str(high_mv), str(high_mv)))
        self.observer.event(frame, Block(b"", round((read_ms - 1) * MS), round(read_ms * MS)), "")
        return self.timeline.events("cp.volts")[-1]


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.ping(1000)
    return rig


def test_a_stamp_carries_the_drift_that_the_device_declares(rig: Rig) -> None:
    stamp = rig.level(1500, 1510).stamp
    assert stamp.drift_ppm == 20
    assert stamp.lo_ns < 1500 * MS < stamp.hi_ns
    assert stamp.hi_ns - stamp.lo_ns < 2.5 * MS


def test_an_event_after_its_own_receipt_is_a_conflict_with_its_amount_and_makes_nothing_certain(rig: Rig) -> None:
    event = rig.level(1600, 1510)
    (told,) = rig.timeline.events("clock.conflict")
    assert 88 * MS < told.data["missing_ns"] < 90 * MS
    assert len(rig.conflicts) == 1
    assert event.stamp.hi_ns == 1510 * MS
    assert event.stamp.lo_ns <= 1460 * MS


def test_an_event_after_a_silence_of_more_than_a_turn_is_placed_by_the_clock(rig: Rig) -> None:
    later_ms = 1.2 * 2**32 / 1000
    stamp = rig.level(later_ms, later_ms + 5).stamp
    assert stamp.lo_ns <= later_ms * MS <= stamp.hi_ns
    assert not rig.conflicts
