"""The bench file: strict models, and errors that name the file, the line and the remedy.

A bench file is TOML. Quantities are texts with their unit (`"16 A"`), unknown keys are refused,
and names of shipped files (a meter map, a DBC, a rule pack, limits) are looked up beside the
bench file first and then in the package's own `hw-configs/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..errors import ConfigError
from .timeline import did_you_mean, key_line, parse_quantity, syntax_line

__all__ = [
    "HW_CONFIGS",
    "BenchFile",
    "Device",
    "EvDbc",
    "MeterModbus",
    "PilotLine",
    "data_file",
    "load_bench_file",
    "speaking",
    "virtual_bench",
]

HW_CONFIGS = Path(__file__).resolve().parent.parent / "hw-configs"
"""Shipped data: bench files, meter maps, DBC files, rule packs, limits."""

TWIN_PORTS = ("twin:pilot", "twin:meter", "twin:can")

OWN_NAMES = frozenset({"bench", "claim", "csms", "engine", "recorder", "station", "twin", "vehicle"})
"""Names under which something else than an instrument speaks, or is accused."""


def _quantity(dimension: str) -> BeforeValidator:
    def parse(value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} has no unit; write it as text with one, e.g. '{value} …'")
        return parse_quantity(value, dimension)

    return BeforeValidator(parse)


def _milliseconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} has no unit; write it as text with one, e.g. '100 ms'")
    return parse_quantity(value, "time") / 1e6


def _delay(value: Any) -> tuple[float, float] | None:
    """`0..10 ms`, or `none`."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no delay; write it as text, e.g. '0..10 ms', or 'none'")
    if value.strip() == "none":
        return None
    least, dots, most = value.partition("..")
    unit = most.strip().lstrip("0123456789.").strip()
    try:
        lo, hi = (_milliseconds(f"{number} {unit}") for number in (least.strip(), most.strip().removesuffix(unit)))
    except ValueError:
        dots = ""
        lo = hi = 0.0
    if not dots or not 0 <= lo <= hi:
        raise ValueError(f"{value!r} is no delay; write it from least to most, e.g. '0..10 ms', or 'none'")
    return lo, hi


Seconds = Annotated[float, BeforeValidator(lambda value: _milliseconds(value) / 1e3)]
Amps = Annotated[float, _quantity("current")]
WattHours = Annotated[float, _quantity("energy")]
Milliseconds = Annotated[float, BeforeValidator(_milliseconds)]
Delay = Annotated[tuple[float, float] | None, BeforeValidator(_delay)]
"""From least to most, in milliseconds; None for `none`: there is no such sense."""
Share = Annotated[float, _quantity("share")]
"""Percent, or percentage points where the quantity is itself a percentage."""


class Model(BaseModel):
    """Unknown keys are refused; numbers are not silently made from texts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Station(Model):
    """The station under test, as its nameplate and manual describe it."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,48}$")
    ocpp: Literal["1.6", "2.0.1", "2.1"] = "1.6"
    outlet: Literal["socket", "cable"]
    rated: Amps = Field(gt=0, le=80)
    phases: Literal[1, 3] = 3
    ventilation: bool | None = Field(default=None, description="may it energise in state D; left out: not judged")
    authorisation: Literal["required", "free"]
    register_resolution: WattHours = Field(default=1.0, gt=0)
    boot_within: Seconds = Field(default=180.0, gt=0)
    claim_resolution: Milliseconds = Field(default=1000.0, gt=0)
    configuration_readable: bool = True
    profile_unit: Literal["A", "W"] = "A"


