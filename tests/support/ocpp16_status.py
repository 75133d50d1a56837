"""Traces for the rules about statuses of the OCPP 1.6 pack."""

from __future__ import annotations

from ocpp16_told import Case, Told

__all__ = ["CASES"]


def clean() -> Told:
    return Told().charge().stopped(10_000).till(30_000)


def says(status: str, *, connector: int = 1, error: str = "NoError") -> Told:
    t = Told().ready()
    t.status(5000, status, connector=connector, error=error)
    return t.till(20_000)


def suspended_with_warning() -> Told:
    t = Told().charge()
    t.status(5000, "SuspendedEVSE", error="EVCommunicationError")
    return t.till(20_000)


# ---- plugged in


def plugged(status: str | None, at: float = 1100, *, before: str = "", **but: str | None) -> Told:
    t = Told(**but).ready()
    if before:
        t.status(700, before)
    t.plug(1000, status="")
    if status:
        t.status(at, status)
    return t.till(20_000)


def plugged_shortly() -> Told:
    t = Told().ready()
    t.plug(1000, status="")
    t.unplug(1500)
    return t.till(20_000)


def waiting(back: float | None, status: str = "Available", *, card_again: float | None = None) -> Told:
    """A card, and no cable: Preparing at 1050 with ConnectionTimeOut 30 s."""
    t = Told().ready()
    t.token(1000)
    t.authorize(1040)
    t.status(1050, "Preparing")
    if card_again is not None:
        t.token(card_again)
    if back is not None:
        t.status(back, status)
    return t.till(60_000)


def plugged_at_last() -> Told:
    t = Told().ready()
    t.token(1000)
    t.authorize(1040)
    t.status(1050, "Preparing")
    t.plug(30_500, status="")
    t.start(30_700)
    return t.till(60_000)


# ---- charging


def charging(live_at: float | None, *, paused: float | None = None) -> Told:
    t = Told().ready()
    t.plug(1000)
    t.authorize(2000)
    t.start(2050)
    t.offer(2200)
    t.cp(3000, "C", pwm=True)
    t.status(3150, "Charging")
    if live_at is not None:
        t.output(live_at, True)
    if paused is not None:
        t.cp(paused, "B", pwm=True)
        t.status(paused + 100, "SuspendedEV")
    return t.till(20_000)


def pausing(status: str | None, at: float = 6200, *, back: float | None = None, **but: str | None) -> Told:
    """S2 opens at 6000."""
    t = Told(**but).charge()
    t.cp(6000, "B", pwm=True)
    t.output(6040, False)
    if status:
        t.status(at, status)
    if back is not None:
        t.cp(back, "C", pwm=True)
        t.output(back + 100, True)
    return t.till(20_000)


def ended_by_the_vehicle() -> Told:
    t = Told().charge()
    t.cp(6000, "B", pwm=True)
    t.output(6040, False)
    t.stop(7000, "Local")
    t.status(7050, "Finishing")
    return t.till(20_000)


def held_back(status: str | None, at: float = 6200, *, back: float | None = None, first: str = "") -> Told:
    """The station takes the PWM away at 6000."""
    t = Told().charge()
    if first:
        t.cp(5000, "B", pwm=True)
        t.output(5040, False)
        t.status(5200, first)
    t.withdraw(6000, "B" if first else "C")
    if back is not None:
        t.offer(back, "C")
    if status == "ended":
        t.stop(at, "Other")
        t.status(at + 50, "Finishing")
    elif status:
        t.status(at, status)
    if status == "Faulted":
        t.output(at + 500, False)
    if status == "Finishing":
        t.stop(at + 9000, "Local", claimed=6000)
    return t.till(20_000)


# ---- unplugged


def unplugged(status: str | None, at: float = 12_200, *, cable: bool = True, card: bool = False) -> Told:
    """Stopped from 10000 on, unplugged at 12000."""
    t = Told().charge().stopped(10_000, unplugged=False)
    t.unplug(12_000, cable=cable)
    if card:
        t.token(12_100)
        t.authorize(12_150)
        t.status(12_200, "Preparing")
    if status:
        t.status(at, status)
    return t.till(30_000)


# ---- Faulted


def faulted(dead_at: float | None, *, connector: int = 1) -> Told:
    t = Told().charge()
    t.status(6000, "Faulted", connector=connector, error="GroundFailure")
    if dead_at is not None:
        t.output(dead_at, False)
    return t.till(30_000)


CASES: dict[str, Case] = {
    "status.zero": Case(
        clean,
        lambda: says("Reserved", connector=0),
        {
            "0 is out, 1 is not": lambda: says("Unavailable", connector=0),
            "Faulted": lambda: says("Faulted", connector=0),
        },
    ),
    "status.evcomm": Case(
        clean, lambda: says("Available", error="EVCommunicationError"), {"while suspended": suspended_with_warning}
    ),
    "plug.status": Case(
        clean,
        lambda: plugged(None),
        {
            "straight to SuspendedEVSE": lambda: plugged("SuspendedEVSE"),
            "told before, at the card": lambda: plugged(None, before="Preparing"),
            "after its minimum": lambda: plugged("Preparing", 8500, MinimumStatusDuration="5"),
            "no such setting": lambda: plugged("Preparing", 4000, MinimumStatusDuration=None),
            "a short plug": plugged_shortly,
            "Reserved before": lambda: plugged(None, before="Reserved"),
        },
    ),
    "plug.timeout": Case(
        lambda: waiting(31_300),
        lambda: waiting(None),
        {
            "a second card ends it": lambda: waiting(8000, card_again=7900),
            "back to Reserved": lambda: waiting(31_300, "Reserved"),
            "plugged in at last": plugged_at_last,
        },
    ),
    "charging.live": Case(
        clean,
        lambda: charging(None),
        {"told before the contactor": lambda: charging(4500), "paused at once": lambda: charging(None, paused=3600)},
    ),
    "suspend.ev": Case(
        lambda: pausing("SuspendedEV"),
        lambda: pausing(None),
        {
            "SuspendedEVSE has precedence": lambda: pausing("SuspendedEVSE"),
            "a short pause": lambda: pausing(None, back=9000),
            "after its minimum": lambda: pausing("SuspendedEV", 13_000, MinimumStatusDuration="5"),
            "the transaction ends": ended_by_the_vehicle,
        },
    ),
    "suspend.evse": Case(
        lambda: held_back("SuspendedEVSE"),
        lambda: held_back(None),
        {
            "a pulse to wake the vehicle": lambda: held_back(None, back=8000),
            "the transaction ends": lambda: held_back("ended"),
            "Finishing, and its end is told later": lambda: held_back("Finishing"),
            "Faulted": lambda: held_back("Faulted"),
            "the vehicle paused before": lambda: held_back("SuspendedEVSE", first="SuspendedEV"),
        },
    ),
    "unplug.status": Case(
        clean,
        lambda: unplugged(None),
        {
            "Unavailable": lambda: unplugged("Unavailable"),
            "the cable stays in the socket": lambda: unplugged(None, cable=False),
            "the next card": lambda: unplugged(None, card=True),
        },
    ),
    "faulted.no_energy": Case(
        lambda: faulted(9000),
        lambda: faulted(None),
        {"connector 0 only": lambda: faulted(None, connector=0), "after 6 s": lambda: faulted(11_900)},
    ),
}
"""Rule -> its traces."""
