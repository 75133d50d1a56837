"""The configuration keys of OCPP 1.6 chapter 9 that this station has, with what may be written to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..local_list import MAX_ENTRIES
from ..meter import MEASURANDS
from ..profiles import MAX_INSTALLED, MAX_PERIODS, MAX_STACK_LEVEL
from ..settings import BackOff

__all__ = ["Config"]

Check = Callable[[str], bool]
_PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"


@dataclass
class _Key:
    value: str
    check: Check | None  # None = read-only
    reboot: bool = False


def _whole(low: int) -> Check:
    return lambda text: text.isascii() and text.isdigit() and int(text) >= low


def _bool(text: str) -> bool:
    return text.lower() in ("true", "false")


def _only_false(text: str) -> bool:
    return text.lower() == "false"


def _measurands(text: str) -> bool:
    return all(name.strip() in MEASURANDS for name in text.split(",")) if text else True


def _keys(evses: int) -> dict[str, _Key]:
    return {
        # what the station cannot do can be switched off only
        "AllowOfflineTxForUnknownId": _Key("false", _only_false),
        "AuthorizationCacheEnabled": _Key("false", _only_false),
        "AuthorizeRemoteTxRequests": _Key("false", _bool),
        "ClockAlignedDataInterval": _Key("0", _whole(0)),
        "ConnectionTimeOut": _Key("60", _whole(1)),
        "ConnectorPhaseRotation": _Key(",".join(f"{number}.RST" for number in range(evses + 1)), None),
        "GetConfigurationMaxKeys": _Key("64", None),
        "HeartbeatInterval": _Key("300", _whole(0)),
        "LocalAuthListEnabled": _Key("true", _bool),
        "LocalAuthListMaxLength": _Key(str(MAX_ENTRIES), None),
        "LocalAuthorizeOffline": _Key("true", _bool),
        "LocalPreAuthorize": _Key("false", _bool),
        "MeterValuesAlignedData": _Key("Energy.Active.Import.Register", _measurands),
        "MeterValuesAlignedDataMaxLength": _Key(str(len(MEASURANDS)), None),
        "MeterValuesSampledData": _Key("Energy.Active.Import.Register,Power.Active.Import,Current.Import", _measurands),
        "MeterValuesSampledDataMaxLength": _Key(str(len(MEASURANDS)), None),
        "MeterValueSampleInterval": _Key("5", _whole(0)),
        "MinimumStatusDuration": _Key("0", _whole(0)),
        "NumberOfConnectors": _Key(str(evses), None),
        "ResetRetries": _Key("0", _whole(0)),
        "SendLocalListMaxLength": _Key(str(MAX_ENTRIES), None),
        "StopTransactionOnEVSideDisconnect": _Key("true", _bool),
        "StopTransactionOnInvalidId": _Key("true", _bool),
        "StopTxnAlignedData": _Key("", lambda text: text == ""),
        "StopTxnSampledData": _Key("Energy.Active.Import.Register", _measurands),
        "StopTxnSampledDataMaxLength": _Key(str(len(MEASURANDS)), None),
        "SupportedFeatureProfiles": _Key(_PROFILES, None),
        "TransactionMessageAttempts": _Key("3", _whole(1)),
        "TransactionMessageRetryInterval": _Key("10", _whole(0)),
        "UnlockConnectorOnEVSideDisconnect": _Key("true", _bool),
        "WebSocketPingInterval": _Key("0", _whole(0), reboot=True),
        "ChargeProfileMaxStackLevel": _Key(str(MAX_STACK_LEVEL), None),
        "ChargingScheduleAllowedChargingRateUnit": _Key("Current,Power", None),
        "ChargingScheduleMaxPeriods": _Key(str(MAX_PERIODS), None),
        "MaxChargingProfilesInstalled": _Key(str(MAX_INSTALLED), None),
    }


class Config:
    """The keys and their values; implements `settings.Settings`. They live as long as the process."""

    def __init__(self, evses: int = 1) -> None:
        self._keys = _keys(evses)

    def text(self, key: str) -> str:
        return self._keys[key].value

    def whole(self, key: str) -> int:
        return int(self._keys[key].value)

    def flag(self, key: str) -> bool:
        return self._keys[key].value.lower() == "true"

    def names(self, key: str) -> list[str]:
        """A comma separated list."""
        return [part.strip() for part in self._keys[key].value.split(",") if part.strip()]

    @property
    def heartbeat_s(self) -> float:
        return float(self.whole("HeartbeatInterval"))

    @property
    def ping_s(self) -> float:
        return float(self.whole("WebSocketPingInterval"))

    @property
    def connection_timeout_s(self) -> float:
        return float(self.whole("ConnectionTimeOut"))

    @property
    def sample_interval_s(self) -> float:
        return float(self.whole("MeterValueSampleInterval"))

    @property
    def status_hold_s(self) -> float:
        return float(self.whole("MinimumStatusDuration"))

    @property
    def offline_threshold_s(self) -> float:
        return math.inf

    @property
    def attempts(self) -> int:
        return self.whole("TransactionMessageAttempts")

    @property
    def attempt_interval_s(self) -> float:
        return float(self.whole("TransactionMessageRetryInterval"))

    @property
    def asks_for_remote_start(self) -> bool:
        return self.flag("AuthorizeRemoteTxRequests")

    @property
    def unplug_stops(self) -> bool:
        return self.flag("StopTransactionOnEVSideDisconnect")

    @property
    def unplug_unlocks(self) -> bool:
        return self.flag("UnlockConnectorOnEVSideDisconnect")

    @property
    def refusal_stops(self) -> bool:
        return self.flag("StopTransactionOnInvalidId")

    @property
    def list_first(self) -> bool:
        return self.flag("LocalAuthListEnabled") and self.flag("LocalPreAuthorize")

    @property
    def list_offline(self) -> bool:
        return self.flag("LocalAuthListEnabled") and self.flag("LocalAuthorizeOffline")

    @property
    def back_off(self) -> BackOff | None:
        return None

    def set_heartbeat(self, seconds: int) -> None:
        self.change("HeartbeatInterval", str(seconds))

    def change(self, key: str, value: str) -> str:
        """Set a key; returns the ConfigurationStatus: Accepted, RebootRequired, Rejected or NotSupported."""
        entry = self._keys.get(key)
        if entry is None:
            return "NotSupported"
        if entry.check is None or not entry.check(value):
            return "Rejected"
        entry.value = value
        return "RebootRequired" if entry.reboot else "Accepted"

    def report(self, keys: list[str] | None) -> tuple[list[dict[str, object]], list[str]]:
        """The keys asked for (all for none) as `configurationKey` objects, and the names that are unknown."""
        wanted = keys or list(self._keys)
        known: list[dict[str, object]] = [
            {"key": name, "readonly": self._keys[name].check is None, "value": self._keys[name].value}
            for name in wanted
            if name in self._keys
        ]
        return known, [name for name in wanted if name not in self._keys]
