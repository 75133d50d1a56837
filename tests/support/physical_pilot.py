"""Traces for the pack of IEC 61851-1: each rule passed, failed, and met by something odd that conforms."""

from __future__ import annotations

import msgspec

from traces import TWIN_FACTS, Trace
from wired import WITHOUT, Case, Wired, case

__all__ = ["CASES"]

TETHERED = msgspec.structs.replace(TWIN_FACTS, outlet="cable")
VENTILATED = msgspec.structs.replace(TWIN_FACTS, ventilation=True)


def closes(at: float | None, *, state: str = "C", facts: object = TWIN_FACTS) -> Wired:
    """S2 closes at 3000, authorised and with PWM; the output follows at `at`."""
    assert isinstance(facts, type(TWIN_FACTS))
    t = Wired(facts).offered().shows(3000, state)
    if at is not None:
        t.live(at)
    return t.over(9000)


def refuses() -> Wired:
    """The diode is shorted before PWM; the station does not close."""
    t = Wired().online().plug(1000).faults(1500, "diode")
    t.status(1110, "Preparing", claimed=1100)
    return t.let_in(2000).pwm(2200, 53.33).shows(3000, "C").over(9000)


def toggles() -> Wired:
    """The vehicle wakes the station by B-C-B-C; it closes once C has lasted."""
    t = Wired().offered()
    for at, state in ((3000, "C"), (3250, "B"), (3500, "C"), (3750, "B"), (4000, "C")):
        t.shows(at, state)
    return t.live(6800).over(9000)


def stops(after: float, *, to: str = "B", pwm: bool = True) -> Wired:
    """S2 opens (or the plug is pulled) at 6000; the output is dead `after` that."""
    t = Wired().flowing()
    if not pwm:
        t.pwm(5500, 100.0)
    return t.shows(6000, to).dead(6000 + after).over(9000)


def falls(state: str, dead: float | None, *then: tuple[float, str]) -> Wired:
    """The pilot falls to E or F at 5000; the output is dead at `dead`."""
    t = Wired().flowing().shows(5000, state)
    for at, after in then:
        t.shows(at, after)
    if dead is not None:
        t.dead(dead)
    return t.over(12000)


def pwm_ends(opens: float, s2: float | None = None, idle_at: float | None = None, back: float | None = None) -> Wired:
    """PWM ends at 5000; S2 opens at `s2`, the contactor at `opens`; the vehicle draws nothing from `idle_at` on."""
    t = Wired().flowing().draws(4900, 30.0).pwm(5000, 100.0)
    if idle_at is not None:
        t.draws(idle_at, 0.2)
    if back is not None:
        t.pwm(back, 53.33)
    if s2 is not None:
        t.shows(s2, "B")
    return t.dead(opens).over(15000)


def reset_while_charging() -> Wired:
    """A hard reset, after which nothing is waited for."""
    t = Wired().flowing().draws(4900, 30.0)
    t.csms("csms.reset", 4950, evse=None, type="Hard", logical="hard", accepted=True, status="Accepted", late=False)
    return t.pwm(5000, 100.0).dead(5400).over(15000)


def trips(topic: str, **data: object) -> Wired:
    """The outlet opens 50 ms after the bench let a residual current flow, and PWM ends with it."""
    t = Wired().flowing().draws(4900, 30.0)
    t.host("bench", topic, 4950, {"args": {}, **data})
    return t.pwm(5000, 100.0).dead(5020).over(15000)


def always_closed(live: float | None) -> Wired:
    """S2 is closed from the plug on; PWM comes at 3500."""
    t = Wired().bare()
    t.pp(980, 220)
    t.shows(1000, "C").pwm(3500, 53.33)
    return t.shows(6000, "B").over(9000) if live is None else t.live(live).over(9000)


def authorised(offer: float | None) -> Wired:
    t = Wired().online().plug(1000)
    t.status(1110, "Preparing", claimed=1100)
    t.let_in(2000)
    return t.over(9000) if offer is None else t.pwm(offer, 53.33).over(offer + 3000)


