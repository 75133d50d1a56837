"""The station's control pilot: levels, duty, cable coding, and the sequences of Annex A as one step function."""

from __future__ import annotations

import pytest
from pilotbench.bench.twin.station.control import Drive, PilotControl, Reading, Wish
from pilotbench.bench.twin.station.faults import DEVIATIONS, FAULTS, ODDITIES, Knobs, knobs_of
from pilotbench.bench.twin.station.iec61851 import CpState, cable_rating_a, classify, diode_seen, duty_of

HIGH = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0, "F": -12.0}
OFFER = Wish(offer_a=32.0, lock=True, power=True)


@pytest.mark.parametrize(
    ("high_v", "previous", "state"),
    [
        (12.0, "B", "A"),
        (9.0, "A", "B"),
        (6.0, "B", "C"),
        (2.9, "C", "D"),
        (0.0, "C", "E"),
        (-12.0, "A", "F"),
        (10.5, "A", "A"),  # between two windows: stays where it was
        (10.5, "B", "B"),
        (7.4, "C", "C"),
        (7.6, "A", "B"),  # not a neighbour of the gap: the nearer one
    ],
)
def test_levels(high_v: float, previous: str, state: str) -> None:
    assert classify(high_v, CpState(previous)) is CpState(state)


@pytest.mark.parametrize(
    ("amps", "duty"),
    [
        (5.9, 100.0),
        (6.0, 10.0),
        (16.0, 26.6667),
        (32.0, 53.3333),
        (51.0, 85.0),
        (52.0, 85.0),
        (63.0, 89.2),
        (80.0, 96.0),
        (99.0, 96.0),
    ],
)
def test_duty(amps: float, duty: float) -> None:
    assert duty_of(amps) == pytest.approx(duty, abs=1e-3)


@pytest.mark.parametrize(
    ("pp_ohm", "amps"),
    [(1500, 13.0), (680, 20.0), (220, 32.0), (100, 63.0), (None, None), (0, None), (75, None), (4700, None)],
)
def test_cable_coding(pp_ohm: float | None, amps: float | None) -> None:
    assert cable_rating_a(pp_ohm) == amps


def test_diode() -> None:
    assert diode_seen(-12.0)
    assert not diode_seen(-9.0)


class Outlet:
    """Time and a car around the step function; `log` has what was driven and when."""

    def __init__(self, knobs: Knobs | None = None, *, ventilated: bool = False) -> None:
        self.control = PilotControl(knobs or Knobs(), has_lock=True, ventilated=ventilated)
        self.now, self.cp, self.diode, self.locked, self.welded = 0.0, "A", True, True, False
        self.rcd = False
        self.wish = Wish()
        self.drive = Drive()
        self.log: list[tuple[float, Drive]] = []

    def run(self, seconds: float, cp: str | None = None, wish: Wish | None = None) -> Outlet:
        self.cp, self.wish = cp or self.cp, wish or self.wish
        end = self.now + seconds
        while self.now < end:
            high = HIGH[self.cp]
            pwm = self.drive.pwm_pct < 100
            low = high if not pwm else (-12.0 if self.diode else -high)
            live = self.drive.contactor or self.welded
            drive = self.control.step(self.now, Reading(high, low, 220, live, self.locked, self.rcd), self.wish)
            if drive != self.drive:
                self.drive = drive
                self.log.append((self.now, drive))
            self.now += 0.001
        return self

    def delay_of(self, contactor: bool, since: float) -> float:
        return next(at for at, drive in self.log if at >= since and drive.contactor is contactor) - since


def charging(knobs: Knobs | None = None) -> Outlet:
    outlet = Outlet(knobs).run(0.2, "B").run(1.0, "B", OFFER).run(1.0, "C")
    assert outlet.drive.contactor
    return outlet


