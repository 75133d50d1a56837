"""Stories for the rules that OCPP 2.1 alone has."""

from __future__ import annotations

from ocpp2x_asked import restarted
from ocpp2x_boot import heartbeat
from ocpp2x_case import Cases
from ocpp2x_told import Told2x

__all__ = ["CASES"]

CASES = Cases()


def resuming(**but: str | None) -> Told2x:
    """2.1, charging, with a ResumptionTimeout of 60 s."""
    t = Told2x("2.1", but={"TxCtrlr.ResumptionTimeout": "60", **{f"TxCtrlr.{k}": v for k, v in but.items()}})
    t.charging()
    return t


def cut(t: Told2x, reason: str = "PowerUp") -> Told2x:
    """The mains go at 10000 and come back at 15000; accepted at 30104."""
    t.mains(10_000, False)
    t.output(10_050, False)
    t.csms("ocpp.disconnected", 10_100, evse=None, code=1006, reason="")
    t.mains(15_000, True)
    t.connect(30_000)
    t.booted(30_100, reason=reason)
    t.status(30_300, "Occupied")
    return t


@CASES.of("v21.rpc.message_id", "every id is new", "the back end has the same ids")
def message_id_21(way: str) -> Told2x:
    t = Told2x("2.1")
    t.charging()
    if way == "pass":
        t.tx(10_000, "Updated", "ChargingRateChanged", seq=2, fails=True, message_id="a-1")
        t.tx(21_000, "Updated", "ChargingRateChanged", seq=2, made=9997, message_id="a-1")
    else:
        t.trigger(5000, "MeterValues", "Rejected")
        heartbeat(t, 10_000, message_id="c12" if way == "the back end has the same ids" else "a-1")
        t.status(11_000, "Occupied") if way != "fail" else None
    if way == "fail":
        t.tx(12_000, "Updated", "ChargingRateChanged", message_id="a-1")
    t.end(40_000)
    return t


@CASES.of("v21.resume", "ended by the power loss", "it cannot resume", "resumed without energy")
def resume(way: str) -> Told2x:
    t = cut(resuming(**({"ResumptionTimeout": "0"} if way == "it cannot resume" else {})))
    if way == "pass":
        t.tx(30_500, "Updated", "TxResumed", "Charging")
        t.output(31_000, True)
    elif way == "ended by the power loss":
        t.tx(30_500, "Ended", "AbnormalCondition", made=10_000, reason="PowerLoss", offline=True)
    elif way == "resumed without energy":
        t.tx(30_500, "Updated", "TxResumed", "SuspendedEVSE")
    t.end(400_000)
    return t


@CASES.of("v21.resume.no_energy", "authorised once more", "allowed to go on")
def resume_no_energy(way: str) -> Told2x:
    allowed = "true" if way == "allowed to go on" else "false"
    t = cut(resuming(AllowEnergyTransferResumption=allowed))
    if way == "authorised once more":
        t.token(30_400)
        t.authorize(30_450)
    t.tx(30_500, "Updated", "TxResumed", "SuspendedEVSE" if way == "pass" else "Charging")
    t.end(400_000)
    return t


@CASES.of("v21.resume.power_loss", "unplugged meanwhile", "resumed, and ended by a fault later", "it cannot resume")
def resume_power_loss(way: str) -> Told2x:
    t = cut(resuming(ResumptionTimeout="0" if way == "it cannot resume" else "60"))
    if way == "unplugged meanwhile":
        t.tx(30_500, "Ended", "EVCommunicationLost", "Idle", made=12_000, reason="EVDisconnected", offline=True)
    elif way == "resumed, and ended by a fault later":
        t.tx(30_500, "Updated", "TxResumed", "SuspendedEVSE")
        t.tx(50_000, "Ended", "AbnormalCondition", "EVConnected", reason="GroundFault")
    else:
        why = "PowerLoss" if way == "pass" else "Reboot"
        t.tx(30_500, "Ended", "AbnormalCondition", made=10_000, reason=why, offline=True)
    t.end(400_000)
    return t


