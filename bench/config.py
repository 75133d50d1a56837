"""The bench file: strict models, and errors that name the file, the line and the remedy.

A bench file is TOML. Quantities are texts with their unit (`"16 A"`), unknown keys are refused,
and names of shipped files (a meter map, a DBC, a rule pack, limits) are looked up beside the
bench file first and then in the package's own `hw-configs/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar, cast, get_args

from pydantic import BaseModel, Field, InstanceOf, ValidationError

from ..drivers.registry import kinds
from ..errors import ConfigError
from .calibration import Calibrations, read_calibrations
from .device_checks import check_devices
from .devices import SECTIONS, DeviceSection, MeterSection, section_of
from .mistakes import explain
from .quantities import Model
from .sections import (
    CsmsSection,
    EnvelopeSection,
    RulesSection,
    SafeSection,
    Station,
    TwinSection,
)
from .timeline import did_you_mean, key_line, syntax_line

__all__ = [
    "HW_CONFIGS",
    "BenchFile",
    "data_file",
    "load_bench_file",
    "speaking",
    "virtual_bench",
]

HW_CONFIGS = Path(__file__).resolve().parent.parent / "hw-configs"
"""Shipped data: bench files, meter maps, DBC files, rule packs, limits."""

_S = TypeVar("_S", bound=DeviceSection)


class BenchFile(Model):
    """One bench, as its file describes it. `path` and `text` are what was read."""

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    station: Station
    csms: CsmsSection = CsmsSection()
    device: dict[str, InstanceOf[DeviceSection]] = Field(min_length=1)
    envelope: EnvelopeSection
    safe: SafeSection = SafeSection()
    rules: RulesSection
    twin: TwinSection | None = None

    path: Path = Field(default=Path(), exclude=True)
    text: str = Field(default="", exclude=True)
    calibrations: Path | None = Field(default=None, exclude=True)

    def one(self, kind: type[_S], evse: int | None = None) -> tuple[str, _S] | None:
        """Name and table of the first device of a kind, of one outlet if that is named; None when there is none."""
        return next(iter(self.every(kind, evse)), None)

    def every(self, kind: type[_S], evse: int | None = None) -> list[tuple[str, _S]]:
        """Name and table of every device of a kind, in the order of the file."""
        return [
            (name, device)
            for name, device in self.device.items()
            if isinstance(device, kind) and evse in (None, device.evse)
        ]

    def meter(self, evse: int | None = None) -> tuple[str, MeterSection] | None:
        """As `one`: the energy meter that measures an outlet. One at the station's supply is none of those."""
        meters = self.every(MeterSection, evse)
        return next(((name, meter) for name, meter in meters if meter.place == "output"), None)

    def files(self) -> list[Path]:
        """Every data file the bench rests on, in a fixed order."""
        names = [] if self.calibrations is None else [self.calibrations]
        names += [data_file(self, *named) for device in self.device.values() for named in device.data_files()]
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

    Another bench file of that name beside it is not meant: a laboratory calls its bench lab, and so are limits called.

    Raises:
        ConfigError: it is in neither place; lists what is.
    """
    candidates = [bench.path.parent / f"{name}{suffix}", HW_CONFIGS / folder / f"{name}{suffix}"]
    for candidate in candidates:
        if candidate.is_file() and candidate.resolve() != bench.path and not _is_bench(candidate):
            return candidate
    shipped = sorted(path.stem for path in (HW_CONFIGS / folder).glob(f"*{suffix}"))
    hint = did_you_mean(name, shipped)
    raise ConfigError(
        f"no file {name + suffix!r} beside the bench file or among the shipped {folder}{hint}. "
        f"Shipped: {', '.join(shipped)}.",
        file=str(bench.path),
        line=_line_of_value(bench.text, name),
    )


def _is_bench(path: Path) -> bool:
    """True for a bench file; what cannot be read is none, and its reader says why."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8")) if path.suffix == ".toml" else {}
    except (OSError, ValueError):
        return False
    return "station" in content and "device" in content


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
    calibrations = read_calibrations(path)
    devices = _devices(content.get("device", {}), path, text, calibrations)
    found = {"device": devices, "path": path.resolve(), "text": text}
    if calibrations.tables:
        found["calibrations"] = calibrations.path.resolve()
    try:
        bench = BenchFile.model_validate({**content, **found})
    except ValidationError as error:
        raise _explain(error, path, text) from None
    check_devices(bench)
    bench.files()
    return bench


def _devices(tables: object, path: Path, text: str, calibrations: Calibrations) -> object:
    """Each device by the model of its driver; what is no table is left for the bench file's own model to refuse.

    A driver that is not built in must be known by its entry point, so that a slip of the pen is no new driver.
    """
    if not isinstance(tables, dict):
        return tables
    made: dict[str, object] = {}
    for name, table in cast("dict[str, object]", tables).items():
        driver = cast("dict[str, object]", table).get("driver") if isinstance(table, dict) else None
        line = key_line(text, ("device", name, "driver"))
        if not isinstance(driver, str):
            known = ", ".join(SECTIONS)
            raise ConfigError(f"'device.{name}.driver' is missing. Known: {known}.", file=str(path), line=line)
        if driver not in SECTIONS:
            known = kinds()
            if driver not in known:
                hint = did_you_mean(driver, known)
                raise ConfigError(
                    f"device.{name}: there is no driver {driver!r}{hint}. Known: {', '.join(known)}.",
                    file=str(path),
                    line=line,
                )
        found = calibrations.tables.get(name, {})
        try:
            made[name] = section_of(driver).model_validate({**cast("dict[str, object]", table), **found})
        except ValidationError as error:
            if any(problem["loc"] and problem["loc"][0] in found for problem in error.errors(include_url=False)):
                raise _explain(error, calibrations.path, calibrations.text, (name,)) from None
            raise _explain(error, path, text, ("device", name)) from None
    for name in calibrations.tables:
        if name not in made:
            raise ConfigError(
                f"there is no device {name!r} in {path.name}{did_you_mean(name, list(made))}. Correct the name, or "
                "remove the table.",
                file=str(calibrations.path),
                line=key_line(calibrations.text, (name,)),
            )
    return made


def _explain(error: ValidationError, path: Path, text: str, at: tuple[str, ...] = ()) -> ConfigError:
    return explain(error, path, text, lambda table: _known_keys(table, text), at)


def _known_keys(table: Sequence[str], text: str) -> list[str]:
    model: type[BaseModel] = BenchFile
    for index, part in enumerate(table):
        if index == 0 and part not in model.model_fields and len(table) == 1:
            return []
        if part == "device":
            return _keys_of(section_of(_driver_of(table[index + 1], text))) if len(table) > index + 1 else []
        annotation = model.model_fields[part].annotation
        choices = [annotation, *get_args(annotation)]
        found = next((c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if found is None:
            return []
        model = found
    return _keys_of(model)


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _driver_of(device: str, text: str) -> str:
    content = tomllib.loads(text)
    return str(content.get("device", {}).get(device, {}).get("driver"))


def _line_of_value(text: str, value: str) -> int | None:
    for number, line in enumerate(text.splitlines(), 1):
        if f'"{value}"' in line:
            return number
    return None
