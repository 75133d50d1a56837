"""Who asks what, per version, as the specifications say: 1.6 sections 4 and 5 and the security whitepaper; part 2 of
2.0.1 and 2.1, the messages' own sections and use cases. Written by hand, not taken from the code under test."""

from __future__ import annotations

from schema_samples import files

_STATION_16 = """
Authorize BootNotification DataTransfer DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat
LogStatusNotification MeterValues SecurityEventNotification SignCertificate SignedFirmwareStatusNotification
StartTransaction StatusNotification StopTransaction
"""
_STATION_201 = """
Authorize BootNotification ClearedChargingLimit DataTransfer FirmwareStatusNotification Get15118EVCertificate
GetCertificateStatus Heartbeat LogStatusNotification MeterValues NotifyChargingLimit NotifyCustomerInformation
NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport NotifyReport
PublishFirmwareStatusNotification ReportChargingProfiles ReservationStatusUpdate SecurityEventNotification
SignCertificate StatusNotification TransactionEvent
"""
_STATION_21 = (
    _STATION_201
    + """
BatterySwap ClosePeriodicEventStream GetCertificateChainStatus NotifyDERAlarm NotifyDERStartStop
NotifyPriorityCharging NotifySettlement OpenPeriodicEventStream PullDynamicScheduleUpdate ReportDERControl
VatNumberValidation
"""
)

SENDS: dict[str, tuple[str, ...]] = {"1.6": (), "2.0.1": (), "2.1": ("NotifyPeriodicEventStream",)}
"""Messages of the station that are never answered."""

BOTH = frozenset({"DataTransfer"})
"""Actions that either side may ask."""

FROM_STATION: dict[str, tuple[str, ...]] = {
    "1.6": tuple(_STATION_16.split()),
    "2.0.1": tuple(_STATION_201.split()),
    "2.1": tuple(sorted(_STATION_21.split())),
}
"""Actions that a station asks of its back end."""


def actions(version: str) -> list[str]:
    """Every action of a version that is answered."""
    return sorted(action for action, side in files(version) if side == "response")


def from_csms(version: str) -> list[str]:
    """Actions that the back end asks of a station: all that are not the station's own."""
    return [action for action in actions(version) if action not in FROM_STATION[version] or action in BOTH]
