"""Drivers by kind, as a bench file names them; a driver's module is imported when it is made.

Other packages add kinds through the entry point group `pilotbench.drivers`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..bench.timeline.hints import did_you_mean
from ..errors import BenchError, ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from ..bench.timeline import Gate, Source
    from .base import Driver

__all__ = ["GROUP", "create", "driver_class", "is_built_in", "kinds", "origin", "shadowed"]

GROUP = "pilotbench.drivers"

_BUILT_IN = {
    "pilot.line": (".pilot.line", "LinePilot"),
    "pilot.ev_sim": (".pilot.ev_sim", "EvSimPilot"),
    "token.line": (".token.line", "LineToken"),
    "evse.rapi": (".evse.rapi", "RapiMonitor"),
    "meter.modbus": (".meter.modbus", "ModbusMeter"),
    "ev.dbc": (".ev.dbc", "DbcEv"),
    "ev.chademo": (".ev.chademo", "ChademoEv"),
    "supply.scpi": (".power.scpi", "ScpiSupply"),
    "load.scpi": (".power.scpi", "ScpiLoad"),
    "power.relay": (".power.relay", "RelayBoard"),
}


def kinds() -> list[str]:
    """Every kind that can be made here, sorted; imports no driver."""
    from importlib.metadata import entry_points

    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def is_built_in(kind: str) -> bool:
    """True of a kind that this package brings itself."""
    return kind in _BUILT_IN


def shadowed() -> list[EntryPoint]:
    """Entry points of other packages that nobody ever reaches, because the kind is one of pilotbench itself."""
    from importlib.metadata import entry_points

    return [point for point in entry_points(group=GROUP) if point.name in _BUILT_IN]


def origin(kind: str) -> str:
    """The package that a kind comes from, with its version."""
    if is_built_in(kind):
        return "pilotbench"
    points = _points(kind)
    package = points[0].dist if points else None
    return "another package" if package is None else f"{package.name} {package.version}"


def driver_class(kind: str) -> type[Driver]:
    """The class behind a kind.

    Raises:
        ConfigError: unknown kind, or a third-party driver that cannot be imported, is no driver, or does not fit.
    """
    if kind in _BUILT_IN:
        module, name = _BUILT_IN[kind]
        return getattr(import_module(module, __package__), name)
    points = _points(kind)
    if not points:
        hint = did_you_mean(kind, kinds(), 0.4)
        raise ConfigError(f"unknown kind of device {kind!r}{hint}. Known: {', '.join(kinds())}.")
    if len(points) > 1:
        values = ", ".join(sorted(point.value for point in points))
        raise ConfigError(f"several packages bring a driver {kind!r}: {values}. Uninstall all but one.")
    from .foreign import load_driver

    return load_driver(kind, points[0])


def _points(kind: str) -> list[EntryPoint]:
    """The entry points of a kind; one that is found twice on the path counts once."""
    from importlib.metadata import entry_points

    return list({point.value: point for point in entry_points(group=GROUP, name=kind)}.values())


def create(kind: str, name: str, source: Source, gate: Gate | None, **options: Any) -> Driver:
    """Make the driver of `kind`; `options` are its constructor's keywords. Without a gate it only reads.

    Raises:
        ConfigError: unknown kind, an option that this kind does not have or lacks, or a driver that can energise
            and asks no gate.
    """
    made = driver_class(kind)
    if is_built_in(kind):
        try:
            return made(name, source, gate, **options)
        except TypeError as error:
            raise ConfigError(f"device {name!r} of kind {kind!r}: {_option_error(error)}") from error
    from .foreign import check_options, check_part, where

    check_options(kind, name, made, options)
    try:
        driver = made(name, source, gate, **options)
    except BenchError:
        raise
    except Exception as error:  # what another package's code raises, nobody knows
        raise ConfigError(f"device {name!r}: the driver {kind!r} breaks when it is made: {where(error)}.") from error
    check_part(kind, driver)
    return driver


def _option_error(error: TypeError) -> str:
    return str(error).split("()", 1)[-1].strip().replace("keyword argument", "option")
