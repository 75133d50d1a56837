"""Stories for the rules about boot, connection and messages."""

from __future__ import annotations

from ocpp2x_case import Cases
from ocpp2x_told import Told2x

__all__ = ["CASES"]

CASES = Cases()
NOW = {"currentTime": "2026-03-01T12:00:00Z"}


def heartbeat(t: Told2x, at: float, *, asked: bool = False, answer_after: float = 4.0, message_id: str = "") -> None:
    t.send(at, "Heartbeat", {}, NOW, asked=asked, answer_after=answer_after, message_id=message_id or None)


def waiting(status: str = "Pending", interval_s: int = 30) -> Told2x:
    """Connected, booted at 110, not accepted."""
    t = Told2x()
    t.power_on()
    t.connect(100)
    t.booted(110, status, interval_s)
    return t


def accepted(t: Told2x, at: float) -> Told2x:
    """Booted and accepted at `at`, Available 200 ms later."""
    t.booted(at)
    t.status(at + 200, "Available")
    t.end(at + 20_000)
    return t


@CASES.of("v2.boot.first", "a report that was asked for", "reconnected without a boot")
def first(way: str) -> Told2x:
    t = waiting()
    if way == "fail":
        t.status(5000, "Available")
    elif way == "a report that was asked for":
        t.ask(1000, "GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"}, {"status": "Accepted"})
        report = {"requestId": 1, "seqNo": 0, "generatedAt": t.claim(1100)}
        t.send(1200, "NotifyReport", report, asked=True)
    elif way == "reconnected without a boot":
        accepted(t, 31_000)
        t.close(33_000)
        t.connect(40_000)
        heartbeat(t, 40_100)
        return t
    return accepted(t, 31_000)


@CASES.of("v2.boot.pending_remote", "accepted as soon as the boot is")
def pending_remote(way: str) -> Told2x:
    t = waiting()
    if way != "accepted as soon as the boot is":
        t.remote_start(5000, status="Accepted" if way == "fail" else "Rejected")
    accepted(t, 31_000)
    if way == "accepted as soon as the boot is":
        t.remote_start(31_005)
    return t


@CASES.of("v2.boot.retry_early", "asked for", "interval 0: its own choice", "cut off and booted again")
def retry_early(way: str) -> Told2x:
    t = waiting(interval_s=0 if way == "interval 0: its own choice" else 30)
    if way == "asked for":
        t.trigger(4000, "BootNotification")
        t.booted(5000, "Pending", 30, "Triggered", asked=True)
        return accepted(t, 35_500)
    if way == "cut off and booted again":
        t.mains(3000, False)
        t.csms("ocpp.disconnected", 3100, evse=None, code=1006, reason="")
        t.mains(5000, True)
        t.connect(9000)
        return accepted(t, 9100)
    return accepted(t, 12_000 if way in ("fail", "interval 0: its own choice") else 30_500)


@CASES.of("v2.boot.retry", "the connection is closed meanwhile")
def retry(way: str) -> Told2x:
    t = waiting("Rejected")
    if way == "pass":
        return accepted(t, 45_000)
    if way != "fail":
        t.csms("ocpp.disconnected", 1000, evse=None, code=1000, reason="")
    t.end(200_000)
    return t


@CASES.of("v2.boot.status", "by a NotifyEvent", "it is Unavailable", "the connection breaks before")
def boot_status(way: str) -> Told2x:
    t = Told2x()
    t.power_on()
    t.connect(100)
    t.booted(110)
    if way == "the connection breaks before":
        t.csms("ocpp.disconnected", 1000, evse=None, code=1006, reason="")
    elif way == "by a NotifyEvent":
        t.status(2000, "Available", via="NotifyEvent")
    elif way != "fail":
        t.status(2000, "Available" if way == "pass" else "Unavailable")
    t.end(120_000)
    return t


