"""`pilotbench calibrate`: what a calibration found out, stored beside the bench file."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ...errors import ConfigError
from ..calibration import read_calibrations, write_calibration
from ..config import BenchFile, load_bench_file
from ..devices import Calibrated, DeviceSection
from ..timeline import did_you_mean

__all__ = ["calibrate_command"]


def calibrate_command(
    bench_file: Path,
    device: str | None,
    values: Sequence[str],
    *,
    due: str | None,
    on: str | None,
    operator: str | None,
    certificate: str | None,
) -> int:
    """Store the values of a device, or show what is stored when there are none; returns the exit code 0.

    Raises:
        ConfigError: no such device or value, a date that is none, or a file that cannot be written.
    """
    bench = load_bench_file(bench_file)
    if device is None:
        return _show(bench)
    section = _section(bench, device)
    if not values and due is None:
        return _show(bench, device)
    if due is None:
        raise ConfigError("--due DATE is missing: until when does this calibration count?")
    today = _today()
    done = _date("--on", on) if on else today
    if done > today:
        raise ConfigError(f"--on: {done} has yet to come; give the day on which the calibration was done.")
    table: dict[str, Any] = {
        "calibrated": done,
        "calibration_due": _date("--due", due),
        "operator": operator or getpass.getuser(),
        "certificate": certificate or "",  # that of the bench file belongs to an earlier one
        **_values(values, device, section),
    }
    path = _store(bench, device, table)
    sys.stdout.write(f"{device}: stored in {path}, due {table['calibration_due']}\n")
    return 0


def _section(bench: BenchFile, device: str) -> DeviceSection:
    section = bench.device.get(device)
    if section is None:
        raise ConfigError(
            f"there is no device {device!r} on this bench{did_you_mean(device, list(bench.device))}. "
            f"Devices: {', '.join(bench.device)}.",
            file=str(bench.path),
        )
    if not isinstance(section, Calibrated):
        raise ConfigError(f"{device!r} ({section.kind}) has nothing that is calibrated.", file=str(bench.path))
    return section


def _values(values: Sequence[str], device: str, section: DeviceSection) -> dict[str, str]:
    assert isinstance(section, Calibrated)
    found: dict[str, str] = {}
    for value in values:
        key, equals, text = value.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not text.strip():
            raise ConfigError(f"{value!r} is no value; write it as KEY=VALUE, such as accuracy='0.5 %'.")
        if key not in section.uncertainties:
            hint = did_you_mean(key, section.uncertainties)
            known = ", ".join(section.uncertainties)
            raise ConfigError(f"a calibration of {device!r} finds no {key!r}{hint}. It finds: {known}.")
        found[key] = text.strip()
    return found


def _today() -> date:
    return datetime.now(UTC).astimezone().date()


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is no date; write it as 2027-01-31.") from None


def _store(bench: BenchFile, device: str, table: dict[str, Any]) -> Path:
    """Write, and read as every command will; what cannot be read is taken back."""
    before = read_calibrations(bench.path)
    path = write_calibration(bench.path, device, table)
    try:
        load_bench_file(bench.path)
    except ConfigError as error:
        if before.text:
            path.write_text(before.text, encoding="utf-8")
        else:
            path.unlink()
        raise ConfigError(f"nothing was stored: {error}") from None
    return path


def _show(bench: BenchFile, only: str | None = None) -> int:
    for name, section in bench.device.items():
        if not isinstance(section, Calibrated) or only not in (None, name):
            continue
        if section.calibrated is None:
            sys.stdout.write(f"{name:12} not calibrated\n")
            continue
        due = section.calibration_due
        expired = " (EXPIRED)" if due is not None and due < _today() else ""
        who = f" by {section.operator}" if section.operator else ""
        sys.stdout.write(
            f"{name:12} calibrated {section.calibrated}{who}, due {due or 'never'}{expired}"
            f"{', ' + section.certificate if section.certificate else ''}\n"
        )
    return 0
