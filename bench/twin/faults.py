"""What can break in the virtual bench beside the station's software: names, arguments, whose fault it is, what follows.

Each can be switched on and off while the twin runs, by its control line
`{"type":"fault","name":"cp-short","on":true,"evse":1,"ohm":80}`; `docs/twin-faults.md` shows the list. A fault of an
instrument names its `device` where the bench has several.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["COMMON", "FAULTS", "Argument", "Fault", "FaultError", "Outcome", "Whose", "complete", "table"]

Whose = Literal["vehicle", "cable", "mains", "station hardware", "bench instrument"]
Outcome = Literal["handled", "station FAIL", "supervisor trip", "bench ERROR", "inconclusive"]
"""What a run with it leads to.

- handled: a station that conforms reacts as it must, and nothing fails; one that does not react fails by `rules`.
- station FAIL: the station's hardware breaks its promise, and `rules` say so.
- supervisor trip: the bench is in danger, or blind while current flows; it is made safe, and the run is an ERROR of the
  bench for the cause in `trip`. The station is not blamed.
- bench ERROR: an instrument cannot be trusted any more, and the run says so; the station is not blamed.
- inconclusive: data are missing or late; rules that needed them say so; the station is not blamed.
"""


class FaultError(Exception):
    """There is no such fault, or it cannot have these arguments; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Argument:
    """`default` also says the type: number, text or truth value. Numbers lie in low..high, text is one of `choices`."""

    default: float | str | bool
    text: str
    low: float = 0.0
    high: float = 1e9
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `of` says where it is done: at an outlet, at a device, or on a device's wire."""

    text: str
    whose: Whose
    outcome: Outcome
    rules: tuple[str, ...] = ()
    trip: str = ""
    of: Literal["outlet", "device", "wire"] = "outlet"
    arguments: Mapping[str, Argument] = field(default_factory=dict[str, Argument])


COMMON: dict[str, Argument] = {
    "once": Argument("now", "what it waits for at its outlet", choices=("now", "plugged", "live", "charging")),
    "after_s": Argument(0.0, "s that it waits from then on", 0.0, 86_400.0),
    "for_s": Argument(0.0, "s after which it ends by itself; 0 = it stays until it is switched off", 0.0, 86_400.0),
}
"""What every fault takes: when it begins, and when it ends."""

_OHM = Argument(80.0, "ohm", 0.0, 1e7)
_AT_ONCE = Argument(False, "also while the contactor is open, as a bypass does")
_SHARE = Argument(0.01, "share of the bytes, 0..1", 0.0, 1.0)
_DIRECTION = Argument("both", "which way", choices=("both", "to-bench", "to-device"))
_WIRE: dict[str, Argument] = {"share": _SHARE, "direction": _DIRECTION}

