"""Arguments of the pilot's commands, checked: what is out of range is refused with error 5."""

from __future__ import annotations

from ..model.divider import CpFaults, Resistor
from .pilot_line import ERRORS

__all__ = ["Refused", "faults", "number", "pp", "resistor"]


class Refused(Exception):
    """A command that is answered by `ERR code`."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or ERRORS[code])
        self.code = code


def resistor(arguments: list[str]) -> Resistor:
    """Of `R`."""
    match arguments:
        case ["A"]:
            return "A"
        case ["B"]:
            return "B"
        case ["C"]:
            return "C"
        case ["D"]:
            return "D"
        case _:
            raise Refused(5, "R takes A, B, C or D")


def faults(arguments: list[str]) -> CpFaults:
    """Of `F`."""
    if len(arguments) != 1:
        raise Refused(5, "F takes NONE or a list of flags")
    if arguments[0] == "NONE":
        return CpFaults()
    flags = set(arguments[0].split(","))
    if flags - {"DIODE", "SHORT0", "SHORT80", "OPEN"}:
        raise Refused(5, "F knows DIODE, SHORT0, SHORT80 and OPEN")
    short_ohm = 0.0 if "SHORT0" in flags else 80.0 if "SHORT80" in flags else None
    return CpFaults(diode="DIODE" in flags, short_ohm=short_ohm, cp_open="OPEN" in flags)


def pp(arguments: list[str]) -> float | None:
    """Of `P`, in ohm; None = no plug."""
    if arguments == ["OPEN"]:
        return None
    if len(arguments) == 1 and arguments[0] in ("100", "220", "680", "1500"):
        return float(arguments[0])
    raise Refused(5, "P takes 100, 220, 680, 1500 or OPEN")


def number(arguments: list[str], low: int, high: int) -> int:
    """One decimal number in low..high."""
    if len(arguments) != 1 or not arguments[0].isdigit() or not low <= int(arguments[0]) <= high:
        raise Refused(5, f"a number {low}..{high} is needed")
    return int(arguments[0])
