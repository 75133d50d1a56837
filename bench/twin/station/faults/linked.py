"""Faults and oddities in how the station keeps its connection, and how it repeats what the back end did not take."""

from __future__ import annotations

from .deviation import Deviation, fault, oddity

__all__ = ["LINKED"]

_NEVER_S = 3600.0

LINKED: tuple[Deviation, ...] = (
    # 2.x part 4 section 5.3
    fault(
        "reconnects-at-once",
        "connects again without the pause that was agreed, as often as it is refused",
        "back_end_restart",
        v2="v2.reconnect.early v2.reconnect.refused",
        reconnect_s=0.2,
    ),
    fault(
        "boots-at-reconnect",
        "sends a BootNotification whenever it is connected again",
        "back_end_restart",
        v2="v2.reconnect.no_boot",
        boots_at_reconnect=True,
    ),
    fault(
        "stays-away",
        "does not connect again once the connection is closed",
        "back_end_restart",
        v16="react.reconnects",
        v2="react.v2.reconnects",
        long=True,
        reconnect_s=_NEVER_S,
    ),
    fault(
        "no-pings",
        "sends no WebSocket pings, whatever WebSocketPingInterval says",
        "pings",
        v16="ws.ping",
        v2="v2.ping",
        pings=False,
    ),
    # 1.6 section 3.7.1; 2.x E13.FR.02
    fault(
        "gives-up-at-once",
        "does not repeat a transaction message that the back end could not process",
        "retry",
        v16="react.tx.repeated",
        v2="react.v2.tx.repeated",
        perhaps="v2.remote_stop.rejected",
        long=True,
        attempts=1,
    ),
    # 1.6 section 3.7.1; 2.x E13.FR.03
    fault(
        "impatient",
        "sends a transaction message again when its answer takes longer than a second and a half",
        "slow_back_end",
        v16="retry.not_early",
        v2="v2.retry.early",
        perhaps="unplug.stop",
        patience_s=1.3,
        retry_s=0.2,
    ),
    oddity(
        "slow-return", "connects again only 25 s after the connection was closed", "back_end_restart", reconnect_s=25.0
    ),
    oddity("more-pings", "pings every second where every other second was agreed", "pings", ping_s=1.0),
    oddity("slow-triggers", "sends 10 s later what TriggerMessage asks for", "trigger", trigger_delay_s=10.0),
    oddity(
        "late-to-give-up",
        "waits 5 s longer for a vehicle than was agreed",
        "nobody_plugs_in",
        vehicle_wait_s=5.0,
    ),
)
