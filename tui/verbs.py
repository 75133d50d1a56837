"""What each key asks of the bench: when it makes sense, what it calls, what it says afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..bench.live import Snapshot
from .bench_view import BenchView, StationAnswer

__all__ = ["AUTHORISE", "LIMIT", "PAUSE", "PLUG", "REMOTE_STOP", "RESUME", "UNPLUG", "Outcome", "Verb"]

CARD = "04A2B3C4D5"
CABLE_A = 32
LIMIT_A = 16.0
PLUGGED = ("B", "C", "D")


@dataclass(frozen=True)
class Outcome:
    """What came of it, for the status line."""

    text: str
    severity: Literal["information", "warning", "error"] = "information"


@dataclass(frozen=True)
class Verb:
    """One thing a key does.

    `refuse` looks at the newest snapshot and says why the key makes no sense now, or None.
    `act` blocks until the bench has answered; it runs beside the screen, never on its loop.
    """

    name: str
    act: Callable[[BenchView], Outcome]
    refuse: Callable[[Snapshot], str | None]


def _may(snapshot: Snapshot) -> str | None:
    return None


def _needs_no_plug(snapshot: Snapshot) -> str | None:
    if snapshot.cp_state in PLUGGED:
        return f"A vehicle is plugged in already (CP state {snapshot.cp_state}). Press u to unplug it first."
    return None


def _needs_plug(snapshot: Snapshot) -> str | None:
    if snapshot.cp_state == "A":
        return "No vehicle is plugged in (CP state A). Press p to plug one in first."
    return None


def _plug(bench: BenchView) -> Outcome:
    bench.vehicle.plug(CABLE_A)
    return Outcome(f"Plugged in with a {CABLE_A} A cable. Press a to present a card.")


def _authorise(bench: BenchView) -> Outcome:
    bench.vehicle.present(CARD)
    return Outcome(f"Card {CARD} presented; the station decides.")


def _pause(bench: BenchView) -> Outcome:
    bench.vehicle.pause()
    return Outcome("The vehicle pauses: current to 0, then S2 opens. Press s to resume.")


def _resume(bench: BenchView) -> Outcome:
    bench.vehicle.charge()
    return Outcome("The vehicle wants to charge; S2 closes as soon as the station offers PWM.")


def _limit(bench: BenchView) -> Outcome:
    return _answered(f"Limit {LIMIT_A:g} A", bench.csms.set_limit(LIMIT_A))


def _remote_stop(bench: BenchView) -> Outcome:
    return _answered("Remote stop", bench.csms.remote_stop())


def _unplug(bench: BenchView) -> Outcome:
    bench.vehicle.unplug()
    return Outcome("Unplugged: CP at A, PP open.")


def _answered(asked: str, answer: StationAnswer) -> Outcome:
    text = f"{asked}: the station answered {answer.status or 'without a status'}."
    return Outcome(text, "information" if answer.accepted else "warning")


PLUG = Verb("Plug in", _plug, _needs_no_plug)
AUTHORISE = Verb("Authorise", _authorise, _may)
PAUSE = Verb("Pause", _pause, _needs_plug)
RESUME = Verb("Resume", _resume, _needs_plug)
LIMIT = Verb(f"Limit {LIMIT_A:g} A", _limit, _may)
REMOTE_STOP = Verb("Remote stop", _remote_stop, _may)
UNPLUG = Verb("Unplug", _unplug, _needs_plug)
