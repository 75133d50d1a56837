"""What a SCPI instrument is told, as data: one table for supplies, one for loads, and what a bench file changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ...bench.timeline.hints import did_you_mean
from ...errors import ConfigError

__all__ = ["LOAD", "SUPPLY", "CommandSet", "command_set"]


class CommandSet(msgspec.Struct, frozen=True):
    """Commands of one instrument, without their line end.

    `{}` in `voltage` and `current` is the value in V and A. Empty = the instrument has no such command; then the
    voltage of a load is not set, and the power is the product of voltage and current (of an AC source: the apparent
    power). Sources: IEEE 488.2 section 10 (`*IDN?`, `*CLS`), SCPI-1999 volume 2 sections 11 (INPut), 15 (OUTPut),
    19 (SOURce), 21.8 (SYSTem:ERRor) and volume 3 section 2 (MEASure).
    """

    voltage: str
    current: str
    on: str
    off: str
    is_on: str
    measure_voltage: str = "MEAS:VOLT?"
    measure_current: str = "MEAS:CURR?"
    measure_power: str = ""
    error: str = "SYST:ERR?"
    identity: str = "*IDN?"
    setup: tuple[str, ...] = ("*CLS",)
    """Told once after the instrument was identified, such as SYST:REM for one on RS-232."""


SUPPLY = CommandSet("VOLT {}", "CURR {}", "OUTP ON", "OUTP OFF", "OUTP?")
LOAD = CommandSet("", "CURR {}", "INP ON", "INP OFF", "INP?", setup=("*CLS", "FUNC CURR"))

_NEEDED = ("current", "on", "off", "is_on", "measure_voltage", "measure_current", "identity")


def command_set(device: str, basis: CommandSet, changes: Mapping[str, str], setup: Sequence[str] | None) -> CommandSet:
    """`basis` with what the bench file changes.

    Raises:
        ConfigError: an unknown name, a command with a line end or without its `{}`, or one that is needed and empty.
    """
    known = [name for name in basis.__struct_fields__ if name != "setup"]
    for name, text in changes.items():
        if name not in known:
            raise ConfigError(f"{device}: there is no command {name!r}{did_you_mean(name, known)}; known: {known}")
        if not text.isascii() or not (text.isprintable() or not text):
            raise ConfigError(f"{device}: the command {name} = {text!r} is no line of printable ASCII")
    made = msgspec.structs.replace(basis, **changes)
    if setup is not None:
        made = msgspec.structs.replace(made, setup=tuple(setup))
    for name in ("voltage", "current"):
        text: str = getattr(made, name)
        if text and text.count("{}") != 1:
            raise ConfigError(f"{device}: the command {name} = {text!r} needs one {{}} where the value goes")
    for name in _NEEDED:
        if not getattr(made, name):
            raise ConfigError(f"{device}: the command {name} must not be empty")
    return made
