"""The device model of a station of OCPP 2.0.1 and 2.1: its variables, readable by name."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..dialect import Payload
from ..fields import boolean, integer, member, objects, string, text
from ..service import Answers, Service
from ..settings import Desk
from .report_parts import ReportParts
from .variables import variable_name

__all__ = ["Attribute", "AttributeType", "DeviceModel", "Variable"]

AttributeType = Literal["Actual", "Target", "MinSet", "MaxSet"]

SECRET = frozenset({"basicauthpassword"})
"""Variables whose values are never kept."""

UNKNOWN = frozenset({"UnknownComponent", "UnknownVariable"})


class Attribute(msgspec.Struct):
    """One attribute of a variable. `value` None: write-only, or not known; `mutability` None: not told, ReadWrite."""

    value: str | None = None
    mutability: str | None = None
    persistent: bool | None = None
    constant: bool | None = None


class Variable(msgspec.Struct):
    """One variable. `name`: as `variables.variable_name` writes it, without attribute.

    - `attributes`: Actual, Target, MinSet, MaxSet, those that were told.
    - `data_type`, `unit`, `min_limit`, `max_limit`, `values`, `monitored`: VariableCharacteristicsType; None: not told.
    """

    name: str
    attributes: dict[str, Attribute] = {}
    data_type: str | None = None
    unit: str | None = None
    min_limit: float | None = None
    max_limit: float | None = None
    values: tuple[str, ...] | None = None
    monitored: bool | None = None


class DeviceModel(Service):
    """What is known of a station's variables, from reports, from what was read or written, and from its events.

    Names are compared without case. At a boot everything is forgotten: the firmware may be another (B07.FR.14).
    `reports`: NotifyReport by request.
    """

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.reports = ReportParts()
        self._variables: dict[str, Variable] = {}
        self._full: set[int] = set()
        self._absent: set[str] = set()

    @property
    def complete(self) -> bool:
        """Whether a full inventory has come, every part of it (B07.FR.08)."""
        return any(report.complete and report.request_id in self._full for report in self.reports.reports)

    def names(self) -> list[str]:
        """Names of all variables that are known, in the order in which they were told."""
        return [variable.name for variable in self._variables.values()]

    def variable(self, name: str) -> Variable | None:
        """A variable by its name without attribute; None: it is not known."""
        return self._variables.get(name.casefold())

    def value(self, name: str) -> str | None:
        """Value of a variable, of another attribute than Actual with `#Target` after the name; None: not known."""
        plain, _, attribute = name.partition("#")
        known = self.attributes(plain).get(attribute or "Actual")
        return None if known is None else known.value

    def attributes(self, name: str) -> dict[str, Attribute]:
        """Attributes of a variable, by their type; none of an unknown one."""
        variable = self.variable(name)
        return {} if variable is None else dict(variable.attributes)

    def absent(self, name: str) -> bool:
        """Whether the station said that it has no such variable."""
        return name.casefold() in self._absent

    def members(self, name: str) -> list[str] | None:
        """Value of a list variable (OptionList, SequenceList, MemberList) taken apart; None: not known."""
        value = self.value(name)
        return None if value is None else [word.strip() for word in value.split(",") if word.strip()]

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"NotifyReport": lambda _, __: {}}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take a part of a report, or values that changed."""
        if action == "NotifyReport":
            self.reports.take(payload)
            for entry in objects(payload.get("reportData")):
                self._reported(entry)
        elif action == "NotifyEvent":
            for entry in objects(payload.get("eventData")):
                self._set(entry, "Actual", string(entry.get("actualValue")))
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Take what was read, what was written, and which report is the full one."""
        if action == "GetVariables":
            for entry in objects(answer.get("getVariableResult")):
                self._read(entry)
        elif action == "SetVariables":
            self._written(payload, answer)
        elif action == "GetBaseReport" and answer.get("status") == "Accepted":
            number = integer(payload.get("requestId"))
            if payload.get("reportBase") == "FullInventory" and number is not None:
                self._full.add(number)

    def booted(self) -> None:
        """The station restarted."""
        self._variables.clear()
        self._absent.clear()
        self._full.clear()
        self.reports = ReportParts()

    def _reported(self, entry: Payload) -> None:
        variable = self._variable(entry)
        for told in objects(entry.get("variableAttribute")):
            attribute = self._set(entry, text(told.get("type") or "Actual"), string(told.get("value")))
            attribute.mutability = string(told.get("mutability"))
            attribute.persistent, attribute.constant = boolean(told.get("persistent")), boolean(told.get("constant"))
        traits = member(entry, "variableCharacteristics")
        if traits:
            values = string(traits.get("valuesList"))
            variable.data_type, variable.unit = string(traits.get("dataType")), string(traits.get("unit"))
            variable.min_limit, variable.max_limit = _number(traits.get("minLimit")), _number(traits.get("maxLimit"))
            variable.values = None if values is None else tuple(word.strip() for word in values.split(","))
            variable.monitored = boolean(traits.get("supportsMonitoring"))

    def _read(self, entry: Payload) -> None:
        status = text(entry.get("attributeStatus"))
        if status == "Accepted":
            self._set(entry, text(entry.get("attributeType") or "Actual"), string(entry.get("attributeValue")))
        elif status in UNKNOWN:
            self._absent.add(_key(entry))
            self._variables.pop(_key(entry), None)

    def _written(self, payload: Payload, answer: Payload) -> None:
        wanted = {variable_name(entry).casefold(): entry for entry in objects(payload.get("setVariableData"))}
        for result in objects(answer.get("setVariableResult")):
            entry = wanted.get(variable_name(result).casefold())
            # After RebootRequired the old value holds until then.
            if entry is not None and result.get("attributeStatus") == "Accepted":
                kind = text(entry.get("attributeType") or "Actual")
                self._set(entry, kind, string(entry.get("attributeValue")))

    def _set(self, entry: Payload, kind: str, value: str | None) -> Attribute:
        attribute = self._variable(entry).attributes.setdefault(kind, Attribute())
        secret = text(member(entry, "variable").get("name")).casefold() in SECRET
        if value is not None and not secret and attribute.mutability != "WriteOnly":
            attribute.value = value
        return attribute

    def _variable(self, entry: Payload) -> Variable:
        key = _key(entry)
        self._absent.discard(key)
        return self._variables.setdefault(key, Variable(_plain(entry)))


def _plain(entry: Payload) -> str:
    return variable_name({**entry, "attributeType": "Actual"})


def _key(entry: Payload) -> str:
    return _plain(entry).casefold()


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
