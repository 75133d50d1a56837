"""Traces for the packs of safety and energy: each rule passed, failed, and met by something odd that conforms."""

from __future__ import annotations

from physical_pilot import TETHERED, VENTILATED, always_closed, closes, falls, stops
from traces import Trace, full_session
from wired import WITHOUT, Case, Wired, case

__all__ = ["CASES"]


def unasked() -> Wired:
    """PWM for anybody: nobody was let in when the output turns on."""
    t = Wired().online().plug(1000)
    t.status(1110, "Preparing", claimed=1100)
    return t.pwm(2000, 53.33).shows(3000, "C").live(3100).over(6000)


def after_the_stop() -> Wired:
    """A remote stop crosses a vehicle that closes S2: permission is ending, not gone."""
    t = Wired().offered()
    t.remote_stop(2900)
    t.shows(3000, "C").live(3100)
    t.tx_ended(5000, 5000)
    return t.over(6000)


def locks(at: float | None, *, known: bool = True) -> Wired:
    """The lock holds at `at`; the output turns on at 3100."""
    t = Wired().bare()
    if known:
        t.locked(100, held=False)
    t.plug(1000).pwm(2000, 53.33)
    if at is not None:
        t.locked(at)
    return t.shows(3000, "C").live(3100).over(6000)


def turns_on_in_b(*, s2_opened: bool) -> Wired:
    """The output turns on in B for half a second, a second after S2 opened; or at once, by a contactor on its way."""
    t = Wired().offered().shows(3000, "C").shows(3500, "B")
    if s2_opened:
        return t.live(3560).dead(3620).over(8000)
    return t.live(4500).dead(5000).over(8000)


def welded() -> Wired:
    """The output is live in state A when the bench comes."""
    t = Wired()
    t.cp(5, "A", pwm=False)
    t.duty(6, 100.0)
    return t.live(7).over(9000)


def without_pwm(on: float, *, ends: float | None = None, dead: float = 9500) -> Wired:
    """S2 closed without PWM: the output turns on at `on`; PWM ends at `ends`, or never came."""
    t = Wired().offered() if ends is not None else Wired().bare().plug(1000)
    t.shows(3000, "C")
    if ends is not None and ends < on:
        t.pwm(ends, 100.0)
    t.live(on)
    if ends is not None and ends > on:
        t.pwm(ends, 100.0)
    if dead < 9500:
        t.dead(dead)
    return t.shows(9400, "B").dead(9430).over(12000)


def short(live: float | None) -> Wired:
    t = Wired().bare().plug(1000).pwm(2000, 53.33).shows(3000, "E")
    if live is not None:
        t.live(live)
    return t.over(4500)


def short_while_closing() -> Wired:
    """The pilot is shorted while the contactor closes."""
    return Wired().bare().plug(1000).pwm(2000, 53.33).shows(3000, "C").shows(3050, "E").live(3100).dead(4000).over(9000)


def no_diode(live: float | None, *, at: float = 1500.0) -> Wired:
    t = Wired().online().plug(1000)
    t.status(1110, "Preparing", claimed=1100)
    if at < 2200:
        t.faults(at, "diode")
    t.let_in(2000).pwm(2200, 53.33).shows(3000, "C")
    if at > 2200:
        t.live(3100).faults(at, "diode").shows(6000, "B").dead(6040).shows(7000, "C")
    if live is not None:
        t.live(live)
    return t.over(9000)


def ventilation(facts: object, live: float | None) -> Wired:
    """S2 of a vehicle that needs ventilation closes at 3000."""
    assert isinstance(facts, type(WITHOUT))
    t = Wired(facts).offered().shows(3000, "D")
    if live is not None:
        t.live(live)
    return t.over(8000)


def needed_while_closing() -> Wired:
    """The vehicle asks for ventilation when the contactor was driven already."""
    t = Wired(WITHOUT).offered().shows(3000, "C").shows(3100, "D")
    return t.live(3120).dead(3300).over(8000)


def to_d(facts: object, dead: float | None, *, back: float | None = None) -> Wired:
    """A vehicle that charges begins to need ventilation at 5000."""
    assert isinstance(facts, type(WITHOUT))
    t = Wired(facts).flowing().shows(5000, "D")
    if back is not None:
        t.shows(back, "C")
    if dead is not None:
        t.dead(dead)
    return t.over(12000)


def uncoded(ohm: int | None, live: float | None, facts: object = None) -> Wired:
    t = Wired(facts) if isinstance(facts, type(WITHOUT)) else Wired()
    t.bare().plug(1000, ohm).pwm(2000, 21.67).shows(3000, "C")
    if live is not None:
        t.live(live)
    return t.over(6000)


def in_state_a(*currents: tuple[float, float, float]) -> Trace:
    """A bench without output sense, somebody let in, no vehicle: these currents (from, to, ampere)."""
    t = Wired().online(sensed=False)
    t.authorized(600)
    for begin, end, amps in currents:
        t.meters(begin, end, amps)
    return t.over(5200)


