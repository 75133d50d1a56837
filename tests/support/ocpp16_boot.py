"""Traces for the rules about boot, connection and messages of the OCPP 1.6 pack."""

from __future__ import annotations

from ocpp16_told import Case, Told

__all__ = ["CASES"]


def clean() -> Told:
    return Told().ready().till(20_000)


# ---- boot


def chatty() -> Told:
    t = Told().instruments()
    t.connected(100)
    t.call(105, "Heartbeat")
    t.booted(110)
    return t.till(20_000)


def reconnects_without_boot() -> Told:
    t = Told().ready()
    t.lost(5000, 6000)
    t.status(6010, "Available")
    return t.till(20_000)


def triggered_while_pending() -> Told:
    t = Told().instruments()
    t.connected(100)
    t.boots(110, "Pending", 10)
    t.csms("csms.trigger", 3000, evse=None, connector=1, message="StatusNotification", accepted=True, status="Accepted")
    t.status(3050, "Available", asked=True)
    t.booted(10_200)
    return t.till(20_000)


def answered(status: str, then: float, interval_s: int = 10) -> Told:
    """Booted once more `then`, accepted."""
    t = Told().instruments()
    t.connected(100)
    t.boots(110, status, interval_s)
    t.booted(then)
    return t.till(then + 20_000)


def asked_to_boot() -> Told:
    t = Told().instruments()
    t.connected(100)
    t.boots(110, "Pending", 10)
    said = {"message": "BootNotification", "accepted": True, "status": "Accepted"}
    t.csms("csms.trigger", 2000, evse=None, connector=None, **said)
    t.boots(2050, "Pending", 10, asked=True)
    t.booted(12_200)
    return t.till(30_000)


def power_cycle(status: str) -> Told:
    t = Told().instruments()
    t.connected(100)
    t.boots(110, status, 60)
    t.disconnected(200)
    t.connected(3000)
    t.booted(3010)
    return t.till(80_000)


def told_after_boot(zero: float | None, one: float | None) -> Told:
    t = Told().instruments()
    t.connected(100)
    t.booted(110, status="", zero=False)
    for at, connector in ((zero, 0), (one, 1)):
        if at is not None:
            t.status(at, "Available", connector=connector)
    return t.till(70_000)


def faulted_first() -> Told:
    """Connector 1 comes first, and as Faulted, after a minimum of 30 s."""
    t = Told(MinimumStatusDuration="30").instruments()
    t.connected(100)
    t.booted(110, status="", zero=False)
    t.status(75_000, "Faulted")
    t.status(80_000, "Available", connector=0)
    return t.till(130_000)


def reset(boot_at: float | None, *, same_connection: bool = False, failure: bool = False) -> Told:
    t = Told().ready()
    t.csms("csms.reset", 5000, evse=None, type="Soft", logical="soft", accepted=True, status="Accepted")
    if failure:
        t.status(9000, "Available", connector=0, error="ResetFailure")
    if boot_at is not None:
        if not same_connection:
            t.disconnected(5500)
            t.connected(boot_at - 10)
        t.booted(boot_at)
    return t.till(320_000)


def reset_in_transaction(stop_at: float | None, reason: str = "SoftReset") -> Told:
    t = Told().charge()
    t.csms("csms.reset", 5000, evse=None, type="Soft", logical="soft", accepted=True, status="Accepted")
    if stop_at is not None and stop_at < 20_000:
        t.stop(stop_at, reason)
    t.disconnected(6000)
    t.withdraw(6100)
    t.cp(6300, "B", pwm=False)
    t.output(6340, False)
    t.connected(20_000)
    t.booted(20_010, status="Preparing")
    if stop_at is not None and stop_at > 20_000:
        t.stop(stop_at, reason, claimed=5500)
    return t.till(320_000)


# ---- connection


def alive(every: float, what: str) -> Told:
    """One minute with an agreed interval of 10 s."""
    t = Told(HeartbeatInterval="10").ready(interval_s=10)
    at = 300 + every
    while at < 60_000:
        if what == "request":
            t.call(at, "Heartbeat")
            t.csms("ocpp.heartbeat", at, evse=None)
        elif what == "answer":
            t.ask(at, "GetConfiguration")
        else:
            t.frame(at, what)
        at += every
    return t.till(60_000)


def pings(interval: str | None, every: float) -> Told:
    t = Told(WebSocketPingInterval=interval).ready()
    at = 300 + every
    while at < 60_000:
        t.frame(at, "ping")
        at += every
    return t.till(60_000)


def clock(ahead_s: float) -> Told:
    return Told(station_ahead_s=ahead_s).charge().stopped(10_000).till(30_000)


def old_claims() -> Told:
    """What waited ten seconds in the station comes with the times of its making."""
    t = Told().charge()
    t.lost(5000, 15_000)
    t.withdraw(6000)
    t.cp(6500, "B", pwm=False)
    t.output(6540, False)
    t.stop(15_500, "Local", claimed=6500)
    t.status(15_600, "Finishing")
    return t.till(30_000)


def lost(back: float | None, *, boots: bool = False) -> Told:
    t = Told().ready()
    if boots:
        t.disconnected(5000)
        t.connected(back or 6000)
        t.booted((back or 6000) + 10)
    else:
        t.lost(5000, back)
    return t.till(20_000)


# ---- messages


def violation(code: str) -> Told:
    """The back end recorded a breach of the order of requests."""
    t = Told().ready()
    t.call(5000, "Heartbeat", after=300)
    t.call(5100, "Heartbeat", after=300)
    data = {"layer": "sequencing", "code": code, "text": "", "action": "Heartbeat", "dir": "rx"}
    t.csms("ocpp.violation", 5100, evse=None, **data)
    return t.till(20_000)


