"""The vehicle: who limits its current, how fast it follows, and when it wishes S2 closed or open."""

from __future__ import annotations

import pytest
from pilotbench.bench.twin.model.vehicle import Command, Seen, Vehicle, VehicleTraits

MS = 1_000_000
ALL = Command(plugged=True, s2_closed=True, charge=True, max_current_a=32.0)
OFFER_32 = Seen(duty_pct=53.3334, s2_closed=True, output_live=True, cable_a=32.0)


class Drive:
    """Steps a vehicle by 1 ms and keeps its command alive, as the bench does."""

    def __init__(self, **traits):
        self.vehicle = Vehicle(VehicleTraits(**traits))
        self.now_ms = 0

    def go(self, seen, seconds, command=ALL):
        for _ in range(round(seconds * 1000)):
            self.now_ms += 1
            if command is not None and self.now_ms % 100 == 1:
                self.vehicle.receive(command, self.now_ms * MS)
            self.vehicle.step(self.now_ms * MS, 0.001, seen)
        return self.vehicle


def seen(**changes):
    values = {"duty_pct": 53.3334, "s2_closed": True, "output_live": True, "cable_a": 32.0, **changes}
    return Seen(**values)


def test_reaction_then_ramp():
    drive = Drive()
    assert drive.go(OFFER_32, 0.39).current_a == 0.0
    assert drive.go(OFFER_32, 0.51).current_a == pytest.approx(10.0, abs=0.2)  # 20 A/s
    assert drive.go(OFFER_32, 2.0).current_a == pytest.approx(32.0)


@pytest.mark.parametrize(
    ("changes", "max_a", "traits", "amps"),
    [
        ({"duty_pct": 26.6667}, 32.0, {}, 16.0),
        ({"cable_a": 20.0}, 32.0, {}, 20.0),
        ({}, 13.0, {}, 13.0),
        ({}, 32.0, {"max_current_a": 10.0}, 10.0),
        ({"cable_a": 0.0}, 32.0, {}, 0.0),
        ({}, 5.9, {}, 0.0),
        ({"duty_pct": 5.0}, 32.0, {}, 0.0),
        ({"duty_pct": None}, 32.0, {}, 0.0),
        ({"s2_closed": False}, 32.0, {}, 0.0),
        ({"output_live": False}, 32.0, {}, 0.0),
    ],
)
def test_the_smallest_limit_wins(changes, max_a, traits, amps):
    command = Command(plugged=True, s2_closed=True, charge=True, max_current_a=max_a)
    assert Drive(**traits).go(seen(**changes), 3.0, command).current_a == pytest.approx(amps, abs=0.01)


def test_less_is_followed_within_five_seconds():
    drive = Drive()
    drive.go(OFFER_32, 3.0)
    lower = seen(duty_pct=26.6667)
    assert drive.go(lower, 0.39).current_a == pytest.approx(32.0)
    assert drive.go(lower, 0.4).current_a == pytest.approx(16.0, abs=0.01)


def test_dead_output_stops_at_once():
    drive = Drive()
    assert drive.go(OFFER_32, 3.0).current_a > 31.0
    assert drive.go(seen(output_live=False), 0.001).current_a == 0.0


def test_wish_waits_for_pwm_and_s2_close_time():
    drive = Drive()
    waiting = seen(s2_closed=False, output_live=False)
    assert not drive.go(seen(s2_closed=False, output_live=False, duty_pct=None), 1.0).wish
    assert not drive.go(waiting, 0.29).wish
    assert drive.go(waiting, 0.05).wish


@pytest.mark.parametrize(
    ("then", "command"),
    [(seen(duty_pct=None), ALL), (OFFER_32, Command(plugged=True, s2_closed=True, charge=False, max_current_a=32.0))],
    ids=["PWM gone", "charging disabled"],
)
def test_stop_ramps_to_zero_before_the_wish_opens_within_3_s(then, command):
    drive = Drive()
    assert drive.go(OFFER_32, 3.0).wish
    opened_ms = None
    for elapsed_ms in range(1, 3001):
        vehicle = drive.go(then, 0.001, command)
        if not vehicle.wish:
            opened_ms = elapsed_ms
            break
        assert vehicle.current_a > 0.0 or elapsed_ms < 1000
    assert opened_ms is not None
    assert opened_ms > 400
    assert drive.vehicle.current_a == 0.0


def test_without_command_frames_it_gives_up_after_500_ms():
    drive = Drive()
    drive.go(OFFER_32, 3.0)
    last_frame_ms = (drive.now_ms - 1) // 100 * 100 + 1
    vehicle = drive.go(OFFER_32, (last_frame_ms + 500 - drive.now_ms) / 1000, command=None)
    assert vehicle.current_a > 31.0
    assert vehicle.wish
    vehicle = drive.go(OFFER_32, 0.001, command=None)
    assert vehicle.current_a == 0.0
    assert not vehicle.wish