def pulled(decays: float) -> Trace:
    """Pulled under load at 6000; the meter shows current for `decays` ms more."""
    t = Wired().charges()
    t.meters(3300, 6000, 31.0, 10.0)
    t.shows(6000, "A").dead(6060)
    t.pp(6010, None)
    t.meters(6100, 6000 + decays, 5.0)
    t.meters(6100 + decays, 9000, 0.0)
    return t.over(9100)


def nobody(amps: float) -> Trace:
    """A bench without output sense; a vehicle is plugged in and nobody was let in."""
    t = Wired().online(sensed=False).plug(1000)
    t.status(1110, "Preparing", claimed=1100)
    t.meters(200, 2900, 0.0)
    t.meters(3000, 5000, amps)
    return t.over(5200)


def without_voltage(*currents: tuple[float, float, float]) -> Trace:
    t = Wired().flowing()
    t.meters(60, 3000, 0.0)
    t.meters(3300, 5900, 20.0)
    t.shows(6000, "B").dead(6040)
    for begin, end, amps in currents:
        t.meters(begin, end, amps)
    return t.over(9100)


CASES: dict[str, Case] = {
    "start.order": case(
        lambda: closes(3100),
        unasked,
        S2_closed_from_the_plug_on=lambda: always_closed(8500),
        a_stop_that_crosses_S2=after_the_stop,
    ),
    "lock.first": case(
        lambda: locks(2500),
        lambda: locks(None),
        tethered_no_lock=lambda: locks(None, known=False),
        locked_in_B_long_before=lambda: locks(1200),
    ),
    "ab.stays_off": case(
        lambda: stops(40),
        lambda: turns_on_in_b(s2_opened=False),
        a_contactor_on_its_way_when_S2_opened=lambda: turns_on_in_b(s2_opened=True),
    ),
    "ab.dead": case(
        lambda: stops(40),
        welded,
        two_seconds_after_a_short_that_ended_in_B=lambda: falls("E", 7800, (5100, "B")),
        pulled_under_load=lambda: stops(60, to="A"),
    ),
    "c1.stays_off": case(
        lambda: stops(40, pwm=False),
        lambda: without_pwm(5000),
        "start.order",
        PWM_ended_while_the_contactor_closed=lambda: without_pwm(3060, ends=3020),
        stays_on_for_the_wait_of_10_2=lambda: without_pwm(3100, ends=3300),
    ),
    "ef.stays_off": case(
        lambda: short(None),
        lambda: short(4000),
        "start.order",
        shorted_while_the_contactor_closed=short_while_closing,
    ),
    "diode.stays_off": case(
        lambda: no_diode(None),
        lambda: no_diode(3100),
        shorted_in_C_and_charges_on=lambda: Wired().flowing().faults(5000, "diode").over(9000),
        closes_again_after_it_had_seen_the_diode=lambda: no_diode(7100, at=5000),
    ),
    "d.stays_off": case(
        lambda: ventilation(WITHOUT, None),
        lambda: ventilation(WITHOUT, 3100),
        ventilated=lambda: ventilation(VENTILATED, 3100),
        needed_while_the_contactor_closed=lambda: needed_while_closing(),
        the_bench_file_does_not_say=lambda: ventilation(Wired().facts, 3100),
    ),
    "d.opens": case(
        lambda: to_d(WITHOUT, 6000),
        lambda: to_d(WITHOUT, None),
        ventilated=lambda: to_d(VENTILATED, None),
        back_in_C_before=lambda: to_d(WITHOUT, None, back=6000),
        the_bench_file_does_not_say=lambda: to_d(Wired().facts, None),
    ),
    "pp.none": case(
        lambda: uncoded(None, None),
        lambda: uncoded(None, 3100),
        tethered=lambda: uncoded(None, 3100, TETHERED),
        coded=lambda: uncoded(1500, 3100),
    ),
    "no_current.a": case(
        lambda: in_state_a((60, 5000, 0.0)),
        lambda: in_state_a((60, 1900, 0.0), (2000, 5000, 10.0)),
        decays_for_400_ms=lambda: pulled(400),
        a_filter_draws_a_little=lambda: in_state_a((60, 5000, 0.3)),
    ),
    "no_current.unauth": case(
        lambda: nobody(0.0),
        lambda: nobody(10.0),
        a_filter_draws_a_little=lambda: nobody(0.3),
        current_for_5_s_after_the_stop=full_session,
    ),
    "no_current.dead": case(
        lambda: without_voltage((6100, 9000, 0.0)),
        lambda: without_voltage((6100, 9000, 20.0)),
        decays_for_400_ms=lambda: without_voltage((6100, 6400, 5.0), (6500, 9000, 0.0)),
    ),
    "energy.agree": case(
        full_session,
        lambda: full_session(gain=1.05),
        rounded_to_whole_Wh=lambda: full_session(offset_wh=0.4),
        a_clock_3_s_ahead=lambda: full_session(station_ahead_s=3.0),
        at_the_edge_of_the_class=lambda: full_session(gain=1.019),
    ),
    "energy.conform": case(
        lambda: full_session(energy_wh=150.0),
        lambda: full_session(energy_wh=150.0, gain=1.026),
        too_little_energy_to_tell=lambda: full_session(gain=1.026),
        at_the_edge_of_the_class=lambda: full_session(energy_wh=150.0, gain=1.019),
    ),
}
