"""The text that an EV Sim Remote sends after each sampling window: read strictly, or not at all.

Two firmwares are known (https://github.com/nsayer/ev_sim): one sends raw counts of its converter once a second, the
other the letter it is set to, and volts, twice a second. Neither has a checksum; what could be seen to be damaged is
refused, and what two reports in a row do not say alike is not believed (`agree`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from .levels import WINDOWS_V

__all__ = ["MAX_LINE", "Lines", "Report", "ReportError", "agree", "letter_of", "parse"]

MAX_LINE = 160
"""Longest report in characters, with room to spare."""

ADC_ZERO = 556
ADC_STEP_V = 0.032
"""The raw converter counts of the older firmware: 0 V lies at 556, one count is 32 mV (its README)."""

_ADC = re.compile(
    rb"\{ state_changes=(\d{1,6}), low_count=(\d{1,7}), high_count=(\d{1,7}), low_adc=(\d{1,4}), high_adc=(\d{1,4}) \}"
)
_VOLTS = re.compile(
    rb'\{ state: "([A-D])", state_changes: (\d{1,6}), low_count: (\d{1,6}), high_count: (\d{1,6}), '
    rb"min_volts: (-?\d{1,2}\.\d{3}), max_volts: (-?\d{1,2}\.\d{3}) \}"
)
_STATIC_V = 1.0
"""Less between the highest and the lowest level is no PWM: the zero crossings are noise then."""


class ReportError(ValueError):
    """A line that is not a whole, sound report."""


class Report(msgspec.Struct, frozen=True):
    """What was seen in one sampling window.

    - `high_v`, `low_v`: the highest and the lowest level in the window, in volts.
    - `duty_pct`, `freq_hz`: over the window; 100 and 0 = static high, 0 and 0 = static low or no voltage.
    - `window_s`: how long the window was.
    - `letter`: the state that the device says it is set to; None where its firmware does not say.
    """

    high_v: float
    low_v: float
    duty_pct: float
    freq_hz: float
    window_s: float
    letter: str | None = None

    @property
    def pwm(self) -> bool:
        return self.freq_hz > 0.0 and 0.0 < self.duty_pct < 100.0


def parse(line: bytes) -> Report:
    """A report from its line, without line end.

    Raises:
        ReportError: no report, or its values contradict each other; says why.
    """
    if found := _ADC.fullmatch(line):
        changes, low, high, low_adc, high_adc = (int(group) for group in found.groups())
        if max(low_adc, high_adc) > 1023:
            raise ReportError("a converter of 10 bits has no such value")
        high_v, low_v = ((adc - ADC_ZERO) * ADC_STEP_V for adc in (high_adc, low_adc))
        return _report(high_v, low_v, changes, low, high, 1.0, None)
    if found := _VOLTS.fullmatch(line):
        letter, *counts = found.groups()[:4]
        changes, low, high = (int(group) for group in counts)
        low_v, high_v = (float(group) for group in found.groups()[4:])
        return _report(high_v, low_v, changes, low, high, 0.5, letter.decode())
    raise ReportError("not a report of an EV Sim Remote")


def _report(
    high_v: float, low_v: float, changes: int, low: int, high: int, window_s: float, letter: str | None
) -> Report:
    if high_v < low_v:
        raise ReportError("the highest level lies below the lowest")
    if max(abs(high_v), abs(low_v)) > 18.0:
        raise ReportError("more than 18 V cannot be on a control pilot")
    high_v, low_v = round(high_v, 3), round(low_v, 3)
    if high_v - low_v < _STATIC_V or changes == 0:
        return Report(high_v, low_v, 100.0 if high_v > _STATIC_V else 0.0, 0.0, window_s, letter)
    if low + high == 0:
        raise ReportError("the level changed, but was neither high nor low")
    return Report(
        high_v, low_v, round(100.0 * high / (low + high), 2), round(changes / 2.0 / window_s, 1), window_s, letter
    )


def agree(first: Report, second: Report) -> bool:
    """Whether two reports in a row say the same: nothing changed in either window, and neither is damaged."""
    return (
        first.letter == second.letter
        and first.window_s == second.window_s
        and abs(first.high_v - second.high_v) < 0.5
        and abs(first.low_v - second.low_v) < 0.5
        and abs(first.duty_pct - second.duty_pct) < 0.6
        and abs(first.freq_hz - second.freq_hz) < max(5.0, 0.02 * first.freq_hz)
    )


def letter_of(high_v: float) -> str | None:
    """The resistor that the high level shows; None where it shows none (0 V, -12 V, or between two windows).

    A station that drives nothing positive hides the resistor: at 0 V every one looks alike.
    """
    for letter in ("A", "B", "C", "D"):
        lo, hi = WINDOWS_V[letter]
        if lo <= high_v <= hi:
            return letter
    return None


_Mark = TypeVar("_Mark")


class Lines(Generic[_Mark]):
    """Cuts a stream at CR and LF, and keeps with each line the mark of the piece in which it began.

    What never ends is dropped, and told to `on_overrun` with its mark.
    """

    def __init__(self, on_overrun: Callable[[_Mark], None]) -> None:
        self._on_overrun = on_overrun
        self._rest = b""
        self._began: _Mark | None = None

    def feed(self, data: bytes, mark: _Mark) -> list[tuple[bytes, _Mark]]:
        """The lines that `data` completes, without line ends and without empty ones."""
        began = mark if self._began is None else self._began
        lines: list[tuple[bytes, _Mark]] = []
        *whole, rest = re.split(rb"[\r\n]", self._rest + data)
        for line in whole:
            if line:
                lines.append((line, began))
            began = mark
        self._rest, self._began = rest, began if rest else None
        if len(rest) > MAX_LINE:
            self._rest, self._began = b"", None
            self._on_overrun(began)
        return lines
