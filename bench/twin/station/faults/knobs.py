"""What can be set differently in the simulated station.

A fault or an oddity is a set of `Knobs`; each knob is read at exactly one place, named in its comment. What the station
only says wrong, while it does the right thing, are `slips`: they change its messages on their way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Knobs"]


@dataclass(frozen=True)
class Knobs:
    """Deviations of the station, clean by default. Times in seconds, duty in percentage points."""

    # control.py: the pilot and the contactor
    open_delay_s: float = 0.0  # between noticing that the EV left state C and opening the contactor
    close_delay_s: float = 0.05  # between all conditions for closing and closing
    closes_without_pwm: bool = False  # closes in B1 and C1 while the first PWM is not on
    c1_wait_s: float = 6.0  # between the end of PWM and opening while the EV is in C1
    recloses_in_c1: bool = False  # opens early after the end of PWM, and closes again while the EV is in C1
    duty_offset_pp: float = 0.0  # added to every duty
    duty_steps: int | None = None  # resolution of the PWM timer; None = exact
    duty_delay_s: float = 0.0  # between a new limit and the new duty
    duty_spacing_s: float = 5.2  # least time between two changes of the duty; the vehicle is owed 5 s on its wire
    prelude: tuple[tuple[float, float], ...] = ()  # (duty, seconds) each, before the first offer of a session
    f_pulse_s: float = 0.0  # an offer ends by way of state F, for so long
    checks_diode: bool = True  # whether the diode has to be proven before closing
    opens_on_short: bool = True  # whether a short of the pilot (E) opens
    closes_in_f: bool = False  # closes the contactor for a while in state F
    energises_in_d: bool = False  # takes state D (ventilation is needed) for C, whatever the station has
    d_open_delay_s: float = 0.0  # between noticing state D, where there is no ventilation, and opening
    lock_motor: Literal["works", "dead", "sticks"] = "works"  # dead: never locks; sticks: never opens again
    # charging.py: the course of a session
    believes_lock: bool = False  # takes the cable for locked, whatever the feedback says
    vehicle_wait_s: float = 0.0  # so much longer than agreed an authorisation waits for a vehicle
    reads_cable: bool = True  # whether the coding of the cable limits the offer
    unplug_wait_s: float = 0.1  # so long the pilot is in state A until the vehicle counts as unplugged
    unplug_ends: bool = False  # whether an unplug ends the session, whatever is configured
    unplug_frees: bool = False  # whether the cable is released while the vehicle is unplugged and the session goes on
    unplug_holds: bool = False  # course.py: whether an unplug that ends the session leaves the cable locked
    uncoded_a: float | None = None  # what a plug without a coding is taken for, ampere; None = not to be energised
    cable_63_a: float | None = None  # what a cable of 100 ohm is taken for, ampere; None = 63
    deaf_to: frozenset[str] = frozenset()  # reasons to stop that do nothing
    minds_refusal: bool = True  # whether a token that was refused after the start ends the offer
    keeps_schedule: bool = True  # whether a change of availability that had to wait is made in the end
    serves_anyone: bool = False  # offers current to whoever plugs in
    asks_after_flow_s: float = 0.0  # authorisation.py: a token waits until current may have flowed this long
    pwm_delay_s: float = 0.0  # between the start of the transaction and PWM
    welds_at_stop: bool = False  # the contactor no longer opens once a transaction is being stopped
    start_at: Literal["authorised", "locked", "current"] = "locked"  # what the start of the transaction waits for
    notices_current_s: float = 1.0  # course.py: so long current flows until it counts as energy transfer
    stop_delay_s: float = 0.0  # between the end of the transaction and StopTransaction
    fresh_status: Literal["Preparing", "SuspendedEVSE"] = "Preparing"  # from authorisation until the EV asks
    # v2x/story.py: what a transaction of 2.1 outlives, and where it has to stop
    resumes_energy_anyway: bool = False  # goes on with energy although AllowEnergyTransferResumption is false
    obeys_limits: bool = True  # whether a limit that is reached suspends the energy
    limit_early_wh: float = 0.0  # so much before a limit it counts as reached
    # v2x/variables.py
    resumption_random_s: int = 0  # EnergyTransferResumptionRandomRange of a new station
    # meter.py: what the registers say
    energy_gain: float = 1.0  # of the energy counted since the first transaction began
    # transaction.py, v16/story.py, v2x/story.py: the messages of a transaction
    sends_transactions: bool = True  # whether Start/StopTransaction are sent at all
    plug_starts: bool = True  # 2.x: whether TxStartPoint EVConnected begins a transaction at the plug
    card_starts_another: bool = False  # 2.x: a card begins a transaction although one runs
    meter_stop_offset_wh: int = 0  # added to the register in the last message of a transaction only
    # charging.py
    applies_profiles: bool = True  # whether an accepted charging profile has any effect
    forgets_profile_s: float | None = None  # a limit is forgotten after this time; None = never
    # status.py: StatusNotification
    muted_status: str | None = None  # this status is never sent
    status_delay_s: float = 0.0  # every status is sent this much later
    finishing_delay_s: float = 0.0  # so is Finishing
    status_copies: int = 1  # how often each status is sent
    # transaction.py: the queue
    newest_first: bool = False  # what waits is sent in the wrong order
    forgets_offline: frozenset[str] = frozenset()  # Started, Ended: not kept when it was made without connection
    queue_wait_s: float = 0.0  # so long a message waits for others at least
    attempts: int | None = None  # so often a message is sent that was not processed, whatever was agreed
    retry_s: float | None = None  # repeat what was not processed after this time, whatever was agreed
    # clock.py
    clock_offset_s: float = 0.0  # the station's clock is ahead of the time that it was given
    # app.py
    forgets_availability: bool = False  # a boot makes everything operative again
    boot_status_s: float | None = 0.0  # between an accepted boot and the statuses after it; None: they never come
    tells_after_offline: bool = True  # whether statuses that changed without connection are told afterwards
    # ocpp_lib.py: what is said
    slips: tuple[str, ...] = ()  # names of `slips.SLIPS`: messages and answers that are changed on their way out
    trigger_delay_s: float = 0.0  # v16, v2x: between an answer to TriggerMessage and the message
    message_ids: Literal["uuid", "count", "cycle"] = "uuid"  # cycle: 1 to 4, and again
    answer_delay_s: float = 0.0  # between a request of the back end and its answer
    # link.py: the connection
    boot_retry_s: float | None = None  # the next boot comes after this time, whatever the answer said
    talks_unaccepted: bool = False  # sends a heartbeat after a boot that was not accepted
    reconnect_s: float | None = None  # connect again after this time, whatever was agreed
    pings: bool = True  # whether WebSocket pings are sent
    ping_s: float | None = None  # send them at this interval, whatever was agreed
    patience_s: float = 15.0  # so long an answer of the back end is waited for
    boots_at_reconnect: bool = False  # sends a BootNotification at the begin of every connection
    drops_link_after_s: float | None = None  # the connection ends by itself this long after it came, once
    down_s: float = 0.0  # and stays away for so long
    status_beside_boot: bool = False  # sends a status right behind BootNotification, before it is answered
    heartbeats: bool = True  # whether heartbeats are sent
    heartbeat_s: float | None = None  # send them at this interval instead of the agreed one
    periodic_values: bool = True  # whether Sample.Periodic values are sent
    # sampler.py
    sample_s: float | None = None  # the interval of Sample.Periodic values, whatever was agreed
    # v16/aligned.py, v2x/aligned.py: clock-aligned values
    aligned_delay_s: float | None = 0.0  # 1.6: so much later than their moment; None = never
    idle_values_always: bool = False  # 2.x: in a transaction too, although they are for the time without one
