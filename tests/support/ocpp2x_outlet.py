"""Stories for the rules about the state of the connector, its availability and its lock."""

from __future__ import annotations

from ocpp2x_boot import accepted
from ocpp2x_case import Cases
from ocpp2x_told import Told2x

__all__ = ["CASES"]

CASES = Cases()


@CASES.of("v2.plug.status", "it stays Reserved", "by a NotifyEvent", "plugged for a second only")
def plug_status(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    if way == "it stays Reserved":
        t.status(500, "Reserved")
    t.plug(1000, status=way == "pass")
    if way == "by a NotifyEvent":
        t.status(1100, "Occupied", via="NotifyEvent")
    elif way == "plugged for a second only":
        t.unplug(2000, status=False)
    t.end(40_000)
    return t


@CASES.of("v2.unplug.status", "the cable stays in the socket", "Unavailable, as it was scheduled", "plugged in again")
def unplug_status(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.plug(1000)
    if way == "the cable stays in the socket":
        t.cp(5000, "A", pwm=False)
    else:
        t.unplug(5000, status=way == "pass")
    if way == "Unavailable, as it was scheduled":
        t.status(5200, "Unavailable")
    elif way == "plugged in again":
        t.plug(7000)
    t.end(40_000)
    return t


@CASES.of("v2.status.truth", "a report about the time before", "Unavailable")
def status_truth(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.plug(1000)
    if way == "a report about the time before":
        t.unplug(20_000, status=False)
        t.plug(21_000, status=False)
        t.status(21_300, "Available", claimed=20_100)
        t.status(21_400, "Occupied")
    elif way != "pass":
        t.status(20_000, "Available" if way == "fail" else "Unavailable")
        t.status(20_500, "Occupied")
    t.end(60_000)
    return t


@CASES.of("v2.availability.scheduled", "scheduled", "rejected")
def availability_scheduled(way: str) -> Told2x:
    """To pass: the card had ended the transaction, and its end was on its way when the station answered."""
    t = Told2x()
    t.charging()
    t.availability(5200, status={"scheduled": "Scheduled", "rejected": "Rejected"}.get(way, "Accepted"))
    if way != "fail":
        t.stopped(5000)
        t.status(6000, "Unavailable" if way != "rejected" else "Occupied")
    t.end(60_000)
    return t


@CASES.of("v2.availability.status", "faulted", "made operative again", "unavailable before")
def availability_status(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    if way == "unavailable before":
        t.status(500, "Unavailable")
    t.availability(1000)
    if way == "made operative again":
        t.availability(3000, operative=True)
    elif way in ("pass", "faulted"):
        t.status(1500, "Unavailable" if way == "pass" else "Faulted")
    t.end(40_000)
    return t


@CASES.of("v2.availability.later", "made operative before", "nothing was asked", "the cable stays in the socket")
def availability_later(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    if way != "nothing was asked":
        t.availability(5000, status="Scheduled")
    if way == "made operative before":
        t.availability(6000, operative=True)
    t.stopped(8000)
    if way == "the cable stays in the socket":
        t.cp(12_000, "A", pwm=False)
    else:
        t.unplug(12_000, status=False)
        t.status(12_300, "Unavailable" if way == "pass" else "Available")
    t.end(60_000)
    return t


@CASES.of("v2.availability.persists", "faulted in between", "made operative", "only scheduled")
def availability_persists(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.availability(1000, status="Scheduled" if way == "only scheduled" else "Accepted")
    if way != "only scheduled":
        t.status(1500, "Unavailable")
    if way == "faulted in between":
        t.status(3000, "Faulted")
        t.status(4000, "Unavailable")
    elif way == "made operative":
        t.availability(3000, operative=True)
        t.status(4000, "Available")
    elif way == "only scheduled":
        t.status(4000, "Available")
    t.reset(5000)
    t.csms("ocpp.disconnected", 6000, evse=None, code=1006, reason="")
    t.connect(20_000)
    t.booted(20_100, reason="RemoteReset")
    t.status(20_300, "Available" if way in ("fail", "made operative") else "Unavailable")
    t.end(60_000)
    return t


@CASES.of("v2.lock.no_start", "cleared before", "locked in the end", "another cable")
def lock_no_start(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.plug()
    t.token(1990)
    t.authorize(2000)
    t.tx(2050, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
    t.notify(2300, "ConnectorPlugRetentionLock", "Problem", "true")
    if way == "cleared before":
        t.notify(4000, "ConnectorPlugRetentionLock", "Problem", "false")
    elif way == "locked in the end":
        t.locked(4000, True)
    elif way == "another cable":
        t.unplug(3000)
        t.tx(3300, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
        accepted(t, 5000)
        t.plug(6000)
        t.tx(6500, "Started", "Authorized", "EVConnected", tx="t-2", token=True, answer="Accepted")
        t.energise(7000, state=False)
        t.tx(7500, "Updated", "ChargingStateChanged", "Charging", tx="t-2")
        t.end(40_000)
        return t
    if way != "pass":
        t.energise(5000)
    t.end(40_000)
    return t


@CASES.of("v2.unlock.in_tx", "the transaction is not authorised", "the driver had stopped")
def unlock_in_tx(way: str) -> Told2x:
    t = Told2x(but={"TxCtrlr.TxStartPoint": "EVConnected"})
    if way == "fail":
        t.ready()
        t.plug()
        t.tx(1200, "Started", "CablePluggedIn", "EVConnected")
        t.token(1990)
        t.authorize(2000)
        t.tx(2050, "Updated", "Authorized", token=True, answer="Accepted")
        t.energise(2500)
        t.unlock(6000)
    elif way == "the transaction is not authorised":
        t.ready()
        t.plug()
        t.tx(1200, "Started", "CablePluggedIn", "EVConnected")
        t.unlock(6000)
    else:
        t.charging()
        if way == "the driver had stopped":
            t.token(5000)
            t.de_energise(5000)
            t.tx(5400, "Updated", "StopAuthorized", "EVConnected")
        t.unlock(6000, "Unlocked" if way == "the driver had stopped" else "OngoingAuthorizedTransaction")
        if way == "pass":
            t.stopped(8000)
            t.unlock(10_000)
    t.end(20_000)
    return t


@CASES.of("v2.unlock.opens", "it was open", "the bench has no input for the lock")
def unlock_opens(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    if way != "the bench has no input for the lock":
        t.locked(400, way != "it was open")
    t.unlock(1000)
    if way == "pass":
        t.locked(2000, False)
    t.end(20_000)
    return t
