"""One call of every verb, and a station that agrees to everything, for any OCPP version."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import jsonschema_rs

import schema_samples as samples

SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
LATER = "2026-11-22T10:00:00Z"
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1f"}
TARIFF = {"tariffId": "T1", "currency": "EUR"}
FIXED_VAR = {"priority": 0, "setpoint": 80, "unit": "PctMaxVar"}
TX: dict[str, Any] = {"1.6": 7, "2.0.1": "tx-7", "2.1": "tx-7"}
NAME = {"1.6": "HeartbeatInterval", "2.0.1": "OCPPCommCtrlr.HeartbeatInterval"}
NAME["2.1"] = NAME["2.0.1"]
PASSWORD = "0123456789abcdef"

Call = Callable[[Any, str], Awaitable[Any]]
"""A verb of `verbs`, called with arguments that fit a version."""

CALLS: dict[str, Call] = {
    "remote_start": lambda v, o: v.remote_start(1, "TAG", limit_a=16, group=None if o == "1.6" else "G"),
    "remote_stop": lambda v, o: v.remote_stop(TX[o]),
    "set_limit": lambda v, o: v.set_limit(16, tx=TX[o], phases=3),
    "clear_limits": lambda v, o: v.clear_limits(),
    "composite_schedule": lambda v, o: v.composite_schedule(1, 600, unit="A"),
    "get_profiles": lambda v, o: v.get_profiles(evse=1, purpose="default"),
    "dynamic_profile": lambda v, o: v.dynamic_profile(16, update_s=30),
    "dynamic_limit": lambda v, o: v.dynamic_limit(1, limit=10),
    "set_point": lambda v, o: v.set_point(-3000, tx=TX[o]),
    "priority_charging": lambda v, o: v.priority_charging(TX[o], True),
    "allow_energy_transfer": lambda v, o: v.allow_energy_transfer(TX[o], ["AC_three_phase"]),
    "unlock": lambda v, o: v.unlock(1),
    "reset": lambda v, o: v.reset(),
    "set_availability": lambda v, o: v.set_availability(1, False),
    "trigger": lambda v, o: v.trigger("StatusNotification", 1),
    "get_variable": lambda v, o: v.get_variable(NAME[o]),
    "get_variables": lambda v, o: v.get_variables(),
    "set_variable": lambda v, o: v.set_variable(NAME[o], "60"),
    "set_variables": lambda v, o: v.set_variables({NAME[o]: "60"}),
    "set_password": lambda v, o: v.set_password(PASSWORD),
    "get_report": lambda v, o: v.get_report(["EVSE@1"], criteria=["Problem"]),
    "update_firmware": lambda v, o: v.update_firmware("http://127.0.0.1/fw", retries=1),
    "publish_firmware": lambda v, o: v.publish_firmware("http://127.0.0.1/fw", "0" * 32),
    "unpublish_firmware": lambda v, o: v.unpublish_firmware("0" * 32),
    "get_log": lambda v, o: v.get_log("http://127.0.0.1/up", kind="security", oldest=LATER),
    "get_diagnostics": lambda v, o: v.get_diagnostics("http://127.0.0.1/up"),
    "install_certificate": lambda v, o: v.install_certificate("csms", "PEM"),
    "delete_certificate": lambda v, o: v.delete_certificate({**HASHES, "use": "csms"}),
    "list_certificates": lambda v, o: v.list_certificates(["csms"]),
    "set_network_profile": lambda v, o: v.set_network_profile(1, "ws://127.0.0.1:9", security_profile=0),
    "reserve": lambda v, o: v.reserve(5, "TAG", expires=LATER, group="G"),
    "cancel_reservation": lambda v, o: v.cancel_reservation(5),
    "send_local_list": lambda v, o: v.send_local_list(["TAG", {"token": "X", "status": None}], version=2),
    "local_list_version": lambda v, o: v.local_list_version(),
    "clear_cache": lambda v, o: v.clear_cache(),
    "set_monitor": lambda v, o: v.set_monitor("EVSE@1.Power", "UpperThreshold", 11_000, transaction=True),
    "clear_monitor": lambda v, o: v.clear_monitor(1, 2),
    "get_monitors": lambda v, o: v.get_monitors(["EVSE@1"], criteria=["DeltaMonitoring"]),
    "set_monitoring_base": lambda v, o: v.set_monitoring_base("All"),
    "set_monitoring_level": lambda v, o: v.set_monitoring_level(5),
    "transaction_status": lambda v, o: v.transaction_status(TX[o]),
    "customer_information": lambda v, o: v.customer_information(id_token="TAG", clear=True),
    "update_cost": lambda v, o: v.update_cost(TX[o], 1.5),
    "show_message": lambda v, o: v.show_message(3, "Hello", tx=TX[o]),
    "get_messages": lambda v, o: v.get_messages([3], priority="InFront"),
    "clear_message": lambda v, o: v.clear_message(3),
    "adjust_stream": lambda v, o: v.adjust_stream(1, interval_s=5),
    "get_streams": lambda v, o: v.get_streams(),
    "set_default_tariff": lambda v, o: v.set_default_tariff(TARIFF),
    "get_tariffs": lambda v, o: v.get_tariffs(),
    "clear_tariffs": lambda v, o: v.clear_tariffs(["T1"]),
    "change_tariff": lambda v, o: v.change_tariff(TX[o], TARIFF),
    "set_der_control": lambda v, o: v.set_der_control("c1", "FixedVar", {"fixedVar": FIXED_VAR}),
    "get_der_controls": lambda v, o: v.get_der_controls(kind="FixedVar"),
    "clear_der_control": lambda v, o: v.clear_der_control(control="c1", default=False),
    "afrr_signal": lambda v, o: v.afrr_signal(-300),
    "request_battery_swap": lambda v, o: v.request_battery_swap("TAG"),
    "web_payment_started": lambda v, o: v.web_payment_started(1, 120),
    "data_transfer": lambda v, o: v.data_transfer("Vendor", "hello", "x"),
    "call": lambda v, o: v.call("ClearCache", {}),
}

VARIABLE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
REPORTED = {**VARIABLE, "variableAttribute": [{"type": "Actual", "value": "30"}, {"type": "MaxSet"}]}
REPORTS = ("GetBaseReport", "GetReport")


class Agreeing:
    """A raw station that answers every request so that its verb goes on, and keeps what it was asked.

    Each request is held against its schema file by an independent reading of it.
    """

    def __init__(self, ws: Any, version: str) -> None:
        self._ws = ws
        self._version = version
        self._number = 0
        self._schemas: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        """Action -> answer, in place of the agreeing one."""

    async def call(self, action: str, payload: dict[str, Any]) -> None:
        self._number += 1
        await self._ws.send(json.dumps([2, f"s{self._number}", action, payload]))

    async def serve(self) -> None:
        """Answer until the connection ends."""
        async for text in self._ws:
            frame = json.loads(text)
            if frame[0] != 2:
                continue
            _, message_id, action, payload = frame
            assert self._fits(action, payload), f"{action} does not fit the schema of {self._version}: {payload}"
            self.asked.append((action, payload))
            await self._ws.send(json.dumps([3, message_id, self.answers.get(action) or self._answer(action, payload)]))
            if action in REPORTS:
                part = {"requestId": payload["requestId"], "generatedAt": LATER}
                await self.call("NotifyReport", {**part, "seqNo": 0, "tbc": True, "reportData": [REPORTED]})
                await self.call("NotifyReport", {**part, "seqNo": 1})

    def _fits(self, action: str, payload: dict[str, Any]) -> bool:
        if action not in self._schemas:
            schema = json.loads(samples.files(self._version)[action, "request"].read_text(encoding="utf-8-sig"))
            self._schemas[action] = jsonschema_rs.validator_for(schema, validate_formats=True)
        return self._schemas[action].is_valid(payload)

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action == "GetConfiguration":
            named = payload.get("key") or ["HeartbeatInterval"]
            return {"configurationKey": [{"key": key, "readonly": False, "value": "30"} for key in named]}
        if action == "GetVariables":
            found = [{**entry, "attributeValue": "30"} for entry in payload["getVariableData"]]
            return {"getVariableResult": [{**entry, "attributeStatus": "Accepted"} for entry in found]}
        if action == "SetVariables":
            written = [{k: v for k, v in e.items() if k != "attributeValue"} for e in payload["setVariableData"]]
            return {"setVariableResult": [{**entry, "attributeStatus": "Accepted"} for entry in written]}
        answer = samples.sampler(self._version, action, "response").minimal()
        if "status" in answer:
            answer["status"] = "Unlocked" if action == "UnlockConnector" else "Accepted"
        return answer
