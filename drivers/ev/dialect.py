"""Which message and signal of a DBC file plays which role for the bench."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...bench.timeline import did_you_mean
from ...errors import ConfigError

if TYPE_CHECKING:
    from cantools.database.can import Database, Message

__all__ = ["ROLES", "Dialect"]

ROLES: Mapping[str, str] = {
    "command": "EV_Command",
    "command.counter": "Counter",
    "command.plugged": "Plugged",
    "command.s2_closed": "S2Closed",
    "command.charge": "ChargeEnable",
    "command.max_current_a": "MaxCurrent",
    "status": "EV_Status",
    "status.counter": "Counter",
    "status.plugged": "Plugged",
    "status.s2_wish": "S2Wish",
    "status.soc_pct": "SoC",
    "status.current_a": "Current",
    "status.battery_v": "BatteryVoltage",
}
"""Role -> message or signal, as in the shipped `pilotbench-ev.dbc`."""


class Dialect:
    """Encodes commands and decodes status with one DBC file.

    `roles` replaces names of `ROLES` for a simulator with a DBC file of its own.

    Raises:
        ConfigError: no such file, no DBC, an unknown role, or a message or signal that is not in the file.
    """

    def __init__(self, dbc: Path, roles: Mapping[str, str] | None = None) -> None:
        self._file = str(dbc)
        for role in roles or {}:
            if role not in ROLES:
                raise ConfigError(
                    f"unknown role {role!r}{did_you_mean(role, ROLES)}. Known: {', '.join(ROLES)}.", file=self._file
                )
        self._roles = {**ROLES, **(roles or {})}
        database = _load(dbc)
        self._command = self._message(database, "command")
        self._status = self._message(database, "status")
        counter = self._status.get_signal_by_name(self._roles["status.counter"])
        self.status_id = int(self._status.frame_id)
        self.status_extended = bool(self._status.is_extended_frame)
        self.command_id = int(self._command.frame_id)
        self.command_extended = bool(self._command.is_extended_frame)
        self.status_turn = 1 << counter.length
        self.command_turn = 1 << self._command.get_signal_by_name(self._roles["command.counter"]).length
        self.highest_current_a = self._highest("command.max_current_a")

    def _message(self, database: Database, role: str) -> Message:
        name = self._roles[role]
        names = [message.name for message in database.messages]
        if name not in names:
            raise ConfigError(
                f"has no message {name!r} for the role {role!r}{did_you_mean(name, names)}. "
                f"It has: {', '.join(names)}.",
                file=self._file,
            )
        message = database.get_message_by_name(name)
        signals = [signal.name for signal in message.signals]
        for part, signal in self._roles.items():
            if part.startswith(f"{role}.") and signal not in signals:
                raise ConfigError(
                    f"message {name!r} has no signal {signal!r} for the role {part!r}{did_you_mean(signal, signals)}. "
                    f"It has: {', '.join(signals)}.",
                    file=self._file,
                )
        return message

    def _highest(self, role: str) -> float:
        signal = self._command.get_signal_by_name(self._roles[role])
        return float(signal.maximum) if signal.maximum is not None else float("inf")

    def encode(self, values: Mapping[str, float | bool]) -> bytes:
        """The command frame for `values` (role without `command.` -> value); all five roles are needed."""
        signals = {self._roles[f"command.{name}"]: float(value) for name, value in values.items()}
        others = {s.name: 0 for s in self._command.signals if s.name not in signals}
        return bytes(self._command.encode(cast(Any, {**others, **signals}), strict=False))

    def decode(self, data: bytes) -> dict[str, float]:
        """A status frame as role without `status.` -> value.

        Raises:
            ValueError: the frame is too short or does not fit the DBC file.
        """
        from cantools.database import DecodeError

        try:
            signals = cast(Mapping[str, float], self._status.decode(data, decode_choices=False, allow_truncated=False))
        except (DecodeError, ValueError) as error:
            raise ValueError(f"{self._status.name} cannot be decoded: {error}") from error
        prefix = "status."
        return {
            role.removeprefix(prefix): signals[name] for role, name in self._roles.items() if role.startswith(prefix)
        }


def _load(dbc: Path) -> Database:
    import cantools
    from cantools.database.errors import Error, UnsupportedDatabaseFormatError

    try:
        return cast("Database", cantools.database.load_file(dbc, database_format="dbc"))
    except OSError as error:
        raise ConfigError(f"cannot read this DBC file: {error.strerror}.", file=str(dbc)) from error
    except (UnsupportedDatabaseFormatError, Error, UnicodeDecodeError) as error:
        raise ConfigError(f"is no DBC file that can be read: {error}", file=str(dbc)) from error
