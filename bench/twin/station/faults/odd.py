"""Oddities: strange behaviour that conforms. No rule may FAIL for any of them."""

from __future__ import annotations

from .deviation import Deviation, oddity
from .outlet import FOR_80_A

__all__ = ["ODD"]

ODD: tuple[Deviation, ...] = (
    oddity(
        "slow-but-allowed",
        "contactor 2.5 s after C2, status 3 s late, duty 8 s after the profile",
        close_delay_s=2.5,
        status_delay_s=3.0,
        duty_delay_s=8.0,
    ),
    oddity("integer-pwm", "duty cut to whole 1/1023 of the period: 26.59 % for 16 A", duty_steps=1023),
    oddity(
        "early-start",
        "the transaction starts at authorisation, before the lock and PWM (2.x: TxStartPoint Authorized)",
        start_at="authorised",
        pwm_delay_s=1.0,
    ),
    oddity(
        "late-start",
        "the transaction starts only when current flows (2.x: TxStartPoint EnergyTransfer)",
        start_at="current",
    ),
    oddity(
        "finishing-late",
        "status Finishing comes 5 s after the transaction ended (1.6 only)",
        versions=("1.6",),
        finishing_delay_s=5.0,
    ),
    oddity("extra-heartbeats", "a heartbeat every second, whatever was agreed", heartbeat_s=1.0),
    oddity(
        "suspended-evse",
        "SuspendedEVSE between authorisation and charging",
        fresh_status="SuspendedEVSE",
        pwm_delay_s=0.3,
    ),
    oddity("double-status", "every status is sent twice", status_copies=2),
    oddity("soft-start", "offers 6 A for 6 s before it offers more", prelude=((10.0, 6.0),)),
    oddity("late-pwm", "begins to offer current 4 s after the transaction began", pwm_delay_s=4.0),
    oddity("whole-seconds", "writes times without fractions of a second", slips=("whole-seconds",)),
    oddity("with-offset", "writes times in a zone two hours east, and says so (+02:00)", slips=("with-offset",)),
    oddity("in-kwh", "gives the register in kWh, and says so", slips=("in-kwh",)),
    oddity("terse-values", "leaves out of a sampled value whatever is its default", slips=("terse",)),
    oddity("counted-ids", "counts its message ids: 1, 2, 3", message_ids="count"),
    oddity("slow-answers", "answers every request of the back end after 2 s", answer_delay_s=2.0),
    oddity("late-after-boot", "tells its statuses 20 s after its boot was accepted", "boot", boot_status_s=20.0),
    oddity(
        "restless-link",
        "loses the connection in the middle of the transaction and is back after a while",
        drops_link_after_s=9.0,
        down_s=4.0,
    ),
    oddity(
        "end-in-two",
        "tells first what ends the transaction (Updated), then that it has ended (ChargingStateChanged)",
        "local_stop",
        ("2.0.1", "2.1"),
        slips=("end-in-two",),
    ),
    oddity(
        "patient-unplug",
        "waits 2 s after the pilot went to state A until it takes the vehicle for unplugged",
        "unplug_ends",
        unplug_wait_s=2.0,
    ),
    oddity(
        "refused-under-load",
        "the transaction starts only when current flows, so that its refusal finds the outlet live",
        "refused_goes_on",
        start_at="current",
    ),
    oddity(
        "cable-70A",
        "takes a cable of 100 ohm for one of 70 A, as it may on one phase",
        "cable",
        bench={**FOR_80_A, "phases": "1"},
        cable_63_a=70.0,
    ),
    oddity(
        "ventilated",
        "charges in state D: it has ventilation",
        "ventilation",
        bench={"ventilation": "true"},
    ),
    oddity(
        "slow-in-d", "opens 2 s after the vehicle asks for ventilation (limit 3 s)", "ventilation", d_open_delay_s=2.0
    ),
    oddity("raises-first", "follows a higher limit at once and answers 2 s later", "limit", answer_delay_s=2.0),
    oddity(
        "half-above", "the duty cycle is half a percentage point above what the limit says", "limit", duty_offset_pp=0.5
    ),
    oddity(
        "fault-told-first",
        "tells first of the ground fault (Updated), then that the transaction has ended (ChargingStateChanged)",
        "residual_current",
        ("2.0.1", "2.1"),
        slips=("end-in-two",),
    ),
    oddity(
        "late-clock-values",
        "sends clock-aligned meter values 4 s after their moment",
        "clock_values",
        ("1.6",),
        aligned_delay_s=4.0,
    ),
    oddity("energy-1-percent", "reported energy is 1 % too high, which its class allows", "energy", energy_gain=1.01),
    oddity(
        "resumes-later",
        "lets a random time of up to 10 s pass before energy flows again after a power loss (E17.FR.18)",
        "power_cut",
        versions=("2.1",),
        resumption_random_s=10,
    ),
    oddity(
        "stops-short",
        "suspends the energy 15 Wh before the limit of the transaction, so as not to exceed it (E16.FR.19)",
        "limit_reached",
        versions=("2.1",),
        limit_early_wh=15.0,
    ),
    oddity("long-f", "passes state F for half a second when it takes the offer away", f_pulse_s=0.5),
)
