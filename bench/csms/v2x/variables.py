"""Names of the device model's variables, and what was read back of them.

A variable is written `Component[instance]@evse:connector.Variable[instance]`, each part only where it is
given: `SampledDataCtrlr.TxUpdatedInterval`, `OCPPCommCtrlr.MessageAttempts[TransactionEvent]`,
`EVSE@1.AvailabilityState`, `Connector@1:2.AvailabilityState`. Another attribute than Actual follows after
a `#`: `EVSE@1.Power#MaxSet`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialect import Fact, Payload
from ..fields import instance_id, member, objects, string, text

__all__ = ["Variables", "component_name", "place_of", "variable_name"]

MOST_REPORTS = 16
"""Reports that are under way at once; what has no end by then is forgotten."""

NOT_THERE = frozenset({"UnknownComponent", "UnknownVariable"})
"""Answers that say that the station has no such variable. A rejected reading says nothing of it (B06.FR.09)."""


def component_name(component: Payload) -> str:
    """A component with its instance and place."""
    name = text(component.get("name")) + _instance(component)
    evse = member(component, "evse")
    if "id" not in evse:
        return name
    connector = f":{text(evse['connectorId'])}" if "connectorId" in evse else ""
    return f"{name}@{text(evse['id'])}{connector}"


def variable_name(entry: Payload) -> str:
    """The variable that an element with `component` and `variable` (and perhaps `attributeType`) speaks of."""
    variable = member(entry, "variable")
    kind = text(entry.get("attributeType") or "Actual")
    name = f"{component_name(member(entry, 'component'))}.{text(variable.get('name'))}{_instance(variable)}"
    return name if kind == "Actual" else f"{name}#{kind}"


def place_of(component: Payload) -> tuple[int | None, int | None]:
    """EVSE and connector that a component belongs to; None where it does not say."""
    evse = member(component, "evse")
    return instance_id(evse.get("id")), instance_id(evse.get("connectorId"))


class Variables:
    """Actual values of one station's variables, as far as they were read.

    Names are not case sensitive (part 2, ComponentType and VariableType): one name keeps the spelling in which it
    was met first, and what the back end asks for is met before the answer.

    A long report may have been written before a variable was changed or read that it lists later: of such a variable
    it says nothing any more.
    """

    def __init__(self, station: str) -> None:
        self._station = station
        self._values: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._spelled: dict[str, str] = {}
        self._newer: dict[object, set[str]] = {}
        """Request of a report that has not ended -> what was read or written since."""

    def clear(self) -> None:
        """The station restarted: what was read before may no longer hold."""
        self._values.clear()
        self._unknown.clear()
        self._newer.clear()

    def report_asked(self, payload: Payload, answer: Payload) -> None:
        """The back end asked for a report (GetBaseReport, GetReport)."""
        if answer.get("status") == "Accepted":
            self._newer[payload.get("requestId")] = set()
            if len(self._newer) > MOST_REPORTS:  # reports whose end never came
                del self._newer[next(iter(self._newer))]

    def written(self, answer: Payload) -> None:
        """The back end wrote variables: take the answer to SetVariables."""
        for entry in objects(answer.get("setVariableResult")):
            if (entry.get("attributeType") or "Actual") == "Actual" and entry.get("attributeStatus") == "Accepted":
                name = self._name(entry)
                self._overtakes(name)
                self._values.pop(name, None)  # what it is now is told once it is read

    def asked(self, payload: Payload) -> None:
        """The back end asked for variables (GetVariables)."""
        for entry in objects(payload.get("getVariableData")):
            self._name(entry)

    def answered(self, answer: Payload) -> bool:
        """Take the answer to GetVariables; returns whether it says anything of an actual value."""
        told = False
        for entry in objects(answer.get("getVariableResult")):
            if (entry.get("attributeType") or "Actual") != "Actual":
                continue
            name, status = self._name(entry), text(entry.get("attributeStatus"))
            if status == "Accepted" or status in NOT_THERE:
                self._overtakes(name)
            if status == "Accepted":
                told = self._known(name, entry.get("attributeValue"))
            elif status in NOT_THERE:
                self._values.pop(name, None)
                self._unknown.add(name)
                told = True
        return told

    def reported(self, payload: Payload) -> bool:
        """Take one part of a report (NotifyReport); returns whether it was the last part.

        A variable that can only be written, or whose value is not known to the station, has none in it.
        """
        last, number = payload.get("tbc") is not True, payload.get("requestId")
        newer = self._newer.get(number, set[str]())
        if last:
            self._newer.pop(number, None)
        for entry in objects(payload.get("reportData")):
            if self._name(entry) in newer:
                continue
            for attribute in objects(entry.get("variableAttribute")):
                if (attribute.get("type") or "Actual") == "Actual" and "value" in attribute:
                    self._known(self._name(entry), attribute.get("value"))
        return last

    def facts(self) -> Iterator[Fact]:
        """All that is known now."""
        values: dict[str, Any] = {"values": dict(self._values), "unknown": sorted(self._unknown)}
        yield Fact("station.config", {"station": self._station, **values})

    def _overtakes(self, name: str) -> None:
        for names in self._newer.values():
            names.add(name)

    def _known(self, name: str, value: Any) -> bool:
        self._values[name] = text(value)
        self._unknown.discard(name)
        return True

    def _name(self, entry: Payload) -> str:
        name = variable_name({**entry, "attributeType": "Actual"})
        return self._spelled.setdefault(name.casefold(), name)


def _instance(named: Payload) -> str:
    instance = string(named.get("instance"))
    return f"[{instance}]" if instance else ""
