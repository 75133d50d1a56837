"""The twin's configuration file: JSON, every section optional but `dir` and `dut_port`."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from ..model.vehicle import VehicleTraits

__all__ = ["DutPortSettings", "EvseSettings", "MeterSettings", "PilotSettings", "Settings", "SettingsError", "load"]


class SettingsError(Exception):
    """The configuration cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class EvseSettings:
    outlet: str = "socket"
    rated_a: float = 32
    phases: int = 3
    ventilation: bool = False


@dataclass(frozen=True, slots=True)
class PilotSettings:
    serial: str = "VP0001"
    boot_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MeterSettings:
    unit: int = 1
    kind: str = "sdm630"
    gain_error_pct: float = 0.1
    resolution_wh: float = 0.1
    refresh_ms: float = 100


@dataclass(frozen=True, slots=True)
class StationMeterSettings:
    gain_error_pct: float = 0.4
    resolution_wh: float = 0.1


@dataclass(frozen=True, slots=True)
class MainsSettings:
    nominal_v: float = 230.0
    impedance_ohm: float = 0.0


@dataclass(frozen=True, slots=True)
class DutPortSettings:
    """What the station is told; `ca`, `cert` and `key` (PEM files) when the back end is behind TLS."""

    station: str
    csms_url: str
    password: str | None = None
    ocpp: str = "1.6"
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class OutletSettings:
    """One outlet: its number at its station, its make, the vehicle in front of it, the station's meter behind it.

    `station`: None = the one of `dut_port`.
    """

    number: int = 1
    station: str | None = None
    evse: EvseSettings = field(default_factory=EvseSettings)
    ev: VehicleTraits = field(default_factory=VehicleTraits)
    station_meter: StationMeterSettings = field(default_factory=StationMeterSettings)


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One emulator: its kind, the outlet it is wired to (of the station under test), its own settings."""

    kind: str
    evse: int = 1
    more: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Settings:
    """Units: s, ms, A, Wh, percent; `linger_s` is how long the twin outlives its owner.

    `outlets` empty: one, as `evse`, `ev`, `mains` and `station_meter` say. `devices` (name -> kind, evse and the
    emulator's own settings) empty: pilot, meter and EV simulator of the first outlet, as `pilot` and `meter` say.
    """

    dir: Path
    dut_port: DutPortSettings
    seed: int = 1
    linger_s: float = 3.0
    evse: EvseSettings = field(default_factory=EvseSettings)
    pilot: PilotSettings = field(default_factory=PilotSettings)
    meter: MeterSettings = field(default_factory=MeterSettings)
    station_meter: StationMeterSettings = field(default_factory=StationMeterSettings)
    mains: MainsSettings = field(default_factory=MainsSettings)
    ev: VehicleTraits = field(default_factory=VehicleTraits)
    outlets: tuple[OutletSettings, ...] = ()
    devices: dict[str, DeviceSettings] = field(default_factory=dict[str, "DeviceSettings"])

    def each_outlet(self) -> tuple[OutletSettings, ...]:
        """Every outlet, at least one."""
        return self.outlets or (OutletSettings(evse=self.evse, ev=self.ev, station_meter=self.station_meter),)

    def each_device(self) -> dict[str, DeviceSettings]:
        """Every device by name."""
        return self.devices or {
            "pilot": DeviceSettings("pilot.line", 1, {"serial": self.pilot.serial, "boot_s": self.pilot.boot_s}),
            "meter": DeviceSettings("meter.modbus", 1, {"unit": self.meter.unit}),
            "can": DeviceSettings("ev.slcan", 1),
        }


_T = TypeVar("_T")

_SECTIONS: dict[str, type] = {
    "dut_port": DutPortSettings,
    "evse": EvseSettings,
    "pilot": PilotSettings,
    "meter": MeterSettings,
    "station_meter": StationMeterSettings,
    "mains": MainsSettings,
    "ev": VehicleTraits,
}


def load(path: Path) -> Settings:
    """Read the file.

    Raises:
        SettingsError: not readable, not JSON, an unknown or missing key, a value of the wrong type.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(raw, dict):
        raise SettingsError(f"{path}: must hold one JSON object")
    given = dict(cast("dict[str, Any]", raw))
    values: dict[str, Any] = {}
    for name, section in _SECTIONS.items():
        if name in given:
            values[name] = _build(section, given.pop(name), f"{path}: {name}")
    for name, kind in (("dir", str), ("seed", int), ("linger_s", (int, float))):
        if name in given:
            value = given.pop(name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise SettingsError(f"{path}: {name} = {value!r} has the wrong type")
            values[name] = value
    if "outlets" in given:
        values["outlets"] = _outlets(given.pop("outlets"), f"{path}: outlets")
    if "devices" in given:
        values["devices"] = _devices(given.pop("devices"), f"{path}: devices")
    if given:
        raise SettingsError(f"{path}: unknown key {', '.join(sorted(given))}")
    if "dir" in values:
        values["dir"] = Path(values["dir"])
    settings = _build(Settings, values, str(path), checked=True)
    _check(settings, path)
    return settings


def _outlets(raw: Any, where: str) -> tuple[OutletSettings, ...]:
    if not isinstance(raw, list) or not raw:
        raise SettingsError(f"{where}: must be a list of objects")
    made: list[OutletSettings] = []
    for entry in cast("list[Any]", raw):
        if not isinstance(entry, dict):
            raise SettingsError(f"{where}: must be a list of objects")
        values = dict(cast("dict[str, Any]", entry))
        for name, section in (("evse", EvseSettings), ("ev", VehicleTraits), ("station_meter", StationMeterSettings)):
            if name in values:
                values[name] = _build(section, values[name], f"{where}: {name}")
        made.append(_build(OutletSettings, values, where, checked=True))
    return tuple(made)


def _devices(raw: Any, where: str) -> dict[str, DeviceSettings]:
    if not isinstance(raw, dict):
        raise SettingsError(f"{where}: must be an object")
    made: dict[str, DeviceSettings] = {}
    for name, entry in cast("dict[str, Any]", raw).items():
        values = dict(cast("dict[str, Any]", entry)) if isinstance(entry, dict) else {}
        kind, evse = values.pop("kind", None), values.pop("evse", 1)
        if not isinstance(kind, str) or isinstance(evse, bool) or not isinstance(evse, int):
            raise SettingsError(f"{where}: {name} needs a kind, and evse is a number")
        made[name] = DeviceSettings(kind, evse, values)
    return made


def _build(kind: type[_T], raw: Any, where: str, *, checked: bool = False) -> _T:
    """A dataclass from a JSON object; its defaults say which type a value must have."""
    if not isinstance(raw, dict):
        raise SettingsError(f"{where}: must be an object")
    values = cast("dict[str, Any]", raw)
    known = {entry.name: entry for entry in fields(cast("Any", kind))}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{where}: unknown key {name}; known are {', '.join(known)}")
        default = known[name].default
        if checked or default is MISSING or default is None:
            continue
        wanted = str if isinstance(default, str) else bool if isinstance(default, bool) else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool) is not isinstance(default, bool):
            raise SettingsError(f"{where}: {name} = {value!r} has the wrong type")
    missing = [
        name
        for name, entry in known.items()
        if entry.default is MISSING and entry.default_factory is MISSING and name not in values
    ]
    if missing:
        raise SettingsError(f"{where}: {', '.join(missing)} is missing")
    return kind(**values)


def _check(settings: Settings, path: Path) -> None:
    own = settings.dut_port.station
    numbers: dict[str, list[int]] = {own: []}
    for outlet in settings.each_outlet():
        numbers.setdefault(outlet.station or own, []).append(outlet.number)
    for station, have in numbers.items():
        if sorted(have) != list(range(1, len(have) + 1)) or not have:
            raise SettingsError(f"{path}: outlets: those of {station} are {have}; they must be numbered 1, 2, ...")
    for outlet in settings.each_outlet():
        evse = outlet.evse
        if evse.outlet not in ("socket", "cable"):
            raise SettingsError(f"{path}: evse.outlet = {evse.outlet!r}; must be 'socket' or 'cable'")
        if evse.phases not in (1, 2, 3):
            raise SettingsError(f"{path}: evse.phases = {evse.phases}; must be 1, 2 or 3")
    if settings.meter.kind != "sdm630":
        raise SettingsError(f"{path}: meter.kind = {settings.meter.kind!r}; the twin has a sdm630 only")
    if settings.meter.resolution_wh <= 0 or settings.station_meter.resolution_wh <= 0 or settings.meter.refresh_ms <= 0:
        raise SettingsError(f"{path}: resolution_wh and refresh_ms must be positive")
    if not settings.dir.is_dir():
        raise SettingsError(f"{path}: dir = {settings.dir} is not a folder")
