"""Monitors of a 2.x station (N02-N07): what it reports, what was set and cleared, and what kind each one is.

Since 2.1 a report says of each monitor whether it is hard-wired, preconfigured or custom (N02.FR.22); a report that
does not is a violation, recorded by the schema, and taken all the same. In 2.0.1 the report has no such field: one that
is sent there is recorded, and not read. In both versions an event names the kind of the monitor behind it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ...timeline import Stamp
from ..dialect import Payload
from ..fields import boolean, instance_id, integer, member, objects, string, text
from ..measured import decimal_text
from ..service import Answers, Asked, Service
from .report_parts import ReportParts
from .variables import variable_name

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["Monitor", "MonitoringModel", "MonitoringModel21"]

REPORT = "NotifyMonitoringReport"
EVENT = "NotifyEvent"
KINDS = {"HardWiredMonitor": "HardWired", "PreconfiguredMonitor": "Preconfigured", "CustomMonitor": "Custom"}
"""EventNotificationEnumType -> kind of the monitor. HardWiredNotification comes without any monitor."""
KEEP_STAMPS = 16


class Monitor(msgspec.Struct, frozen=True):
    """One monitor. `value` is decimal text, a threshold, a step, or an interval in seconds; `severity` 0 is the worst.

    - `name`: the variable, as in `station.config`. `type`: MonitorEnumType.
    - `kind`: HardWired, Preconfigured or Custom; None: the station has not said.
    - `transaction`: it works during transactions only.
    """

    id: int
    name: str
    type: str
    kind: str | None = None
    value: str | None = None
    severity: int | None = None
    transaction: bool | None = None
    evse: int | None = None


class MonitoringModel(Service):
    """What is known of one station's monitors. 2.0.1: a report does not say of what kind they are.

    `complete`: every monitor was reported since the last boot, and what was changed since is known.
    """

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.complete = False
        self._monitors: dict[int, Monitor] = {}
        self._parts = ReportParts()
        self._whole: dict[int, bool] = {}
        self._stamps: dict[int, Stamp] = {}

    @property
    def monitors(self) -> Mapping[int, Monitor]:
        """Monitors by their ids."""
        return dict(self._monitors)

    def named(self, name: str) -> list[Monitor]:
        """Monitors of one variable, named as in `station.config` (capitals do not matter)."""
        return [one for one in self._monitors.values() if one.name.casefold() == name.casefold()]

    def answers(self) -> Answers:
        """Reports and events; both are answered by nothing (N02, N07.FR.03)."""
        return {REPORT: self._taken, EVENT: self._taken}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep what the station reports."""
        if action == REPORT:
            self._reported(payload, self._stamp(payload))
        elif action == EVENT:
            for entry in objects(payload.get("eventData")):
                self._triggered(entry, self._stamp(payload))
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Keep what the station says it has set, cleared, or will report."""
        if action == "SetVariableMonitoring":
            self._set(payload, answer)
        elif action == "ClearVariableMonitoring":
            for result in objects(answer.get("clearMonitoringResult")):
                if result.get("status") in ("Accepted", "NotFound"):
                    self._monitors.pop(integer(result.get("id")) or 0, None)
        elif action == "SetMonitoringBase" and answer.get("status") == "Accepted":
            self._based(text(payload.get("monitoringBase")))
        elif action == "GetMonitoringReport":
            self._promised(payload, answer)

    def booted(self) -> None:
        """Monitors stay over a restart, their ids need not (N04.FR.19)."""
        self._forget()

    def _kind_in_report(self, entry: Payload) -> str | None:
        """The kind that a report says; 2.0.1: none."""
        return None

    def _taken(self, payload: Payload, how: Asked) -> Payload:
        self._stamps[id(payload)] = how.stamp
        while len(self._stamps) > KEEP_STAMPS:
            self._stamps.pop(next(iter(self._stamps)))
        return {}

    def _stamp(self, payload: Payload) -> Stamp:
        return self._stamps.get(id(payload)) or Stamp.host(time.monotonic_ns())

    # reports

    def _reported(self, payload: Payload, stamp: Stamp) -> None:
        for monitor in self._read(payload.get("monitor")):
            self._monitors[monitor.id] = monitor
            self._tell(monitor, stamp, REPORT, integer(payload.get("requestId")))
        taken = self._parts.take(payload)
        if taken is not None:
            self._finished(taken[0].request_id)

    def _read(self, listed: Any) -> Iterator[Monitor]:
        for entry in objects(listed):
            name, evse = variable_name(entry), _evse(entry)
            for each in objects(entry.get("variableMonitoring")):
                number = integer(each.get("id"))
                if number is None:
                    continue
                before = self._monitors.get(number)
                kind = self._kind_in_report(each)
                if kind is None and before is not None and before.name == name:
                    kind = before.kind
                yield Monitor(
                    number,
                    name,
                    text(each.get("type")),
                    kind,
                    decimal_text(each.get("value")),
                    integer(each.get("severity")),
                    boolean(each.get("transaction")),
                    evse,
                )

    def _promised(self, payload: Payload, answer: Payload) -> None:
        """Whether the report that is to come holds all monitors (N02.FR.11), or nothing is to come (N02.FR.10)."""
        request = integer(payload.get("requestId"))
        whole = not payload.get("monitoringCriteria") and not payload.get("componentVariable")
        if whole and answer.get("status") == "EmptyResultSet":
            self._forget()
            self.complete = True
        elif request is not None and answer.get("status") == "Accepted":
            self._whole[request] = whole
            self._finished(request)

    def _finished(self, request_id: int) -> None:
        """With its last part a report of everything is all there is."""
        report = self._parts.of(request_id)
        if report is None or not report.complete or not self._whole.pop(request_id, False):
            return
        there = {monitor.id for monitor in self._read(report.entries("monitor"))}
        self._monitors = {number: one for number, one in self._monitors.items() if number in there}
        self.complete = True

    # events, and what the back end sets

    def _triggered(self, entry: Payload, stamp: Stamp) -> None:
        number = integer(entry.get("variableMonitoringId"))
        kind = KINDS.get(text(entry.get("eventNotificationType")))
        known = None if number is None else self._monitors.get(number)
        if known is None or kind is None or known.kind == kind:
            return
        self._monitors[known.id] = msgspec.structs.replace(known, kind=kind)
        self._tell(self._monitors[known.id], stamp, EVENT, None)

    def _set(self, payload: Payload, answer: Payload) -> None:
        """Results come in any order: each is found by what it repeats of its request (N04.FR.02)."""
        wanted = objects(payload.get("setMonitoringData"))
        for result in objects(answer.get("setMonitoringResult")):
            number = integer(result.get("id"))
            data = next((entry for entry in wanted if _same(entry, result)), None)
            if data is None:
                continue
            wanted.remove(data)
            if result.get("status") != "Accepted" or number is None:
                continue
            monitor = Monitor(
                number,
                variable_name(data),
                text(data.get("type")),
                # Set by the back end it is a custom one in every version, also over a preconfigured one (N04.FR.15).
                "Custom",
                decimal_text(data.get("value")),
                integer(data.get("severity")),
                data.get("transaction") is True,
                _evse(data),
            )
            self._monitors[number] = monitor
            self._tell(monitor, Stamp.host(time.monotonic_ns()), "SetVariableMonitoring", None)

    def _based(self, base: str) -> None:
        """N03.FR.03-05: custom ones go, unless the base is All; preconfigured ones go or come back."""
        gone = {"HardWiredOnly": ("Custom", "Preconfigured"), "FactoryDefault": ("Custom",)}.get(base, ())
        self._monitors = {number: one for number, one in self._monitors.items() if one.kind not in gone}
        self.complete = False

    def _forget(self) -> None:
        self._monitors.clear()
        self.complete = False

    def _tell(self, monitor: Monitor, stamp: Stamp, via: str, request_id: int | None) -> None:
        known = msgspec.structs.asdict(monitor)
        evse, number = known.pop("evse"), known.pop("id")
        data = {"station": self.station, "monitor": number, **known, "request_id": request_id, "via": via}
        self.desk.source.emit("ocpp.monitor", stamp, data, evse=evse)


class MonitoringModel21(MonitoringModel):
    """2.1: reports say of what kind a monitor is."""

    def _kind_in_report(self, entry: Payload) -> str | None:
        """N02.FR.22."""
        word = string(entry.get("eventNotificationType"))
        # A notification has no monitor behind it; a station that reports one is shown as it says.
        return None if word is None else KINDS.get(word, word)


def _evse(entry: Payload) -> int | None:
    return instance_id(member(member(entry, "component"), "evse").get("id"))


def _same(entry: Payload, result: Payload) -> bool:
    """Whether a result belongs to an element of the request. The id is new where the request had none."""
    wanted = entry.get("id")
    if wanted is not None and result.get("id") not in (None, wanted):
        return False
    alike = all(entry.get(name) == result.get(name) for name in ("type", "severity"))
    return alike and variable_name(entry).casefold() == variable_name(result).casefold()