class CsmsSection(Model):
    """Where the embedded back end listens, and what it answers."""

    listen: str = "127.0.0.1"
    port: int = Field(default=9000, ge=0, le=65535)
    tokens: list[str | dict[str, Any]] = Field(default_factory=list[str | dict[str, Any]])
    heartbeat: Seconds = Field(default=30.0, gt=0)
    receipt: Milliseconds = Field(default=20.0, gt=0, description="how long before its receipt a message was sent")
    tolerance: Literal["lenient", "strict"] = "lenient"
    boots: list[Literal["Accepted", "Pending", "Rejected"]] = Field(
        default_factory=list[Literal["Accepted", "Pending", "Rejected"]]
    )
    boot_retry: Seconds = Field(default=10.0, ge=1)
    answer_within: Seconds = Field(default=30.0, gt=0)
    ping: Seconds | None = Field(default=None, gt=0, description="send pings; left out: none are sent")
    security_profile: Literal[0, 1, 2, 3] = 0
    tls_port: int | None = Field(default=None, ge=0, le=65535, description="a second port with TLS, profiles 0 and 1")
    password: str | None = Field(default=None, description="of the station, until it is changed through OCPP")
    public_host: str | None = Field(default=None, description="how stations reach this machine, if not by `listen`")
    certificate: str | None = Field(default=None, description="PEM file instead of the certificate made here")
    key: str | None = None
    trusted: list[str] = Field(default_factory=list[str], description="PEM files of roots of stations' certificates")
    policy: dict[str, Any] = Field(default_factory=dict[str, Any], description="manners, see docs/csms.md")
    files_port: int = Field(default=0, ge=0, le=65535, description="of the file exchange; 0: any free one")


class _Calibrated(Protocol):
    @property
    def calibrated(self) -> date | None: ...
    @property
    def calibration_due(self) -> date | None: ...


_C = TypeVar("_C", bound=_Calibrated)


def _calibration_in_order(device: _C) -> _C:
    begun, due = device.calibrated, device.calibration_due
    if begun is not None and due is not None and due < begun:
        raise ValueError(f"calibration_due {due} lies before calibrated {begun}")
    return device


class PilotLine(Model):
    """A control pilot emulator that speaks the pilot line protocol (docs/pilot-protocol.md).

    Its calibration covers the duty cycle and the delay of the output sense. What it can do the device says itself
    when it is opened; here it stands for the doctor, who asks no device.
    """

    driver: Literal["pilot.line"]
    port: str
    baud: int = 115200
    evse: int = Field(default=1, ge=1)
    watchdog: Seconds = Field(default=2.0, ge=0.2, le=10)
    duty_accuracy: Share = Field(default=0.5, gt=0)
    cp_resolution: Milliseconds = Field(default=1.0, ge=0)
    clock_error: Milliseconds = Field(default=2.0, ge=0)
    output_sense: Delay = (0.0, 10.0)
    lock_sense: Delay = None
    token_reader: bool = True
    mains_relay: int | None = Field(default=None, ge=1)
    calibrated: date | None = None
    calibration_due: date | None = None
    allow_expired_calibration: bool = False

    _dates = model_validator(mode="after")(_calibration_in_order)


class MeterModbus(Model):
    """An energy meter on Modbus RTU or TCP, with its accuracy on this bench."""

    driver: Literal["meter.modbus"]
    port: str
    map: str
    unit: int = Field(default=1, ge=1, le=247)
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    evse: int = Field(default=1, ge=1)
    poll: Seconds = Field(default=0.25, gt=0)
    refresh: Seconds = Field(default=0.5, ge=0)
    answer: Milliseconds = Field(default=50.0, ge=0, description="from the request to the end of the answer")
    accuracy: Share = Field(gt=0)
    resolution: WattHours = Field(gt=0)
    current_accuracy: Amps = Field(default=0.1, gt=0)
    calibrated: date
    calibration_due: date
    allow_expired_calibration: bool = False
    certificate: str = ""

    _dates = model_validator(mode="after")(_calibration_in_order)


class EvDbc(Model):
    """An EV simulator on CAN, described by a DBC file."""

    driver: Literal["ev.dbc"]
    port: str
    dbc: str
    bitrate: int = 500_000
    evse: int = Field(default=1, ge=1)
    max_current: Amps = Field(gt=0, le=80)


Device = Annotated[PilotLine | MeterModbus | EvDbc, Field(discriminator="driver")]


class EnvelopeSection(Model):
    """What no stimulus may exceed on this bench."""

    current: Amps = Field(gt=0, le=80)
    contactor_cycles: int = Field(gt=0)
    min_off: Seconds = Field(default=1.0, ge=0)
    fault_duration: Seconds = Field(default=60.0, gt=0)
    faults: list[Literal["diode", "short0", "short80", "open"]] = Field(
        default_factory=list[Literal["diode", "short0", "short80", "open"]]
    )
    pp_ohm: list[Literal[100, 220, 680, 1500]]
    relays: list[int] = Field(default_factory=list[int])
    csms_allowed: list[Literal["firmware", "reset", "security"]] = Field(
        default_factory=list[Literal["firmware", "reset", "security"]]
    )
    csms_forbidden: list[str] = Field(default_factory=list[str])


