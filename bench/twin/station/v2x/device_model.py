"""The device model: variables found by name, read, written and listed, and what the other parts ask of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..faults import Knobs
from ..messages import Payload, member
from ..settings import BackOff
from .variables import Variable, variables

__all__ = ["DeviceModel", "report_data"]

_SUMMARY = frozenset({"availabilitystate", "problem"})


class DeviceModel:
    """Implements `settings.Settings` too. It lives as long as the process, over resets and power cuts."""

    def __init__(self, version: str, station: str, knobs: Knobs, evses: int = 1) -> None:
        self._all = variables(version, station, knobs, evses)
        self._resumes = version == "2.1"
        self.written: dict[str, Callable[[str], bool]] = {}
        """Who takes a value that is written, by `Component.Variable`; False refuses it."""

    # by name

    def find(self, entry: Payload) -> Variable | str:
        """The variable that `component` and `variable` of an entry name, or UnknownComponent or UnknownVariable."""
        known = [one for one in self._all if _is_component(one, member(entry, "component"), exact=True)]
        if not known:
            return "UnknownComponent"
        wanted = member(entry, "variable")
        return next((one for one in known if _is_variable(one, wanted, exact=True)), "UnknownVariable")

    def get(self, name: str, instance: str | None = None) -> Variable:
        """A variable of our own, as `Component.Variable`.

        Raises:
            KeyError: there is none.
        """
        for one in self._all:
            if f"{one.component}.{one.name}" == name and one.instance == instance:
                return one
        raise KeyError(name)

    def show(self, name: str, read: Callable[[], str], evse: int | None = None) -> None:
        """The value of a variable that somebody else knows; `evse`: of the component there."""
        for one in self._all:
            if f"{one.component}.{one.name}" == name and one.evse == evse:
                one.read = read

    def read(self, entry: Payload) -> dict[str, Any]:
        """GetVariableResultType for an element of GetVariables."""
        result = _named(entry)
        found = self.find(entry)
        if isinstance(found, str):
            return {**result, "attributeStatus": found}
        if entry.get("attributeType", "Actual") != "Actual":
            return {**result, "attributeStatus": "NotSupportedAttributeType"}
        if found.secret:
            return {**result, "attributeStatus": "Rejected"}
        return {**result, "attributeStatus": "Accepted", "attributeValue": found.actual}

    def write(self, entry: Payload) -> dict[str, Any]:
        """SetVariableResultType for an element of SetVariables; the value holds at once."""
        result = _named(entry)
        found = self.find(entry)
        if isinstance(found, str):
            return {**result, "attributeStatus": found}
        if entry.get("attributeType", "Actual") != "Actual":
            return {**result, "attributeStatus": "NotSupportedAttributeType"}
        value = str(entry["attributeValue"])
        take = self.written.get(f"{found.component}.{found.name}")
        if not found.accepts(value) or (take is not None and not take(value)):
            return {**result, "attributeStatus": "Rejected"}
        if not found.secret:
            found.value = value.lower() if found.type == "boolean" else value
        return {**result, "attributeStatus": "RebootRequired" if found.reboot else "Accepted"}

    # reports

    def base(self, kind: str) -> list[Variable]:
        """What a base report lists: ConfigurationInventory, FullInventory or SummaryInventory (B07)."""
        if kind == "ConfigurationInventory":
            return [one for one in self._all if one.writable]
        if kind == "SummaryInventory":
            return [one for one in self._all if one.name.lower() in _SUMMARY]
        return list(self._all)

    def chosen(self, criteria: list[str], wanted: list[Payload]) -> list[Variable]:
        """What a report for criteria and names lists (B08)."""
        found = self._all
        if wanted:
            found = [one for one in found if any(_is_wanted(one, entry) for entry in wanted)]
        if criteria:
            found = [one for one in found if any(self._meets(one, criterion) for criterion in criteria)]
        return list(found)

    def _meets(self, one: Variable, criterion: str) -> bool:
        state = [
            other.actual
            for other in self._all
            if (other.component, other.evse, other.connector) == (one.component, one.evse, one.connector)
            and other.name == criterion
        ]
        # a component without the variable counts as active, available and enabled, but not as having a problem
        return state[0] == "true" if state else criterion != "Problem"

    # settings.Settings

    def names(self, name: str) -> list[str]:
        """A comma separated list."""
        return [part.strip() for part in self.get(name).value.split(",") if part.strip()]

    def _flag(self, name: str) -> bool:
        return self.get(name).value == "true"

    def _whole(self, name: str, instance: str | None = None) -> int:
        return int(self.get(name, instance).value)

    @property
    def heartbeat_s(self) -> float:
        return self._whole("OCPPCommCtrlr.HeartbeatInterval")

    @property
    def ping_s(self) -> float:
        return self._whole("OCPPCommCtrlr.WebSocketPingInterval")

    @property
    def connection_timeout_s(self) -> float:
        return self._whole("TxCtrlr.EVConnectionTimeOut")

    @property
    def sample_interval_s(self) -> float:
        return self._whole("SampledDataCtrlr.TxUpdatedInterval")

    @property
    def status_hold_s(self) -> float:
        return 0.0

    @property
    def offline_threshold_s(self) -> float:
        return self._whole("OCPPCommCtrlr.OfflineThreshold")

    @property
    def attempts(self) -> int:
        return self._whole("OCPPCommCtrlr.MessageAttempts", "TransactionEvent")

    @property
    def attempt_interval_s(self) -> float:
        return self._whole("OCPPCommCtrlr.MessageAttemptInterval", "TransactionEvent")

    @property
    def asks_for_remote_start(self) -> bool:
        return self._flag("AuthCtrlr.AuthorizeRemoteStart")

    @property
    def unplug_stops(self) -> bool:
        """E09; and a transaction that ends with the connection takes the session with it (E06.FR.02, E06.FR.06)."""
        points = self.names("TxCtrlr.TxStopPoint")
        return self._flag("TxCtrlr.StopTxOnEVSideDisconnect") or "EVConnected" in points or "PowerPathClosed" in points

    @property
    def unplug_unlocks(self) -> bool:
        return self._flag("OCPPCommCtrlr.UnlockOnEVSideDisconnect")

    @property
    def refusal_stops(self) -> bool:
        return self._flag("TxCtrlr.StopTxOnInvalidId")

    @property
    def resumption_s(self) -> float:
        """How long an interruption may last that a transaction outlives (2.1 E17); 0: it outlives none."""
        return self._whole("TxCtrlr.ResumptionTimeout") if self._resumes else 0

    @property
    def resumes_energy(self) -> bool:
        return self._resumes and self._flag("TxCtrlr.AllowEnergyTransferResumption")

    @property
    def resumption_random_s(self) -> float:
        """Energy is delayed by a random time up to this (2.1 E17.FR.18)."""
        return self._whole("TxCtrlr.EnergyTransferResumptionRandomRange") if self._resumes else 0

    @property
    def list_enabled(self) -> bool:
        return self._flag("LocalAuthListCtrlr.Enabled")

    @property
    def list_first(self) -> bool:
        return self.list_enabled and self._flag("AuthCtrlr.LocalPreAuthorize")

    @property
    def list_offline(self) -> bool:
        return self.list_enabled and self._flag("AuthCtrlr.LocalAuthorizeOffline")

    @property
    def back_off(self) -> BackOff | None:
        """Part 4 section 5.3."""
        name = "OCPPCommCtrlr.RetryBackOff"
        return BackOff(
            self._whole(f"{name}WaitMinimum"), self._whole(f"{name}RandomRange"), self._whole(f"{name}RepeatTimes")
        )

    def set_heartbeat(self, seconds: int) -> None:
        self.get("OCPPCommCtrlr.HeartbeatInterval").value = str(seconds)


def report_data(found: list[Variable]) -> Iterator[dict[str, Any]]:
    """ReportDataType of each variable."""
    for one in found:
        mutability = "WriteOnly" if one.secret else "ReadWrite" if one.writable else "ReadOnly"
        attribute: dict[str, Any] = {"type": "Actual", "mutability": mutability}
        if not one.secret:
            attribute["value"] = one.actual
        characteristics: dict[str, Any] = {"dataType": one.type, "supportsMonitoring": one.type == "boolean"}
        for key, value in (("unit", one.unit), ("minLimit", one.low), ("maxLimit", one.high)):
            if value is not None:
                characteristics[key] = value
        if one.options and one.type != "boolean":
            characteristics["valuesList"] = ",".join(one.options)
        yield {
            "component": one.component_data(),
            "variable": one.variable_data(),
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }


def _named(entry: Payload) -> dict[str, Any]:
    keys = ("component", "variable", "attributeType")
    return {key: entry[key] for key in keys if key in entry}


def _same(a: str | None, b: Any) -> bool:
    return (a or "").lower() == str(b or "").lower()


def _is_component(one: Variable, wanted: Mapping[str, Any], *, exact: bool) -> bool:
    place = member(wanted, "evse")
    if not _same(one.component, wanted["name"]) or wanted.get("instance"):
        return False
    if not place and not exact:
        return True
    return (one.evse, one.connector) == (place.get("id"), place.get("connectorId"))


def _is_variable(one: Variable, wanted: Mapping[str, Any], *, exact: bool) -> bool:
    if not _same(one.name, wanted["name"]):
        return False
    return _same(one.instance, wanted.get("instance")) or (not exact and "instance" not in wanted)


def _is_wanted(one: Variable, entry: Payload) -> bool:
    if not _is_component(one, member(entry, "component"), exact=False):
        return False
    return "variable" not in entry or _is_variable(one, entry["variable"], exact=False)
