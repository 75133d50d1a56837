"""What cases have in common: plug in, charge, end. A station that does not do its part is no error here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from ...errors import BenchError, CsmsError

__all__ = [
    "CARD",
    "OTHER_CARD",
    "at_least",
    "at_most",
    "begin",
    "booted",
    "charge_on",
    "connected_again",
    "cut_connection",
    "delivered",
    "end",
    "leave",
    "leave_offline",
    "plug_in",
    "residual_current",
    "settings",
    "speaks",
    "start_energy",
]

CARD = "04A2B3C4D5"
OTHER_CARD = "04FFEEDDCC"


def at_least(current_a: float) -> Callable[[Any], bool]:
    """True of a meter sample whose highest phase current is at least this."""
    return lambda sample: max(sample["current_a"]) >= current_a


def at_most(current_a: float) -> Callable[[Any], bool]:
    """True of a meter sample whose highest phase current is at most this."""
    return lambda sample: max(sample["current_a"]) <= current_a


def delivered(energy_wh: float) -> Callable[[Any], bool]:
    """True of a meter sample whose register stands at least there."""
    return lambda sample: float(sample["energy_wh"]) >= energy_wh


def speaks(bench: Any, *versions: str) -> bool:
    """Whether the station speaks one of these versions of OCPP; a case about something that others lack ends here."""
    return bench.file.station.ocpp in versions


def plug_in(vehicle: Any, timeline: Any, cable_a: int = 32) -> None:
    """Plug in, and see what the station says of it."""
    mark = timeline.now_ns()
    vehicle.plug(cable_a=cable_a)
    timeline.seen("ocpp.status", logical="occupied", within="6 s", since_ns=mark)


def start_energy(timeline: Any, since_ns: int, at_least_a: float = 10.0) -> bool:
    """Wait until the transaction is told and current flows; False when it does not."""
    timeline.seen("ocpp.tx.started", within="10 s", since_ns=since_ns)
    return timeline.seen("meter.sample", at_least(at_least_a), within="12 s", since_ns=since_ns)


def charge_on(timeline: Any, energy_wh: float) -> bool:
    """Wait until so much more energy has flowed, 20 s at the most; False when it has not."""
    now_wh = float(timeline.wait_for("meter.sample", within="3 s").data["energy_wh"])
    return timeline.seen("meter.sample", delivered(now_wh + energy_wh), within="20 s")


def begin(bench: Any, vehicle: Any, timeline: Any, *, card: str = CARD, cable_a: int = 32) -> bool:
    """Plug in, show the card, wait until current flows; False when it does not."""
    bench.phase("plug in")
    plug_in(vehicle, timeline, cable_a)
    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(card)
    return start_energy(timeline, mark)


def end(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Stop from the back end, and unplug."""
    bench.phase("remote stop")
    mark = timeline.now_ns()
    csms.remote_stop()
    timeline.wait_for("ocpp.tx.ended", within="15 s", since_ns=mark)
    leave(bench, vehicle, timeline)


def leave(bench: Any, vehicle: Any, timeline: Any, within: str = "6 s") -> None:
    """Unplug, and see what the station says of it."""
    bench.phase("unplug")
    mark = timeline.now_ns()
    vehicle.unplug()
    timeline.seen("ocpp.status", logical="available", within=within, since_ns=mark)


def booted(csms: Any, timeline: Any, since_ns: int, within: str) -> None:
    """Wait for a boot, and until the station is served again."""
    timeline.wait_for("ocpp.boot", within=within, since_ns=since_ns)
    csms.wait_ready("60 s")


@contextmanager
def residual_current(bench: Any) -> Generator[bool]:
    """A residual current at the first outlet, by a relay for it or by the virtual bench; False without both."""
    switch = _leak(bench)
    if switch is None:
        yield False
        return
    switch(True)
    try:
        yield True
    finally:
        switch(False)


def _leak(bench: Any) -> Callable[[bool], object] | None:
    for board in bench.bench.instruments:
        for number, duty in board.relays.items() if board.role == "relay" and board.evse == 1 else ():
            if duty == "rcd":
                return lambda on: bench.call(board.switch(number, on))
    return None if bench.file.twin is None else lambda on: bench.twin.fault("leak-ac", on=on)


@contextmanager
def settings(
    csms: Any, *, v16: Mapping[str, str] | None = None, v2: Mapping[str, str] | None = None
) -> Generator[bool]:
    """Give the station these settings of its version, and in the end what it had before; False when it has none.

    What the station does not have, or does not take, stays as it is: the rules ask what it has. Whoever stops the run
    waits for no station: it keeps the settings then.

    Raises:
        CsmsError: the station did not take back what it had; where something else went wrong before, a note of that.
    """
    before = _has(csms, v2) or _has(csms, v16)
    wanted = {**(v16 or {}), **(v2 or {})}
    changed = before
    try:
        answers = csms.set_variables({name: wanted[name] for name in before})
        changed = {name: before[name] for name, answer in answers.items() if _taken(answer)}
        yield bool(before)
    except Exception as error:
        kept = _not_given_back(csms, changed)
        if kept:
            error.add_note(kept)
        raise
    kept = _not_given_back(csms, changed)
    if kept:
        raise CsmsError(kept)


def _not_given_back(csms: Any, before: Mapping[str, str]) -> str:
    """Give the station what it had; what it did not take, and why. Empty when all is as it was."""
    try:
        answers = csms.set_variables(before)
    except BenchError as error:
        return f"the station may have kept {', '.join(before)} of this case; it had {dict(before)}: {error}"
    kept = {name: before[name] for name, answer in answers.items() if not _taken(answer)}
    return f"the station did not take back {', '.join(kept)}; it had {kept}." if kept else ""


def _taken(answer: Any) -> bool:
    """The station takes the value, if only from its next boot on."""
    return answer.accepted or answer.status == "RebootRequired"


def _has(csms: Any, wanted: Mapping[str, str] | None) -> dict[str, str]:
    """What the station has of these settings."""
    try:
        return csms.get_variables(list(wanted)) if wanted else {}
    except CsmsError:  # keys of 1.6 are no names of variables
        return {}


def cut_connection(bench: Any, csms: Any, timeline: Any, away: str) -> int:
    """Cut the connection and let none come up for so long; when it was cut."""
    bench.phase("the connection is cut")
    cut_ns = timeline.now_ns()
    link = csms.link()
    link.blackhole(away)
    link.reset()
    return cut_ns


def leave_offline(bench: Any, vehicle: Any, timeline: Any) -> None:
    """Stop with the card while there is no connection, and unplug."""
    bench.phase("stop with the card")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("output", live=False, within="8 s", since_ns=mark)
    vehicle.unplug()


def connected_again(bench: Any, csms: Any, timeline: Any, since_ns: int) -> None:
    """Wait until the station is back; it may take a minute."""
    bench.phase("connected again")
    timeline.wait_for("ocpp.connected", within="60 s", since_ns=since_ns)
    csms.wait_ready("60 s")
