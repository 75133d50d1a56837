"""The variables of the station, with what may be written to them.

Names, types and units are those of part 2, appendices. What the station cannot do can only be switched off, or cannot
be written at all; a variable that is not here is one that the station does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ..faults import Knobs
from ..local_list import MAX_ENTRIES
from ..meter import MEASURANDS
from ..profiles import MAX_INSTALLED, MAX_PERIODS, MAX_STACK_LEVEL

__all__ = ["START_POINTS", "STOP_POINTS", "Variable", "variables"]

START_POINTS = ("Authorized", "EVConnected", "PowerPathClosed", "EnergyTransfer")
STOP_POINTS = ("Authorized", "EVConnected", "PowerPathClosed", "ParkingBayOccupancy")
LIMITS = ("maxEnergy", "maxTime")
"""What a transaction can be limited in (2.1 E16): there are no costs here, and no state of charge over a pilot."""

DataType = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]
_STARTS = {"authorised": "Authorized", "locked": "PowerPathClosed", "current": "EnergyTransfer"}
_REGISTER = "Energy.Active.Import.Register"


@dataclass
class Variable:
    """One variable with its attribute Actual. `read` gives the value of one that nobody stores."""

    component: str
    name: str
    value: str = ""
    type: DataType = "string"
    writable: bool = False
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    secret: bool = False  # can only be written
    reboot: bool = False  # holds after a restart only
    read: Callable[[], str] | None = field(default=None, compare=False)

    @property
    def actual(self) -> str:
        """The value now."""
        return self.value if self.read is None else self.read()

    def component_data(self) -> dict[str, Any]:
        """ComponentType."""
        data: dict[str, Any] = {"name": self.component}
        if self.evse is not None:
            data["evse"] = {"id": self.evse, **({"connectorId": self.connector} if self.connector else {})}
        return data

    def variable_data(self) -> dict[str, Any]:
        """VariableType."""
        return {"name": self.name, **({"instance": self.instance} if self.instance else {})}

    def accepts(self, text: str) -> bool:
        """Whether this may be written."""
        if not self.writable:
            return False
        if self.type == "boolean":
            return text.lower() in ("true", "false") and (not self.options or text.lower() in self.options)
        if self.type == "integer":
            whole = text.isascii() and text.removeprefix("-").isdigit()
            return whole and (self.low or 0) <= int(text) <= (self.high if self.high is not None else 2**31)
        if self.type in ("MemberList", "SequenceList"):
            parts = [part.strip() for part in text.split(",") if part.strip()]
            return all(part in self.options for part in parts) and len(set(parts)) == len(parts)
        if self.type == "OptionList":
            return text in self.options
        return (self.low or 0) <= len(text) <= (self.high or 1000)


def variables(version: str, station: str, knobs: Knobs, evses: int = 1) -> list[Variable]:
    """All of them, with the values of a new station."""
    outlets = [one for number in range(1, evses + 1) for one in _outlet(number)]
    fixed = [*_controllers(knobs), *_communication(), *_security(station), *_hardware(station)]
    return [*fixed, *outlets, *_only(version, knobs)]


def _flag(component: str, name: str, value: bool, *, fixed: bool = False, **more: Any) -> Variable:
    return Variable(component, name, str(value).lower(), "boolean", not fixed, **more)


def _whole(component: str, name: str, value: int, *, fixed: bool = False, **more: Any) -> Variable:
    return Variable(component, name, str(value), "integer", not fixed, **more)


def _controllers(knobs: Knobs) -> list[Variable]:
    members: dict[str, Any] = {"type": "MemberList", "writable": True, "options": MEASURANDS}
    return [
        _flag("AuthCtrlr", "Enabled", True, fixed=True),
        _flag("AuthCtrlr", "AuthorizeRemoteStart", False),
        _flag("AuthCtrlr", "LocalAuthorizeOffline", True),
        _flag("AuthCtrlr", "LocalPreAuthorize", False),
        _flag("AuthCtrlr", "OfflineTxForUnknownIdEnabled", False, options=("false",)),
        _flag("AuthCacheCtrlr", "Available", False, fixed=True),
        _flag("AuthCacheCtrlr", "Enabled", False, options=("false",)),
        _flag("LocalAuthListCtrlr", "Available", True, fixed=True),
        _flag("LocalAuthListCtrlr", "Enabled", True),
        _whole("LocalAuthListCtrlr", "Entries", 0, fixed=True, high=MAX_ENTRIES),
        _whole("LocalAuthListCtrlr", "ItemsPerMessage", MAX_ENTRIES, fixed=True),
        _whole("LocalAuthListCtrlr", "BytesPerMessage", 65536, fixed=True),
        _flag("TxCtrlr", "StopTxOnEVSideDisconnect", True),
        _flag("TxCtrlr", "StopTxOnInvalidId", True),
        _flag("TxCtrlr", "TxBeforeAcceptedEnabled", False, options=("false",)),
        _whole("TxCtrlr", "EVConnectionTimeOut", 60, unit="s", low=1),
        _whole("TxCtrlr", "MaxEnergyOnInvalidId", 0, fixed=True, unit="Wh"),
        Variable("TxCtrlr", "TxStartPoint", _STARTS[knobs.start_at], "MemberList", True, options=START_POINTS),
        Variable("TxCtrlr", "TxStopPoint", "PowerPathClosed", "MemberList", True, options=STOP_POINTS),
        _flag("SampledDataCtrlr", "Available", True, fixed=True),
        _flag("SampledDataCtrlr", "Enabled", True, fixed=True),
        Variable("SampledDataCtrlr", "TxStartedMeasurands", _REGISTER, **members),
        Variable(
            "SampledDataCtrlr", "TxUpdatedMeasurands", f"{_REGISTER},Power.Active.Import,Current.Import", **members
        ),
        Variable("SampledDataCtrlr", "TxEndedMeasurands", _REGISTER, **members),
        _whole("SampledDataCtrlr", "TxUpdatedInterval", 5, unit="s"),
        _whole("SampledDataCtrlr", "TxEndedInterval", 0, unit="s", high=0),
        _flag("AlignedDataCtrlr", "Available", True, fixed=True),
        _flag("AlignedDataCtrlr", "Enabled", True, fixed=True),
        _whole("AlignedDataCtrlr", "Interval", 0, unit="s"),
        _flag("AlignedDataCtrlr", "SendDuringIdle", False),
        Variable("AlignedDataCtrlr", "Measurands", _REGISTER, **members),
        Variable("AlignedDataCtrlr", "TxEndedMeasurands", "", "MemberList", True),
        _whole("AlignedDataCtrlr", "TxEndedInterval", 0, unit="s", high=0),
        _flag("SmartChargingCtrlr", "Available", True, fixed=True),
        _flag("SmartChargingCtrlr", "Enabled", True, fixed=True),
        _whole("SmartChargingCtrlr", "Entries", 0, fixed=True, instance="ChargingProfiles", high=MAX_INSTALLED),
        _whole("SmartChargingCtrlr", "PeriodsPerSchedule", MAX_PERIODS, fixed=True),
        _whole("SmartChargingCtrlr", "ProfileStackLevel", MAX_STACK_LEVEL, fixed=True),
        Variable("SmartChargingCtrlr", "RateUnit", "A,W", "MemberList", options=("A", "W")),
        Variable("SmartChargingCtrlr", "LimitChangeSignificance", "1.0", "decimal", unit="Percent"),
        _flag("ReservationCtrlr", "Available", True, fixed=True),
        _flag("ReservationCtrlr", "Enabled", True, fixed=True),
        _flag("ReservationCtrlr", "NonEvseSpecific", True, fixed=True),
        _flag("MonitoringCtrlr", "Available", True, fixed=True),
        _flag("MonitoringCtrlr", "Enabled", True, fixed=True),
        Variable("MonitoringCtrlr", "ActiveMonitoringBase", "All", "OptionList"),
        _whole("MonitoringCtrlr", "ActiveMonitoringLevel", 9, fixed=True),
        _whole("MonitoringCtrlr", "ItemsPerMessage", 16, fixed=True, instance="SetVariableMonitoring"),
        _whole("MonitoringCtrlr", "BytesPerMessage", 65536, fixed=True, instance="SetVariableMonitoring"),
    ]


def _communication() -> list[Variable]:
    limits = [
        _whole("DeviceDataCtrlr", name, value, fixed=True, instance=instance)
        for instance in ("GetReport", "GetVariables", "SetVariables")
        for name, value in (("ItemsPerMessage", 64), ("BytesPerMessage", 65536))
    ]
    return [
        *limits,
        _whole("OCPPCommCtrlr", "ActiveNetworkProfile", 1, fixed=True),
        Variable("OCPPCommCtrlr", "FileTransferProtocols", "HTTP,HTTPS", "MemberList", options=("HTTP", "HTTPS")),
        _whole("OCPPCommCtrlr", "HeartbeatInterval", 300, unit="s", low=1),
        _whole("OCPPCommCtrlr", "MessageAttemptInterval", 10, unit="s", instance="TransactionEvent"),
        _whole("OCPPCommCtrlr", "MessageAttempts", 3, instance="TransactionEvent", low=1),
        _whole("OCPPCommCtrlr", "MessageTimeout", 15, fixed=True, unit="s", instance="Default"),
        Variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "1", "SequenceList", True, options=("1",)),
        _whole("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", 3, fixed=True),
        _whole("OCPPCommCtrlr", "OfflineThreshold", 60, unit="s"),
        _whole("OCPPCommCtrlr", "ResetRetries", 0, high=0),
        _whole("OCPPCommCtrlr", "RetryBackOffRandomRange", 2, unit="s"),
        _whole("OCPPCommCtrlr", "RetryBackOffRepeatTimes", 3, high=10),
        _whole("OCPPCommCtrlr", "RetryBackOffWaitMinimum", 3, unit="s"),
        _flag("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", True),
        _whole("OCPPCommCtrlr", "WebSocketPingInterval", 0, unit="s", reboot=True),
    ]


def _security(station: str) -> list[Variable]:
    password = Variable("SecurityCtrlr", "BasicAuthPassword", "", "string", True, low=16, high=40, secret=True)
    return [
        password,
        Variable("SecurityCtrlr", "Identity", station),
        Variable("SecurityCtrlr", "OrganizationName", "pilotbench"),
        _whole("SecurityCtrlr", "SecurityProfile", 0, fixed=True),
        _whole("SecurityCtrlr", "CertificateEntries", 0, fixed=True, high=16),
        _flag("SecurityCtrlr", "AdditionalRootCertificateCheck", False, fixed=True),
    ]


_STATES: dict[str, Any] = {
    "type": "OptionList",
    "options": ("Available", "Occupied", "Reserved", "Unavailable", "Faulted"),
}


def _hardware(station: str) -> list[Variable]:
    return [
        Variable("ClockCtrlr", "DateTime", "", "dateTime"),
        Variable("ClockCtrlr", "TimeSource", "Heartbeat", "SequenceList", options=("Heartbeat",)),
        _flag("ChargingStation", "Available", True, fixed=True),
        Variable("ChargingStation", "AvailabilityState", "Available", **_STATES),
        Variable("ChargingStation", "Model", "Simulated AC station"),
        Variable("ChargingStation", "VendorName", "pilotbench"),
        Variable("ChargingStation", "SerialNumber", station[:25]),
        _flag("ChargingStation", "Problem", False, fixed=True),
        _whole("ChargingStation", "SupplyPhases", 3, fixed=True),
    ]


def _outlet(number: int) -> list[Variable]:
    evse: dict[str, Any] = {"evse": number}
    connector: dict[str, Any] = {"evse": number, "connector": 1}
    return [
        _flag("EVSE", "Available", True, fixed=True, **evse),
        _flag("EVSE", "AllowReset", False, fixed=True, **evse),
        Variable("EVSE", "AvailabilityState", "Available", **_STATES, **evse),
        Variable("EVSE", "Power", "0", "decimal", unit="W", **evse),
        _whole("EVSE", "SupplyPhases", 3, fixed=True, **evse),
        _flag("Connector", "Available", True, fixed=True, **connector),
        Variable("Connector", "AvailabilityState", "Available", **_STATES, **connector),
        Variable("Connector", "ConnectorType", "sType2", **connector),
        _whole("Connector", "SupplyPhases", 3, fixed=True, **connector),
        _flag("ConnectorPlugRetentionLock", "Problem", False, fixed=True, **connector),
    ]


def _only(version: str, knobs: Knobs) -> list[Variable]:
    if version != "2.1":
        return []
    return [
        _whole("TxCtrlr", "ResumptionTimeout", 0, unit="s"),
        _flag("TxCtrlr", "AllowEnergyTransferResumption", False),
        _whole("TxCtrlr", "EnergyTransferResumptionRandomRange", knobs.resumption_random_s, unit="s"),
        Variable("TxCtrlr", "SupportedLimits", ",".join(LIMITS), "MemberList", options=LIMITS),
    ]