def limited(*duties: tuple[float, float], limit_a: float = 16.0, ohm: int = 220, end: float = 30000) -> Wired:
    """A profile accepted at 10000 while 32 A (or what the cable carries) are offered."""
    t = Wired().charges(ohm, 53.33 if ohm == 220 else 21.67)
    t.limits(10000, limit_a)
    for at, pct in duties:
        t.pwm(at, pct)
    return t.over(end)


def pauses() -> Wired:
    """A limit below 6 A: PWM ends, and the station says that it suspends."""
    t = limited((10500, 100.0), limit_a=5.0)
    t.status(10600, "SuspendedEVSE")
    t.csms("ocpp.tx.updated", 10600, tx=7, charging_state="SuspendedEVSE", claim=t.claim(10590))
    return t


def resent(every: float, *, until: float = 40000) -> Wired:
    """The same profile again and again."""
    t = Wired().charges()
    at = 10000.0
    while at < until:
        t.limits(at)
        at += every
    return t


def raised(rises: float, accepted: float | None, *, back: float | None = None, pct: float = 53.33) -> Wired:
    """16 A are reached at 10500; the duty cycle rises at `rises`, a profile that allows it comes at `accepted`."""
    t = Wired().charges()
    t.limits(10000)
    t.pwm(10500, 26.67).pwm(rises, pct)
    if accepted is not None:
        t.limits(accepted, 32.0)
    if back is not None:
        t.pwm(back, 26.67)
    return t.over(35000)


def ended() -> Wired:
    t = Wired().charges()
    t.limits(10000)
    t.pwm(10500, 26.67)
    t.tx_ended(16000, 5010, reason="Local")
    t.status(16050, "Finishing")
    return t.pwm(16200, 53.33).over(25000)


def offers(*duties: tuple[float, float], hertz: float = 1000.0, state: str = "B") -> Wired:
    """A vehicle in B (or C), and these duty cycles."""
    t = Wired().bare().plug(1000)
    if state != "B":
        t.shows(1500, state)
    for at, pct in duties:
        t.pwm(at, pct, hertz=hertz)
    return t.over(15000)


def by_way_of_f() -> Wired:
    """From 5 % by way of state F (4 s) and a short x1 to an offer, as ISO 15118-3 has it."""
    t = Wired().bare().plug(1000).pwm(2000, 5.0).shows(5000, "F").shows(9000, "B")
    t.duty(9000.2, 100.0)
    return t.pwm(9600, 26.67).over(15000)


def cabled(ohm: int | None, pct: float, facts: object = TWIN_FACTS) -> Wired:
    assert isinstance(facts, type(TWIN_FACTS))
    return Wired(facts).bare().plug(1000, ohm).pwm(2000, pct).over(9000)


def already_on(pct: float, ohm: int) -> Wired:
    """PWM runs before the plug comes (A2), and comes down once the cable is read."""
    return Wired().bare().pwm(500, 53.33).plug(1000, ohm).pwm(2500, pct).over(9000)


def recoded(ohm: int, pct: float) -> Wired:
    """220 ohm at the plug-in, another resistor later: a station reads it once."""
    t = Wired().bare().plug(1000).pwm(2000, pct)
    t.pp(5000, ohm)
    return t.over(9000)


def pp(ohm: int, fits: float, over: float) -> Case:
    return case(
        lambda: cabled(ohm, fits),
        lambda: cabled(ohm, over),
        PWM_was_on_before_the_plug=lambda: already_on(fits, ohm),
        tethered_with_no_coding=lambda: cabled(ohm, over, TETHERED),
        coded_anew_while_connected=lambda: recoded(ohm, 53.33),
        one_pp_too_much_within_tolerance=lambda: cabled(ohm, fits + 0.8),
    )


def releases(at: float | None, *, running: bool = False, keeps_live: bool = False) -> Wired:
    """Locked, unplugged at 5000 without a transaction, open at `at`."""
    t = Wired().online().plug(1000).locked(1500)
    t.status(1110, "Preparing", claimed=1100)
    if running:
        t.let_in(2000)
    t.shows(5000, "A")
    t.pp(5010, None)
    if not running:
        t.status(5200, "Available")
    if keeps_live:
        t.live(5100)
    if at is not None:
        t.locked(at, held=False)
    return t.over(9000 if keeps_live or running else 13000)