def test_closes_after_c2_and_opens_after_b() -> None:
    outlet = Outlet().run(0.2, "B").run(1.0, "B", OFFER)
    assert outlet.drive == Drive(pytest.approx(53.333, abs=1e-3), False, True)
    edge = outlet.now
    outlet.run(3.0, "C")
    assert outlet.delay_of(True, edge) < 0.3
    edge = outlet.now
    outlet.run(0.2, "B")
    assert outlet.delay_of(False, edge) < 0.02
    assert outlet.control.pwm_on, "an EV that pauses keeps its offer"


def test_a_glitch_of_five_milliseconds_is_none() -> None:
    outlet = charging()
    outlet.run(0.005, "B").run(0.5, "C")
    assert outlet.drive.contactor
    assert [drive.contactor for _, drive in outlet.log].count(False) == len(outlet.log) - 1


@pytest.mark.parametrize("cp", ["A", "B", "D", "E"])
def test_leaving_c_opens(cp: str) -> None:
    outlet = charging()
    edge = outlet.now
    outlet.run(0.3, cp)
    assert outlet.delay_of(False, edge) < 0.09
    assert outlet.control.pwm_on is (cp in ("B", "D"))


def test_state_d_is_as_c_where_there_is_ventilation_only() -> None:
    refused = Outlet().run(0.2, "B").run(1.0, "B", OFFER).run(5.0, "D")
    assert not refused.drive.contactor
    assert refused.control.pwm_on
    assert refused.run(1.0, "C").drive.contactor, "it asks for ventilation no more"
    aired = Outlet(ventilated=True).run(0.2, "B").run(1.0, "B", OFFER)
    edge = aired.now
    assert aired.run(3.0, "D").delay_of(True, edge) < 0.3
    assert aired.run(1.0, "C").run(1.0, "D").drive.contactor
    for cp in ("A", "B"):
        edge = aired.now
        assert aired.run(0.2, cp).delay_of(False, edge) < 0.02
        aired.run(1.0, "B").run(1.0, "D")


def test_never_closes_without_pwm_lock_diode_or_wish() -> None:
    for wish in (Wish(lock=True, power=True), Wish(offer_a=5.0, lock=True, power=True), Wish(offer_a=32.0, lock=True)):
        assert not Outlet().run(0.2, "B").run(5.0, "C", wish).drive.contactor
    unlocked = Outlet()
    unlocked.locked = False
    assert not unlocked.run(0.2, "B").run(5.0, "C", OFFER).drive.contactor
    shorted = Outlet()
    shorted.diode = False
    shorted.run(0.2, "B").run(0.1, "B", OFFER).run(5.0, "C")
    assert not shorted.drive.contactor
    assert shorted.control.fault == "diode"
    assert shorted.drive.pwm_pct == 100
    assert shorted.run(0.2, "A").control.fault is None


def test_a_stop_waits_for_the_ev_and_six_seconds_at_most() -> None:
    gentle = charging()
    gentle.run(1.0, wish=Wish(lock=True))
    assert gentle.drive == Drive(100.0, True, True)
    gentle.run(0.1, "B")
    assert not gentle.drive.contactor
    deaf = charging()
    edge = deaf.now
    deaf.run(7.0, wish=Wish(lock=True))
    assert deaf.delay_of(False, edge) == pytest.approx(6.0, abs=0.05)


def test_duty_changes_are_five_seconds_apart() -> None:
    outlet = charging().run(6.0)
    edge = outlet.now
    outlet.run(1.0, wish=Wish(16.0, True, True))
    assert outlet.drive.pwm_pct == pytest.approx(26.667, abs=1e-3)
    assert outlet.log[-1][0] - edge < 0.01
    outlet.run(1.0, wish=Wish(20.0, True, True))
    assert outlet.drive.pwm_pct == pytest.approx(26.667, abs=1e-3)
    outlet.run(3.5)
    assert outlet.drive.pwm_pct == pytest.approx(33.333, abs=1e-3)
    assert 5.0 < outlet.log[-1][0] - edge < 5.3
    outlet.run(0.1, wish=Wish(None, True, True))
    assert outlet.drive.pwm_pct == 100, "taking the offer away does not wait"