FAULTS: dict[str, Fault] = {
    "cp-diode-short": Fault(
        "the diode in the vehicle is shorted: the low level mirrors the high one", "vehicle", "handled"
    ),
    "cp-short": Fault(
        "the control pilot is shorted to PE through `ohm`; 0 and 80 are state E",
        "cable",
        "handled",
        arguments={"ohm": _OHM},
    ),
    "cp-open": Fault("the control pilot is cut behind the station: it sees state A", "cable", "handled"),
    "cp-resistance": Fault(
        "a plugged vehicle shows `ohm` instead of the resistance of its state (2740, 882, 246), any value: "
        "1500 lies between B and C, 450 between C and D",
        "vehicle",
        "handled",
        arguments={
            "ohm": Argument(1500.0, "ohm", 0.0, 1e7),
            "state": Argument("any", "in which states", choices=("any", "B", "C", "D")),
        },
    ),
    "pp-open": Fault("the coding of the plug is open: it looks as if there were no plug", "cable", "handled"),
    "pp-short": Fault("the coding of the plug is shorted", "cable", "handled"),
    "pp-resistance": Fault(
        "the coding of the plug is `ohm`: 50 and 3000 code nothing, 360 lies between 32 A and 20 A",
        "cable",
        "handled",
        arguments={"ohm": Argument(50.0, "ohm", 0.0, 1e7)},
    ),
    "pp-changing": Fault(
        "the coding of the plug wanders to `ohm` and back again, `over_s` each way",
        "cable",
        "handled",
        arguments={
            "ohm": Argument(680.0, "ohm", 0.0, 1e7),
            "over_s": Argument(5.0, "s each way", 0.1, 3600.0),
        },
    ),
    "leak-ac": Fault(
        "`ma` of residual AC behind the contactor; the outlet's monitor trips within 0.3 s at 30 mA",
        "vehicle",
        "handled",
        arguments={"ma": Argument(30.0, "mA at 230 V", 0.0, 10_000.0)},
    ),
    "leak-dc": Fault(
        "`ma` of residual DC behind the contactor; the outlet's monitor trips within 10 s at 6 mA",
        "vehicle",
        "handled",
        arguments={"ma": Argument(6.0, "mA", 0.0, 10_000.0)},
    ),
    "phase-loss": Fault(
        "one phase of the supply is missing; the station's own supply stays",
        "mains",
        "handled",
        arguments={"phase": Argument(3, "1..3", 1, 3)},
    ),
    "over-voltage": Fault(
        "the supply has `volt` against neutral, more than the virtual bench's envelope allows (265 V)",
        "mains",
        "supervisor trip",
        trip="over-voltage",
        arguments={"volt": Argument(280.0, "V", 230.0, 440.0)},
    ),
    "under-voltage": Fault(
        "the supply has `volt` against neutral",
        "mains",
        "handled",
        arguments={"volt": Argument(190.0, "V", 1.0, 230.0)},
    ),
    "mains-cut": Fault("the supply of the whole station is gone; off = it is back", "mains", "handled"),
    "contactor-welded": Fault(
        "all poles of the contactor weld with its next closing, or now if it is closed",
        "station hardware",
        "station FAIL",
        rules=("ab.dead", "faulted.no_energy", "stop.open"),
        arguments={"at_once": _AT_ONCE},
    ),
    "contactor-pole-welded": Fault(
        "one pole of the contactor welds: its phase stays live, no current can flow",
        "station hardware",
        "station FAIL",
        rules=("ab.dead", "faulted.no_energy", "stop.open"),
        arguments={"pole": Argument(1, "1..3 = L1..L3", 1, 3), "at_once": _AT_ONCE},
    ),
    "contactor-no-close": Fault(
        "the contactor does not follow its coil when that is driven", "station hardware", "handled"
    ),
    "lock-blocked": Fault(
        "the connector lock stays where it is",
        "station hardware",
        "handled",
        arguments={"direction": Argument("both", "which way it is stuck", choices=("both", "close", "open"))},
    ),
    "pwm-fast": Fault(
        "the station's PWM generator runs at `hz`",
        "station hardware",
        "station FAIL",
        rules=("pwm.fast",),
        arguments={"hz": Argument(1030.0, "Hz", 1000.0, 2000.0)},
    ),
    "pwm-slow": Fault(
        "the station's PWM generator runs at `hz`",
        "station hardware",
        "station FAIL",
        rules=("pwm.slow",),
        arguments={"hz": Argument(970.0, "Hz", 100.0, 1000.0)},
    ),
    "station-meter-freeze": Fault(
        "the station's own meter shows the same values on and on",
        "station hardware",
        "station FAIL",
        rules=("energy.agree", "energy.conform"),
    ),
    "station-meter-rollback": Fault(
        "the energy register of the station's own meter falls by `wh`",
        "station hardware",
        "station FAIL",
        rules=("energy.agree", "energy.conform", "register.monotonic"),
        arguments={"wh": Argument(100.0, "Wh", 0.1, 1e9)},
    ),
    "meter-freeze": Fault(
        "the bench meter shows the same values on and on", "bench instrument", "bench ERROR", of="device"
    ),
    "meter-rollback": Fault(
        "the energy register of the bench meter falls by `wh`",
        "bench instrument",
        "bench ERROR",
        of="device",
        arguments={"wh": Argument(10.0, "Wh", 0.1, 1e9)},
    ),
    "meter-word-order": Fault(
        "the bench meter sends the words of a value in the other order", "bench instrument", "bench ERROR", of="device"
    ),
    "meter-crc-noise": Fault(
        "a share of the bench meter's answers has a wrong checksum",
        "bench instrument",
        "inconclusive",
        of="device",
        arguments={"share": Argument(0.3, "share of the answers, 0..1", 0.0, 1.0)},
    ),
    "meter-silent": Fault(
        "the bench meter answers nothing", "bench instrument", "supervisor trip", trip="meter-silent", of="device"
    ),
    "meter-late": Fault(
        "the bench meter answers `by_ms` late: after its reader has given the answer up",
        "bench instrument",
        "supervisor trip",
        trip="meter-silent",
        of="device",
        arguments={"by_ms": Argument(500.0, "ms", 0.0, 60_000.0)},
    ),
    "meter-exception": Fault(
        "the bench meter answers each request with the exception `code`",
        "bench instrument",
        "supervisor trip",
        trip="meter-silent",
        of="device",
        arguments={"code": Argument(4.0, "Modbus exception, 1..11", 1, 11)},
    ),
    "can-bus-off": Fault(
        "the CAN controller has left the bus: nothing goes in or out", "bench instrument", "inconclusive", of="device"
    ),
    "chademo-malfunction": Fault(
        "the CHAdeMO charger reports a malfunction and stops", "station hardware", "handled", of="device"
    ),
    "chademo-silent": Fault(
        "the CHAdeMO charger sends no frames any more", "station hardware", "inconclusive", of="device"
    ),
    "chademo-protocol": Fault(
        "the CHAdeMO charger gives a protocol number that does not exist", "station hardware", "handled", of="device"
    ),
    "chademo-no-stop": Fault(
        "the CHAdeMO charger goes on giving current when the vehicle stops", "station hardware", "handled", of="device"
    ),
    "ev-silent": Fault("the EV simulator sends nothing any more", "bench instrument", "inconclusive", of="device"),
    "deaf": Fault("an instrument answers nothing, and does nothing", "bench instrument", "bench ERROR", of="device"),
    "silent": Fault("a pilot emulator sends no reports", "bench instrument", "inconclusive", of="device"),
    "stuck": Fault(
        "a relay board, supply or load takes every command, and its contacts stay as they are",
        "bench instrument",
        "bench ERROR",
        of="device",
    ),
    "trip": Fault(
        "a supply or load goes off by itself, once; off does nothing",
        "bench instrument",
        "supervisor trip",
        trip="supply-lost",
        of="device",
    ),
    "slow": Fault(
        "a station monitor answers `delay_ms` late",
        "bench instrument",
        "inconclusive",
        of="device",
        arguments={"delay_ms": Argument(800.0, "ms", 0.0, 60_000.0)},
    ),
    "boot": Fault(
        "a station monitor says that its station starts, once; off does nothing",
        "bench instrument",
        "inconclusive",
        of="device",
        arguments={"post_code": Argument(0, "code of the self-test", 0, 255)},
    ),
    "reset": Fault(
        "an instrument restarts, once; off does nothing",
        "bench instrument",
        "inconclusive",
        of="device",
        arguments={"boot_s": Argument(-1.0, "s in which it is deaf; below 0 = as it is set up", -1.0, 60.0)},
    ),
    "unplugged": Fault(
        "the cable between an instrument and the bench is out; the instrument runs on",
        "bench instrument",
        "supervisor trip",
        trip="device-lost",
        of="wire",
    ),
    "e-stop": Fault(
        "the emergency stop is pressed, as the contact of it shows that an instrument reports; off = it is released",
        "bench instrument",
        "supervisor trip",
        of="device",
        trip="estop",
    ),
    "serial-noise": Fault(
        "a share of the bytes on a device's wire has a bit turned over",
        "bench instrument",
        "inconclusive",
        of="wire",
        arguments=_WIRE,
    ),
    "serial-garbage": Fault(
        "bytes that nobody sent come in between", "bench instrument", "inconclusive", of="wire", arguments=_WIRE
    ),
    "serial-lost": Fault(
        "a share of the bytes on a device's wire is lost",
        "bench instrument",
        "inconclusive",
        of="wire",
        arguments=_WIRE,
    ),
    "serial-slow": Fault(
        "a device's wire carries `bytes_per_s` only",
        "bench instrument",
        "inconclusive",
        of="wire",
        arguments={"bytes_per_s": Argument(300.0, "bytes a second", 1.0, 1e6), "direction": _DIRECTION},
    ),
    "clock-drift": Fault(
        "the pilot's clock runs `ppm` too fast (negative: too slow)",
        "bench instrument",
        "supervisor trip",
        trip="device-lost",
        of="device",
        arguments={"ppm": Argument(500.0, "parts per million", -100_000.0, 100_000.0)},
    ),
    "clock-step": Fault(
        "the pilot's clock jumps by `ms`, once; off does nothing",
        "bench instrument",
        "supervisor trip",
        trip="device-lost",
        of="device",
        arguments={"ms": Argument(250.0, "ms", -1e6, 1e6)},
    ),
}
"""Name -> fault, vehicle first."""


