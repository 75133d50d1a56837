"""What a RAPI command does to a station: only reading, something harmless, something that lasts, or a safety check off.

A command that is known is known in exactly one spelling, and that spelling is what is sent; all else counts as
`safety`. The station itself looks at the first two letters of a command and at the first letter of some parameters
only, so nothing may be sent that merely begins like something harmless.

Source: OpenEVSE/open_evse, firmware/open_evse/rapi_proc.h and .cpp, RAPI 5.2.1.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

__all__ = ["GETS", "GROUPS", "Classified", "Group", "classify"]

Group = Literal["get", "plain", "one-time", "safety"]
GROUPS: tuple[Group, ...] = ("get", "plain", "one-time", "safety")
"""In order of weight; every group but `get` passes the gate."""

GETS = (
    *("G0", "G3", "G4", "G5", "GA", "GC", "GD", "GE", "GF", "GG", "GH", "GI", "GM", "GO", "GP", "GS", "GT", "GU"),
    *("GV", "GY"),
)
"""Commands that read and change nothing."""

_N = r"(0|[1-9]\d{0,2})"
_NO_ZERO = r"[1-9]\d{0,2}"
_AMPS = r"[1-9]\d?"

_ONE_TIME = re.compile(
    rf"SC {_AMPS} M"  # the greatest current: can be written once
    r"|SA -?\d{1,5} -?\d{1,5}|SM -?\d{1,5} -?\d{1,6}"  # calibration of ammeter and voltmeter: the old one is lost
    r"|SK (0|[1-9]\d{0,8})"  # the energy counted so far is lost
)
_PLAIN = re.compile(
    r"F0 [01]|F1|FB [0-7]|FD|FE|FR|FS|FP \d{1,2} \d{1,2} [A-Z0-9 .,/%+-]{1,16}"
    r"|FF B [01]|FF [DFGRTV] 1"
    rf"|S0 [01]|S1( {_N}){{6}}|S2 0|S3 {_N}|S4 [01]|S5 [A1]|SB|SC {_AMPS}( V)?|SH {_N}|SL [12A]"
    rf"|ST( {_N}){{4}}|SV [1-9]\d{{4,5}}|SY|SY 165|SY {_NO_ZERO} {_AMPS}"
)

_DRESSED = re.compile(r"\$?(?P<command>[^$^*:]*?)(?: *:[0-9A-Fa-f]{2})?(?:[\^*][0-9A-Fa-f]{2})?\r?")


class Classified(NamedTuple):
    """`command` is the one spelling of it; None where there is none that is safe to send."""

    group: Group
    command: str | None


def classify(text: str) -> Classified:
    """Which group a command belongs to, however it is written: in small letters, with more spaces, raw with checksum.

    What cannot be brought to the one spelling of a known command is `safety`; it is refused even when the gate would
    permit that group, when it holds characters of the framing (`command` None).
    """
    dressed = _DRESSED.fullmatch(text.strip(" ")) if text.isascii() else None
    if dressed is None:
        return Classified("safety", None)
    command = re.sub(" +", " ", dressed["command"].upper()).strip(" ")
    if not command or not command.isprintable():
        return Classified("safety", None)
    if command in GETS:
        return Classified("get", command)
    if _ONE_TIME.fullmatch(command):
        return Classified("one-time", command)
    if _PLAIN.fullmatch(command):
        return Classified("plain", command)
    return Classified("safety", command)
