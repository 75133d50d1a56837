"""How a signal is read from the data of events: part of its definition, as docs/rules.md has it (section Signals)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple, cast

import msgspec

from ...timeline import Event
from .happened import matches, number_of, value_at
from .rule import Occurrence, Scalar

__all__ = ["KINDS", "Band", "Heard", "Reading"]

KINDS = ("step", "sampled", "register", "pwm")
"""The kinds that a pack may define."""


class Band(msgspec.Struct, frozen=True, omit_defaults=True):
    """Two thresholds: `above` from a value of at least `high` on, `below` from one of at most `low` on.

    In between it is what it was. `low` == `high`: one threshold, that belongs to `above`.
    """

    low: float
    high: float
    below: str
    above: str


class Heard(NamedTuple):
    """What an event says of a signal; `value` None: it says that nobody knows, because of `why`."""

    value: float | str | None
    why: str = ""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """From which events, and how.

    - `on`: the events. `key`: a key of their data, or a path; `element`: of a list, from 0; `highest`: of a list.
    - `size`: without its sign.
    - `words`: its words, each with the values in the data that it stands for; empty for a number.
    - `factor`: of the data's unit to the base unit. `accuracy`: error bound of a number, in the base unit.
    - `max_gap_ns`: so long after a reading nothing is known any more; 0: it holds for ever.
    - `between`, `slew_per_s`: of a sampled number; how fast it moves at most, in the base unit.
    - `debounce_ns`: a value that does not last so long is none.
    - `band`: the words of a number.
    - `frequency`, `cycles`: of a PWM: the key of its frequency in Hz, and over how many cycles it was measured.
    - `rate`: of a register: the key of its rate per hour, for a source that has no register.
    - `outlet`: the outlet that it belongs to; None: that of the event.
    """

    on: Occurrence
    key: str
    kind: Literal["step", "sampled", "register", "pwm"] = "step"
    element: int | None = None
    highest: bool = False
    size: bool = False
    words: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    factor: float = 1.0
    accuracy: float = 0.0
    max_gap_ns: int = 0
    between: Literal["hold", "linear"] = "hold"
    slew_per_s: float = 0.0
    debounce_ns: int = 0
    band: Band | None = None
    frequency: str = ""
    cycles: int = 0
    rate: str = ""
    outlet: int | None = None

    @property
    def numeric(self) -> bool:
        """The signal is a number, no word."""
        return not self.words and self.band is None

    @property
    def lag_ns(self) -> int:
        """So much later than its event an edge may become known at most."""
        return self.debounce_ns + self.max_gap_ns

    def heard(self, event: Event) -> Heard | None:
        """What an event says of the signal; None if it says nothing: it is another one, or lacks the key."""
        if not matches(self.on, event):
            return None
        raw = self._raw(event.data)
        if raw is None:
            return None
        if self.words:
            return self._word(raw)
        number = number_of(raw)
        if number is None:
            return Heard(None, f"{self.key} is {raw!r}, no number")
        return Heard(float(number * Decimal(repr(self.factor))) if self.factor != 1.0 else float(number))

    def hertz(self, data: Mapping[str, Any]) -> float | None:
        """The frequency that an event gives; None where there is none."""
        number = number_of(value_at(data, self.frequency)) if self.frequency else None
        return float(number) if number is not None and number > 0 else None

    def _raw(self, data: Mapping[str, Any]) -> Any:
        found = value_at(data, self.key)
        if self.element is None and not self.highest:
            return found
        if not isinstance(found, list):
            return None
        items = cast("list[Any]", found)
        if self.element is not None:
            return items[self.element] if self.element < len(items) else None
        numbers = [abs(number) if self.size else number for number in map(number_of, items) if number is not None]
        return max(numbers, default=None) if len(numbers) == len(items) else None

    def _word(self, raw: Any) -> Heard:
        for word, values in self.words:
            if any(_is(raw, value) for value in values):
                return Heard(word)
        return Heard(None, f"{self.key} is {raw!r}, which stands for none of {_listed(self.words)}")


def _is(raw: Any, value: Scalar) -> bool:
    if isinstance(raw, bool) or isinstance(value, bool):
        return raw is value
    if isinstance(value, str):
        return raw == value
    number = number_of(raw)
    return number is not None and number == number_of(value)


def _listed(words: Sequence[tuple[str, tuple[Scalar, ...]]]) -> str:
    return ", ".join(word for word, _ in words)
