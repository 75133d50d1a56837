"""Faults in how the station takes requests of the back end, and what a driver asks of it."""

from __future__ import annotations

from .deviation import Deviation, fault

__all__ = ["ASKED"]

ASKED: tuple[Deviation, ...] = (
    fault(
        "remote-stop-is-talk",
        "answers Accepted to a remote stop and goes on",
        "remote_start",
        v16="tx.stop",
        v2="v2.remote_stop.energy v2.remote_stop.event v2.remote_stop.ended",
        perhaps="no_current.unauth",
        slips=("stop-is-talk",),
    ),
    fault(
        "any-stop-accepted",
        "answers Accepted to the remote stop of a transaction that it does not know",
        "remote_start",
        v2="v2.remote_stop.unknown",
        perhaps="v2.remote_stop.event v2.remote_stop.ended v2.remote_stop.energy",
        slips=("any-stop-accepted",),
    ),
    # F03.FR.07
    fault(
        "stop-refused",
        "answers Rejected to the remote stop of a transaction that runs, and goes on",
        "remote_start",
        v2="v2.remote_stop.rejected",
        slips=("stop-refused",),
    ),
    fault(
        "no-remote-start-id",
        "does not name the request in a transaction that a remote start began",
        "remote_start",
        v2="v2.remote_start.id",
        perhaps="v2.remote_start.event",
        slips=("no-remote-start-id",),
    ),
    fault(
        "ended-as-ongoing",
        "calls every transaction ongoing that it is asked for, also one that has ended",
        "remote_start",
        v2="v2.tx_status.ended",
        perhaps="v2.tx_status.unknown",
        slips=("ended-as-ongoing",),
    ),
    # E14.FR.01
    fault(
        "unknown-as-ongoing",
        "calls a transaction ongoing that there never was",
        "remote_start",
        v2="v2.tx_status.unknown",
        slips=("unknown-as-ongoing",),
    ),
    fault(
        "ongoing-as-ended",
        "calls a transaction ended that goes on",
        "remote_start",
        v2="v2.tx_status.running",
        slips=("ongoing-as-ended",),
    ),
    fault(
        "ongoing-without-id",
        "says whether a transaction is ongoing when asked for none",
        "remote_start",
        v2="v2.tx_status.plain",
        slips=("ongoing-without-id",),
    ),
    fault(
        "asks-to-stop",
        "authorises the card again with which the transaction was started, to stop it",
        "local_stop",
        v16="stop.no_authorize",
        slips=("asks-to-stop",),
    ),
    fault(
        "unplug-ignored",
        "goes on with the transaction after an unplug, and energises a vehicle that is plugged in again",
        "unplug_live",
        v16="unplug.no_energy",
        v2="v2.unplug.no_energy",
        perhaps="no_current.unauth start.order unplug.stop unplug.status unplug.unlocks"
        " v2.unplug.ended v2.unplug.status v2.unplug.unlocks",
        deaf_to=frozenset({"EVDisconnected"}),
    ),
    fault(
        "refusal-ignored",
        "goes on with a transaction whose token the back end refused",
        "refused",
        every="no_current.unauth",
        v16="invalid.stop",
        v2="v2.invalid.ended",
        perhaps="start.order",
        deaf_to=frozenset({"DeAuthorized"}),
        minds_refusal=False,
    ),
    fault(
        "scheduled-as-accepted",
        "answers Accepted, not Scheduled, to what has to wait for the end of the transaction",
        "availability",
        v16="availability.scheduled",
        v2="v2.availability.scheduled",
        slips=("scheduled-as-accepted",),
    ),
    fault(
        "schedule-forgotten",
        "does not become Unavailable after the transaction although it said Scheduled",
        "availability",
        v16="availability.later",
        v2="v2.availability.later",
        keeps_schedule=False,
    ),
    fault(
        "availability-is-talk",
        "answers Accepted to ChangeAvailability and stays Available",
        "out_of_service",
        v16="availability.status",
        v2="v2.availability.status",
        slips=("availability-is-talk",),
    ),
    fault(
        "available-after-boot",
        "is Available again after a boot although the back end made it Unavailable",
        "out_of_service",
        v16="availability.persists",
        v2="v2.availability.persists",
        forgets_availability=True,
    ),
    fault(
        "unlock-is-talk",
        "answers Unlocked while it charges, and does nothing",
        "unlock",
        v16="unlock.opens unlock.stops",
        v2="v2.unlock.opens v2.unlock.in_tx",
        slips=("unlock-is-talk",),
    ),
)