@CASES.of("v2.heartbeat", "pings only", "other messages instead")
def signs_of_life(way: str) -> Told2x:
    t = Told2x()
    t.power_on()
    t.connect(100)
    t.booted(110, interval_s=10)
    t.status(200, "Available")
    for at in range(9_000, 60_000, 9_000) if way != "fail" else ():
        if way == "pass":
            heartbeat(t, at)
        elif way == "pings only":
            t.csms("ocpp.frame", at, evse=None, dir="rx", kind="ping")
        else:
            t.status(at, "Available")
    t.end(60_000)
    return t


@CASES.of("v2.clock", "it has its time from elsewhere", "whole seconds")
def clock(way: str) -> Told2x:
    elsewhere = way == "it has its time from elsewhere"
    t = Told2x(
        but={"ClockCtrlr.TimeSource": "NTP" if elsewhere else "Heartbeat"},
        station_ahead_s=60 if way == "fail" or elsewhere else -0.9 if way == "whole seconds" else 0,
    )
    t.charging()
    t.stopped(10_000)
    t.close(14_000)
    t.connect(22_000)
    t.status(22_100, "Occupied")
    t.end(30_000)
    return t


@CASES.of("v2.ping", "0: none", "the station has no such variable", "more often")
def ping(way: str) -> Told2x:
    value = {"0: none": "0", "the station has no such variable": None}.get(way, "10")
    t = Told2x(but={"OCPPCommCtrlr.WebSocketPingInterval": value})
    t.ready()
    for at in range(8_000 if way != "more often" else 3_000, 60_000, 10_000 if way != "more often" else 3_000):
        if way in ("pass", "more often"):
            t.csms("ocpp.frame", at, evse=None, dir="rx", kind="ping")
    t.end(60_000)
    return t