def gave_up_waiting() -> Told:
    t = Told().ready()
    t.call(5000, "Heartbeat", answer=None)
    t.call(6500, "Heartbeat")
    return t.till(20_000)


def crossing() -> Told:
    """Our own request crosses theirs."""
    t = Told().ready()
    t.call(5000, "Heartbeat", after=200)
    t.ask(5050, "GetConfiguration")
    return t.till(20_000)


def ids(second: str) -> Told:
    t = Told().ready()
    t.call(5000, "Heartbeat", id_="x1")
    t.call(6000, second, id_="x1")
    return t.till(20_000)


def sent_again() -> Told:
    """No answer came, so it is sent again as it was, on the next connection."""
    t = Told().ready()
    t.call(5000, "StatusNotification", id_="x1", answer=None)
    t.lost(7000, 9000)
    t.call(9500, "StatusNotification", id_="x1")
    return t.till(20_000)


def triggered(at: float | None, action: str = "Heartbeat", *, accepted: bool = True) -> Told:
    t = Told().ready()
    status = "Accepted" if accepted else "Rejected"
    t.csms("csms.trigger", 5000, evse=None, connector=None, message="Heartbeat", accepted=accepted, status=status)
    if at is not None:
        t.call(at, action, asked=True)
    return t.till(50_000)


def retried(
    second: float, *, answer: str | None = "ocpp.error", lost_at: float | None = None, tx: int = 7, third: float = 0
) -> Told:
    """A StopTransaction that the back end does not process, and what is sent `second`."""
    t = Told().ready()
    old = {"timestamp": t.claim(4000), "transactionId": 7}
    t.call(5000, "StopTransaction", payload=old, answer=answer)
    if lost_at is not None:
        t.lost(lost_at, second - 100)
    new = old if tx == 7 else {"timestamp": t.claim(4500), "transactionId": tx}
    t.call(second, "StopTransaction", payload=new, answer="ocpp.error" if third else "ocpp.result")
    if third:
        t.call(third, "StopTransaction", payload=old)
    return t.till(60_000)


CASES: dict[str, Case] = {
    "boot.first": Case(
        clean, chatty, {"reconnects": reconnects_without_boot, "triggered while pending": triggered_while_pending}
    ),
    "boot.retry": Case(
        lambda: answered("Pending", 10_400),
        lambda: answered("Pending", 3000),
        {
            "asked for": asked_to_boot,
            "a power cycle": lambda: power_cycle("Pending"),
            "interval 0": lambda: answered("Pending", 3000, 0),
        },
    ),
    "boot.rejected": Case(
        lambda: answered("Rejected", 10_400),
        lambda: answered("Rejected", 3000),
        {"a power cycle": lambda: power_cycle("Rejected"), "interval 0": lambda: answered("Rejected", 3000, 0)},
    ),
    "boot.status": Case(
        clean,
        lambda: told_after_boot(300, None),
        {"late": lambda: told_after_boot(300, 59_000), "after its minimum, and Faulted": faulted_first},
    ),
    "boot.status0": Case(clean, lambda: told_after_boot(None, 300), {"last": lambda: told_after_boot(50_000, 300)}),
    "reset.boot": Case(
        lambda: reset(30_000),
        lambda: reset(None),
        {
            "on the same connection, late": lambda: reset(200_000, same_connection=True),
            "the reset failed, and it says so": lambda: reset(None, failure=True),
        },
    ),
    "reset.stop": Case(
        lambda: reset_in_transaction(5500),
        lambda: reset_in_transaction(None),
        {
            "told after the boot": lambda: reset_in_transaction(25_000),
            "Other": lambda: reset_in_transaction(5500, "Other"),
        },
    ),
    "heartbeat": Case(
        lambda: alive(10_000, "request"),
        lambda: alive(30_000, "request"),
        {"answers only": lambda: alive(10_000, "answer"), "pings only": lambda: alive(10_000, "ping")},
    ),
    "ws.ping": Case(
        lambda: pings("10", 10_000),
        lambda: pings("10", 25_000),
        {
            "0": lambda: pings("0", 100_000),
            "it has no such setting": lambda: pings(None, 100_000),
            "more than asked for": lambda: pings("10", 2000),
        },
    ),
    "clock.agrees": Case(lambda: clock(0), lambda: clock(30), {"what waited": old_claims, "near": lambda: clock(1)}),
    "reconnect.measured": Case(lambda: lost(6000), None, {"never again": lambda: lost(None)}),
    "reconnect.boot": Case(lambda: lost(6000, boots=True), None, {"without one": lambda: lost(6000)}),
    "calls.one": Case(
        clean,
        lambda: violation("SecondCall"),
        {"gave up waiting": gave_up_waiting, "crossing with ours": crossing},
    ),
    "message.id": Case(clean, lambda: violation("MessageIdReused"), {"sent again": sent_again}),
    "message.id_ever": Case(sent_again, lambda: ids("StatusNotification"), {"each id once": clean}),
    "trigger.sent": Case(
        lambda: triggered(5100),
        lambda: triggered(None),
        {"late": lambda: triggered(30_000), "refused": lambda: triggered(None, accepted=False)},
    ),
    "retry.not_early": Case(
        lambda: retried(15_100, third=36_000),
        lambda: retried(7000),
        {
            "another transaction": lambda: retried(6000, tx=8),
            "the connection was lost": lambda: retried(6100, answer=None, lost_at=5500),
        },
    ),
}
"""Rule -> its traces."""
