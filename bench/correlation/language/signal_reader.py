"""Reading the signals that a pack defines: strictly, with every error at its place (docs/rules.md, section Signals)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from ....errors import RuleError
from ...timeline import TOPICS, UNITS, did_you_mean, parse_quantity
from .grammar import Names, SentenceError, parse_happenings
from .limits import Limit, dimension_of
from .place import line_of
from .reading import KINDS, Band, Reading
from .rule import Occurrence, Scalar
from .signals import CONFIG, SIGNALS, Signal

__all__ = ["KEYS", "read_signals"]

KEYS = (
    "text", "topic", "key", "kind", "values", "unit", "accuracy", "max_gap", "between", "slew", "debounce",
    "hysteresis", "frequency", "cycles", "evse",
)  # fmt: skip
"""What a definition may have."""

_NAME = re.compile(r"[A-Za-z_]\w*(?:-\w+)*(?:\.\w+(?:-\w+)*)*", re.ASCII)
_KEY = re.compile(r"(max\()?([A-Za-z_][\w.]*)(?:\[(\d+)\])?(\))?", re.ASCII)
_T = TypeVar("_T")


def read_signals(tables: object, limits: Mapping[str, Limit], file: tuple[Path, str]) -> dict[str, Signal]:
    """The signals of a pack, by their names. `tables`: what stands under `signal`; `file`: the pack's path and text.

    Raises:
        RuleError: one cannot be read; says which, where, and the nearest known word.
    """
    if tables is None:
        return {}
    if not isinstance(tables, dict):
        raise RuleError('a signal begins with [signal."its.name"]', pack=str(file[0]))
    found: dict[str, Signal] = {}
    for name, table in cast("dict[str, Any]", tables).items():
        if not isinstance(table, dict):
            raise RuleError(f'a signal begins with [signal."its.name"]; {name!r} is no table', pack=str(file[0]))
        found[name] = _Definition(name, cast("dict[str, Any]", table), Names(limits), file).signal()
    return found


class _Definition:
    """The table of one signal."""

    def __init__(self, name: str, table: Mapping[str, Any], names: Names, file: tuple[Path, str]) -> None:
        self.name = name
        self.table = table
        self.names = names
        self._file = file

    def signal(self) -> Signal:
        self._checked_name()
        for key in self.table:
            if key not in KEYS:
                raise self._error(f"unknown key {key!r}{did_you_mean(key, KEYS)}; a signal has {', '.join(KEYS)}", key)
        kind = self._one_of("kind", KINDS, "step")
        on = self._topic()
        reading = Reading(on, *self._key(on))  # element and highest follow the key
        fields: dict[str, Any] = {"kind": kind, "element": reading.element, "highest": reading.highest}
        dimension = self._values(fields)
        self._times(kind, dimension, fields)
        self._of_kind(kind, dimension, fields)
        evse = self.table.get("evse")
        if evse is not None and (isinstance(evse, bool) or not isinstance(evse, int) or evse < 1):
            raise self._error(f"evse = {evse!r} is no outlet; they are numbered from 1", "evse")
        made = Reading(on=on, key=reading.key, outlet=evse, **fields)
        band = made.band
        words = [word for word, _ in made.words] if band is None else [band.below, band.above]
        return Signal(
            self._text("text"),
            kind,
            {word: word for word in words},
            "" if words else dimension,
            on.topics,
            (),
            made,
        )

    def _checked_name(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise self._error(f"{self.name!r} is no name: letters first, then letters, digits, _ and -, parted by dots")
        if self.name in SIGNALS or self.name in TOPICS or self.name.startswith((CONFIG, "limit.")):
            raise self._error(f"{self.name!r} means something already; take another name, e.g. 'lab.{self.name}'")

    # ---- from which events

    def _topic(self) -> Occurrence:
        text = self._text("topic")
        found = self._guard("topic", lambda: parse_happenings(text, self.names))
        if len(found) != 1 or not isinstance(found[0], Occurrence):
            raise self._error(f"topic = {text!r}: one event is meant, perhaps of several topics (a|b)", "topic")
        return found[0]

    def _key(self, on: Occurrence) -> tuple[Any, ...]:
        text = self._text("key")
        match = _KEY.fullmatch(text)
        if match is None or bool(match[1]) != bool(match[4]) or (match[1] and match[3]):
            raise self._error(
                f"key = {text!r} is none; write 'door', a path 'payload.door', 'list[0]', or 'max(list)'", "key"
            )
        for topic in on.topics:
            self._guard("key", lambda topic=topic: self.names.key(topic, match[2]))
        element = None if match[3] is None else int(match[3])
        return match[2], "step", element, bool(match[1])

    # ---- its values

    def _values(self, fields: dict[str, Any]) -> str:
        """Words, or a number with its unit, or both with thresholds; the dimension."""
        values, unit = self.table.get("values"), self.table.get("unit")
        if unit is None:
            if values is None:
                raise self._error("has neither `values` (its words) nor `unit` (of a number)")
            for key in ("hysteresis", "accuracy"):
                if key in self.table:
                    raise self._error(f"`{key}` goes with a number: give its `unit`", key)
            fields["words"] = self._words(values)
            return ""
        units = [each for group in UNITS.values() for each in group]
        if not isinstance(unit, str) or dimension_of(unit) is None:
            raise self._error(
                f"unknown unit {unit!r}{did_you_mean(str(unit), units)}; known: {', '.join(units)}", "unit"
            )
        dimension = dimension_of(unit) or ""
        fields["factor"] = float(UNITS[dimension][unit])
        fields["accuracy"] = self._quantity("accuracy", dimension)
        if values is None and "hysteresis" not in self.table:
            return dimension
        if values is None or "hysteresis" not in self.table:
            missing, given = ("values", "hysteresis") if values is None else ("hysteresis", "values")
            why = "the word below and the word above" if values is None else "the threshold, or two of them"
            raise self._error(f"`{given}` of a number needs `{missing}` too: {why}", given)
        fields["band"] = self._band(values, dimension)
        return dimension

    def _words(self, values: object) -> tuple[tuple[str, tuple[Scalar, ...]], ...]:
        if isinstance(values, list):
            pairs: list[tuple[str, object]] = [(str(word), word) for word in cast("list[object]", values)]
        elif isinstance(values, dict):
            pairs = list(cast("dict[str, object]", values).items())
        else:
            raise self._error(
                f"values = {values!r}; write ['open', 'closed'], or {{ open = 1, closed = [0, 2] }}", "values"
            )
        found: list[tuple[str, tuple[Scalar, ...]]] = []
        for word, raw in pairs:
            items = cast("list[object]", raw) if isinstance(raw, list) else [raw]
            if not items or not all(isinstance(item, bool | int | float | str) for item in items):
                raise self._error(
                    f"values: {word!r} stands for {raw!r}; texts, numbers, true and false are known", "values"
                )
            found.append((self._word(word), tuple(cast("list[Scalar]", items))))
        raws = [(type(item) is bool, item) for _, items in found for item in items]
        if len(found) < 2 or len(set(raws)) < len(raws) or len({word for word, _ in found}) < len(found):
            raise self._error("values: two words at least, and each value of the data stands for one of them", "values")
        return tuple(found)

    def _word(self, word: str) -> str:
        if not _NAME.fullmatch(word):
            raise self._error(f"values: {word!r} is no word: letters first, then letters, digits, _ and -", "values")
        return word

    def _band(self, values: object, dimension: str) -> Band:
        words = cast("list[object]", values) if isinstance(values, list) else []
        if len(words) != 2 or not all(isinstance(word, str) for word in words) or words[0] == words[1]:
            raise self._error("values: of a number two words, the one below its thresholds first", "values")
        given = self.table["hysteresis"]
        texts = cast("list[object]", given) if isinstance(given, list) else [given]
        if len(texts) not in (1, 2) or not all(isinstance(text, str) for text in texts):
            raise self._error(f"hysteresis = {given!r}; write '60 degC', or ['55 degC', '60 degC']", "hysteresis")
        bounds = [self._guard("hysteresis", lambda text=text: parse_quantity(str(text), dimension)) for text in texts]
        if bounds[0] > bounds[-1]:
            raise self._error("hysteresis: the lower threshold comes first", "hysteresis")
        return Band(bounds[0], bounds[-1], self._word(str(words[0])), self._word(str(words[1])))

    # ---- times

    def _times(self, kind: str, dimension: str, fields: dict[str, Any]) -> None:
        fields["max_gap_ns"] = round(self._quantity("max_gap", "time"))
        fields["debounce_ns"] = round(self._quantity("debounce", "time"))
        if kind in ("sampled", "register") and not fields["max_gap_ns"]:
            raise self._error(f"a {kind} signal needs `max_gap`: how far apart may two readings be?", "kind")
        number = bool(dimension) and "band" not in fields
        if fields["debounce_ns"] and number and kind != "step":
            raise self._error("`debounce` goes with a value that holds: words, or a number of kind step", "debounce")

    def _of_kind(self, kind: str, dimension: str, fields: dict[str, Any]) -> None:
        """What belongs to one kind only."""
        for key, of in (("between", "sampled"), ("slew", "sampled"), ("frequency", "pwm"), ("cycles", "pwm")):
            if key in self.table and kind != of:
                raise self._error(f"`{key}` goes with kind = '{of}'; this is {kind}", key)
        fields["between"] = self._one_of("between", ("hold", "linear"), "hold")
        if "slew" in self.table:
            if fields["between"] != "linear" or not dimension:
                raise self._error(
                    "`slew` goes with between = 'linear' and a number: what holds and jumps has none", "slew"
                )
            fields["slew_per_s"] = self._slew(dimension)
        if kind == "register" and (not dimension or "band" in fields):
            raise self._error("a register is a number: give its `unit`, and no `values`", "kind")
        if kind == "pwm":
            cycles = self.table.get("cycles")
            if dimension != "share":
                raise self._error("a pwm signal is a duty cycle: unit = '%'", "kind")
            if isinstance(cycles, bool) or not isinstance(cycles, int) or cycles < 1:
                raise self._error("a pwm signal needs `cycles`: over how many its duty cycle is measured", "kind")
            fields["cycles"] = cycles
            fields["frequency"] = self._text("frequency")

    def _slew(self, dimension: str) -> float:
        text = self._text("slew")
        amount, stroke, per = text.partition("/")
        per = per.strip()
        if not stroke or per not in UNITS["time"]:
            unit = next(iter(UNITS[dimension]))
            raise self._error(f"slew = {text!r} is no rate; write e.g. '2 {unit}/s'", "slew")
        bound = self._guard("slew", lambda: parse_quantity(amount, dimension)) / (UNITS["time"][per] / 1e9)
        if bound <= 0:
            raise self._error(f"slew = {text!r}: more than nothing is needed", "slew")
        return bound

    # ---- small things

    def _text(self, key: str) -> str:
        value = self.table.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._error(f"needs `{key}`, a text" if value is None else f"{key} = {value!r} is no text", key)
        return value

    def _one_of(self, key: str, known: Sequence[str], default: str) -> Any:
        value = self.table.get(key, default)
        if value not in known:
            raise self._error(f"{key} = {value!r}{did_you_mean(str(value), known)}; known: {', '.join(known)}", key)
        return value

    def _quantity(self, key: str, dimension: str) -> float:
        if key not in self.table:
            return 0.0
        text = self._text(key)
        found = self._guard(key, lambda: parse_quantity(text, dimension))
        if found < 0:
            raise self._error(f"{key} = {text!r}: it is not negative", key)
        return found

    def _guard(self, key: str, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except SentenceError as error:
            raise self._error(f"{error.message}\n{error.caret()}", key) from error
        except ValueError as error:
            raise self._error(str(error), key) from error

    def _error(self, message: str, key: str = "") -> RuleError:
        path, text = self._file
        line = line_of(text, "signal", self.name, key)
        return RuleError(f"signal {self.name!r}: {message}", pack=str(path) if line is None else f"{path}:{line}")
