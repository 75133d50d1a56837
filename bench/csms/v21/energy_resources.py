"""Stations as distributed energy resources (OCPP 2.1 R): controls that run, alarms, and reports of controls."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..dialect import Payload
from ..fields import text
from ..service import Answers, Service
from ..settings import Desk
from ..v2x.report_parts import ReportParts

__all__ = ["EnergyResources"]

KINDS = (
    "curve",
    "enterService",
    "fixedPFAbsorb",
    "fixedPFInject",
    "fixedVar",
    "freqDroop",
    "gradient",
    "limitMaxDischarge",
)
"""Fields of ReportDERControl, one for each kind of control."""


KEEP = 100


class EnergyResources(Service):
    """NotifyDERAlarm, NotifyDERStartStop and ReportDERControl.

    - `alarm`: the alarm that has not ended, None without one; there is one at a time, and another control or another
      event of the grid takes it over (R05.FR.03, R05.FR.04). `alarms`: all that were told, the newest last.
    - `running`: controls that have started, with the message that said so (R04.FR.20); those that they supersede are
      taken out.
    - `controls`: id -> control, as accepted by the station.
    """

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.alarm: Payload | None = None
        self.alarms: deque[Payload] = deque(maxlen=KEEP)
        self.running: dict[str, Payload] = {}
        self.controls: dict[str, Payload] = {}
        self.reports = ReportParts(numbered=False)

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return dict.fromkeys(("NotifyDERAlarm", "NotifyDERStartStop", "ReportDERControl"), lambda _, __: {})

    def reported(self, request_id: int) -> dict[str, list[Any]] | None:
        """The controls of a report by their kind; None until it has come whole (R04.FR.32)."""
        report = self.reports.of(request_id)
        if report is None or not report.complete:
            return None
        found = {kind: report.entries(kind) for kind in KINDS}
        return {kind: entries for kind, entries in found.items() if entries}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take note of alarms, of controls that start or stop, and of parts of reports."""
        if action == "NotifyDERAlarm":
            self.alarm = None if payload.get("alarmEnded") is True else payload
            self.alarms.append(payload)
        elif action == "NotifyDERStartStop":
            number = text(payload.get("controlId"))
            if payload.get("started") is True:
                self.running[number] = payload
                for over in payload.get("supersededIds") or ():
                    self.running.pop(text(over), None)
            else:
                self.running.pop(number, None)
        elif action == "ReportDERControl":
            self.reports.take(payload)
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Controls that the station has, or has no longer."""
        if answer.get("status") != "Accepted":
            return
        if action == "SetDERControl":
            self.controls[text(payload.get("controlId"))] = payload
        elif action == "ClearDERControl":
            self._cleared(payload)

    def _cleared(self, payload: Payload) -> None:
        number, kind, default = payload.get("controlId"), payload.get("controlType"), payload.get("isDefault")
        for control in list(self.controls):
            entry = self.controls[control]
            if number is not None and control != number:
                continue
            if kind is not None and entry.get("controlType") != kind:
                continue
            if entry.get("isDefault") == default:
                del self.controls[control]
                self.running.pop(control, None)
