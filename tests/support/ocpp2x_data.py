"""Stories for the rules about time offline, messages sent again, and measured values."""

from __future__ import annotations

from ocpp2x_case import Cases
from ocpp2x_end import paused, stops_at
from ocpp2x_told import Told2x

__all__ = ["CASES"]

CASES = Cases()


@CASES.of("v2.offline.flag", "it happened before the connection broke", "it happened after the return")
def offline_flag(way: str) -> Told2x:
    """Beside the event that counts there is one that tells how exact the station's clock is."""
    t = Told2x()
    t.host("bench", "bench.state", 0, {"state": "making-safe", "why": "start-up"}, evse=None)
    t.charging()
    t.csms("ocpp.disconnected", 10_000, evse=None, code=1006, reason="")
    t.connect(40_000)
    t.status(40_100, "Occupied")
    made = {"it happened before the connection broke": 9000, "it happened after the return": 40_150}.get(way, 25_000)
    offline = way in ("pass", "it happened before the connection broke")
    t.tx(40_200, "Updated", "ChargingRateChanged", made=made, offline=offline)
    t.end(60_000)
    return t


@CASES.of("v2.offline.ended", "plugged in again", "it does not end by that", "reported before", "the link is slow")
def offline_ended(way: str) -> Told2x:
    t = paused(stops_at("Authorized" if way == "it does not end by that" else "EVConnected,Authorized"))
    if way == "the link is slow":
        t.misbehaves(9_000, "bandwidth")
    t.csms("ocpp.disconnected", 10_000, evse=None, code=1006, reason="")
    t.unplug(12_000, status=False)
    if way == "plugged in again":
        t.plug(15_000, status=False)
    t.connect(20_000)
    t.status(20_100, "Occupied" if way == "plugged in again" else "Available")
    if way in ("pass", "reported before"):
        t.tx(20_300, "Ended", "EVCommunicationLost", "Idle", made=12_010, reason="EVDisconnected", offline=True)
    t.end(200_000)
    return t


@CASES.of("v2.retry.early", "another event meanwhile", "sent again after the connection was lost")
def retry_early(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.tx(10_000, "Updated", "ChargingRateChanged", seq=2, fails=True)
    if way == "another event meanwhile":
        t.tx(12_000, "Updated", "Trigger", seq=3)
    elif way == "sent again after the connection was lost":
        t.csms("ocpp.disconnected", 11_000, evse=None, code=1006, reason="")
        t.connect(13_000)
    back = {"fail": 14_000, "sent again after the connection was lost": 13_200}.get(way, 20_500)
    t.tx(back, "Updated", "ChargingRateChanged", made=9997, seq=2, offline=way.startswith("sent"))
    t.end(60_000)
    return t


@CASES.of("v2.meter.periodic", "in two messages", "0: none", "offline for a while", "nothing to measure")
def meter_periodic(way: str) -> Told2x:
    measurands = "" if way == "nothing to measure" else "Energy.Active.Import.Register"
    interval = "0" if way == "0: none" else "10"
    t = Told2x(
        but={
            "SampledDataCtrlr.TxUpdatedInterval": interval,
            "SampledDataCtrlr.TxUpdatedMeasurands": measurands,
        }
    )
    t.charging()
    if way == "offline for a while":
        t.csms("ocpp.disconnected", 14_000, evse=None, code=1006, reason="")
        t.connect(50_000)
        t.booted(50_100)
        t.status(50_200, "Occupied")
    for n, at in enumerate(range(12_000, 60_000, 10_000)):
        if way in ("pass", "in two messages") or (way == "offline for a while" and not 14_000 < at < 50_000):
            t.tx(at, "Updated", "MeterValuePeriodic", wh=1000 + n, made=at - 10)
        if way == "in two messages":
            t.tx(at + 50, "Updated", "MeterValuePeriodic", wh=1000 + n, made=at - 10)
    t.end(61_000)
    return t


@CASES.of("v2.meter.not_in_tx", "asked for", "one on its way at the start", "not configured so")
def meter_not_in_tx(way: str) -> Told2x:
    t = Told2x(but={"AlignedDataCtrlr.SendDuringIdle": "false" if way == "not configured so" else "true"})
    t.charging()
    at = 3000 if way == "one on its way at the start" else 30_000
    sample = {"value": 1000, "context": "Trigger" if way == "asked for" else "Sample.Clock"}
    payload = {"evseId": 1, "meterValue": [{"timestamp": t.claim(at - 5), "sampledValue": [sample]}]}
    if way != "pass":
        t.send(at, "MeterValues", payload, asked=way == "asked for")
    t.end(60_000)
    return t


@CASES.of("v2.register.monotonic", "the end lists what was sampled before", "the same twice")
def register_monotonic(way: str) -> Told2x:
    t = Told2x()
    t.charging()
    t.tx(10_000, "Updated", "MeterValuePeriodic", wh=1010)
    t.tx(20_000, "Updated", "MeterValuePeriodic", wh=1010 if way == "the same twice" else 1020)
    t.token(24_990)
    t.de_energise(25_000)
    values = [(25_300.0, 1015.0 if way == "fail" else 1030.0, "Transaction.End")]
    if way == "the end lists what was sampled before":
        older = [(2040.0, 1000.0, "Transaction.Begin"), (9997.0, 1010.0, "Sample.Periodic")]
        values = [*older, *values]
    t.tx(25_400, "Ended", "StopAuthorized", "EVConnected", reason="Local", values=values)
    t.end(40_000)
    return t
