"""Faults of the outlet: pilot, contactor, lock, cable, energy."""

from __future__ import annotations

from .deviation import Deviation, fault

__all__ = ["FOR_80_A", "OUTLET"]

FOR_80_A = {"rated": '"80 A"', "pp_ohm": "[100, 220, 680, 1500]"}
"""An outlet for more than any cable carries, and each cable."""

OUTLET: tuple[Deviation, ...] = (
    # ---- contactor
    # command at 6 ms debounce + 137 ms = 143 ms; the contactor needs 10..30 ms more
    fault(
        "late-open",
        "the contactor opens 163 ms after the vehicle leaves state C (limit 100 ms)",
        "local_stop",
        every="stop.open",
        open_delay_s=0.137,
    ),
    fault(
        "slow-close",
        "the contactor closes 4 s after B2 -> C2 (limit 3 s)",
        "local_stop",
        every="start.close",
        close_delay_s=4.0,
    ),
    fault(
        "close-unauthorised",
        "gives PWM at plug-in and closes the contactor when the vehicle asks, without authorisation",
        "idle",
        every="no_current.unauth start.order",
        serves_anyone=True,
        asks_after_flow_s=2.0,
    ),
    fault(
        "closes-without-pwm",
        "closes the contactor in B1 or C1 right after authorisation; PWM comes 3 s later",
        "local_stop",
        every="ab.stays_off ab.dead start.order",
        closes_without_pwm=True,
        pwm_delay_s=3.0,
    ),
    # it opens at the moment at which the vehicle stops to draw current, or before it
    fault(
        "recloses",
        "at a stop it opens the contactor and closes it again while the vehicle still is in C1",
        "local_stop",
        every="c1.stays_off start.order",
        perhaps="c1.waits",
        recloses_in_c1=True,
    ),
    # an EV simulator tells of the current that ends by it so soon that nobody can say which was first
    fault(
        "opens-under-load",
        "opens the contactor 0.1 s after the end of PWM, while S2 is closed (limit 6 s)",
        "held_s2",
        every="c1.waits",
        bench={"device.ev": ""},
        c1_wait_s=0.1,
    ),
    # the station sees it and reports Faulted, while its outlet is live in state A
    fault(
        "stays-closed",
        "the contactor stays closed after the stop and after the unplug, as if welded",
        "remote_start",
        every="stop.open ab.dead",
        v2="v2.remote_stop.energy",
        perhaps="faulted.no_energy",
        welds_at_stop=True,
    ),
    # ---- duty cycle
    fault(
        "wrong-duty",
        "the duty cycle is 4 percentage points below what the limit says",
        every="profile.floor",
        duty_offset_pp=-4.0,
    ),
    fault(
        "ignores-profile",
        "answers Accepted to SetChargingProfile and changes nothing",
        every="profile.duty",
        applies_profiles=False,
    ),
    fault(
        "forgets-profile",
        "goes back to all that cable and rating allow 8 s after a charging profile limited it",
        "limit",
        every="profile.holds",
        forgets_profile_s=8.0,
    ),
    fault(
        "late-duty",
        "the duty cycle follows a lower limit after 17 s (limit 10 s, 15 s after another change)",
        every="profile.duty",
        duty_delay_s=17.0,
    ),
    fault(
        "hasty-duty",
        "changes the duty cycle again after 1 s (a vehicle may take 5 s to follow)",
        "limits",
        every="duty.spacing",
        duty_spacing_s=0.2,
    ),
    fault(
        "forbidden-duty",
        "begins to offer current with a duty of 7.5 %, which means nothing",
        "local_stop",
        every="pwm.bands",
        perhaps="start.close profile.floor",
        prelude=((7.5, 1.0),),
    ),
    fault(
        "digital-direct",
        "goes from 5 % (digital communication) straight to an offer of current",
        "local_stop",
        every="digital.x1",
        prelude=((5.0, 1.0),),
    ),
    fault(
        "digital-hasty",
        "goes from 5 % to an offer of current by way of a pause of half a second (limit 3 s)",
        "local_stop",
        every="digital.pause",
        prelude=((5.0, 1.0), (100.0, 0.5)),
    ),
    fault(
        "short-f",
        "passes state F for 150 ms when it takes the offer away (state F lasts 300 ms at least)",
        "local_stop",
        every="f.lasts",
        perhaps="v2.state.suspended_evse",
        f_pulse_s=0.15,
    ),
    fault(
        "closes-in-f",
        "passes state F for 2 s when it takes the offer away, and closes the contactor in it",
        "local_stop",
        every="ef.stays_off",
        perhaps="start.order faulted.no_energy v2.state.suspended_evse",
        f_pulse_s=2.0,
        closes_in_f=True,
    ),
    fault(
        "live-in-f",
        "goes to state F for 7 s and opens the contactor after 5 s (limit 3 s)",
        "local_stop",
        every="f.opens",
        perhaps="stop.open ab.dead faulted.no_energy start.order",
        f_pulse_s=7.0,
        open_delay_s=5.0,
    ),
    # ---- faults of the pilot, and the cable
    fault(
        "no-diode-check",
        "closes the contactor although the vehicle's diode is shorted",
        "pilot_faults",
        every="diode.stays_off",
        perhaps="start.order",
        checks_diode=False,
    ),
    fault(
        "ignores-short",
        "keeps the contactor closed while the pilot is short to PE",
        "pilot_faults",
        every="e.opens",
        v16="faulted.no_energy",
        opens_on_short=False,
    ),
    fault(
        "slow-fault-open",
        "opens the contactor 5 s after the pilot was lost or shorted (limits 100 ms and 3 s)",
        "pilot_faults",
        every="stop.open e.opens no_current.a",
        perhaps="ab.dead faulted.no_energy unplug.unlocks v2.unplug.unlocks",
        open_delay_s=5.0,
    ),
    fault(
        "ignores-cable",
        "offers the rating of the outlet whatever the cable is coded for",
        "cable",
        every="pp.13A pp.20A pp.32A pp.63A",
        bench=FOR_80_A,
        reads_cable=False,
    ),
    fault(
        "closes-uncoded",
        "takes a plug without a coding for a cable of 13 A",
        "uncoded",
        every="pp.none",
        uncoded_a=13.0,
    ),
    # ---- ventilation
    fault(
        "closes-in-d",
        "takes state D, in which the vehicle asks for ventilation, for state C where there is none",
        "ventilation",
        every="d.stays_off d.opens",
        energises_in_d=True,
    ),
    # ---- lock
    fault(
        "no-lock",
        "never locks the plug, and takes it for locked",
        "local_stop",
        every="lock.first",
        lock_motor="dead",
        believes_lock=True,
    ),
    fault(
        "lock-sticks", "the lock stays closed after the session", "local_stop", every="lock.opens", lock_motor="sticks"
    ),
    fault(
        "lock-failure-is-talk",
        "tells that the lock has failed, and charges (G05.FR.01)",
        "local_stop",
        v2="v2.lock.no_start lock.first",
        lock_motor="dead",
        believes_lock=True,
        slips=("tells-of-the-lock",),
        pwm_delay_s=1.0,
    ),
    # ---- energy
    fault(
        "energy-5-percent",
        "reported energy since the start of the transaction is 5 % too high, start values are right",
        "energy",
        every="energy.agree energy.conform",
        energy_gain=1.05,
    ),
    fault(
        "wrong-meter-stop",
        "meterStop (2.x: the register in Ended) is 5 Wh too high while the sampled values are right",
        v16="energy.register",
        v2="energy.agree",
        meter_stop_offset_wh=5,
    ),
    fault(
        "kwh-called-wh",
        "the sampled register is in kWh and says Wh",
        v16="energy.register",
        v2="energy.agree",
        perhaps="energy.agree register.monotonic",
        slips=("kwh-called-wh",),
    ),
    fault(
        "register-zero",
        "every other periodic sample of the register says 0",
        "metering",
        v16="register.monotonic",
        v2="v2.register.monotonic",
        perhaps="energy.register energy.agree",
        slips=("register-zero",),
    ),
)