def test_wakes_when_something_is_due() -> None:
    outlet = charging()
    outlet.run(0.0005, wish=Wish(16.0, True, True))
    wake = outlet.control.wake_at_s
    assert wake is not None
    assert wake - outlet.now < 5.0


def test_contactor_that_does_not_follow() -> None:
    outlet = charging()
    outlet.welded = True
    outlet.run(1.5, "B")
    assert outlet.control.fault == "welded"
    assert not outlet.run(1.0, "C").drive.contactor


def test_a_residual_current_is_over_once_vehicle_and_current_are_gone() -> None:
    outlet = charging()
    outlet.rcd = True
    outlet.run(0.1)
    assert (outlet.control.fault, outlet.drive.contactor, outlet.drive.pwm_pct) == ("rcd", False, 100.0)
    outlet.rcd = False
    outlet.run(1.0)
    assert outlet.control.fault == "rcd"
    outlet.rcd = True
    outlet.run(1.0, cp="A")
    assert outlet.control.fault == "rcd"
    outlet.rcd = False
    outlet.run(0.1)
    assert outlet.control.fault is None


def test_faults_of_the_contactor_and_the_pilot() -> None:
    late = charging(knobs_of("late-open"))
    edge = late.now
    late.run(0.3, "B")
    assert late.delay_of(False, edge) == pytest.approx(0.143, abs=0.003)
    slow = Outlet(knobs_of("slow-close")).run(0.2, "B").run(1.0, "B", OFFER)
    edge = slow.now
    slow.run(6.0, "C")
    assert slow.delay_of(True, edge) == pytest.approx(4.1, abs=0.05)
    wrong = charging(knobs_of("wrong-duty"))
    assert wrong.drive.pwm_pct == pytest.approx(49.333, abs=1e-3)
    early = Outlet(knobs_of("closes-without-pwm")).run(0.2, "B").run(3.0, "C", Wish(None, True, True))
    assert early.drive == Drive(100.0, True, True)
    assert early.run(1.0, wish=OFFER).drive.contactor
    assert not early.run(0.5, "B").drive.contactor
    in_f = charging(knobs_of("closes-in-f"))
    edge = in_f.now
    in_f.run(0.1, wish=Wish(lock=True)).run(2.5, "F")
    closed = [drive.contactor for at, drive in in_f.log if at > edge]
    assert closed.count(True) == 1, "in the middle of F"
    assert not in_f.drive.contactor
    gassing = charging(knobs_of("closes-in-d"))
    assert gassing.run(3.0, "D").drive.contactor
    welded = charging(knobs_of("stays-closed"))
    welded.control.weld()
    assert welded.run(1.0, "A", Wish()).drive.contactor


def test_oddities_of_the_contactor_and_the_pilot_stay_within_the_limits() -> None:
    slow = Outlet(knobs_of("slow-but-allowed")).run(0.2, "B").run(1.0, "B", OFFER)
    edge = slow.now
    slow.run(9.0, "C")
    assert 2.5 < slow.delay_of(True, edge) < 2.8
    edge = slow.now
    slow.run(9.0, wish=Wish(16.0, True, True))
    assert slow.log[-1][0] - edge == pytest.approx(8.0, abs=0.05)
    exact = charging(knobs_of("integer-pwm")).run(6.0).run(0.1, wish=Wish(16.0, True, True))
    assert exact.drive.pwm_pct == pytest.approx(26.588, abs=1e-3)


def test_every_fault_and_oddity_changes_a_knob() -> None:
    assert not FAULTS.keys() & ODDITIES.keys()
    for name in FAULTS | ODDITIES:
        assert knobs_of(name) != Knobs() or DEVIATIONS[name].bench
    with pytest.raises(KeyError):
        knobs_of("no-such-fault")