def follows(amps: float, from_ms: float, *, drops: float = 26.67) -> Wired:
    t = Wired().charges()
    t.meters(3300, 10400, 31.0, 20.0)
    t.limits(10000)
    t.pwm(10500, drops)
    t.meters(10500, from_ms - 100, 31.0, 5.0)
    t.meters(from_ms, 20000, amps, 5.0)
    return t.over(22000)


def keeps_s2() -> Trace:
    return pwm_ends(11300)


CASES: dict[str, Case] = {
    "start.close": case(
        lambda: closes(3100),
        lambda: closes(None),
        after_2900_ms=lambda: closes(5890),
        the_vehicle_toggles_B_and_C=toggles,
        state_D_refused_without_ventilation=lambda: closes(None, state="D", facts=WITHOUT),
        no_diode_refused=refuses,
        S2_opens_again_before_3_s=lambda: Wired().offered().shows(3000, "C").shows(5500, "B").over(9000),
    ),
    "stop.open": case(
        lambda: stops(40),
        lambda: stops(163),
        pulled_under_load=lambda: stops(60, to="A"),
        debounced_for_75_ms=lambda: stops(95),
        without_PWM=lambda: stops(40, pwm=False),
        a_glitch_shorter_than_the_debounce=lambda: Wired().flowing().shows(6000, "B").shows(6060, "C").over(9000),
    ),
    "e.opens": case(
        lambda: falls("E", 7900),
        lambda: falls("E", 8500),
        at_once_since_the_supply_failed=lambda: falls("E", 5010),
        a_short_that_goes_away=lambda: falls("E", None, (5800, "C")),
        S2_opened_behind_the_short=lambda: falls("E", 6050, (6000, "B")),
        straight_to_F=lambda: falls("E", 5400, (5300, "F")),
    ),
    "f.opens": case(
        lambda: falls("F", 5200),
        lambda: falls("F", 9000),
        opened_before_it_went_to_F=lambda: falls("F", 4900),
        back_in_B_after_300_ms=lambda: falls("F", 5200, (5320, "B")),
    ),
    "f.lasts": case(
        lambda: falls("F", 5100, (5320, "B")),
        lambda: falls("F", 5050, (5200, "B")),
        five_seconds=lambda: falls("F", 5100, (10000, "B")),
        the_supply_fails_in_F=lambda: falls("F", 5050, (5120, "E")),
        a_wake_up_by_F_for_4_s=lambda: Wired().bare().plug(1000).shows(3000, "F").shows(7000, "B").over(9000),
    ),
    "c1.waits": case(
        lambda: pwm_ends(5740, s2=5700),
        lambda: pwm_ends(7000),
        the_vehicle_keeps_S2_closed_for_more_than_6_s=keeps_s2,
        S2_closed_and_no_current=lambda: pwm_ends(7000, idle_at=6000),
        opens_at_once_because_the_back_end_resets_it=reset_while_charging,
        opens_at_once_because_the_bench_makes_it_trip=lambda: trips("stimulus", device="relays", verb="relay"),
        opens_at_once_for_a_residual_current_of_the_twin=lambda: trips("twin.fault", name="leak-ac", on=True),
        pulled_after_PWM_ended=lambda: Wired().flowing().pwm(5000, 100.0).shows(5300, "A").dead(5350).over(12000),
    ),
    "c1_c2.measured": case(lambda: always_closed(8500), None, S2_opens_before=lambda: always_closed(None)),
    "b1_b2.measured": case(
        lambda: authorised(3000), None, after_20_s=lambda: authorised(22000), never=lambda: authorised(None)
    ),
    "profile.duty": case(
        lambda: limited((10500, 26.67)),
        limited,
        after_9_s=lambda: limited((19500, 26.67)),
        a_pause_instead_of_less_than_6_A=pauses,
        x1_between_two_offers=lambda: limited((10500, 100.0), (14000, 26.67)),
        five_seconds_more_after_a_change=lambda: limited((7000, 50.0), (22000, 26.67)),
        the_same_profile_every_8_s_and_kept=lambda: resent(8000).pwm(19000, 26.67).over(45000),
        raised_before_it_was_due=lambda: Wired().charges().limits(10000).limits(14000, 32.0).over(30000),
    ),
    "profile.holds": case(
        lambda: raised(16000, 16010),
        lambda: raised(16000, None),
        the_answer_3_s_after_the_duty_cycle=lambda: raised(16000, 19000),
        after_the_end_of_the_transaction=ended,
        a_tenth_above=lambda: raised(16000, None, pct=27.5),
    ),
    "profile.floor": case(
        lambda: limited((10500, 26.67)),
        lambda: limited((10500, 22.67)),
        cut_to_whole_steps_of_the_timer=lambda: limited((10500, 26.59)),
        the_cable_carries_less=lambda: limited(ohm=1500),
        overshoot_that_is_corrected=lambda: limited((10500, 20.0), (16000, 26.67)),
    ),
    "duty.spacing": case(
        lambda: offers((2000, 53.33), (4000, 26.67), (9100, 40.0)),
        lambda: offers((2000, 53.33), (4000, 26.67), (6000, 40.0)),
        x1_between_the_changes=lambda: offers((2000, 53.33), (4000, 26.67), (4600, 100.0), (5200, 53.33)),
        soon_after_the_first_offer=lambda: offers((2000, 53.33), (2500, 26.67)),
        jitter_of_the_generator=lambda: offers((2000, 53.33), (3000, 53.0), (3500, 53.5), (4000, 53.2)),
    ),
    "pwm.bands": case(
        lambda: offers((2000, 53.33), (4000, 98.0), (4030, 100.0)),
        lambda: offers((2000, 98.0), (7000, 100.0)),
        five_percent=lambda: offers((2000, 5.0)),
        eight_to_ten_percent_is_6_A=lambda: offers((2000, 8.5)),
        at_the_edge_within_the_accuracy=lambda: offers((2000, 97.05)),
    ),
    "pwm.fast": case(
        lambda: offers((2000, 53.33)),
        lambda: offers((2000, 53.33), hertz=1012.0),
        at_the_edge=lambda: offers((2000, 53.33), hertz=1004.7),
    ),
    "pwm.slow": case(
        lambda: offers((2000, 53.33)),
        lambda: offers((2000, 53.33), hertz=985.0),
        at_the_edge=lambda: offers((2000, 53.33), hertz=995.3),
    ),
    "digital.x1": case(
        lambda: offers((2000, 5.0), (5000, 100.0), (8200, 26.67)),
        lambda: offers((2000, 5.0), (5000, 26.67)),
        by_way_of_F=by_way_of_f,
        back_to_5_percent=lambda: offers((2000, 26.67), (7500, 5.0)),
    ),
    "digital.pause": case(
        lambda: offers((2000, 5.0), (5000, 100.0), (8200, 26.67)),
        lambda: offers((2000, 5.0), (5000, 100.0), (6000, 26.67)),
        by_way_of_F_and_a_short_x1=by_way_of_f,
        x1_and_5_percent_again=lambda: offers((2000, 5.0), (5000, 100.0), (5500, 5.0)),
    ),
    "pp.13A": pp(1500, 21.67, 26.67),
    "pp.20A": pp(680, 33.33, 53.33),
    "pp.32A": pp(220, 53.33, 66.67),
    "pp.63A": pp(100, 92.0, 96.0),
    "lock.opens": case(
        lambda: releases(5800),
        lambda: releases(None),
        a_transaction_outlasts_the_plug=lambda: releases(None, running=True),
        open_before_the_plug_is_pulled=lambda: (
            Wired().online().plug(1000).locked(1500).locked(3000, held=False).over(4000)
        ),
    ),
    "ev.follows": case(
        lambda: follows(15.8, 11000),
        lambda: follows(20.0, 11000),
        after_almost_5_s=lambda: follows(15.8, 15200),
        draws_less=lambda: follows(8.0, 11000),
    ),
    "ev.stops": case(lambda: pwm_ends(5740, s2=5700), None, S2_kept_closed=keeps_s2),
}
