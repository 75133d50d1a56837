"""Drivers by kind, as a bench file names them; a driver's module is imported when it is made.

Other packages add kinds through the entry point group `pilotbench.drivers`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..bench.timeline.hints import did_you_mean
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..bench.timeline import Gate, Source
    from .base import Driver

__all__ = ["GROUP", "create", "driver_class", "is_built_in", "kinds"]

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


def driver_class(kind: str) -> type[Driver]:
    """The class behind a kind.

    Raises:
        ConfigError: unknown kind, or a third-party driver that cannot be imported.
    """
    if kind in _BUILT_IN:
        module, name = _BUILT_IN[kind]
        return getattr(import_module(module, __package__), name)
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=kind):
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the driver {kind!r} ({point.value}) cannot be loaded: {error}") from error
    hint = did_you_mean(kind, kinds(), 0.4)
    raise ConfigError(f"unknown kind of device {kind!r}{hint}. Known: {', '.join(kinds())}.")


def create(kind: str, name: str, source: Source, gate: Gate | None, **options: Any) -> Driver:
    """Make the driver of `kind`; `options` are its constructor's keywords. Without a gate it only reads.

    Raises:
        ConfigError: unknown kind, an option that this kind does not have or lacks, or a driver that can energise
            and asks no gate.
    """
    made = driver_class(kind)
    _check_it_asks(kind, made)
    try:
        return made(name, source, gate, **options)
    except TypeError as error:
        raise ConfigError(f"device {name!r} of kind {kind!r}: {_option_error(error)}") from error


def _check_it_asks(kind: str, made: type[Driver]) -> None:
    from .asking import asks_the_gate
    from .base import Driver

    if made.energising and not asks_the_gate(made, Driver):
        raise ConfigError(
            f"the driver {kind!r} says that it can energise, and never asks the gate: {made.__name__} has to call "
            "self._permit(verb, args) in each of its verbs, before it writes. See docs/safety.md."
        )


def _option_error(error: TypeError) -> str:
    return str(error).split("()", 1)[-1].strip().replace("keyword argument", "option")
