"""A station of OCPP 2.0.1 or 2.1 told by real messages, checked against their schema, through the adapter.

Beside `Trace`, which tells what instruments see. Times are milliseconds of the bench clock; a message's claim is the
time of its fact (`made`), a little before it arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotbench.bench.csms.dialect import Fact
from pilotbench.bench.csms.schemas import Schemas
from pilotbench.bench.csms.v21.adapter import Adapter21
from pilotbench.bench.csms.v201.adapter import Adapter201

from traces import WALL, Trace

__all__ = ["Told2x"]

SCHEMAS = {"2.0.1": Schemas("v201", "Request"), "2.1": Schemas("v21", "Request")}
ADAPTERS = {"2.0.1": Adapter201, "2.1": Adapter21}
TOKEN = {"idToken": "04A2", "type": "ISO14443"}
SETTINGS = {
    "AlignedDataCtrlr.SendDuringIdle": "false",
    "AuthCtrlr.Enabled": "true",
    "AuthCtrlr.LocalAuthorizeOffline": "false",
    "AuthCtrlr.LocalPreAuthorize": "false",
    "ClockCtrlr.TimeSource": "Heartbeat",
    "OCPPCommCtrlr.HeartbeatInterval": "3600",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "10",
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
    "OCPPCommCtrlr.OfflineThreshold": "60",
    "OCPPCommCtrlr.RetryBackOffRandomRange": "2",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum": "5",
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect": "true",
    "OCPPCommCtrlr.WebSocketPingInterval": "0",
    "SampledDataCtrlr.TxUpdatedInterval": "0",
    "SampledDataCtrlr.TxUpdatedMeasurands": "Energy.Active.Import.Register",
    "TxCtrlr.EVConnectionTimeOut": "30",
    "TxCtrlr.StopTxOnEVSideDisconnect": "true",
    "TxCtrlr.StopTxOnInvalidId": "true",
    "TxCtrlr.TxStartPoint": "PowerPathClosed",
    "TxCtrlr.TxStopPoint": "EVConnected,Authorized",
}
ABSENT = ("TxCtrlr.MaxEnergyOnInvalidId", "TxCtrlr.ResumptionTimeout", "TxCtrlr.AllowEnergyTransferResumption")
VERBS = {
    "RequestStartTransaction": "remote_start",
    "RequestStopTransaction": "remote_stop",
    "Reset": "reset",
    "ChangeAvailability": "change_availability",
    "UnlockConnector": "unlock",
    "TriggerMessage": "trigger",
}


class Told2x(Trace):
    """Verbs of one 2.x station with one EVSE. `but`: settings that differ (None: the station has none of that name)."""

    def __init__(
        self, version: str = "2.0.1", *, but: Mapping[str, str | None] | None = None, station_ahead_s: float = 0.0
    ) -> None:
        super().__init__(station_ahead_s=station_ahead_s)
        self.version = version
        settings: dict[str, str | None] = {**SETTINGS, **dict.fromkeys(ABSENT), **(but or {})}
        self.settings = {name: value for name, value in settings.items() if value is not None}
        self.lacks = [name for name, value in settings.items() if value is None]
        self.adapter = ADAPTERS[version]("CP001")
        self._ids = 0
        self._seq = -1
        self._greeted = True

    # ---- messages

    def _tell(self, facts: Iterable[Fact], at: float) -> None:
        for fact in facts:
            data = {key: value for key, value in fact.data.items() if key != "station"}
            self.csms(fact.topic, at, evse=fact.evse, **data)

    def _check(self, action: str, side: Any, payload: Mapping[str, Any]) -> None:
        faults = SCHEMAS[self.version].check(action, side, payload)
        assert not faults, (action, side, [fault.text for fault in faults])

    def send(
        self,
        at: float,
        action: str,
        payload: dict[str, Any],
        reply: dict[str, Any] | None = None,
        *,
        asked: bool = False,
        message_id: str | None = None,
        fails: bool = False,
        answer_after: float = 4.0,
    ) -> None:
        """A request of the station, answered (by an error if it `fails`)."""
        self._ids += 1
        named = message_id or f"s{self._ids}"
        self._check(action, "request", payload)
        if not self._greeted and action != "BootNotification":
            self.csms("ocpp.attached", at, evse=None, how="message")
        self._greeted = True
        self.csms("ocpp.call", at, evse=None, dir="rx", action=action, message_id=named, payload=payload, asked=asked)
        self._tell(self.adapter.heard(action, payload), at)
        if action == "BootNotification" and not asked:
            self._tell(self.adapter.boot_facts(payload), at)
        done = {"dir": "tx", "action": action, "message_id": named}
        if fails:
            self.csms("ocpp.error", at + answer_after, evse=None, **done, code="InternalError", description="")
            return
        answer = reply or {}
        self._check(action, "response", answer)
        facts = list(self.adapter.replied(action, payload, answer, {}))
        self._tell((fact for fact in facts if not fact.own), at)
        self.csms("ocpp.result", at + answer_after, evse=None, **done, payload=answer, latency_ms=answer_after)
        self._tell((fact for fact in facts if fact.own), at + answer_after)

    def ask(
        self, at: float, action: str, payload: dict[str, Any], answer: dict[str, Any], *, after: float = 20
    ) -> None:
        """A request of the back end; the station's answer arrives `after`."""
        self._ids += 1
        named = f"c{self._ids}"
        self._check(action, "request", payload)
        self._check(action, "response", answer)
        self.csms("ocpp.call", at, evse=None, dir="tx", action=action, message_id=named, payload=payload, asked=False)
        done = at + after
        accepted, status = self.adapter.verdict(action, answer)
        self.csms(
            "ocpp.result", done, evse=None, dir="rx", action=action, message_id=named, payload=answer, latency_ms=after
        )
        told = {"verb": VERBS.get(action, "call"), "args": self.adapter.describe(action, payload).args}
        self.csms("csms.request", done, evse=None, **told, accepted=accepted, status=status, latency_ms=after)
        self._tell(self.adapter.answered(action, payload, answer), done)

    # ---- the station

    def connect(self, at: float) -> None:
        """A connection; the first request on it, if it is no boot, is told as `ocpp.attached`."""
        self._greeted = False
        self.csms(
            "ocpp.connected",
            at,
            evse=None,
            version=self.version,
            subprotocols=[f"ocpp{self.version}"],
            remote="x",
            auth="",
        )

    def close(self, at: float, code: int = 1001, *, answered: bool = False) -> None:
        """The back end closes the connection; `answered`: the station's close frame comes within a millisecond."""
        self.csms("ocpp.frame", at, evse=None, dir="tx", kind="close", code=code, reason="")
        if answered:
            self.csms("ocpp.frame", at + 1, evse=None, dir="rx", kind="close", code=code, reason="")
        self.csms("ocpp.disconnected", at + 2, evse=None, code=code, reason="")

    def refuse(self, at: float) -> None:
        self.csms("ocpp.refused", at, evse=None, status=503, reason="", remote="x", auth="")

    def booted(
        self,
        at: float,
        status: str = "Accepted",
        interval_s: int = 3600,
        reason: str = "PowerUp",
        *,
        asked: bool = False,
    ) -> None:
        """BootNotification and its answer 4 ms later."""
        payload = {"reason": reason, "chargingStation": {"model": "M", "vendorName": "V"}}
        reply = {"status": status, "currentTime": self.claim(at + 4), "interval": interval_s}
        self.send(at, "BootNotification", payload, reply, asked=asked)

    def read_back(self, at: float, *, after: float = 20) -> None:
        """All settings, by GetVariables."""
        wanted = [_variable(name) for name in (*self.settings, *self.lacks)]
        results = [
            {**_variable(name), "attributeStatus": "Accepted", "attributeValue": value}
            for name, value in self.settings.items()
        ]
        results += [{**_variable(name), "attributeStatus": "UnknownVariable"} for name in self.lacks]
        self.ask(at, "GetVariables", {"getVariableData": wanted}, {"getVariableResult": results}, after=after)

    def status(
        self, at: float, status: str, *, claimed: float | None = None, via: str = "", connector: int = 1
    ) -> None:
        """The connector's state; by NotifyEvent in 2.1, unless `via` says otherwise."""
        when = self.claim(at - 2 if claimed is None else claimed)
        if (via or ("NotifyEvent" if self.version == "2.1" else "StatusNotification")) == "StatusNotification":
            payload = {"timestamp": when, "connectorStatus": status, "evseId": 1, "connectorId": connector}
            self.send(at, "StatusNotification", payload)
        else:
            self.notify(at, "Connector", "AvailabilityState", status, connector=connector)

    def notify(self, at: float, component: str, variable: str, value: str, *, connector: int = 1) -> None:
        """NotifyEvent with one element."""
        entry = {
            "eventId": self._ids + 1,
            "timestamp": self.claim(at - 2),
            "trigger": "Delta",
            "actualValue": value,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": component, "evse": {"id": 1, "connectorId": connector}},
            "variable": {"name": variable},
        }
        self.send(at, "NotifyEvent", {"generatedAt": self.claim(at - 1), "seqNo": 0, "eventData": [entry]})

    def token(self, at: float) -> None:
        self.host("pilot", "stimulus", at, {"device": "pilot", "verb": "token", "args": {"id": "04A2"}}, age=5.0)

    def mains(self, at: float, on: bool) -> None:
        self.host(
            "bench", "stimulus", at, {"device": "supply", "verb": "mains", "args": {"on": on}}, evse=None, age=5.0
        )

    def locked(self, at: float, locked: bool) -> None:
        self.pilot("lock", at, {"locked": locked})

    def authorize(self, at: float, status: str = "Accepted") -> None:
        self.send(at, "Authorize", {"idToken": TOKEN}, {"idTokenInfo": {"status": status}})

    def tx(
        self,
        at: float,
        kind: str,
        trigger: str,
        state: str | None = None,
        *,
        tx: str = "t-1",
        seq: int | None = None,
        made: float | None = None,
        reason: str | None = None,
        remote: int | None = None,
        evse: bool | None = None,
        token: bool = False,
        offline: bool = False,
        wh: float | None = None,
        context: str | None = None,
        values: list[tuple[float, float, str]] | None = None,
        answer: str | None = None,
        fails: bool = False,
        message_id: str | None = None,
    ) -> None:
        """A TransactionEvent. `made`: the time of the event; `evse`: named (default: in Started only)."""
        self._seq = seq if seq is not None else 0 if kind == "Started" else self._seq + 1
        info: dict[str, Any] = {"transactionId": tx}
        for key, value in (("chargingState", state), ("stoppedReason", reason), ("remoteStartId", remote)):
            if value is not None:
                info[key] = value
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": self.claim(at - 3 if made is None else made),
            "triggerReason": trigger,
            "seqNo": self._seq,
            "transactionInfo": info,
        }
        if kind == "Started" if evse is None else evse:
            payload["evse"] = {"id": 1, "connectorId": 1}
        if token:
            payload["idToken"] = TOKEN
        if offline:
            payload["offline"] = True
        listed = values or ([] if wh is None else [(at - 3, wh, context or "Sample.Periodic")])
        if listed:
            payload["meterValue"] = [
                {"timestamp": self.claim(when), "sampledValue": [{"value": value, "context": why}]}
                for when, value, why in listed
            ]
        reply = {} if answer is None else {"idTokenInfo": {"status": answer}}
        self.send(at, "TransactionEvent", payload, reply, fails=fails, message_id=message_id)

    # ---- the back end

    def remote_start(self, at: float, number: int = 5, status: str = "Accepted") -> None:
        self.ask(
            at,
            "RequestStartTransaction",
            {"idToken": TOKEN, "remoteStartId": number, "evseId": 1},
            {"status": status},
        )

    def remote_stop(self, at: float, tx: str = "t-1", status: str = "Accepted") -> None:
        self.ask(at, "RequestStopTransaction", {"transactionId": tx}, {"status": status})

    def reset(self, at: float, kind: str = "Immediate", status: str = "Accepted", evse: int | None = None) -> None:
        self.ask(at, "Reset", {"type": kind, **({} if evse is None else {"evseId": evse})}, {"status": status})

    def availability(self, at: float, *, operative: bool = False, status: str = "Accepted") -> None:
        word = "Operative" if operative else "Inoperative"
        self.ask(at, "ChangeAvailability", {"operationalStatus": word, "evse": {"id": 1}}, {"status": status})

    def unlock(self, at: float, status: str = "Unlocked") -> None:
        self.ask(at, "UnlockConnector", {"evseId": 1, "connectorId": 1}, {"status": status})

    def trigger(self, at: float, message: str, status: str = "Accepted") -> None:
        place = {"evse": {"id": 1, "connectorId": 1}} if message == "StatusNotification" else {}
        self.ask(at, "TriggerMessage", {"requestedMessage": message, **place}, {"status": status})

    def tx_status(
        self, at: float, tx: str | None = "t-1", *, ongoing: bool | None = True, queued: bool = False
    ) -> None:
        answer = {"messagesInQueue": queued, **({} if ongoing is None else {"ongoingIndicator": ongoing})}
        self.ask(at, "GetTransactionStatus", {} if tx is None else {"transactionId": tx}, answer)

    # ---- longer pieces

    def power_on(self) -> None:
        """Instruments up at 0, state A, no cable."""
        self.host("bench", "clock.anchor", 0, {"mono_ns": 0, "wall_ns": int(WALL.timestamp() * 1e9)}, evse=None)
        self.cp(5, "A", pwm=False)
        self.pp(5, None)
        self.duty(6, 100.0)
        self.output(7, False)
        self.meter(60, 0.0)

    def ready(self) -> None:
        """Up to 300 ms: connected at 100, booted and accepted at 114, read back at 170, Available at 200."""
        self.power_on()
        self.connect(100)
        self.booted(110)
        self.read_back(150)
        self.status(200, "Available")

    def plug(self, at: float = 1000, *, status: bool = True) -> None:
        """Cable and B1 at `at`, Occupied 100 ms later."""
        self.pp(at - 20, 220)
        self.cp(at, "B", pwm=False)
        if status:
            self.status(at + 100, "Occupied")

    def unplug(self, at: float, *, status: bool = True) -> None:
        """State A at `at`, the cable out 50 ms later, Available 200 ms later."""
        self.cp(at, "A", pwm=False)
        self.pp(at + 50, None)
        if status:
            self.status(at + 200, "Available")

    def energise(self, at: float, *, state: bool = True) -> None:
        """PWM, C 200 ms later, live 300 ms later, 7 kW from 400 ms on, Charging reported at 500 ms."""
        self.duty(at, 53.33)
        self.cp(at + 0.5, "B", pwm=True)
        self.cp(at + 200, "C", pwm=True)
        self.output(at + 300, True)
        self.power(at + 400, 10.0)
        if state:
            self.tx(at + 500, "Updated", "ChargingStateChanged", "Charging")

    def power(self, at: float, amps: float) -> None:
        """What the meter says at that time, one sample."""
        self.meter(at, amps)

    def de_energise(self, at: float) -> None:
        """No offer any more, the vehicle opens S2, the contactor opens."""
        self.duty(at, 100.0)
        self.cp(at + 0.5, "C", pwm=False)
        self.power(at + 100, 0.0)
        self.cp(at + 200, "B", pwm=False)
        self.output(at + 240, False)

    def charging(self, *, started: bool = True) -> None:
        """Up to 4000 ms: plugged at 1000, card at 2000, Started at 2050, live at 2800, Charging at 3000."""
        self.ready()
        self.plug()
        self.token(1990)
        self.authorize(2000)
        if started:
            self.tx(2050, "Started", "Authorized", "EVConnected", token=True, answer="Accepted")
        self.energise(2500)

    def stopped(self, at: float, *, trigger: str = "StopAuthorized", reason: str = "Local", token: bool = True) -> None:
        """The card again: the offer goes, Ended 400 ms later."""
        if token:
            self.token(at - 10)
        self.de_energise(at)
        self.tx(at + 400, "Ended", trigger, "EVConnected", reason=reason)

    def end(self, at: float) -> None:
        """The bench makes safe and closes: the connection first."""
        self.host("bench", "bench.state", at - 50, {"state": "making-safe", "why": "finished"}, evse=None)
        self.csms("ocpp.disconnected", at - 10, evse=None, code=1001, reason="")
        super().end(at)


def _variable(name: str) -> dict[str, Any]:
    """`Component.Variable[instance]` as GetVariables names it."""
    component, _, variable = name.partition(".")
    plain, _, instance = variable.rstrip("]").partition("[")
    named = {"name": plain, **({"instance": instance} if instance else {})}
    return {"component": {"name": component}, "variable": named}