def reset_and_resume(t: Told2x, *, told: bool = True, resumed: bool = True, ended: bool = False) -> Told2x:
    t.reset(10_000, "ImmediateAndResume")
    if told:
        t.tx(10_300, "Updated", "ResetCommand", "SuspendedEVSE")
    if ended:
        t.tx(10_500, "Ended", "StopAuthorized", "EVConnected", reason="Local")
    t.output(10_700, False)
    restarted(t, 11_000, status="Occupied")
    if resumed:
        t.tx(32_000, "Updated", "TxResumed", "SuspendedEVSE")
    t.end(400_000)
    return t


@CASES.of("v21.reset.told", "the driver was faster")
def reset_told(way: str) -> Told2x:
    faster = way == "the driver was faster"
    return reset_and_resume(resuming(), told=way == "pass", resumed=not faster, ended=faster)


@CASES.of("v21.reset.resumed", "the driver was faster", "unplugged meanwhile")
def reset_resumed(way: str) -> Told2x:
    """To fail: it says in the end what a fault would say, with no ResumptionTimeout that would ask for more."""
    t = resuming()
    if way == "unplugged meanwhile":
        t.reset(10_000, "ImmediateAndResume")
        t.tx(10_300, "Updated", "ResetCommand", "SuspendedEVSE")
        t.output(10_700, False)
        t.unplug(12_000, status=False)
        restarted(t, 11_000)
        t.tx(32_000, "Ended", "EVCommunicationLost", "Idle", reason="EVDisconnected")
        t.end(400_000)
        return t
    if way == "fail":
        t.reset(10_000, "ImmediateAndResume")
        t.tx(10_300, "Updated", "ResetCommand", "SuspendedEVSE")
        t.output(10_700, False)
        restarted(t, 11_000, status="Occupied")
        t.tx(32_000, "Ended", "ResetCommand", "EVConnected", reason="Reboot")
        t.end(400_000)
        return t
    return reset_and_resume(t, resumed=way == "pass", ended=way == "the driver was faster")


@CASES.of("v21.reset.no_resume", "another kind of reset", "it can resume")
def reset_no_resume(way: str) -> Told2x:
    t = Told2x("2.1", but={"TxCtrlr.ResumptionTimeout": "60" if way == "it can resume" else None})
    t.ready()
    kind = "OnIdle" if way == "another kind of reset" else "ImmediateAndResume"
    t.reset(1000, kind, "Rejected" if way == "pass" else "Accepted")
    if way != "pass":
        restarted(t, 2000)
    t.end(400_000)
    return t


def reached(way: str, *, state: str, off: bool) -> Told2x:
    t = Told2x("2.1")
    t.charging()
    t.tx(10_000, "Updated", "EnergyLimitReached", state)
    if off:
        t.power(11_000, 0.0)
        t.output(11_100, False)
    if way == "the driver raised it":
        t.tx(10_500, "Updated", "LimitSet", "Charging")
    t.end(60_000)
    return t


@CASES.of("v21.limit.energy", "the driver raised it", "the transaction ends by it")
def limit_energy(way: str) -> Told2x:
    if way == "the transaction ends by it":
        t = Told2x("2.1", but={"TxCtrlr.TxStopPoint": "EnergyTransfer"})
        t.charging()
        t.power(9900, 0.0)
        t.output(10_000, False)
        t.tx(10_100, "Ended", "EnergyLimitReached", "EVConnected", reason="EnergyLimitReached")
        t.end(60_000)
        return t
    return reached(way, state="SuspendedEVSE", off=way == "pass")


@CASES.of("v21.limit.state", "the transaction ends by it")
def limit_state(way: str) -> Told2x:
    if way == "the transaction ends by it":
        return limit_energy(way)
    t = reached(way, state="SuspendedEVSE" if way == "pass" else "Charging", off=True)
    if way == "fail":
        t.tx(11_500, "Updated", "ChargingStateChanged", "SuspendedEVSE")
    return t