class SafeSection(Model):
    """When the output counts as dead."""

    output_dead_within: Seconds = Field(default=3.0, gt=0)
    current_below: Amps = Field(default=0.5, gt=0)


class RulesSection(Model):
    """Which expectations are judged, and against which limits."""

    packs: list[str] = Field(min_length=1)
    limits: list[str] = Field(min_length=1)


class TwinSection(Model):
    """The twin stands in for the hardware; without this table the bench is real.

    With `external_station` no simulated station is started: software of your own connects to the DUT port.
    """

    seed: int = 1
    external_station: bool = False
    pilot_boot: Seconds = Field(default=0.0, ge=0, le=4)


class BenchFile(Model):
    """One bench, as its file describes it. `path` and `text` are what was read."""

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    station: Station
    csms: CsmsSection = CsmsSection()
    device: dict[str, Device] = Field(min_length=1)
    envelope: EnvelopeSection
    safe: SafeSection = SafeSection()
    rules: RulesSection
    twin: TwinSection | None = None

    path: Path = Field(default=Path(), exclude=True)
    text: str = Field(default="", exclude=True)

    def one(self, kind: type[PilotLine | MeterModbus | EvDbc]) -> tuple[str, PilotLine | MeterModbus | EvDbc] | None:
        """Name and section of the only device of a kind; None when the bench has none."""
        found = [(name, device) for name, device in self.device.items() if isinstance(device, kind)]
        return found[0] if found else None

    def files(self) -> list[Path]:
        """Every data file the bench rests on, in a fixed order."""
        names: list[Path] = []
        for device in self.device.values():
            if isinstance(device, MeterModbus):
                names.append(data_file(self, "meters", device.map, ".toml"))
            elif isinstance(device, EvDbc):
                names.append(data_file(self, "ev", device.dbc, ".dbc"))
        names += [data_file(self, "rules", pack, ".toml") for pack in self.rules.packs]
        names += [data_file(self, "limits", limits, ".toml") for limits in self.rules.limits]
        return names


def speaking(bench: BenchFile, version: str | None) -> BenchFile:
    """The same bench with a station that speaks another OCPP version; None: as the file says.

    Raises:
        ConfigError: there is no such version.
    """
    if version is None or version == bench.station.ocpp:
        return bench
    known = get_args(Station.model_fields["ocpp"].annotation)
    if version not in known:
        raise ConfigError(f"--ocpp: there is no OCPP {version!r} here. Known: {', '.join(known)}.")
    return bench.model_copy(update={"station": bench.station.model_copy(update={"ocpp": version})})


def virtual_bench() -> Path:
    """The shipped bench file that needs no hardware."""
    return HW_CONFIGS / "virtual.toml"


