"""Monitors of variables: a small part of block N (N02 to N06), with the one monitor that the station has by itself.

Custom monitors are kept, listed and cleared. Only Delta on a boolean is watched (`supportsMonitoring`); no other kind
is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts
from .device_model import DeviceModel
from .variables import Variable

__all__ = ["Monitoring"]

_CRITERIA = {"DeltaMonitoring": "Delta"}


@dataclass(frozen=True)
class _Monitor:
    number: int
    variable: Variable
    kind: str
    value: float
    severity: int
    transaction: bool
    origin: str

    def data(self, version: str) -> dict[str, Any]:
        """VariableMonitoringType; 2.1 wants to know where the monitor comes from (N02)."""
        data: dict[str, Any] = {
            "id": self.number,
            "transaction": self.transaction,
            "value": self.value,
            "type": self.kind,
            "severity": self.severity,
        }
        return {**data, "eventNotificationType": self.origin} if version == "2.1" else data


class Monitoring:
    """Answers requests; `answers` says which."""

    def __init__(self, version: str, parts: Parts, model: DeviceModel) -> None:
        self._version = version
        self._parts = parts
        self._model = model
        lock = model.get("ConnectorPlugRetentionLock.Problem")
        self._monitors = {1: _Monitor(1, lock, "Delta", 1.0, 3, False, "HardWiredMonitor")}
        self._next = 2
        self.answers: Answers = {
            "SetVariableMonitoring": self._set,
            "ClearVariableMonitoring": self._clear,
            "GetMonitoringReport": self._report,
            "SetMonitoringBase": self._base,
            "SetMonitoringLevel": self._level,
        }

    def _set(self, payload: Payload) -> Reply:
        return Reply({"setMonitoringResult": [self._set_one(entry) for entry in payload["setMonitoringData"]]})

    def _set_one(self, entry: Payload) -> dict[str, Any]:
        kept = ("component", "variable", "type", "severity")
        result: dict[str, Any] = {key: entry[key] for key in kept}
        found, number = self._model.find(entry), entry.get("id")
        if isinstance(found, str):
            return {**result, "status": found}
        if entry["type"] != "Delta" or found.type != "boolean":
            return {**result, "status": "UnsupportedMonitorType"}
        held = self._monitors.get(number) if number is not None else None
        if number is not None and (held is None or held.origin != "CustomMonitor"):
            return {**result, "status": "Rejected"}
        for one in self._monitors.values():
            if (one.variable is found) and one.severity == entry["severity"] and one.number != number:
                return {**result, "status": "Duplicate"}
        if number is None:
            number, self._next = self._next, self._next + 1
        made = _Monitor(
            number,
            found,
            "Delta",
            float(entry["value"]),
            entry["severity"],
            entry.get("transaction", False),
            "CustomMonitor",
        )
        self._monitors[number] = made
        return {**result, "id": number, "status": "Accepted"}

    def _clear(self, payload: Payload) -> Reply:
        results: list[dict[str, Any]] = []
        for number in payload["id"]:
            held = self._monitors.get(number)
            status = "NotFound" if held is None else "Accepted" if held.origin == "CustomMonitor" else "Rejected"
            if status == "Accepted":
                del self._monitors[number]
            results.append({"id": number, "status": status})
        return Reply({"clearMonitoringResult": results})

    def _base(self, payload: Payload) -> Reply:
        if payload["monitoringBase"] != "All":
            self._monitors = {n: one for n, one in self._monitors.items() if one.origin != "CustomMonitor"}
        self._model.get("MonitoringCtrlr.ActiveMonitoringBase").value = payload["monitoringBase"]
        return Reply({"status": "Accepted"})

    def _level(self, payload: Payload) -> Reply:
        if not 0 <= payload["severity"] <= 9:
            return Reply({"status": "Rejected"})
        self._model.get("MonitoringCtrlr.ActiveMonitoringLevel").value = str(payload["severity"])
        return Reply({"status": "Accepted"})

    def _report(self, payload: Payload) -> Reply:
        criteria, wanted = payload.get("monitoringCriteria", []), payload.get("componentVariable", [])
        variables = self._model.chosen([], wanted) if wanted else None
        found = [
            one
            for one in self._monitors.values()
            if (variables is None or any(one.variable is variable for variable in variables))
            and (not criteria or one.kind in {_CRITERIA.get(name) for name in criteria})
        ]
        if not found:
            return Reply({"status": "EmptyResultSet"})
        return Reply({"status": "Accepted"}, lambda: self._send(payload["requestId"], found))

    def _send(self, number: int, found: list[_Monitor]) -> None:
        async def send() -> None:
            monitors = [
                {
                    "component": one.variable.component_data(),
                    "variable": one.variable.variable_data(),
                    "variableMonitoring": [one.data(self._version)],
                }
                for one in found
            ]
            report = {
                "requestId": number,
                "generatedAt": self._parts.clock.stamp(),
                "seqNo": 0,
                "tbc": False,
                "monitor": monitors,
            }
            try:
                await self._parts.link.call(Message("NotifyMonitoringReport", report), before_accepted=True)
            except (Offline, CallFailed):
                return

        self._parts.spawn(send(), "station.monitors")
