"""What can be wrong with the simulated station, and what is merely odd.

A fault or an oddity is a set of `Knobs`; each knob is read at exactly one place, named in its comment. A fault breaks
a requirement and some rule must say so; an oddity is unusual and conforming, and no rule may blame it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = ["FAULTS", "ODDITIES", "Knobs", "knobs_of", "meaningless"]


@dataclass(frozen=True)
class Knobs:
    """Deviations of the station, clean by default. Times in seconds, duty in percentage points."""

    # control.py: the pilot and the contactor
    open_delay_s: float = 0.0  # between noticing that the EV left state C and opening the contactor
    close_delay_s: float = 0.05  # between all conditions for closing and closing
    closes_without_pwm: bool = False  # closes in B1 and C1 while the first PWM is not on
    recloses_in_c1: bool = False  # opens early after the end of PWM, and closes again while the EV is in C1
    duty_offset_pp: float = 0.0  # added to every duty
    duty_steps: int | None = None  # resolution of the PWM timer; None = exact
    duty_delay_s: float = 0.0  # between a new limit and the new duty
    # charging.py: the course of a session
    serves_anyone: bool = False  # offers current to whoever plugs in
    asks_after_flow_s: float = 0.0  # authorisation.py: a token waits until current may have flowed this long
    pwm_delay_s: float = 0.0  # between the start of the transaction and PWM
    welds_at_stop: bool = False  # the contactor no longer opens once a transaction is being stopped
    start_at: Literal["authorised", "locked", "current"] = "locked"  # what the start of the transaction waits for
    stop_delay_s: float = 0.0  # between the end of the transaction and StopTransaction
    fresh_status: Literal["Preparing", "SuspendedEVSE"] = "Preparing"  # from authorisation until the EV asks
    # meter.py: what the registers say
    energy_gain: float = 1.0  # of the energy counted since the first transaction began
    # transaction.py, v16/story.py, v2x/story.py: the messages of a transaction
    sends_transactions: bool = True  # whether Start/StopTransaction are sent at all
    meter_stop_offset_wh: int = 0  # added to the register in the last message of a transaction only
    # charging.py
    applies_profiles: bool = True  # whether an accepted charging profile has any effect
    # status.py: StatusNotification
    muted_status: str | None = None  # this status is never sent
    status_delay_s: float = 0.0  # every status is sent this much later
    finishing_delay_s: float = 0.0  # so is Finishing
    status_copies: int = 1  # how often each status is sent
    # link.py: the connection
    status_beside_boot: bool = False  # sends a status right behind BootNotification, before it is answered
    heartbeats: bool = True  # whether heartbeats are sent
    heartbeat_s: float | None = None  # send them at this interval instead of the agreed one
    periodic_values: bool = True  # whether Sample.Periodic values are sent


FAULTS: dict[str, str] = {
    "late-open": "the contactor opens 163 ms after the vehicle leaves state C (limit 100 ms)",
    "wrong-duty": "the duty cycle is 4 percentage points below what the limit says",
    "no-status": "no status Preparing (2.x: Occupied) at plug-in; all others are sent",
    "energy-5-percent": "reported energy since the start of the transaction is 5 % too high, start values are right",
    "close-unauthorised": "gives PWM at plug-in and closes the contactor when the vehicle asks, without authorisation",
    "ignores-profile": "answers Accepted to SetChargingProfile and changes nothing",
    "slow-close": "the contactor closes 4 s after B2 -> C2 (limit 3 s)",
    "closes-without-pwm": "closes the contactor in B1 or C1 right after authorisation; PWM comes 3 s later",
    "recloses": "at a stop it opens the contactor and closes it again while the vehicle still is in C1",
    "no-start": "charges, but never sends StartTransaction and StopTransaction (2.x: TransactionEvent)",
    "late-stop": "StopTransaction (2.x: the event Ended) comes 20 s late",
    "chatty-boot": "sends a status before its boot is accepted",
    "no-heartbeat": "sends neither heartbeats nor periodic meter values",
    "stays-closed": "the contactor stays closed after the stop and after the unplug, as if welded",
    "wrong-meter-stop": "meterStop (2.x: the register in Ended) is 5 Wh too high while the sampled values are right",
}
"""Name of a fault -> what it does, in one line."""

ODDITIES: dict[str, str] = {
    "slow-but-allowed": "contactor 2.5 s after C2, status 3 s late, duty 8 s after the profile",
    "integer-pwm": "duty cut to whole 1/1023 of the period: 26.59 % for 16 A",
    "early-start": "the transaction starts at authorisation, before the lock and PWM (2.x: TxStartPoint Authorized)",
    "late-start": "the transaction starts only when current flows (2.x: TxStartPoint EnergyTransfer)",
    "finishing-late": "status Finishing comes 5 s after the transaction ended (1.6 only)",
    "extra-heartbeats": "a heartbeat every second, whatever was agreed",
    "suspended-evse": "SuspendedEVSE between authorisation and charging",
    "double-status": "every status is sent twice",
}
"""Name of an oddity -> what it does, in one line."""

_CHANGES: dict[str, dict[str, Any]] = {
    # command at 6 ms debounce + 137 ms = 143 ms; the contactor needs 10..30 ms more
    "late-open": {"open_delay_s": 0.137},
    "wrong-duty": {"duty_offset_pp": -4.0},
    "no-status": {"muted_status": "Preparing"},
    "energy-5-percent": {"energy_gain": 1.05},
    "close-unauthorised": {"serves_anyone": True, "asks_after_flow_s": 2.0},
    "ignores-profile": {"applies_profiles": False},
    "slow-close": {"close_delay_s": 4.0},
    "closes-without-pwm": {"closes_without_pwm": True, "pwm_delay_s": 3.0},
    "recloses": {"recloses_in_c1": True},
    "no-start": {"sends_transactions": False},
    "late-stop": {"stop_delay_s": 20.0},
    "chatty-boot": {"status_beside_boot": True},
    "no-heartbeat": {"heartbeats": False, "periodic_values": False},
    "stays-closed": {"welds_at_stop": True},
    "wrong-meter-stop": {"meter_stop_offset_wh": 5},
    "slow-but-allowed": {"close_delay_s": 2.5, "status_delay_s": 3.0, "duty_delay_s": 8.0},
    "integer-pwm": {"duty_steps": 1023},
    "early-start": {"start_at": "authorised", "pwm_delay_s": 1.0},
    "late-start": {"start_at": "current"},
    "finishing-late": {"finishing_delay_s": 5.0},
    "extra-heartbeats": {"heartbeat_s": 1.0},
    "suspended-evse": {"fresh_status": "SuspendedEVSE", "pwm_delay_s": 0.3},
    "double-status": {"status_copies": 2},
}


def meaningless(names: Iterable[str], version: str) -> str | None:
    """Why one of these faults and oddities has no meaning in a version of OCPP; None when all have one."""
    if version != "1.6" and "finishing-late" in names:
        return f"finishing-late has no meaning in OCPP {version}: its connectors have no status Finishing"
    return None


def knobs_of(*names: str) -> Knobs:
    """The knobs of the faults and oddities named, clean for none.

    Raises:
        KeyError: a name is neither a fault nor an oddity.
    """
    knobs = Knobs()
    for name in names:
        knobs = replace(knobs, **_CHANGES[name])
    return knobs
