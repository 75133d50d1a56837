"""What was found out about a bench's instruments, when, by whom, and until when it counts.

It is kept beside the bench file, as `NAME.calibration.toml`, one table a device. Its values take the place of those
in the bench file. `pilotbench calibrate` writes it; what it replaces is kept below `history`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import msgspec

from ..errors import ConfigError
from .timeline import syntax_line

__all__ = ["Calibrations", "calibration_file", "read_calibrations", "write_calibration"]

HISTORY = "history"
HEADER = """\
# Written by `pilotbench calibrate`: the values here take the place of those in the bench file.
"""


class Calibrations(msgspec.Struct, frozen=True):
    """The calibrations beside one bench file; without any, `tables` is empty."""

    path: Path
    text: str = ""
    tables: Mapping[str, Mapping[str, Any]] = {}
    history: tuple[Mapping[str, Any], ...] = ()


def calibration_file(bench_file: Path) -> Path:
    """Where the calibrations of a bench are kept."""
    return bench_file.with_name(f"{bench_file.stem}.calibration.toml")


def read_calibrations(bench_file: Path) -> Calibrations:
    """Read them; a bench without that file has none.

    Raises:
        ConfigError: the file cannot be read, or is no table a device.
    """
    path = calibration_file(bench_file)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Calibrations(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the calibrations cannot be read: {error}.", file=str(path)) from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not TOML: {error}.", file=str(path), line=syntax_line(error, text)) from None
    history = content.pop(HISTORY, [])
    for name, table in content.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{name!r} is no table; write [{name}] and its values below it.", file=str(path))
    return Calibrations(path, text, content, tuple(cast("list[dict[str, Any]]", history)))


def write_calibration(bench_file: Path, device: str, values: Mapping[str, Any]) -> Path:
    """Store the calibration of one device, and move what it replaces to the history; returns the file.

    Raises:
        ConfigError: the file cannot be read or written.
    """
    known = read_calibrations(bench_file)
    tables = dict(known.tables)
    history = list(known.history)
    if device in tables:
        history.append({"device": device, **tables[device]})
    tables[device] = dict(values)
    lines = [HEADER]
    for name, table in tables.items():
        lines += [f"[{_key(name)}]", *(_line(key, value) for key, value in table.items()), ""]
    for entry in history:
        lines += [f"[[{HISTORY}]]", *(_line(key, value) for key, value in entry.items()), ""]
    fresh = known.path.with_name(known.path.name + ".new")
    try:
        fresh.write_text("\n".join(lines), encoding="utf-8")
        fresh.replace(known.path)
    except OSError as error:
        raise ConfigError(f"the calibrations cannot be written: {error.strerror}.", file=str(known.path)) from error
    return known.path


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else _text(name)


def _line(key: str, value: Any) -> str:
    return f"{_key(key)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, (int, float)) else _text(str(value))


def _text(value: str) -> str:
    # A basic string of TOML is one of JSON.
    return msgspec.json.encode(value).decode()
