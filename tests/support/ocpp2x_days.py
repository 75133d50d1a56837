"""Whole days of stations that conform, each odd in its own way: no rule of the 2.x packs may blame one."""

from __future__ import annotations

from collections.abc import Callable

from ocpp2x_told import Told2x

__all__ = ["DAYS"]

Day = Callable[[], Told2x]


def but(**settings: str | None) -> Told2x:
    """Ready, with other variables of TxCtrlr."""
    t = Told2x(but={f"TxCtrlr.{name}": value for name, value in settings.items()})
    t.ready()
    return t


def anybody_may_charge() -> Told2x:
    t = Told2x(
        but={
            "AuthCtrlr.Enabled": "false",
            "TxCtrlr.TxStartPoint": "EVConnected",
            "TxCtrlr.TxStopPoint": "ParkingBayOccupancy",
        }
    )
    t.ready()
    t.plug()
    t.tx(1200, "Started", "CablePluggedIn", "EVConnected")
    t.energise(2000)
    t.power(9900, 0.0)
    t.unplug(10_000)
    t.output(10_040, False)
    t.tx(10_300, "Updated", "EVCommunicationLost", "Idle")
    t.plug(15_000)
    t.tx(15_300, "Updated", "CablePluggedIn", "EVConnected")
    t.energise(16_000)
    t.end(60_000)
    return t


def all_of_it_offline() -> Told2x:
    t = but(TxStartPoint="EVConnected,Authorized", TxStopPoint="EVConnected,Authorized")
    t.csms("ocpp.disconnected", 800, evse=None, code=1006, reason="")
    t.plug(1000, status=False)
    t.token(1990)
    t.energise(2500, state=False)
    t.power(5000, 10.0)
    t.de_energise(9000)
    t.unplug(12_000, status=False)
    t.connect(40_000)
    t.status(40_050, "Available")
    t.tx(40_100, "Started", "CablePluggedIn", "EVConnected", made=1010, offline=True)
    t.tx(40_200, "Updated", "Authorized", made=2000, offline=True, token=True, answer="Invalid")
    t.tx(40_300, "Updated", "ChargingStateChanged", "Charging", made=3000, offline=True)
    t.tx(40_400, "Ended", "EVCommunicationLost", "Idle", made=12_010, reason="EVDisconnected", offline=True)
    t.end(90_000)
    return t


def a_remote_start_for_nobody() -> Told2x:
    t = but()
    t.remote_start(1000)
    t.end(120_000)
    return t


def a_card_for_nobody() -> Told2x:
    t = but(TxStartPoint="EVConnected")
    t.token(990)
    t.authorize(1000)
    t.end(120_000)
    return t


def not_to_be_used(status: str, reported: str) -> Day:
    """Plugged in while the outlet is faulted, unavailable or reserved; `reported` after the unplug."""

    def day() -> Told2x:
        t = but(TxStartPoint="EVConnected,PowerPathClosed")
        t.status(500, status)
        t.plug(1000, status=False)
        t.token(1990)
        t.authorize(2000)
        t.unplug(30_000, status=False)
        t.status(30_200, reported)
        t.end(60_000)
        return t

    return day


def it_fails_when_plugged() -> Told2x:
    t = but(TxStartPoint="EVConnected,PowerPathClosed")
    t.plug(1000, status=False)
    t.status(1500, "Faulted")
    t.token(1990)
    t.authorize(2000)
    t.unplug(30_000, status=False)
    t.status(31_000, "Available")
    t.end(60_000)
    return t


def plugged_and_nothing_else() -> Told2x:
    t = but()
    t.plug()
    t.unplug(30_000)
    t.plug(40_000)
    t.unplug(50_000)
    t.end(90_000)
    return t


def two_sessions() -> Told2x:
    """Registers that begin anew, sequence numbers that begin anew."""
    t = but()
    for n, begin in enumerate((1000, 41_000)):
        name = f"t-{n + 1}"
        t.plug(begin)
        t.token(begin + 990)
        t.authorize(begin + 1000)
        t.tx(begin + 1050, "Started", "Authorized", "EVConnected", tx=name, token=True, answer="Accepted", wh=0)
        t.energise(begin + 1500, state=False)
        t.tx(begin + 2000, "Updated", "ChargingStateChanged", "Charging", tx=name)
        t.tx(begin + 10_000, "Updated", "MeterValuePeriodic", tx=name, wh=50)
        t.token(begin + 19_990)
        t.de_energise(begin + 20_000)
        t.tx(begin + 20_400, "Ended", "StopAuthorized", "EVConnected", tx=name, reason="Local", wh=100)
        t.unplug(begin + 25_000)
    t.end(90_000)
    return t


