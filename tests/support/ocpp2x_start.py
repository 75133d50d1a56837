"""Stories for the rules about the start of a transaction and what its events say."""

from __future__ import annotations

from ocpp2x_case import Cases
from ocpp2x_told import Told2x

__all__ = ["CASES", "authorised_first"]

CASES = Cases()


def starts_at(point: str, **but: str) -> Told2x:
    """Ready, with that TxStartPoint (and other variables of TxCtrlr)."""
    t = Told2x(but={"TxCtrlr.TxStartPoint": point, **{f"TxCtrlr.{name}": value for name, value in but.items()}})
    t.ready()
    return t


def authorised_first(t: Told2x, at: float = 1000) -> Told2x:
    """A card before the cable: Started without an EVSE."""
    t.token(at - 10)
    t.authorize(at)
    t.tx(at + 50, "Started", "Authorized", evse=False, token=True, answer="Accepted")
    return t


@CASES.of(
    "v2.plug.tx", "a card was first", "reserved for somebody", "remote start is the more specific", "unplugged at once"
)
def plug_tx(way: str) -> Told2x:
    t = starts_at("EVConnected,Authorized")
    if way == "a card was first":
        authorised_first(t, 500)
    elif way == "reserved for somebody":
        t.status(500, "Reserved")
    elif way == "remote start is the more specific":
        t.remote_start(900)
    t.plug(1000, status=way != "reserved for somebody")
    if way == "pass":
        t.tx(1200, "Started", "CablePluggedIn", "EVConnected")
    elif way == "a card was first":
        t.tx(1200, "Updated", "CablePluggedIn", "EVConnected", evse=True)
    elif way == "remote start is the more specific":
        t.tx(1200, "Started", "RemoteStart", "EVConnected", remote=5, token=True, answer="Accepted")
    elif way == "unplugged at once":
        t.unplug(3000)
    t.end(40_000)
    return t


