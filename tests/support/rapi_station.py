"""What an OpenEVSE does with bytes on its RAPI port: written from the description of its parser, with its looseness.

It looks at the first two characters of a command and at the first one of some parameters, takes small letters for
unknown, begins anew at every `$`, believes a message without checksum, and lets numbers overflow. See `docs/rapi.md`.
"""

from __future__ import annotations

BUFFER = 32
MAX_TOKENS = 10
READS = set("0345ACDEFGHIMOPSTUVY")
CHECKS = set("DFGRTVLOPZ")
"""Features of `FF` that are checks of safety; L, O, P and Z only in later firmware."""


def messages(data: bytes) -> list[bytes]:
    """Without `$` and CR."""
    found: list[bytes] = []
    buffer = b""
    for byte in (bytes((value,)) for value in data):
        if byte == b"$":
            buffer = byte
        elif buffer:
            if len(buffer) >= BUFFER:
                buffer = b""
            elif byte == b"\r":
                found.append(buffer[1:])
                buffer = b""
            else:
                buffer += byte
    return found


def tokens_of(message: bytes) -> list[str] | None:
    """None = answered NK: a wrong checksum, or too many tokens."""
    end = next((at for at in range(1, len(message)) if message[at] in b"*^"), len(message))
    body = message[:end]
    tokens = body.decode("latin-1").split(" ")
    if len(tokens) > MAX_TOKENS:
        return None
    if end < len(message):
        whole = b"$" + body
        check = sum(whole) & 0xFF
        if message[end] == ord("^"):
            check = 0
            for value in whole:
                check ^= value
        try:
            given = int(message[end + 1 : end + 3], 16)
        except ValueError:
            given = 0
        if check != given:
            return None
    if len(tokens) > 1 and tokens[-1].startswith(":"):
        tokens.pop()
    return tokens


def effect(tokens: list[str]) -> str:
    """`nothing`, `reads`, `sets`, `one-time` or `safety`."""
    command, parameters = tokens[0][:2], tokens[1:]
    first = [parameter[:1] for parameter in parameters]
    match command[:1], command[1:]:
        case "G", second if second in READS:
            return "reads"
        case "F", "F" if len(parameters) == 2 and first[1] in ("0", "1"):
            return "safety" if first[1] == "0" and first[0] in CHECKS else "sets"
        case "F", "O" | "H" | "K" | "C":
            return "safety"
        case "F", second if second in set("01BDEPRS"):
            return "sets"
        case "S", "C" if len(parameters) == 2 and first[1] == "M":
            return "one-time"
        case "S", "Y" if len(parameters) == 2 and parameters[0].strip("0") == "":
            return "safety"
        case "S", "A" | "M" if len(parameters) == 2:
            return "one-time"
        case "S", "K":
            return "one-time"
        case "S", "R" | "Z":
            return "safety"
        case "S", "2" if first == ["1"]:
            return "safety"
        case "S", "5" if first and first[0] in ("0", "M"):
            return "safety"
        case "S", second if second in set("012345BCHLTVY"):
            return "sets"
        case ("T", "0") | ("Z", "0"):
            return "safety"
        case _:
            return "nothing"


def effects(data: bytes) -> set[str]:
    """Everything that the bytes make the station do."""
    return {effect(tokens) for message in messages(data) if message and (tokens := tokens_of(message)) is not None}