def reset_with_nothing_to_do() -> Told2x:
    t = but()
    t.reset(1000, "OnIdle")
    t.csms("ocpp.disconnected", 2000, evse=None, code=1006, reason="")
    t.connect(30_000)
    t.booted(30_100, reason="ScheduledReset")
    t.status(30_300, "Available")
    t.reset(40_000, "Immediate", evse=1)
    t.end(400_000)
    return t


def mains_cut(*, goes_on: bool) -> Day:
    """The mains go in a transaction: it ends by that, or (nothing forbids it in 2.0.1) goes on."""

    def day() -> Told2x:
        t = Told2x()
        t.charging()
        t.mains(10_000, False)
        t.output(10_040, False)
        t.power(10_100, 0.0)
        t.csms("ocpp.disconnected", 10_200, evse=None, code=1006, reason="")
        t.mains(20_000, True)
        t.connect(40_000)
        t.booted(40_100)
        t.status(40_300, "Occupied")
        if goes_on:
            t.tx(40_500, "Updated", "ChargingStateChanged", "SuspendedEVSE")
        else:
            t.tx(40_500, "Ended", "AbnormalCondition", made=10_000, reason="PowerLoss", offline=True)
        t.end(400_000)
        return t

    return day


def a_bay_detector() -> Told2x:
    t = but(TxStartPoint="ParkingBayOccupancy", TxStopPoint="ParkingBayOccupancy")
    t.tx(600, "Started", "EVDetected", evse=False)
    t.plug()
    t.tx(1200, "Updated", "CablePluggedIn", "EVConnected", evse=True)
    t.token(1990)
    t.authorize(2000)
    t.tx(2050, "Updated", "Authorized", token=True, answer="Accepted")
    t.energise(2500)
    t.remote_stop(10_000)
    t.de_energise(10_200)
    t.tx(10_300, "Updated", "RemoteStop", "EVConnected")
    t.unplug(20_000)
    t.tx(20_300, "Updated", "EVCommunicationLost", "Idle")
    t.tx(50_000, "Ended", "EVDeparted", reason="Remote")
    t.end(90_000)
    return t


def known_by_itself() -> Told2x:
    """The card is in the station's own list: no Authorize."""
    t = Told2x(but={"AuthCtrlr.LocalPreAuthorize": "true"})
    t.ready()
    t.plug()
    t.token(1990)
    t.tx(2050, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
    t.energise(2500)
    t.stopped(20_000)
    t.unplug(25_000)
    t.end(60_000)
    return t


def stopped_unlocked_and_refused() -> Told2x:
    """After the end: unlocked, asked for what is over, refused a card, a remote stop that comes too late."""
    t = Told2x()
    t.charging()
    t.locked(2400, True)
    t.stopped(10_000)
    t.locked(10_500, False)
    t.unlock(12_000)
    t.tx_status(13_000, ongoing=False)
    t.tx_status(14_000, None, ongoing=None)
    t.remote_stop(15_000, status="Rejected")
    t.authorize(16_000, "Blocked")
    t.trigger(17_000, "TransactionEvent")
    t.unplug(20_000)
    t.availability(25_000)
    t.status(25_300, "Unavailable")
    t.availability(40_000, operative=True)
    t.status(40_300, "Available")
    t.end(90_000)
    return t


def unplugged_offline_and_back() -> Told2x:
    """Another vehicle comes while the station is offline."""
    t = Told2x()
    t.charging()
    t.csms("ocpp.disconnected", 10_000, evse=None, code=1006, reason="")
    t.power(11_000, 0.0)
    t.unplug(12_000, status=False)
    t.output(12_040, False)
    t.plug(20_000, status=False)
    t.connect(30_000)
    t.status(30_050, "Occupied")
    t.tx(30_100, "Ended", "EVCommunicationLost", "Idle", made=12_010, reason="EVDisconnected", offline=True)
    t.end(200_000)
    return t


DAYS: dict[str, Day] = {
    "anybody may charge": anybody_may_charge,
    "all of it offline": all_of_it_offline,
    "a remote start for nobody": a_remote_start_for_nobody,
    "a card for nobody": a_card_for_nobody,
    "faulted before": not_to_be_used("Faulted", "Faulted"),
    "unavailable before": not_to_be_used("Unavailable", "Unavailable"),
    "reserved before": not_to_be_used("Reserved", "Available"),
    "it fails when plugged": it_fails_when_plugged,
    "plugged and nothing else": plugged_and_nothing_else,
    "two sessions": two_sessions,
    "reset with nothing to do": reset_with_nothing_to_do,
    "the mains were cut and it ended": mains_cut(goes_on=False),
    "the mains were cut and it goes on": mains_cut(goes_on=True),
    "a bay detector": a_bay_detector,
    "a card that it knows by itself": known_by_itself,
    "stopped, unlocked and refused": stopped_unlocked_and_refused,
    "another vehicle while offline": unplugged_offline_and_back,
}