@CASES.of(
    "v2.power_path.tx",
    "the vehicle is not ready and the relay open",
    "unplugged at once",
    "reserved for somebody",
    "it waits for the energy",
)
def power_path_tx(way: str) -> Told2x:
    t = starts_at("EnergyTransfer" if way == "it waits for the energy" else "PowerPathClosed")
    if way == "reserved for somebody":
        t.status(500, "Reserved")
    t.plug(1000, status=way != "reserved for somebody")
    t.token(1990)
    t.authorize(2000)
    if way in ("pass", "the vehicle is not ready and the relay open"):
        t.tx(2200, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
    if way == "pass":
        t.energise(2500)
    elif way == "unplugged at once":
        t.unplug(5000)
    t.end(40_000)
    return t


@CASES.of("v2.energy.tx", "it began with the card", "current that decays after the end", "it waits for signed data")
def energy_tx(way: str) -> Told2x:
    points = {"it began with the card": "EnergyTransfer,Authorized", "it waits for signed data": "DataSigned"}
    t = starts_at(points.get(way, "EnergyTransfer"))
    t.plug()
    t.token(1990)
    t.authorize(2000)
    if way == "it began with the card":
        t.tx(2050, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
    t.energise(2500, state=way == "it began with the card")
    if way in ("pass", "current that decays after the end"):
        t.tx(3100, "Started", "ChargingStateChanged", "Charging", token=True, answer="Accepted")
    if way == "current that decays after the end":
        t.token(9990)
        t.tx(10_000, "Ended", "StopAuthorized", "EVConnected", reason="Local")
        t.power(10_500, 10.0)
        t.de_energise(12_000)
    else:
        t.power(10_000, 10.0)
    t.end(40_000)
    return t


@CASES.of("v2.plug.trigger", "remote start is the more specific", "unplugged at once")
def plug_trigger(way: str) -> Told2x:
    t = starts_at("Authorized")
    remote = way == "remote start is the more specific"
    if remote:
        t.remote_start(1000)
        t.tx(1100, "Started", "Trigger", evse=False, token=True, answer="Accepted")
    else:
        authorised_first(t)
    t.plug(2000)
    if remote:
        t.tx(2200, "Updated", "RemoteStart", "EVConnected", remote=5, evse=True)
    elif way == "unplugged at once":
        t.unplug(3000)
        t.tx(3200, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
    else:
        word = "CablePluggedIn" if way == "pass" else "ChargingStateChanged"
        t.tx(2200, "Updated", word, "EVConnected", evse=True)
    t.end(40_000)
    return t


@CASES.of(
    "v2.plug_timeout.remote",
    "plugged in at the last moment",
    "stopped before",
    "ended sooner",
    "it ends with the parking bay",
)
def plug_timeout_remote(way: str) -> Told2x:
    bay = way == "it ends with the parking bay"
    t = starts_at("Authorized", TxStopPoint="ParkingBayOccupancy" if bay else "EVConnected,Authorized")
    t.remote_start(1000)
    t.tx(1100, "Started", "RemoteStart", evse=False, remote=5, token=True, answer="Accepted")
    if way in ("pass", "ended sooner"):
        t.tx(31_300 if way == "pass" else 29_000, "Ended", "EVConnectTimeout", reason="Timeout")
    elif way == "plugged in at the last moment":
        t.plug(30_000)
        t.tx(30_200, "Updated", "CablePluggedIn", "EVConnected", evse=True)
    elif bay:
        t.tx(31_300, "Updated", "EVConnectTimeout")
    elif way == "stopped before":
        t.remote_stop(10_000)
        t.tx(10_300, "Ended", "RemoteStop", reason="Remote")
    t.end(100_000)
    return t


@CASES.of("v2.plug_timeout.local", "plugged in at the last moment", "the driver stops it")
def plug_timeout_local(way: str) -> Told2x:
    t = authorised_first(starts_at("Authorized"))
    if way == "pass":
        t.tx(31_300, "Ended", "EVConnectTimeout", reason="Timeout")
    elif way == "plugged in at the last moment":
        t.plug(30_000)
        t.tx(30_200, "Updated", "CablePluggedIn", "EVConnected", evse=True)
    elif way == "the driver stops it":
        t.token(9990)
        t.tx(10_000, "Ended", "StopAuthorized", reason="Local")
    t.end(100_000)
    return t


@CASES.of("v2.plug_timeout.bay", "ended at once", "the vehicle leaves")
def plug_timeout_bay(way: str) -> Told2x:
    t = authorised_first(starts_at("ParkingBayOccupancy,Authorized", TxStopPoint="ParkingBayOccupancy"))
    if way == "pass":
        t.tx(31_300, "Updated", "EVConnectTimeout")
    elif way == "ended at once":
        t.tx(31_300, "Ended", "EVConnectTimeout", reason="Timeout")
    elif way == "the vehicle leaves":
        t.tx(20_000, "Ended", "EVDeparted", reason="Other")
    t.end(100_000)
    return t


@CASES.of("v2.remote_start.event", "an Authorize lies in between", "the token is refused", "a transaction ran already")
def remote_start_event(way: str) -> Told2x:
    ran = way == "a transaction ran already"
    t = starts_at("EVConnected" if ran else "PowerPathClosed")
    t.plug()
    if ran:
        t.tx(1200, "Started", "CablePluggedIn", "EVConnected")
    t.remote_start(2000)
    if way in ("an Authorize lies in between", "the token is refused"):
        t.authorize(2200, "Accepted" if way == "an Authorize lies in between" else "Invalid")
    if ran:
        t.tx(2500, "Updated", "RemoteStart", remote=5, token=True, answer="Accepted")
    elif way == "fail":
        t.tx(2500, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
    elif way != "the token is refused":
        t.tx(2500, "Started", "RemoteStart", "EVConnected", remote=5, token=True, answer="Accepted")
    t.end(60_000)
    return t


@CASES.of("v2.remote_start.id", "begun by a card")
def remote_start_id(way: str) -> Told2x:
    t = starts_at("Authorized")
    if way == "begun by a card":
        authorised_first(t)
    else:
        t.remote_start(1000)
        remote = 5 if way == "pass" else None
        t.tx(1100, "Started", "RemoteStart", evse=False, remote=remote, token=True, answer="Accepted")
    t.plug(5000)
    t.tx(5200, "Updated", "CablePluggedIn", "EVConnected", evse=True)
    t.end(20_000)
    return t


@CASES.of("v2.tx.seq", "a counter that goes on", "sent again", "some were dropped while offline")
def tx_seq(way: str) -> Told2x:
    t = Told2x()
    t.charging(started=False) if way == "a counter that goes on" else t.charging()
    if way == "a counter that goes on":
        t = Told2x()
        t.ready()
        t.plug()
        t.authorize(2000)
        t.tx(2050, "Started", "Authorized", "EVConnected", seq=17, token=True, answer="Accepted")
        t.energise(2500)
    elif way == "sent again":
        t.tx(6000, "Updated", "ChargingRateChanged", seq=2, fails=True)
        t.tx(17_000, "Updated", "ChargingRateChanged", seq=2, made=5997)
    elif way == "some were dropped while offline":
        t.csms("ocpp.disconnected", 6000, evse=None, code=1006, reason="")
        t.connect(10_000)
        t.tx(10_200, "Updated", "ChargingRateChanged", seq=5, made=8000, offline=True)
        t.tx(11_200, "Updated", "ChargingRateChanged")
    if way == "fail":
        t.tx(6000, "Updated", "ChargingRateChanged", seq=4)
    t.stopped(20_000)
    t.end(40_000)
    return t


@CASES.of("v2.tx.id", "the start is sent again")
def tx_id(way: str) -> Told2x:
    t = Told2x()
    t.ready()
    t.plug()
    t.authorize(2000)
    started = {"token": True, "answer": "Accepted", "made": 2040}
    if way == "the start is sent again":
        t.tx(2050, "Started", "Authorized", "EVConnected", fails=True, seq=0, made=2040, token=True)
        t.tx(14_050, "Started", "Authorized", "EVConnected", seq=0, **started)
    else:
        t.tx(2050, "Started", "Authorized", "EVConnected", **started)
        t.tx(6000, "Ended", "StopAuthorized", "EVConnected", reason="Local")
        t.unplug(8000)
        t.plug(10_000)
        t.authorize(11_000)
        another = "t-1" if way == "fail" else "t-2"
        t.tx(11_050, "Started", "Authorized", "EVConnected", tx=another, seq=2, token=True, answer="Accepted")
    t.end(40_000)
    return t


@CASES.of("v2.tx.one_end", "the end is sent again")
def tx_one_end(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.stopped(6000)
    if way == "pass":
        t.unplug(10_000)
        t.plug(12_000)
        t.authorize(13_000)
        t.tx(13_050, "Started", "Authorized", "EVConnected", tx="t-2", token=True, answer="Accepted")
        t.tx(15_000, "Ended", "StopAuthorized", "EVConnected", tx="t-2", reason="Local")
    if way == "the end is sent again":
        t.tx(20_000, "Ended", "StopAuthorized", "EVConnected", made=6397, seq=2, reason="Local")
    elif way == "fail":
        t.tx(8000, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    t.end(40_000)
    return t


@CASES.of("v2.tx.first", "it began before the record", "the start was in the queue")
def tx_first(way: str) -> Told2x:
    t = Told2x()
    if way == "it began before the record":
        t.power_on()
        t.csms("ocpp.attached", 100, evse=None, how="message")
        t.tx(2050, "Updated", "Trigger", evse=True, seq=7)
    elif way == "the start was in the queue":
        t.ready()
        t.csms("ocpp.disconnected", 500, evse=None, code=1006, reason="")
        t.plug(1000, status=False)
        t.connect(5000)
        t.status(5050, "Occupied")
        t.tx(5100, "Started", "Authorized", "EVConnected", made=2000, offline=True, token=True, answer="Accepted")
        t.tx(5200, "Updated", "MeterValuePeriodic", made=3000, offline=True)
    else:
        t.ready()
        t.plug()
        t.authorize(2000)
        if way == "fail":
            t.tx(2040, "Updated", "Authorized", seq=0)
        t.tx(2060, "Started", "Authorized", "EVConnected", seq=1, token=True, answer="Accepted")
        t.tx(3000, "Updated", "Trigger")
    t.end(20_000)
    return t


@CASES.of("v2.tx.overlap", "one after the other", "its outlet is not known yet", "the end was lost")
def tx_overlap(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    if way == "one after the other" or way == "pass":
        t.stopped(6000)
    elif way == "the end was lost":
        t.token(5990)
        t.de_energise(6000)
        t.tx(6400, "Ended", "StopAuthorized", "EVConnected", reason="Local", fails=True)
    if way != "pass":
        known = way != "its outlet is not known yet"
        t.tx(9000, "Started", "Authorized", evse=known, tx="t-2", token=True, answer="Accepted")
    t.end(20_000)
    return t


@CASES.of("v2.tx.evse", "named again", "named before the plug")
def tx_evse(way: str) -> Told2x:
    t = starts_at("Authorized")
    t.token(990)
    t.authorize(1000)
    t.tx(1050, "Started", "Authorized", evse=way == "named before the plug", token=True, answer="Accepted")
    t.plug(2000)
    t.tx(2200, "Updated", "CablePluggedIn", "EVConnected", evse=way in ("pass", "named again"))
    t.energise(3000)
    t.tx(4000, "Updated", "ChargingRateChanged", evse=way == "named again")
    t.end(20_000)
    return t


@CASES.of("v2.state.charging", "the start said so", "the vehicle stops at once")
def state_charging(way: str) -> Told2x:
    t = starts_at("EnergyTransfer" if way == "the start said so" else "PowerPathClosed")
    t.plug()
    t.token(1990)
    t.authorize(2000)
    if way == "the start said so":
        t.energise(2500, state=False)
        t.tx(3000, "Started", "ChargingStateChanged", "Charging", token=True, answer="Accepted")
    else:
        t.tx(2050, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
        t.energise(2500, state=way == "pass")
        t.power(3500, 10.0)
    if way == "the vehicle stops at once":
        t.power(4000, 0.0)
        t.cp(4100, "B", pwm=True)
        t.output(4140, False)
    t.end(40_000)
    return t


@CASES.of("v2.state.not_charging", "live again before", "it ends instead", "EVConnected, as it cannot pause")
def state_not_charging(way: str) -> Told2x:
    """To fail: the station opens the contactor for a reason of its own and says nothing."""
    t = Told2x()
    t.charging()
    t.power(9900, 0.0)
    if way != "fail":
        t.cp(10_000, "B", pwm=True)
    t.output(10_040, False)
    if way == "pass":
        t.tx(10_500, "Updated", "ChargingStateChanged", "SuspendedEV")
    elif way == "live again before":
        t.cp(12_000, "C", pwm=True)
        t.output(12_100, True)
    elif way == "it ends instead":
        t.tx(10_500, "Ended", "ChargingStateChanged", "EVConnected", reason="StoppedByEV")
    elif way == "EVConnected, as it cannot pause":
        t.tx(10_500, "Updated", "ChargingStateChanged", "EVConnected")
    t.end(40_000)
    return t


@CASES.of("v2.state.suspended_ev", "EVConnected", "a pause of a second", "SuspendedEVSE")
def state_suspended_ev(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.power(9900, 0.0)
    t.cp(10_000, "B", pwm=True)
    t.output(10_040, False)
    if way == "a pause of a second":
        t.cp(11_000, "C", pwm=True)
        t.output(11_100, True)
    else:
        said = {"pass": "SuspendedEV", "fail": "Idle"}.get(way, way)
        t.tx(10_500, "Updated", "ChargingStateChanged", said)
    t.end(40_000)
    return t


@CASES.of("v2.state.suspended_evse", "EVConnected", "off for a second to wake the vehicle")
def state_suspended_evse(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.duty(10_000, 100.0)
    t.cp(10_000.5, "C", pwm=False)
    if way == "off for a second to wake the vehicle":
        t.duty(11_000, 53.33)
        t.cp(11_000.5, "C", pwm=True)
    elif way != "fail":
        t.tx(10_500, "Updated", "ChargingStateChanged", "SuspendedEVSE" if way == "pass" else way)
    t.end(40_000)
    return t
