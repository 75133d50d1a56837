"""What the answers of a RAPI station say, in units.

Source: OpenEVSE/open_evse, firmware/open_evse/rapi_proc.h and J1772EvseController.h, RAPI 5.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["EMPTY", "STATES", "VFLAGS", "ReadingError", "read_answer", "read_notice"]

STATES: Mapping[int, str] = {
    0x00: "unknown",
    0x01: "A",
    0x02: "B",
    0x03: "C",
    0x04: "D",
    0x05: "diode-check-failed",
    0x06: "gfi-fault",
    0x07: "no-ground",
    0x08: "stuck-relay",
    0x09: "gfi-self-test-failed",
    0x0A: "over-temperature",
    0x0B: "over-current",
    0xFE: "sleeping",
    0xFF: "disabled",
}
"""The station's own state: A..D as in IEC 61851-1, or what keeps it from charging."""

VFLAGS: Mapping[int, str] = {
    0x0001: "autosvc-skipped",
    0x0002: "hard-fault",
    0x0004: "limit-sleep",
    0x0008: "auth-locked",
    0x0010: "time-limit",
    0x0020: "no-ground-tripped",
    0x0040: "relay-closed",
    0x0080: "gfi-tripped",
    0x0100: "ev-connected",
    0x0200: "session-ended",
    0x1000: "timer",
    0x2000: "charge-limit",
    0x4000: "boot-lock",
    0x8000: "mennekes-manual",
}

ABSENT_TEMPERATURE = -2560
"""What `GP` holds for a sensor that is not there, in 0.1 degC."""

EMPTY: Mapping[str, Any] = dict.fromkeys(
    (
        *("via", "state", "pilot_state", "flags", "elapsed_s", "current_a", "voltage_v", "limit_a", "max_current_a"),
        *("settings", "temperatures_c", "session_wh", "total_wh", "gfi_trips", "no_ground_trips", "stuck_relay_trips"),
        *("post_code", "firmware"),
    )
)
"""Every key of `evse.monitor`; None where a message does not say."""


class ReadingError(ValueError):
    """An answer whose values are not what the command answers."""


def _state(text: str) -> str:
    code = int(text, 16)
    if code not in STATES:
        raise ValueError(f"state {text} is not known")
    return STATES[code]


def _flags(text: str) -> list[str]:
    bits = int(text, 16)
    return [name for bit, name in VFLAGS.items() if bits & bit]


def _gs(words: Sequence[str]) -> dict[str, Any]:
    state, elapsed, pilot, flags = words
    return {
        "state": _state(state),
        "elapsed_s": int(elapsed),
        "pilot_state": _state(pilot),
        "flags": _flags(flags),
    }


def _gg(words: Sequence[str]) -> dict[str, Any]:
    milliamps, millivolts = (int(word) for word in words)
    # -1 mA: it has no ammeter
    return {"current_a": None if milliamps < 0 else milliamps / 1000, "voltage_v": millivolts / 1000}


def _gc(words: Sequence[str]) -> dict[str, Any]:
    _, hardware, pilot, _ = (int(word) for word in words)
    return {"limit_a": pilot, "max_current_a": hardware}


def _ge(words: Sequence[str]) -> dict[str, Any]:
    amps, flags = words
    return {"limit_a": int(amps), "settings": f"{int(flags, 16):04x}"}


def _gp(words: Sequence[str]) -> dict[str, Any]:
    tenths = [int(word) for word in words]
    if len(tenths) != 3:
        raise ValueError("three temperatures are expected")
    return {"temperatures_c": [None if value == ABSENT_TEMPERATURE else value / 10 for value in tenths]}


def _gu(words: Sequence[str]) -> dict[str, Any]:
    watt_seconds, watt_hours = (int(word) for word in words)
    return {"session_wh": round(watt_seconds / 3600, 4), "total_wh": watt_hours}


def _gf(words: Sequence[str]) -> dict[str, Any]:
    gfi, no_ground, stuck = (int(word, 16) for word in words)
    return {"gfi_trips": gfi, "no_ground_trips": no_ground, "stuck_relay_trips": stuck}


def _at(words: Sequence[str]) -> dict[str, Any]:
    state, pilot, amps, flags = words
    return {"state": _state(state), "pilot_state": _state(pilot), "limit_a": int(amps), "flags": _flags(flags)}


def _ab(words: Sequence[str]) -> dict[str, Any]:
    code, firmware = words
    return {"post_code": f"{int(code, 16):02x}", "firmware": firmware}


_ANSWERS: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]] = {
    "GS": _gs,
    "GG": _gg,
    "GC": _gc,
    "GE": _ge,
    "GP": _gp,
    "GU": _gu,
    "GF": _gf,
}
_NOTICES: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]] = {"AT": _at, "AB": _ab}


def _read(table: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]], name: str, words: Sequence[str]) -> Any:
    if name not in table:
        return {}
    try:
        return table[name](words)
    except ValueError as error:
        raise ReadingError(f"{name} does not answer {' '.join(words)!r}: {error}") from error


def read_answer(command: str, words: Sequence[str]) -> dict[str, Any]:
    """The values in the answer to one of GS GG GC GE GP GU GF; empty for any other.

    Raises:
        ReadingError: too few or too many values, or one that makes no sense.
    """
    return _read(_ANSWERS, command, words)


def read_notice(name: str, words: Sequence[str]) -> dict[str, Any]:
    """The values of AT and AB; empty for the others, which say that a button was pressed or the radio wanted.

    Raises:
        ReadingError: as for `read_answer`.
    """
    return _read(_NOTICES, name, words)
