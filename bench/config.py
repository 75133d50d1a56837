"""The bench file: strict models, and errors that name the file, the line and the remedy.

A bench file is TOML. Quantities are texts with their unit (`"16 A"`), unknown keys are refused,
and names of shipped files (a meter map, a DBC, a rule pack, limits) are looked up beside the
bench file first and then in the package's own `hw-configs/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, Field, ValidationError

from ..errors import ConfigError
from .sections import (
    CsmsSection,
    Device,
    EnvelopeSection,
    EvDbc,
    MeterModbus,
    Model,
    PilotLine,
    RulesSection,
    SafeSection,
    Station,
    TwinSection,
)
from .timeline import did_you_mean, key_line, syntax_line

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
