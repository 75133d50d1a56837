"""Stories for the rules about resets and the status of a transaction."""

from __future__ import annotations

from ocpp2x_case import Cases
from ocpp2x_told import Told2x

__all__ = ["CASES", "restarted"]

CASES = Cases()


def restarted(t: Told2x, at: float, reason: str = "RemoteReset", *, status: str = "Available") -> Told2x:
    """Connection lost at `at`, booted and accepted 20 s later."""
    t.csms("ocpp.disconnected", at, evse=None, code=1006, reason="")
    t.connect(at + 20_000)
    t.booted(at + 20_100, reason=reason)
    t.status(at + 20_300, status)
    return t


@CASES.of("v2.reset.boot", "of the EVSE only", "scheduled", "after minutes")
def reset_boot(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.reset(1000, "OnIdle", "Scheduled" if way == "scheduled" else "Accepted", 1 if way == "of the EVSE only" else None)
    if way in ("pass", "after minutes"):
        restarted(t, 2000 if way == "pass" else 240_000)
    t.end(400_000)
    return t


@CASES.of("v2.reset.ended", "reported after the restart", "the driver was faster")
def reset_ended(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.reset(10_000)
    if way == "pass":
        t.de_energise(10_200)
        t.tx(10_600, "Ended", "ResetCommand", "EVConnected", reason="ImmediateReset")
    elif way == "the driver was faster":
        t.stopped(10_100)
    restarted(t, 12_000, status="Occupied")
    if way == "reported after the restart":
        t.tx(33_000, "Ended", "ResetCommand", made=11_000, reason="ImmediateReset", offline=True)
    t.end(400_000)
    return t


@CASES.of("v2.reset.reason", "the driver was faster", "a fault in that moment")
def reset_reason(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.reset(10_000)
    if way == "the driver was faster":
        t.stopped(10_100)
    else:
        t.de_energise(10_200)
        if way == "a fault in that moment":
            t.notify(10_500, "RCD", "Tripped", "true")
            t.tx(10_600, "Ended", "AbnormalCondition", "EVConnected", reason="GroundFault")
        else:
            why = "ImmediateReset" if way == "pass" else "Other"
            t.tx(10_600, "Ended", "ResetCommand", "EVConnected", reason=why)
    restarted(t, 12_000, status="Occupied")
    t.end(400_000)
    return t


@CASES.of("v2.reset.scheduled", "scheduled", "rejected")
def reset_scheduled(way: str) -> Told2x:
    """To pass: the card had ended the transaction, and its end was on its way when the station answered."""
    t = Told2x()
    t.charging()
    t.reset(10_300, "OnIdle", {"scheduled": "Scheduled", "rejected": "Rejected"}.get(way, "Accepted"))
    if way == "pass":
        t.stopped(10_000)
        restarted(t, 12_000, "RemoteReset", status="Occupied")
    t.end(60_000)
    return t


@CASES.of("v2.reset.at_once", "rejected for another reason", "no transaction runs")
def reset_at_once(way: str) -> Told2x:
    t = Told2x()
    if way == "no transaction runs":
        t.ready()
    else:
        t.charging()
    t.reset(10_300, "Immediate", "Rejected" if way == "rejected for another reason" else "Scheduled")
    if way == "pass":
        t.stopped(10_000)
    t.end(60_000)
    return t


@CASES.of("v2.reset.waits", "the mains were cut", "the transaction was ended by an immediate one", "the power failed")
def reset_waits(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.reset(10_000, "OnIdle", "Scheduled")
    if way in ("ended for it", "the power failed"):  # the first of them fails
        t.de_energise(10_200)
        if way == "ended for it":
            t.tx(10_600, "Ended", "ResetCommand", "EVConnected", reason="ImmediateReset")
        else:
            t.tx(10_600, "Ended", "AbnormalCondition", "EVConnected", reason="PowerLoss")
        restarted(t, 12_000, status="Occupied")
        t.end(90_000)
        return t
    if way == "pass":
        t.stopped(20_000)
        restarted(t, 22_000, "ScheduledReset", status="Occupied")
    elif way == "the mains were cut":
        t.mains(20_000, False)
        t.mains(22_000, True)
        restarted(t, 22_500, "ScheduledReset", status="Occupied")
    elif way == "fail":
        restarted(t, 22_000, "ScheduledReset", status="Occupied")
    else:
        t.reset(20_000)
        t.de_energise(20_200)
        t.tx(20_600, "Ended", "ResetCommand", "EVConnected", reason="ImmediateReset")
        restarted(t, 22_000, status="Occupied")
    t.end(90_000)
    return t


@CASES.of("v2.tx_status.unknown", "not ongoing", "it began before the record")
def tx_status_unknown(way: str) -> Told2x:
    t = Told2x()
    if way == "it began before the record":
        t.power_on()
        t.csms("ocpp.attached", 100, evse=None, how="message")
        t.tx_status(10_000)
    else:
        t.charging()
        t.tx_status(10_000, "t-1" if way == "pass" else "t-9", ongoing=way != "not ongoing")
    t.end(20_000)
    return t


@CASES.of("v2.tx_status.ended", "its end is still to be answered")
def tx_status_ended(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    if way == "its end is still to be answered":
        t.tx_status(10_380, ongoing=False, queued=True)
        t.stopped(10_000)
    else:
        t.stopped(10_000)
        t.tx_status(15_000, ongoing=way == "fail")
    t.end(20_000)
    return t


@CASES.of("v2.tx_status.running", "its end is in the queue", "asked in that moment")
def tx_status_running(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    if way == "pass":
        t.tx_status(8000)
        t.stopped(10_000)
    elif way == "fail":
        t.tx_status(8000, ongoing=False)
        t.stopped(10_000)
    elif way == "its end is in the queue":
        t.tx_status(10_200, ongoing=False, queued=True)
        t.stopped(10_000)
    else:
        t.stopped(10_000)
        t.tx_status(10_390, ongoing=False)
    t.end(20_000)
    return t


@CASES.of("v2.tx_status.plain", "there are messages", "asked for one")
def tx_status_plain(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    if way == "asked for one":
        t.tx_status(8000)
    else:
        t.tx_status(8000, None, ongoing=True if way == "fail" else None, queued=way == "there are messages")
    t.end(20_000)
    return t
