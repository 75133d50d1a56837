"""Traces for the rules about offline times and requests of the back end of the OCPP 1.6 pack."""

from __future__ import annotations

from typing import Any

from ocpp16_told import Case, Told

__all__ = ["CASES"]


def clean() -> Told:
    return Told().charge().stopped(10_000).till(30_000)


# ---- offline


def offline_start(told: float | None) -> Told:
    """Authorised online, energised while the connection was lost (2500 to 20000)."""
    t = Told().ready()
    t.plug(1000)
    t.authorize(2000)
    t.lost(2500, 20_000)
    t.offer(3000)
    t.cp(3500, "C", pwm=True)
    t.output(4000, True)
    t.status(20_100, "Charging")
    if told is not None:
        t.start(told, claimed=3500)
    return t.till(100_000)


def cut_again() -> Told:
    t = offline_start(None)
    t.misbehaves(30_000, "reset")
    return t


def told_before() -> Told:
    t = Told().charge()
    t.lost(5000, 20_000)
    t.status(20_100, "Charging")
    return t.till(100_000)


def replayed(first: float, second: float, *, synced: bool = False) -> Told:
    """Two transactions of a time offline, told after it with these times."""
    t = Told().ready()
    t.lost(1000, 20_000)
    t.start(20_500, tx=8, claimed=first)
    t.call(20_550, "Authorize", payload={"idTag": "04FF"})
    if synced:
        t.call(20_600, "Heartbeat")
        t.csms("ocpp.heartbeat", 20_600, evse=None)
    t.stop(21_000, "Local", tx=8, claimed=second)
    return t.till(40_000)


# ---- availability


def availability(t: Told, at: float, status: str, *, operative: bool = False, connector: int = 1) -> None:
    kind = "Operative" if operative else "Inoperative"
    t.ask(at - 20, "ChangeAvailability", {"connectorId": connector, "type": kind})
    said: dict[str, Any] = {"accepted": status != "Rejected", "status": status}
    t.csms("csms.availability", at, evse=connector or None, connector=connector, operative=operative, **said)


def in_transaction(status: str, stop_at: float | None, *, connector: int = 1) -> Told:
    t = Told().charge()
    availability(t, 5000, status, connector=connector)
    if stop_at is not None:
        t.stop(stop_at, "Local")
        t.status(stop_at + 50, "Finishing")
    return t.till(30_000)


def set_idle(told: str | None, *, before: str = "", status: str = "Accepted") -> Told:
    t = Told().ready()
    if before:
        t.status(3000, before)
    availability(t, 5000, status)
    if told:
        t.status(5200, told)
    return t.till(30_000)


def scheduled(after: str, *, revoked: bool = False, finishing: bool = True) -> Told:
    t = Told().charge()
    availability(t, 5000, "Scheduled")
    t.remote_stop(10_000)
    t.withdraw(10_100)
    t.cp(10_700, "B", pwm=False)
    t.output(10_740, False)
    t.stop(11_000)
    if finishing:
        t.status(11_050, "Finishing")
    if revoked:
        availability(t, 11_500, "Accepted", operative=True)
    t.unplug(12_000)
    t.status(12_200, after)
    return t.till(30_000)


def boots_again(status: str, *, operative: bool = False, faulted: bool = False) -> Told:
    t = Told().ready()
    availability(t, 5000, "Accepted")
    t.status(5200, "Unavailable")
    if faulted:
        t.status(6000, "Faulted")
        t.status(7000, "Unavailable")
    if operative:
        # the status comes before the answer: nothing forbids that
        t.ask(7980, "ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        t.status(7990, "Available")
        t.csms("csms.availability", 8000, connector=1, operative=True, accepted=True, status="Accepted")
    t.disconnected(9000)
    t.connected(15_000)
    t.booted(15_010, status=status)
    return t.till(90_000)


def unlocking(
    status: str, *, ended: float | None = None, lock: tuple[float | None, ...] = (), charging: bool = True
) -> Told:
    """UnlockConnector answered at 6000. `lock`: locked at, open at."""
    t = Told().charge() if charging else Told().ready()
    locked, opened = lock or (None, None)
    if locked is not None:
        t.lock(locked, True)
    if ended is not None:
        t.stop(ended, "UnlockCommand")
        t.status(ended + 50, "Finishing")
    t.csms("csms.unlock", 6000, connector=1, accepted=status == "Unlocked", status=status)
    if opened is not None:
        t.lock(opened, False)
    return t.till(40_000)


CASES: dict[str, Case] = {
    "offline.start": Case(
        lambda: offline_start(21_000),
        lambda: offline_start(None),
        {"late": lambda: offline_start(75_000), "told before the loss": told_before, "cut again": cut_again},
    ),
    "offline.order": Case(
        lambda: replayed(3000, 9000),
        lambda: replayed(9000, 3000),
        {
            "the clock was set back": lambda: replayed(9000, 3000, synced=True),
            "the same time": lambda: replayed(9000, 9000),
        },
    ),
    "availability.scheduled": Case(
        lambda: in_transaction("Accepted", 6000),
        lambda: in_transaction("Accepted", None),
        {
            "refused": lambda: in_transaction("Rejected", None),
            "the end waited behind another message": lambda: in_transaction("Accepted", 19_000),
            "scheduled, for the whole station": lambda: in_transaction("Scheduled", 12_000, connector=0),
        },
    ),
    "availability.status": Case(
        lambda: set_idle("Unavailable"),
        lambda: set_idle(None),
        {
            "it is so already": lambda: set_idle(None, before="Unavailable"),
            "Faulted": lambda: set_idle("Faulted"),
            "refused": lambda: set_idle(None, status="Rejected"),
        },
    ),
    "availability.later": Case(
        lambda: scheduled("Unavailable"),
        lambda: scheduled("Available"),
        {
            "operative again": lambda: scheduled("Available", revoked=True),
            "straight from Charging": lambda: scheduled("Unavailable", finishing=False),
        },
    ),
    "availability.persists": Case(
        lambda: boots_again("Unavailable"),
        lambda: boots_again("Available"),
        {
            "Faulted in between": lambda: boots_again("Unavailable", faulted=True),
            "told before the answer": lambda: boots_again("Available", operative=True),
        },
    ),
    "unlock.stops": Case(
        lambda: unlocking("Unlocked", ended=6500),
        lambda: unlocking("Unlocked"),
        {"before the answer": lambda: unlocking("Unlocked", ended=5900), "no lock": lambda: unlocking("NotSupported")},
    ),
    "unlock.opens": Case(
        lambda: unlocking("Unlocked", lock=(1500, 6500), charging=False),
        lambda: unlocking("Unlocked", lock=(1500, None), charging=False),
        {
            "open already": lambda: unlocking("Unlocked", lock=(1500, 3000), charging=False),
            "no input for a lock": lambda: unlocking("Unlocked", charging=False),
            "it failed": lambda: unlocking("UnlockFailed", lock=(1500, None), charging=False),
        },
    ),
}
"""Rule -> its traces."""
