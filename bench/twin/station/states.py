"""Which status belongs to what is going on at the outlet, in the words of OCPP 1.6 section 4.9."""

from __future__ import annotations

from .faults import Knobs
from .iec61851 import CpState
from .place import Place
from .session import Session
from .speech import Status

__all__ = ["status_of"]

_FRESH_S = 3.0
"""How long a vehicle may take to ask for current before the session counts as suspended by it."""


def status_of(outlet: Place, now_s: float, knobs: Knobs, last: Status) -> Status:
    """The status that connector 1 has at `now_s` (loop time); `last` is the one it had so far."""
    if outlet.control.fault in ("welded", "no-close"):
        return Status("Faulted", "PowerSwitchFailure", outlet.control.fault)
    if outlet.control.fault == "rcd":
        return Status("Faulted", "GroundFailure", "residual current")
    if outlet.control.state in (CpState.E, CpState.F):
        return Status("Faulted", "OtherError", f"control pilot in state {outlet.control.state.value}")
    if outlet.trouble:
        return outlet.trouble
    session = outlet.session
    if session and not session.ended:
        return _session_status(outlet, session, now_s, knobs, last)
    if not outlet.operative:
        return Status("Unavailable")
    if outlet.finishing and outlet.cable_in():
        return outlet.finishing
    if outlet.plugged:
        return Status("Preparing")
    return Status("Reserved") if outlet.reservations.current else Status("Available")


def _session_status(outlet: Place, session: Session, now_s: float, knobs: Knobs, last: Status) -> Status:
    if not session.powers:
        return Status("Preparing")
    if session.stopped:
        if session.stop_reason == "EVDisconnected":
            return Status("Finishing", info="EV side disconnected")
        return last
    if not outlet.plugged:
        return Status("SuspendedEV", info="EV side disconnected")
    if outlet.control.fault == "diode":
        return Status("SuspendedEVSE", "EVCommunicationError", "no diode in the control pilot")
    if outlet.control.state is CpState.D and not outlet.control.asked:
        return Status("SuspendedEVSE", info="no ventilation")
    if outlet.control.asked and outlet.control.live:
        if outlet.control.pwm_on:
            return Status("Charging")
        return last if session.offers and outlet.offered_a else Status("SuspendedEVSE")
    began = session.offered_at_s
    if not session.charged and (began is None or now_s < began + _FRESH_S):
        return Status(knobs.fresh_status)
    if outlet.offered_a is None:
        return Status("SuspendedEVSE")
    return Status("SuspendedEV")
