"""Stories for the rules about unplugging and the end of a transaction."""

from __future__ import annotations

from ocpp2x_case import Cases
from ocpp2x_told import Told2x

__all__ = ["CASES", "paused", "stops_at"]

CASES = Cases()


def paused(t: Told2x, at: float = 6000) -> Told2x:
    """Charging up to `at`; then the vehicle pauses, and the station says so."""
    t.charging()
    t.power(at - 100, 0.0)
    t.cp(at, "B", pwm=True)
    t.output(at + 40, False)
    t.tx(at + 500, "Updated", "ChargingStateChanged", "SuspendedEV")
    return t


def stops_at(point: str, **but: str | None) -> Told2x:
    """With that TxStopPoint (and other variables of TxCtrlr)."""
    return Told2x(but={"TxCtrlr.TxStopPoint": point, **{f"TxCtrlr.{name}": value for name, value in but.items()}})


@CASES.of("v2.unplug.event", "it ends by the card in that moment", "plugged in again at once")
def unplug_event(way: str) -> Told2x:
    t = paused(stops_at("ParkingBayOccupancy"))
    t.unplug(10_000)
    if way == "pass":
        t.tx(10_300, "Updated", "EVCommunicationLost", "Idle")
    elif way == "it ends by the card in that moment":
        t.tx(10_300, "Ended", "StopAuthorized", "Idle", reason="Local")
    elif way == "plugged in again at once":
        t.plug(11_000)
        t.tx(11_300, "Updated", "CablePluggedIn", "EVConnected")
    t.end(40_000)
    return t