@CASES.of("v2.reconnect.early", "a reset was the cause", "a minute later", "it closed by itself", "the mains were cut")
def reconnect_early(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    if way == "a reset was the cause":
        t.reset(3000)
        t.csms("ocpp.frame", 4000, evse=None, dir="tx", kind="close", code=1000, reason="")
        t.csms("ocpp.disconnected", 4002, evse=None, code=1000, reason="")
        t.connect(6000)
        return accepted(t, 6100)
    if way == "it closed by itself":
        t.csms("ocpp.frame", 4000, evse=None, dir="rx", kind="close", code=1000, reason="")
        t.close(4001)
    else:
        t.close(4000, 1012, answered=True)
    if way == "the mains were cut":
        t.mains(4050, False)
        t.mains(4500, True)
        t.connect(5000)
        return accepted(t, 5100)
    back = {"pass": 10_000, "fail": 5_500, "it closed by itself": 5_000}.get(way, 64_000)
    t.connect(back)
    heartbeat(t, back + 100)
    t.end(back + 10_000)
    return t


@CASES.of("v2.reconnect.refused", "before the first boot", "much later")
def reconnect_refused(way: str) -> Told2x:
    t = Told2x()
    if way == "before the first boot":
        t.refuse(1)
        t.refuse(30)
        t.ready()
        t.end(10_000)
        return t
    t.ready()
    t.close(4000)
    t.refuse(10_000)
    back = {"pass": 21_000, "fail": 12_000}.get(way, 90_000)
    t.connect(back)
    heartbeat(t, back + 100)
    t.end(back + 10_000)
    return t


@CASES.of("v2.reconnect.measured", "it never comes back", measures=True)
def reconnect_measured(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.close(4000)
    if way == "pass":
        t.connect(10_000)
        heartbeat(t, 10_100)
    t.end(20_000)
    return t


@CASES.of("v2.reconnect.no_boot", "a reset lay in between", "a boot later on", "the mains were cut")
def reconnect_no_boot(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    if way == "a reset lay in between":
        t.reset(3000, "OnIdle")
        t.close(3500)
    else:
        t.close(4000, 1012, answered=True)
    if way == "the mains were cut":
        t.mains(5000, False)
        t.mains(6000, True)
    t.connect(10_000)
    if way in ("pass", "a boot later on"):
        heartbeat(t, 10_100)
    if way != "pass":
        return accepted(t, 12_000)
    t.end(20_000)
    return t


@CASES.of(
    "v2.offline.status",
    "reserved for somebody",
    "unplugged again meanwhile",
    "the plug came and went offline",
    "nobody saw it go offline",
    "the back end cuts the connection again",
)
def offline_status(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    if way == "nobody saw it go offline":
        t.plug(4000, status=False)
        t.connect(10_000)
        t.end(120_000)
        return t
    t.close(2000)
    t.plug(4000, status=False)
    if way == "the plug came and went offline":
        t.unplug(6000, status=False)
    t.connect(10_000)
    heartbeat(t, 10_100)
    if way == "unplugged again meanwhile":
        t.unplug(11_000, status=False)
    elif way == "the back end cuts the connection again":
        t.misbehaves(10_400, "reset")
    elif way in ("pass", "reserved for somebody"):
        t.status(10_500, "Occupied" if way == "pass" else "Reserved")
    t.end(120_000)
    return t


@CASES.of(
    "v2.rpc.one_call", "the one before timed out", "a request of the back end crosses", "a message that wants no answer"
)
def one_call(way: str) -> Told2x:
    t = Told2x("2.1" if way == "a message that wants no answer" else "2.0.1")
    t.ready()
    heartbeat(t, 1000, answer_after=4 if way == "pass" else 5000)
    if way in ("pass", "fail"):
        heartbeat(t, 1500)
        if way == "fail":  # the back end sees that it had not answered yet when this one arrived
            why = {"layer": "sequencing", "code": "SecondCall", "text": "", "action": "Heartbeat"}
            t.csms("ocpp.violation", 1500, evse=None, **why)
    elif way == "the one before timed out":
        heartbeat(t, 4000)
    elif way == "a request of the back end crosses":
        t.trigger(1200, "MeterValues", "Rejected")
    else:
        data = {"id": 1, "pending": 0, "basetime": t.claim(1100), "data": []}
        call = {"dir": "rx", "action": "NotifyPeriodicEventStream", "message_id": "p1", "payload": data}
        t.csms("ocpp.call", 1300, evse=None, **call, asked=False)
    t.end(10_000)
    return t


@CASES.of("v2.rpc.message_id", "the back end has the same ids")
def message_id(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.trigger(500, "MeterValues", "Rejected")
    heartbeat(t, 1000, message_id="c5" if way == "the back end has the same ids" else "a-1")
    heartbeat(t, 2000, message_id="a-1" if way == "fail" else "a-2")
    t.end(10_000)
    return t


@CASES.of("v2.trigger.sent", "sent by itself meanwhile", "rejected")
def trigger_sent(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.trigger(1000, "Heartbeat", "Rejected" if way == "rejected" else "Accepted")
    if way in ("pass", "sent by itself meanwhile"):
        heartbeat(t, 1500, asked=way == "pass")
    t.end(60_000)
    return t


@CASES.of("v2.trigger.status", "by a NotifyEvent", "the connection breaks")
def trigger_status(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.trigger(1000, "StatusNotification")
    if way == "the connection breaks":
        t.csms("ocpp.disconnected", 1500, evse=None, code=1006, reason="")
    elif way != "fail":
        t.status(1500, "Available", via="NotifyEvent" if way == "by a NotifyEvent" else "")
    t.end(60_000)
    return t


@CASES.of("v2.trigger.tx", "there is no transaction", "it ended in that moment", "one came by itself meanwhile")
def trigger_tx(way: str) -> Told2x:
    t = Told2x()
    if way == "there is no transaction":
        t.ready()
    else:
        t.charging()
    t.trigger(5000, "TransactionEvent")
    if way == "pass":
        t.tx(5500, "Updated", "Trigger", "Charging")
    elif way == "one came by itself meanwhile":
        t.tx(5500, "Updated", "MeterValuePeriodic", "Charging")
    elif way == "it ended in that moment":
        t.stopped(5000)
    t.end(60_000)
    return t
