"""Variables of a station of OCPP 2.x (use cases B05-B08; A01 for the password)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import objects, text
from ..verbs import Answer, Caller
from ..verbs.wire import given
from .awaited import AwaitedReports
from .names import component_entry, variable_entry
from .requests import verdict
from .variables import variable_name

__all__ = ["Settings2x"]

PASSWORD = "SecurityCtrlr.BasicAuthPassword"
ITEMS = "DeviceDataCtrlr.ItemsPerMessage"


class Settings2x:
    """See `verbs.Settings` and `verbs.Reports`."""

    _caller: Caller
    _ids: Iterator[int]
    _most: dict[str, int]

    async def get_variable(self, name: str) -> str:
        """GetVariables of one."""
        result = (await self._read([name]))[name]
        status = text(result.get("attributeStatus"))
        if status != "Accepted":
            raise CsmsError(f"the station does not give {name}: {status or 'no answer for it'}.{_hint(status)}")
        return text(result.get("attributeValue"))

    async def get_variables(self, names: Sequence[str] | None = None) -> dict[str, str]:
        """GetVariables; without names a full report (B07), waited for."""
        if names is None:
            return await self.get_report(base="FullInventory")
        results = await self._read(names)
        known = {name: entry for name, entry in results.items() if entry.get("attributeStatus") == "Accepted"}
        return {name: text(entry.get("attributeValue")) for name, entry in known.items()}

    async def set_variable(self, name: str, value: str) -> Answer:
        """SetVariables of one."""
        return (await self.set_variables({name: value}))[name]

    async def set_variables(self, values: Mapping[str, str]) -> dict[str, Answer]:
        """SetVariables, split by DeviceDataCtrlr.ItemsPerMessage[SetVariables]; what is accepted is read back."""
        answers: dict[str, Answer] = {}
        for part in self._parts("SetVariables", list(values)):
            data = [{**variable_entry(name), "attributeValue": values[name]} for name in part]
            answer = await self._caller.ask("SetVariables", {"setVariableData": data})
            for name, result in _by_name(part, answer.payload.get("setVariableResult")).items():
                accepted, status = verdict({"setVariableResult": [result]})
                answers[name] = msgspec.structs.replace(
                    answer, accepted=accepted, status=status or "no answer for it", payload=result
                )
        taken = [name for name, answer in answers.items() if answer.status == "Accepted"]
        await self._read([name for name in taken if name.casefold() != PASSWORD.casefold()])
        return answers

    async def set_password(self, password: str) -> Answer:
        """SetVariables of SecurityCtrlr.BasicAuthPassword, 16 to 40 characters (A00.FR.205); not read back."""
        if not 16 <= len(password) <= 40:
            raise CsmsError(f"a password of {len(password)} characters cannot be used: it has 16 to 40.")
        return await self.set_variable(PASSWORD, password)

    async def get_report(
        self, names: Sequence[str] = (), *, criteria: Sequence[str] = (), base: str | None = None
    ) -> dict[str, str]:
        """GetBaseReport (B07) or GetReport (B08), and what NotifyReport brings.

        Raises:
            CsmsError: the station refuses, or the report is not complete in time.
        """
        number = next(self._ids)
        if base is not None:
            action, wanted = "GetBaseReport", {"requestId": number, "reportBase": base}
        else:
            action = "GetReport"
            wanted = {
                "requestId": number,
                "componentVariable": [component_entry(name) for name in names] or None,
                "componentCriteria": list(criteria) or None,
            }
        with self._caller.service(AwaitedReports).awaited(number) as coming:
            answer = await self._caller.ask(action, given(wanted))
            if not answer.accepted:
                raise CsmsError(f"the station refused {action}: {answer.status}.{_hint(answer.status)}")
            report = await coming.whole()
        values = dict(_values(objects(report.entries("reportData"))))
        self._learn(values)
        return values

    async def _read(self, names: Sequence[str]) -> dict[str, Payload]:
        """The result for each name; {} for one that the station left out."""
        results: dict[str, Payload] = {}
        for part in self._parts("GetVariables", names):
            entries = [variable_entry(name) for name in part]
            answer = await self._caller.ask("GetVariables", {"getVariableData": entries})
            results |= _by_name(part, answer.payload.get("getVariableResult"))
        self._learn({name: text(entry.get("attributeValue")) for name, entry in results.items()})
        return results

    def _parts(self, action: str, names: Sequence[str]) -> Iterator[Sequence[str]]:
        most = self._most.get(action) or max(len(names), 1)
        for first in range(0, len(names), most):
            yield names[first : first + most]

    def _learn(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            start = f"{ITEMS}[".casefold()
            if name.casefold().startswith(start) and value.isdecimal() and int(value) > 0:
                self._most[name[len(start) : -1]] = int(value)


def _by_name(names: Sequence[str], results: Any) -> dict[str, Payload]:
    """The result for each name. Names are not case sensitive; a station may answer in any order."""
    found = {variable_name(entry).casefold(): entry for entry in objects(results)}
    return {name: found.get(variable_name(variable_entry(name)).casefold(), {}) for name in names}


def _values(entries: list[Payload]) -> Iterator[tuple[str, str]]:
    """Names and values of a report; an attribute without a value is write-only or not known to the station."""
    for entry in entries:
        for attribute in objects(entry.get("variableAttribute")):
            if "value" in attribute:
                name = variable_name({**entry, "attributeType": attribute.get("type")})
                yield name, text(attribute.get("value"))


def _hint(status: str) -> str:
    if status in ("UnknownComponent", "UnknownVariable"):
        return " get_variables() lists what it has."
    if status == "EmptyResultSet":
        return " It has nothing that fits."
    if status == "Rejected":
        return " It may be write-only, or the station is busy."
    return ""
