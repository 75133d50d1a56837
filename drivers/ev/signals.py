"""Which signals of a DBC file play which role: names looked up, units and value ranges checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ...bench.timeline import did_you_mean
from ...errors import ConfigError
from .checksums import CHECKSUMS

if TYPE_CHECKING:
    from cantools.database.can import Database, Message, Signal

__all__ = ["RECEIVE", "SEND", "Role", "SignalFile", "SignalSpec", "range_of"]

SignalSpec = str | Mapping[str, Any]
"""`"Message.Signal"`, or a table with `signal` and more: `on` and `off` of a switch, `kind` of a checksum."""

SEND: Mapping[str, str] = {"plugged": "", "s2_closed": "", "charge": "", "max_current_a": "A"}
RECEIVE: Mapping[str, str] = {"plugged": "", "s2_wish": "", "soc_pct": "%", "current_a": "A", "battery_v": "V"}
"""Role -> its unit; a switch has none."""

_UNITS: Mapping[str, Mapping[str, float]] = {
    "A": {"a": 1.0, "ampere": 1.0, "amps": 1.0, "ma": 0.001, "": 1.0},
    "V": {"v": 1.0, "volt": 1.0, "volts": 1.0, "mv": 0.001, "kv": 1000.0, "": 1.0},
    "%": {"%": 1.0, "percent": 1.0, "": 1.0},
}
"""Unit of a role -> units that a signal of it may have, and how much one of them is. Many DBC files give none."""


class Role(NamedTuple):
    """A signal in its role. `factor`: one unit of the signal in units of the role; `on`, `off`: values of a switch."""

    signal: Signal
    factor: float = 1.0
    on: float = 1.0
    off: float = 0.0
    kind: str = ""


class SignalFile:
    """A DBC file and the look-up of its names.

    Raises:
        ConfigError: no such file, or no DBC.
    """

    def __init__(self, dbc: Path) -> None:
        self.name = str(dbc)
        self._database = _load(dbc)
        self.messages = {message.name: message for message in self._database.messages}

    def error(self, text: str) -> ConfigError:
        return ConfigError(text, file=self.name)

    def find(self, role: str, spec: SignalSpec) -> tuple[Message, Signal]:
        """The message and signal of a role.

        Raises:
            ConfigError: it names none; says what is near.
        """
        named = spec if isinstance(spec, str) else spec.get("signal", "")
        message_name, dot, signal_name = str(named).partition(".")
        if not dot or not signal_name:
            raise self.error(f'role {role!r}: {named!r} names no signal; write "Message.Signal".')
        message = self.messages.get(message_name)
        if message is None:
            near = did_you_mean(message_name, self.messages)
            raise self.error(
                f"has no message {message_name!r} for the role {role!r}{near}. It has: {', '.join(self.messages)}."
            )
        for signal in message.signals:
            if signal.name == signal_name:
                self._check_message(role, message)
                return message, signal
        names = [signal.name for signal in message.signals]
        elsewhere = [m.name for m in self._database.messages if any(s.name == signal_name for s in m.signals)]
        where = f" It is in {', '.join(elsewhere)}." if elsewhere else ""
        raise self.error(
            f"message {message_name!r} has no signal {signal_name!r} for the role {role!r}"
            f"{did_you_mean(signal_name, names)}.{where} It has: {', '.join(names)}."
        )

    def _check_message(self, role: str, message: Message) -> None:
        if message.is_fd or message.length > 8:
            raise self.error(f"role {role!r}: {message.name!r} is a CAN FD message; only classic CAN is spoken here.")
        if message.is_multiplexed():
            raise self.error(f"role {role!r}: {message.name!r} is multiplexed, which is not supported.")

    def role(self, role: str, unit: str, spec: SignalSpec) -> tuple[Message, Role]:
        """A role that carries a value or a switch.

        Raises:
            ConfigError: the signal's unit or range does not fit the role, or the table has an unknown key.
        """
        message, signal = self.find(role, spec)
        if not unit:
            return message, self._switch(role, signal, {} if isinstance(spec, str) else spec)
        if not isinstance(spec, str):
            self._only(role, spec, ("signal",))
        known = _UNITS[unit]
        factor = known.get((signal.unit or "").strip().lower())
        if factor is None:
            raise self.error(
                f"role {role!r} is in {unit}, but the signal {message.name}.{signal.name} is in {signal.unit!r}. "
                f"Map a signal in {', '.join(name for name in known if name)}."
            )
        return message, Role(signal, factor)

    def _only(self, role: str, spec: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in spec:
            if key not in keys:
                raise self.error(
                    f"role {role!r}: unknown key {key!r}{did_you_mean(key, keys)}. Known: {', '.join(keys)}."
                )

    def _switch(self, role: str, signal: Signal, spec: Mapping[str, Any]) -> Role:
        self._only(role, spec, ("signal", "on", "off"))
        on, off = self.value(role, signal, spec.get("on", 1)), self.value(role, signal, spec.get("off", 0))
        if on == off:
            raise self.error(f"role {role!r}: `on` and `off` are both {on:g}.")
        return Role(signal, on=on, off=off)

    def value(self, role: str, signal: Signal, given: object) -> float:
        """A value of a signal, as a number or by its name in the DBC file (`VAL_`).

        Raises:
            ConfigError: the signal has no such value.
        """
        if isinstance(given, str):
            choices = {str(text): number for number, text in (signal.choices or {}).items()}
            if given not in choices:
                raise self.error(
                    f"role {role!r}: {signal.name!r} has no value {given!r}{did_you_mean(given, choices)}. "
                    f"It has: {', '.join(choices) or 'no named values'}."
                )
            return float(choices[given])
        if not isinstance(given, (int, float)):
            raise self.error(f"role {role!r}: {given!r} is no value of {signal.name!r}.")
        least, most = range_of(signal)
        if not least <= given <= most:
            raise self.error(
                f"role {role!r}: {given:g} is outside of {signal.name!r}, which holds {least:g}..{most:g}."
            )
        return float(given)

    def counter(self, role: str, spec: SignalSpec) -> tuple[Message, Role]:
        """A counter: an unsigned number that is one more with each frame."""
        message, signal = self.find(role, spec)
        if signal.is_signed or signal.is_float or signal.scale != 1 or signal.offset != 0:
            raise self.error(f"role {role!r}: {signal.name!r} is scaled or signed, and so no counter.")
        return message, Role(signal)

    def checksum(self, role: str, spec: SignalSpec) -> tuple[Message, Role]:
        """A checksum: one whole byte, and a kind."""
        kind = "" if isinstance(spec, str) else str(spec.get("kind", ""))
        if kind not in CHECKSUMS:
            raise self.error(
                f"role {role!r}: unknown kind of checksum {kind!r}{did_you_mean(kind, CHECKSUMS)}. "
                f"Known: {', '.join(CHECKSUMS)}."
            )
        message, signal = self.find(role, spec)
        if signal.length != 8 or (signal.start % 8 != (0 if signal.byte_order == "little_endian" else 7)):
            raise self.error(f"role {role!r}: {signal.name!r} is not one whole byte.")
        return message, Role(signal, kind=kind)


def range_of(signal: Signal) -> tuple[float, float]:
    """What a signal can hold, in its own unit."""
    if signal.is_float:
        return float("-inf"), float("inf")
    bits = signal.length
    raw = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signal.is_signed else (0, (1 << bits) - 1)
    ends = sorted(float(signal.offset + signal.scale * value) for value in raw)
    least = ends[0] if signal.minimum is None else max(ends[0], float(signal.minimum))
    most = ends[1] if signal.maximum is None else min(ends[1], float(signal.maximum))
    return (least, most) if least <= most else (ends[0], ends[1])


def _load(dbc: Path) -> Database:
    import cantools
    from cantools.database.errors import Error, UnsupportedDatabaseFormatError

    try:
        return cast("Database", cantools.database.load_file(dbc, database_format="dbc"))
    except OSError as error:
        raise ConfigError(f"cannot read this DBC file: {error.strerror}.", file=str(dbc)) from error
    except (UnsupportedDatabaseFormatError, Error, UnicodeDecodeError) as error:
        raise ConfigError(f"is no DBC file that can be read: {error}", file=str(dbc)) from error