def data_file(bench: BenchFile, folder: str, name: str, suffix: str) -> Path:
    """The file `name` + `suffix`: beside the bench file, then among the shipped ones in `folder`.

    Raises:
        ConfigError: it is in neither place; lists what is.
    """
    candidates = [bench.path.parent / f"{name}{suffix}", HW_CONFIGS / folder / f"{name}{suffix}"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    shipped = sorted(path.stem for path in (HW_CONFIGS / folder).glob(f"*{suffix}"))
    hint = did_you_mean(name, shipped)
    raise ConfigError(
        f"no file {name + suffix!r} beside the bench file or among the shipped {folder}{hint}. "
        f"Shipped: {', '.join(shipped)}.",
        file=str(bench.path),
        line=_line_of_value(bench.text, name),
    )


def load_bench_file(path: Path) -> BenchFile:
    """Read and check a bench file, and every data file it names for being there.

    Raises:
        ConfigError: missing, not TOML, or wrong; names file and line and what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        shipped = ", ".join(sorted(p.name for p in HW_CONFIGS.glob("*.toml")))
        raise ConfigError(
            f"there is no such bench file. Give one with --bench FILE; shipped ones: {shipped}.", file=str(path)
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the bench file cannot be read: {error}.", file=str(path)) from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not TOML: {error}.", file=str(path), line=syntax_line(error, text)) from None
    try:
        bench = BenchFile.model_validate({**content, "path": path.resolve(), "text": text})
    except ValidationError as error:
        raise _explain(error, path, text) from None
    _check_devices(bench)
    bench.files()
    return bench


def _check_devices(bench: BenchFile) -> None:
    kinds: dict[str, str] = {}
    ports: dict[str, str] = {}
    for name, device in bench.device.items():
        line = key_line(bench.text, ("device", name, "port"))
        if name in OWN_NAMES:
            raise ConfigError(
                f"no device may be called {name!r}: under that name the bench itself speaks on the timeline. Give it "
                "another one.",
                file=str(bench.path),
                line=line,
            )
        if device.driver in kinds:
            raise ConfigError(
                f"devices {kinds[device.driver]!r} and {name!r} are both {device.driver}; "
                "one of each kind is supported.",
                file=str(bench.path),
                line=line,
            )
        if device.port in ports:
            raise ConfigError(
                f"devices {ports[device.port]!r} and {name!r} have the same port {device.port!r}; give each its own.",
                file=str(bench.path),
                line=line,
            )
        kinds[device.driver] = ports[device.port] = name
        if device.port.startswith("twin:"):
            if bench.twin is None:
                raise ConfigError(
                    f"port {device.port!r} belongs to the twin, and this bench has no [twin] table. "
                    "Add one, or give the port of a real device.",
                    file=str(bench.path),
                    line=line,
                )
            if device.port not in TWIN_PORTS:
                raise ConfigError(
                    f"the twin has no port {device.port!r}{did_you_mean(device.port, TWIN_PORTS)}.",
                    file=str(bench.path),
                    line=line,
                )
        elif bench.twin is not None:
            raise ConfigError(
                f"device {name!r} is real ({device.port}), but the bench has a [twin]. A bench is either all "
                "virtual or all real: remove the [twin] table, or give the device a twin: port.",
                file=str(bench.path),
                line=line,
            )


def _explain(error: ValidationError, path: Path, text: str) -> ConfigError:
    # An unknown key explains the key that is missing beside it, so it is told first.
    problems = sorted(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    problem = problems[0]
    loc = tuple(str(part) for part in problem["loc"])
    loc = tuple(part for part in loc if part not in _DRIVERS)
    where = ".".join(loc)
    kind = problem["type"]
    if kind == "extra_forbidden":
        hint = did_you_mean(loc[-1], _known_keys(loc[:-1], text))
        message = f"unknown key {where!r}{hint}."
    elif kind == "missing":
        message = f"{where!r} is missing."
    elif kind == "union_tag_invalid":
        given = str(problem.get("input", {}).get("driver", ""))
        message = f"{where}: there is no driver {given!r}{did_you_mean(given, _DRIVERS)}. Known: {', '.join(_DRIVERS)}."
        loc = (*loc, "driver")
    else:
        text_of = problem["msg"].removeprefix("Value error, ")
        message = f"{where}: {text_of}."
    more = len(problems) - 1
    if more:
        message += f" ({more} more problem{'s' if more > 1 else ''} after this one)"
    return ConfigError(message, file=str(path), line=key_line(text, loc))


_DRIVERS = ("pilot.line", "meter.modbus", "ev.dbc")


def _known_keys(table: Sequence[str], text: str) -> list[str]:
    model: type[BaseModel] = BenchFile
    for index, part in enumerate(table):
        if part == "device":
            driver = _driver_of(table[index + 1], text) if len(table) > index + 1 else None
            for candidate in (PilotLine, MeterModbus, EvDbc):
                if driver in get_args(candidate.model_fields["driver"].annotation):
                    return list(candidate.model_fields)
            return []
        annotation = model.model_fields[part].annotation
        choices = [annotation, *get_args(annotation)]
        found = next((c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if found is None:
            return []
        model = found
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _driver_of(device: str, text: str) -> str | None:
    content = tomllib.loads(text)
    return content.get("device", {}).get(device, {}).get("driver")


def _line_of_value(text: str, value: str) -> int | None:
    for number, line in enumerate(text.splitlines(), 1):
        if f'"{value}"' in line:
            return number
    return None
