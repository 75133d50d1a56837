"""`pilotbench devices`: the ports of this machine, what may be behind them, and the bench-file lines for it."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from ..upkeep.found import Found, find_can, find_serial
from ..upkeep.units import FoundUnit, find_units, segment_of, units_of
from .output import write_document

__all__ = ["devices_command"]


def devices_command(modbus: str | None, *, units: str, json: bool) -> int:
    """Tell of every port; with `modbus` ask a segment who is on it. Returns the exit code 0.

    Raises:
        ConfigError: the segment or the range of units is not understood.
        DeviceError: the segment cannot be opened.
    """
    serial, can = find_serial(), find_can()
    on_bus: list[FoundUnit] = []
    if modbus is not None:
        numbers, segment = units_of(units), segment_of(modbus)
        sys.stderr.write(f"asking {modbus} for units {units}…\n")
        on_bus = asyncio.run(find_units(segment, numbers))
    if json:
        found = {"serial": serial, "can": can, "units": on_bus}
        write_document({key: [msgspec.to_builtins(one) for one in many] for key, many in found.items()})
        return 0
    sys.stdout.write("\n".join([*_ports(serial, "serial"), *_ports(can, "can"), *_units(modbus, on_bus)]) + "\n")
    return 0


def _ports(found: list[Found], kind: str) -> list[str]:
    if not found:
        return [f"no {'serial port' if kind == 'serial' else 'CAN interface'} is here", ""]
    lines: list[str] = []
    for index, port in enumerate(found, 1):
        lines.append(f"# {port.device}: {port.names or 'does not say what it is'}")
        lines += [f"#   {remark}" for remark in port.remarks]
        lines += [*port.lines(f"{kind}{index}" if len(found) > 1 else kind), ""]
    return lines


def _units(port: str | None, found: list[FoundUnit]) -> list[str]:
    if port is None:
        return ["# Modbus units are asked for only on request: pilotbench devices --modbus PORT"]
    if not found:
        return [f"# nobody answers on {port}: baud rate, parity, A/B swapped, termination?"]
    lines: list[str] = []
    for unit in found:
        lines += [f"# unit {unit.unit}: {unit.detail}", *unit.lines(port), ""]
    return lines
