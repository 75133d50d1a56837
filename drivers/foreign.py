"""Drivers of other packages: what their authors may have forgotten, said before a device is touched.

Imported when such a driver is used, and not before.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, get_args

from ..bench.timeline.hints import did_you_mean
from ..errors import ConfigError
from .asking import asks_the_gate
from .base import Driver
from .roles import Ev, Load, Pilot, Relays, Role, Supply, Token

__all__ = ["check_options", "check_part", "load_driver", "where"]

PAGE = "See docs/write-a-driver.md."

PARTS: Mapping[str, type] = {
    "pilot": Pilot, "ev": Ev, "supply": Supply, "load": Load, "relay": Relays, "token": Token,
}  # fmt: skip
"""Roles that the bench calls verbs of. A meter and a monitor are only listened to."""

MADE_SAFE = ("pilot", "ev", "supply", "load", "relay")
"""Roles that the bench makes safe."""

GIVEN = ("name", "source", "gate", "port", "evse", "state_dir", "reconnect")
"""What the bench gives to every driver by itself."""


def where(error: BaseException) -> str:
    """An error of foreign code, with the place it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def load_driver(kind: str, point: EntryPoint) -> type[Driver]:
    """Import the class behind an entry point, and look at it.

    Raises:
        ConfigError: it cannot be imported, is no driver, misses methods, has no role the bench knows, or energises
            and would not be made safe or never asks the gate.
    """
    named = f"the driver {kind!r} ({point.value})"
    try:
        made: object = point.load()
    except Exception as error:
        raise ConfigError(
            f"{named} cannot be loaded: {where(error)}. The entry point is written as module:Class; is the package "
            f"whole, and what it needs installed? {PAGE}"
        ) from error
    if not isinstance(made, type) or not issubclass(made, Driver):
        what = f"the class {made.__name__}" if isinstance(made, type) else f"a {type(made).__name__}"
        raise ConfigError(f"{named} is {what} and no driver: it has to inherit from pilotbench's Driver. {PAGE}")
    missing = sorted(getattr(made, "__abstractmethods__", ()))
    if missing:
        raise ConfigError(f"{named} is not finished: {made.__name__} has no {', '.join(missing)}. {PAGE}")
    _check_role(named, made)
    if made.energising and not asks_the_gate(made, Driver):
        raise ConfigError(
            f"{named} says that it can energise, and never asks the gate: {made.__name__} has to call "
            f"self._permit(verb, args) in each of its verbs, before it writes. {PAGE}"
        )
    return made


def _check_role(named: str, made: type[Driver]) -> None:
    roles = get_args(Role)
    role = str(made.role)
    if role not in roles:
        hint = did_you_mean(role, roles)
        raise ConfigError(f"{named} plays the part {role!r}{hint}, which is none. Known: {', '.join(roles)}. {PAGE}")
    if made.energising and role not in MADE_SAFE:
        raise ConfigError(
            f"{named} says that it can energise and plays the part {role!r}, which nobody makes safe. Give "
            f"{made.__name__} the role that fits of {', '.join(MADE_SAFE)}: those the bench makes safe at its start, "
            f"at its end and on a trip. {PAGE}"
        )
    if made.energising and made.make_safe is Driver.make_safe:
        raise ConfigError(
            f"{named} says that it can energise, and cannot be made safe: {made.__name__} has to bring the device to "
            f"its safe state in make_safe, and to read back that it is there. {PAGE}"
        )


def check_options(kind: str, name: str, made: type[Driver], options: Mapping[str, Any]) -> None:
    """Are the keys of the device's table what its constructor takes?

    Raises:
        ConfigError: a key it does not have, or one it needs.
    """
    taken = dict(inspect.signature(made).parameters)
    kinds = {parameter.kind for parameter in taken.values()}
    known = [key for key in taken if key not in GIVEN]
    unknown = [key for key in options if key not in taken]
    if unknown and inspect.Parameter.VAR_KEYWORD not in kinds:
        hint = did_you_mean(unknown[0], known)
        if unknown[0] in GIVEN:
            raise ConfigError(
                f"device {name!r}: the constructor of the driver {kind!r} does not take {unknown[0]!r}, which the "
                f"bench gives to every driver. {PAGE}"
            )
        raise ConfigError(
            f"device {name!r}: the driver {kind!r} has no key {unknown[0]!r}{hint}. Its own keys: "
            f"{', '.join(known) or 'none'}."
        )
    needed = [
        key
        for key, parameter in taken.items()
        if parameter.default is parameter.empty and parameter.kind is parameter.KEYWORD_ONLY and key not in options
    ]
    if needed:
        raise ConfigError(f"device {name!r}: the driver {kind!r} needs the key {needed[0]!r} in the bench file.")


def check_part(kind: str, driver: Driver) -> None:
    """Can it do what the bench asks of its role?

    Raises:
        ConfigError: a verb or a property of that part is missing.
    """
    part = PARTS.get(driver.role)
    members = [] if part is None else [name for name in vars(part) if not name.startswith("_")]
    missing = sorted(name for name in members if not hasattr(driver, name))
    if missing:
        raise ConfigError(
            f"device {driver.name!r}: the driver {kind!r} plays the part {driver.role!r} and has no "
            f"{', '.join(missing)}. pilotbench.drivers.roles says what the bench asks of that part. {PAGE}"
        )
