"""Periodic event streams of OCPP 2.1: values of one monitored variable, in messages without an answer.

A message names its stream only; stream and monitor, monitor and variable were told before (N11.FR.02, N15.FR.03).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialect import Fact, Payload
from ..fields import integer, member, objects, string
from ..measured import decimal_text
from ..v2x.events import variable_facts

__all__ = ["Streams"]

MESSAGE = "NotifyPeriodicEventStream"


class Streams:
    """The open streams of one station."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._monitored: dict[int, Payload] = {}
        self._open: dict[int, int | None] = {}

    def clear(self) -> None:
        """The station restarted. Its monitors stay (N04)."""
        self._open.clear()

    def heard(self, action: str, payload: Payload) -> Iterator[Fact]:
        """The values of a stream; or which variables the station monitors."""
        if action == MESSAGE:
            yield from self._values(payload)
        elif action == "NotifyMonitoringReport":
            for entry in objects(payload.get("monitor")):
                for monitor in objects(entry.get("variableMonitoring")):
                    self._monitors(monitor.get("id"), entry)

    def replied(self, action: str, payload: Payload, reply: Payload) -> None:
        """A stream is open when the back end accepted it (N11.FR.06), and ends when the station closes it."""
        if action == "OpenPeriodicEventStream" and reply.get("status") == "Accepted":
            stream = member(payload, "constantStreamData")
            number = integer(stream.get("id"))
            if number is not None:
                self._open[number] = integer(stream.get("variableMonitoringId"))
        elif action == "ClosePeriodicEventStream":
            number = integer(payload.get("id"))
            if number is not None:
                self._open.pop(number, None)

    def answered(self, action: str, answer: Payload) -> None:
        """Monitors that the station has set as it was asked to."""
        if action == "SetVariableMonitoring":
            for result in objects(answer.get("setMonitoringResult")):
                if result.get("status") == "Accepted":
                    self._monitors(result.get("id"), result)

    def _monitors(self, number: Any, entry: Payload) -> None:
        if type(number) is int:
            self._monitored[number] = {"component": entry.get("component"), "variable": entry.get("variable")}

    def _values(self, payload: Payload) -> Iterator[Fact]:
        """One event for each value; `after_s` is its offset from the claimed time of the message."""
        number = integer(payload.get("id"))
        monitor = None if number is None else self._open.get(number)
        told = {"trigger": "Periodic", "timestamp": string(payload.get("basetime"))}
        place = self._monitored.get(monitor) if monitor is not None else None
        for element in objects(payload.get("data")):
            after_s = decimal_text(element.get("t"))
            if place is not None:
                entry = {**place, **told, "actualValue": element.get("v")}
                yield from variable_facts(self._station, entry, MESSAGE, after_s)
            else:
                data: dict[str, Any] = {"name": None, "value": string(element.get("v")), "trigger": "Periodic"}
                data |= {"cleared": None, "tx": None, "claim": told["timestamp"], "after_s": after_s, "via": MESSAGE}
                yield Fact("ocpp.variable", {"station": self._station, **data})