@CASES.of("v2.unplug.ended", "the card was first", "the pilot was gone for a moment", "it does not end by that")
def unplug_ended(way: str) -> Told2x:
    t = paused(stops_at("Authorized" if way == "it does not end by that" else "EVConnected,Authorized"))
    if way == "the card was first":
        t.token(8990)
        t.tx(9000, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    if way == "the pilot was gone for a moment":
        t.cp(10_000, "A", pwm=True)
        t.cp(10_300, "B", pwm=True)
        t.tx(10_500, "Updated", "CablePluggedIn", "SuspendedEV")
        t.end(40_000)
        return t
    t.unplug(10_000)
    if way == "pass":
        t.tx(10_300, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
    elif way != "the card was first":
        t.tx(10_300, "Updated", "EVCommunicationLost", "Idle")
    t.end(40_000)
    return t


@CASES.of(
    "v2.unplug.no_energy",
    "the card again",
    "a card that it knows by itself",
    "configured to go on",
    "a remote start",
)
def unplug_no_energy(way: str) -> Told2x:
    stop = "false" if way == "configured to go on" else "true"
    t = paused(stops_at("ParkingBayOccupancy", StopTxOnEVSideDisconnect=stop))
    t.unplug(10_000)
    t.tx(10_300, "Updated", "EVCommunicationLost", "Idle")
    t.plug(15_000)
    t.tx(15_300, "Updated", "CablePluggedIn", "EVConnected")
    if way in ("the card again", "a card that it knows by itself"):
        t.token(17_000)
    if way == "the card again":
        t.authorize(17_100)
    elif way == "a remote start":
        t.remote_start(17_000)
        t.tx(17_300, "Updated", "RemoteStart", remote=5, token=True, answer="Accepted")
    if way != "pass":
        t.energise(18_000)
    t.end(40_000)
    return t


@CASES.of(
    "v2.unplug.unlocks",
    "a cable that is fixed",
    "the pilot was gone for a moment",
    "configured to go on",
    "configured to stay locked",
)
def unplug_unlocks(way: str) -> Told2x:
    t = Told2x(
        but={
            "TxCtrlr.StopTxOnEVSideDisconnect": str(way != "configured to go on").lower(),
            "OCPPCommCtrlr.UnlockOnEVSideDisconnect": str(way != "configured to stay locked").lower(),
        }
    )
    t.charging()
    if way != "a cable that is fixed":
        t.locked(2400, True)
    if way == "the pilot was gone for a moment":
        t.cp(10_000, "A", pwm=True)
        t.cp(10_300, "C", pwm=True)
        t.tx(10_500, "Updated", "CablePluggedIn", "Charging")
    else:
        t.unplug(10_000)
        t.output(10_050, False)
        t.tx(10_300, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
        if way == "pass":
            t.locked(11_000, False)
    t.end(40_000)
    return t


@CASES.of("v2.unplug.keeps_lock", "opened for a card", "opened by the back end", "the driver had stopped")
def unplug_keeps_lock(way: str) -> Told2x:
    t = Told2x(but={"OCPPCommCtrlr.UnlockOnEVSideDisconnect": "false"})
    t.charging()
    t.locked(2400, True)
    if way == "the driver had stopped":
        t.stopped(8000)
    t.unplug(10_000)
    t.output(10_050, False)
    if way != "the driver had stopped":
        t.tx(10_300, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
    if way == "opened for a card":
        t.token(12_000)
    elif way == "opened by the back end":
        t.unlock(12_000)
    if way != "pass":
        t.locked(13_000, False)
    t.end(40_000)
    return t


@CASES.of("v2.stop.local", "the end follows later", "unplugged after the card")
def stop_local(way: str) -> Told2x:
    t = Told2x() if way != "unplugged after the card" else stops_at("EVConnected")
    t.charging()
    t.token(9990)
    t.de_energise(10_000)
    if way == "pass":
        t.tx(10_400, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    elif way == "fail":
        t.tx(10_400, "Ended", "ChargingStateChanged", "EVConnected", reason="Local")
    else:
        t.tx(10_050, "Updated", "StopAuthorized")
        if way == "the end follows later":
            t.tx(10_400, "Ended", "ChargingStateChanged", "EVConnected")
        else:
            t.tx(10_400, "Updated", "ChargingStateChanged", "EVConnected")
            t.unplug(20_000)
            t.tx(20_300, "Ended", "EVCommunicationLost", "Idle", reason="Local")
    t.end(60_000)
    return t


@CASES.of("v2.remote_stop.event", "the end follows later", "it ends with the unplug", "the card in that moment")
def remote_stop_event(way: str) -> Told2x:
    t = Told2x() if way != "it ends with the unplug" else stops_at("EVConnected")
    t.charging()
    t.remote_stop(10_000)
    t.de_energise(10_200)
    if way == "pass":
        t.tx(10_600, "Ended", "RemoteStop", "EVConnected", reason="Remote")
    elif way == "fail":
        t.tx(10_600, "Ended", "ChargingStateChanged", "EVConnected", reason="Remote")
    elif way == "the card in that moment":
        t.token(9995)
        t.tx(10_600, "Ended", "StopAuthorized", "EVConnected", reason="Remote")
    else:
        t.tx(10_100, "Updated", "RemoteStop")
        if way == "the end follows later":
            t.tx(10_600, "Ended", "ChargingStateChanged", "EVConnected", reason="Remote")
        else:
            t.tx(10_600, "Updated", "ChargingStateChanged", "EVConnected")
            t.unplug(50_000)
            t.tx(50_300, "Ended", "EVCommunicationLost", "Idle", reason="Remote")
    t.end(80_000)
    return t


@CASES.of("v2.remote_stop.ended", "it ends with the unplug", "the vehicle takes its 6 s")
def remote_stop_ended(way: str) -> Told2x:
    t = stops_at("EVConnected") if way == "it ends with the unplug" else Told2x()
    t.charging()
    t.remote_stop(10_000)
    t.tx(10_100, "Updated", "RemoteStop")
    t.duty(10_200, 100.0)
    t.cp(10_200.5, "C", pwm=False)
    opened = 16_300 if way == "the vehicle takes its 6 s" else 10_700
    t.power(opened, 0.0)
    t.output(opened + 40, False)
    ended = way in ("pass", "the vehicle takes its 6 s")
    t.tx(opened + 200, "Ended" if ended else "Updated", "ChargingStateChanged", "EVConnected", reason="Remote")
    t.end(80_000)
    return t


@CASES.of("v2.remote_stop.reason", "the card in that moment", "the end comes much later", "a fault in that moment")
def remote_stop_reason(way: str) -> Told2x:
    t = stops_at("EVConnected") if way == "the end comes much later" else Told2x()
    t.charging()
    t.remote_stop(10_000)
    t.de_energise(10_200)
    if way == "the card in that moment":
        t.token(10_100)
        t.tx(10_150, "Updated", "RemoteStop")
        t.tx(10_600, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    elif way == "the end comes much later":
        t.tx(10_600, "Updated", "RemoteStop", "EVConnected")
        t.unplug(60_000)
        t.tx(60_300, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
    elif way == "a fault in that moment":
        t.notify(10_400, "RCD", "Tripped", "true")
        t.tx(10_600, "Ended", "AbnormalCondition", "EVConnected", reason="GroundFault")
    else:
        t.tx(10_600, "Ended", "RemoteStop", "EVConnected", reason="Remote" if way == "pass" else "Other")
    t.end(90_000)
    return t


@CASES.of("v2.remote_stop.energy", "the vehicle takes its 6 s", "started again at once")
def remote_stop_energy(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.remote_stop(10_000)
    t.tx(10_200, "Ended", "RemoteStop", "EVConnected", reason="Remote")
    if way == "started again at once":
        t.remote_start(11_000, 6)
        started = {"tx": "t-2", "remote": 6, "token": True, "answer": "Accepted"}
        t.tx(11_300, "Started", "RemoteStart", "Charging", **started)
    elif way != "fail":
        t.power(16_200 if way != "pass" else 10_600, 0.0)
        t.output(16_300 if way != "pass" else 10_700, False)
    t.end(60_000)
    return t


@CASES.of("v2.remote_stop.rejected", "it never heard of that one", "accepted")
def remote_stop_rejected(way: str) -> Told2x:
    """To pass: the card had ended it, and its end was on its way when the station answered."""
    t = Told2x()
    t.charging()
    if way == "it never heard of that one":
        t.remote_stop(10_000, "t-9", "Rejected")
    elif way == "accepted":
        t.remote_stop(10_000)
        t.de_energise(10_200)
        t.tx(10_600, "Ended", "RemoteStop", "EVConnected", reason="Remote")
    else:
        t.remote_stop(10_300, status="Rejected")
        if way == "pass":
            t.stopped(10_000)
    t.end(60_000)
    return t


@CASES.of("v2.remote_stop.unknown", "rejected", "it had not ended when it was asked")
def remote_stop_unknown(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.remote_stop(10_000)
    t.de_energise(10_200)
    t.tx(10_600, "Ended", "RemoteStop", "EVConnected", reason="Remote")
    if way in ("fail", "rejected"):
        t.remote_stop(20_000, status="Accepted" if way == "fail" else "Rejected")
    t.end(60_000)
    return t


def refused(t: Told2x) -> Told2x:
    """Charging; at 8000 the answer to an event refuses the token."""
    t.charging()
    t.tx(8000, "Updated", "ChargingRateChanged", answer="Invalid")
    return t


@CASES.of(
    "v2.invalid.ended", "some energy is allowed", "accepted again", "it ends by the card", "it need not stop by that"
)
def invalid_ended(way: str) -> Told2x:
    allowed = {
        "some energy is allowed": {"MaxEnergyOnInvalidId": "500"},
        "it need not stop by that": {"StopTxOnInvalidId": "false"},
    }.get(way, {})
    t = refused(stops_at("EVConnected,Authorized", **allowed))
    if way == "some energy is allowed":
        t.end(60_000)
        return t
    if way == "accepted again":
        t.tx(8500, "Updated", "ChargingRateChanged", answer="Accepted")
        t.end(60_000)
        return t
    t.de_energise(9000)
    if way == "it need not stop by that":
        t.tx(9400, "Updated", "ChargingStateChanged", "SuspendedEVSE")
    elif way == "it ends by the card":
        t.token(8990)
        t.tx(9400, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    else:
        said = {"pass": "Ended", "fail": "Updated"}[way]
        t.tx(9400, said, "Deauthorized", "EVConnected", reason="DeAuthorized" if way == "pass" else None)
    t.end(60_000)
    return t


@CASES.of("v2.invalid.event", "the state follows later", "the card in that moment", "it need not stop by that")
def invalid_event(way: str) -> Told2x:
    goes_on = way == "it need not stop by that"
    t = refused(stops_at("EVConnected", StopTxOnInvalidId=str(not goes_on).lower()))
    t.de_energise(9000)
    if way == "pass":
        t.tx(9400, "Updated", "Deauthorized", "EVConnected")
    elif way == "fail" or goes_on:
        t.tx(9400, "Updated", "ChargingStateChanged", "SuspendedEVSE")
    elif way == "the state follows later":
        t.tx(8500, "Updated", "Deauthorized")
        t.tx(9400, "Updated", "ChargingStateChanged", "SuspendedEVSE")
    else:
        t.tx(9400, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    t.end(60_000)
    return t


@CASES.of("v2.invalid.energy", "some energy is allowed", "accepted again", "the vehicle takes its 6 s")
def invalid_energy(way: str) -> Told2x:
    allowed = {"MaxEnergyOnInvalidId": "500"} if way == "some energy is allowed" else {}
    t = refused(stops_at("EVConnected", StopTxOnInvalidId="false", **allowed))
    if way == "accepted again":
        t.tx(8500, "Updated", "ChargingRateChanged", answer="Accepted")
    elif way in ("pass", "the vehicle takes its 6 s"):
        t.de_energise(9000 if way == "pass" else 15_000)
        t.tx(15_600, "Updated", "ChargingStateChanged", "SuspendedEVSE")
    t.end(60_000)
    return t


@CASES.of("v2.fault.trigger", "told before the end", "the emergency button")
def fault_trigger(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.power(10_000, 0.0)
    t.output(10_050, False)
    if way == "told before the end":
        t.tx(10_200, "Updated", "AbnormalCondition", "SuspendedEVSE")
    word = "AbnormalCondition" if way == "pass" else "ChargingStateChanged"
    why = "EmergencyStop" if way == "the emergency button" else "GroundFault"
    t.tx(10_400, "Ended", word, "EVConnected", reason=why)
    t.end(40_000)
    return t
