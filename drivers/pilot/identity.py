"""Who a pilot emulator says it is, and what it says it can do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...bench.timeline import DRIFT_PPM

__all__ = ["PilotIdentity", "PilotStatus", "key_values"]

_CAPABILITIES = frozenset({"sense", "lock", "token", "relay", "estop"})


class PilotIdentity(msgspec.Struct, frozen=True):
    """The answer to HELLO.

    - `clock_bits`: width of the microsecond counter.
    - `clock_ppm`: how far its rate may be off, in 1e-6 of the bench clock's.
    - `cp_res_us`: half-width of a CP or PWM event's own error.
    - `sense_us`, `lock_us`: how much older than its event the fact may be, least and most.
    """

    model: str
    serial: str
    firmware: str
    clock_bits: int = 32
    cp_res_us: int = 0
    capabilities: frozenset[str] = frozenset()
    sense_kind: str = ""
    sense_us: tuple[int, int] = (0, 0)
    sense_phases: int = 0
    lock_us: tuple[int, int] = (0, 0)
    relays: int = 0
    clock_ppm: int = DRIFT_PPM

    @classmethod
    def parse(cls, words: Sequence[str]) -> PilotIdentity:
        """Read the words of the answer; keys that are not known are left alone.

        Raises:
            ValueError: a key is missing or its value makes no sense; says which.
        """
        given = key_values(words)
        for key in ("proto", "model", "serial", "fw"):
            if key not in given:
                raise ValueError(f"the identity has no {key!r}")
        if given["proto"] != "1":
            raise ValueError(f"the device speaks version {given['proto']} of the protocol; the bench speaks 1")
        bits = _integer(given, "clock_bits", 32)
        if bits not in (32, 64):
            raise ValueError(f"clock_bits={bits} is neither 32 nor 64")
        ppm = _integer(given, "clock_ppm", DRIFT_PPM)
        if not 1 <= ppm <= 100_000:
            raise ValueError(f"clock_ppm={ppm} is outside 1..100000")
        capabilities = frozenset(word for word in given.get("caps", "").split(",") if word)
        if "sense" in capabilities and not {"sense_kind", "sense_us", "sense_phases"} <= given.keys():
            raise ValueError("a device with output sense says sense_kind, sense_us and sense_phases")
        if "lock" in capabilities and "lock_us" not in given:
            raise ValueError("a device with lock sense says lock_us")
        return cls(
            given["model"],
            given["serial"],
            given["fw"],
            bits,
            _integer(given, "cp_res_us", 1000),
            capabilities & _CAPABILITIES,
            given.get("sense_kind", ""),
            _span(given, "sense_us"),
            _integer(given, "sense_phases", 0),
            _span(given, "lock_us"),
            _integer(given, "relays", 0),
            ppm,
        )


class PilotStatus(msgspec.Struct, frozen=True):
    """The answer to S: what is set, and what is measured. None = this device has no such sense."""

    resistor: str
    faults: frozenset[str]
    pp_ohm: int | None
    """None = no plug in the socket."""
    high_v: float
    low_v: float
    duty_pct: float
    freq_hz: float
    output: tuple[bool, ...] | None
    locked: bool | None
    watchdog_ms: int

    @property
    def safe(self) -> bool:
        """State A and no fault."""
        return self.resistor == "A" and not self.faults

    @classmethod
    def parse(cls, words: Sequence[str]) -> PilotStatus:
        """Read the words of the answer.

        Raises:
            ValueError: a key is missing or its value makes no sense; says which.
        """
        given = key_values(words)
        for key in ("r", "f", "pp", "high_mv", "low_mv", "duty", "freq", "wd"):
            if key not in given:
                raise ValueError(f"the status has no {key!r}")
        out, lock = given.get("out"), given.get("lock")
        return cls(
            given["r"],
            frozenset(flag for flag in given["f"].split(",") if flag and flag != "NONE"),
            None if given["pp"] == "OPEN" else _integer(given, "pp", 0),
            _integer(given, "high_mv", 0) / 1000,
            _integer(given, "low_mv", 0) / 1000,
            _integer(given, "duty", 0) / 100,
            _integer(given, "freq", 0) / 10,
            tuple(digit == "1" for digit in out) if out and set(out) <= {"0", "1"} else None,
            lock == "1" if lock in ("0", "1") else None,
            _integer(given, "wd", 0),
        )


def key_values(words: Sequence[str]) -> dict[str, str]:
    """`key=value` words as a mapping; words without `=` are left out."""
    return dict(word.split("=", 1) for word in words if "=" in word)


def _integer(given: dict[str, str], key: str, default: int) -> int:
    text = given.get(key, str(default))
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{key}={text} is not a whole number") from None


def _span(given: dict[str, str], key: str) -> tuple[int, int]:
    text = given.get(key, "0..0")
    lo, dots, hi = text.partition("..")
    if not (dots and lo.isdigit() and hi.isdigit() and int(lo) <= int(hi)):
        raise ValueError(f"{key}={text} is not a range of microseconds such as 0..10000")
    return int(lo), int(hi)
