"""Reads checked values out of a TOML text, and knows the line of each for its errors."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from ...bench.timeline import did_you_mean, key_line, syntax_line
from ...errors import ConfigError

__all__ = ["TomlText"]


class TomlText:
    """One file. `where` is the dotted name of the table that a key stands in; "" is the top.

    Every method raises ConfigError with file and line for what is wrong.
    """

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def fail(self, message: str, where: str = "", key: str = "") -> ConfigError:
        loc = [part for part in (*where.split("."), key) if part]
        return ConfigError(message, file=self._file, line=key_line(self._text, loc) or 1)

    def load(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"is no TOML: {error}.", file=self._file, line=syntax_line(error, self._text)) from error

    def known(self, table: Mapping[str, Any], allowed: Collection[str], where: str) -> None:
        for key in table:
            if key not in allowed:
                hint = did_you_mean(key, allowed)
                raise self.fail(f"unknown key {key!r}{hint}. Known: {', '.join(sorted(allowed))}.", where, key)

    def table(self, top: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
        """A table that must be there, and not be empty."""
        found = top.get(key)
        if not isinstance(found, dict) or not found:
            raise self.fail(f"the table [{'.'.join(filter(None, (where, key)))}] is missing.", where, key)
        return cast(dict[str, Any], found)

    def maybe_table(self, top: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
        return self.table(top, key, where) if key in top else {}

    def whole(
        self, table: Mapping[str, Any], key: str, where: str, default: int | None, lowest: int, highest: int
    ) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.fail(f"{key!r} must be a whole number from {lowest} to {highest}.", where, key)
        return value

    def choice(self, table: Mapping[str, Any], key: str, where: str, default: object, allowed: Sequence[Any]) -> Any:
        value = table.get(key, default)
        if value not in allowed:
            raise self.fail(f"{key!r} must be one of {', '.join(map(repr, allowed))}, not {value!r}.", where, key)
        return value

    def decimal(self, table: Mapping[str, Any], key: str, where: str, default: str | None) -> Decimal:
        value = table.get(key, default)
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal(0)
        if isinstance(value, bool) or not number.is_finite() or number == 0:
            raise self.fail(f'{key!r} must be a number other than 0, such as "0.1".', where, key)
        return number

    def text(self, table: Mapping[str, Any], key: str, where: str, what: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value:
            raise self.fail(f"{key!r} must {what}.", where, key)
        return value

    def items(self, table: Mapping[str, Any], key: str, where: str, kind: type, what: str) -> list[Any]:
        """A list, possibly left out, whose items are of one type."""
        value = table.get(key, [])
        found = cast(list[Any], value) if isinstance(value, list) else None
        if found is None or not all(isinstance(item, kind) and not isinstance(item, bool) for item in found):
            raise self.fail(f"{key!r} must be {what}.", where, key)
        return found