def complete(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a fault with their defaults, checked; those of `COMMON` are among them.

    Raises:
        FaultError: unknown fault or argument, wrong type, out of range.
    """
    fault = FAULTS.get(name)
    if fault is None:
        raise FaultError(f"there is no fault {name!r}{_hint(name, FAULTS)}")
    known = {**fault.arguments, **COMMON}
    for given in args:
        if given not in known:
            raise FaultError(f"{name} has no argument {given!r}{_hint(given, known)}; it has {', '.join(known)}")
    return {key: _checked(name, key, argument, args.get(key)) for key, argument in known.items()}


def table() -> list[dict[str, Any]]:
    """The list as plain data, for whoever shows it."""
    return [
        {
            "name": name,
            "text": fault.text,
            "whose": fault.whose,
            "outcome": fault.outcome,
            "rules": list(fault.rules),
            "trip": fault.trip,
            "of": fault.of,
            "arguments": {key: {"default": one.default, "text": one.text} for key, one in fault.arguments.items()},
        }
        for name, fault in FAULTS.items()
    ]


def _checked(name: str, key: str, argument: Argument, value: Any) -> float | str | bool:
    if value is None:
        return argument.default
    where = f"{name}: {key} = {value!r}"
    if isinstance(argument.default, bool):
        if not isinstance(value, bool):
            raise FaultError(f"{where} must be true or false")
        return value
    if isinstance(argument.default, str):
        if value not in argument.choices:
            raise FaultError(f"{where} must be one of {', '.join(argument.choices)}")
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FaultError(f"{where} must be a number ({argument.text})")
    if not argument.low <= value <= argument.high:
        raise FaultError(f"{where} must lie in {argument.low:g}..{argument.high:g} ({argument.text})")
    return value


def _hint(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""
