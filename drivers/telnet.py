"""RFC 2217, the client's side: a serial port over telnet, as bytes that go in and bytes that come out.

No socket, nothing but the standard library: the drivers' port (`rfc2217`) and the guardian both use it.

Source: RFC 2217 (October 1997), section 2 for the subnegotiations; RFC 854 for the commands, RFC 856 for binary.
"""

from __future__ import annotations

import struct

__all__ = ["SETTINGS", "Telnet", "address_of", "escaped", "set_up", "settings_of"]

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, GO_AHEAD, COM_PORT = 0, 3, 44
OURS = (BINARY, GO_AHEAD, COM_PORT)

BAUD, SIZE, PARITY, STOP, CONTROL, PURGE = 1, 2, 3, 4, 5, 12
LINE_MASK, MODEM_MASK = 10, 11
SETTINGS = {BAUD: "baud", SIZE: "data bits", PARITY: "parity", STOP: "stop bits"}
"""Settings that a server confirms, by the number of their command."""
ANSWER = 100
"""A server's answer has the number of the command plus this."""
PARITIES = {"N": 1, "O": 2, "E": 3}
NO_FLOW_CONTROL, DTR_ON, RTS_ON = 1, 8, 11
PURGE_RECEIVED = 1
MOST = 64
"""Bytes of a subnegotiation that are kept; those of RFC 2217 have five."""


def address_of(url: str) -> tuple[str, int]:
    """Host and TCP port of `rfc2217://host:port`.

    Raises:
        ValueError: it is no such address.
    """
    rest = url.partition("://")[2]
    host, _, number = rest.rpartition(":")
    if not url.startswith("rfc2217://") or not host or not number.isdecimal() or not 0 < int(number) < 65536:
        raise ValueError(f"{url!r} is not written as rfc2217://host:port")
    return host.strip("[]"), int(number)


def escaped(data: bytes) -> bytes:
    """Plain bytes as they go over the wire."""
    return data.replace(b"\xff", b"\xff\xff")


class Telnet:
    """One connection. What `take` wants to be answered is fetched by `replies`.

    - `granted`: whether the server lets us set the port; None: it has not said.
    - `confirmed`: the settings it says it has, by the number of the command.
    """

    def __init__(self) -> None:
        self.granted: bool | None = None
        self.confirmed: dict[int, int] = {}
        self._reply = bytearray()
        self._answered: set[tuple[int, int]] = set()
        self._state = "plain"
        self._verb = 0
        self._inner = bytearray()

    def hello(self) -> bytes:
        """What opens the conversation."""
        wanted = [(WILL, option) for option in OURS] + [(DO, BINARY), (DO, GO_AHEAD)]
        return b"".join(bytes((IAC, verb, option)) for verb, option in wanted)

    def replies(self) -> bytes:
        """What has to be sent back now."""
        made = bytes(self._reply)
        self._reply.clear()
        return made

    def take(self, data: bytes) -> bytes:
        """The plain bytes in what came; a command may be cut anywhere."""
        if self._state == "plain" and IAC not in data:
            return data
        plain = bytearray()
        for byte in data:
            match self._state:
                case "plain" if byte != IAC:
                    plain.append(byte)
                case "plain":
                    self._state = "command"
                case "command":
                    self._command(byte, plain)
                case "option":
                    self._state = "plain"
                    self._option(self._verb, byte)
                case "inner" if byte != IAC:
                    self._inner.append(byte)
                    del self._inner[MOST:]
                case "inner":
                    self._state = "inner command"
                case _:
                    self._inner_command(byte)
        return bytes(plain)

    def _command(self, byte: int, plain: bytearray) -> None:
        self._state = "plain"
        if byte == IAC:
            plain.append(IAC)
        elif byte == SB:
            self._inner.clear()
            self._state = "inner"
        elif byte in (WILL, WONT, DO, DONT):
            self._verb = byte
            self._state = "option"

    def _inner_command(self, byte: int) -> None:
        if byte == IAC:
            self._inner.append(IAC)
            self._state = "inner"
            return
        self._state = "plain"
        if byte != SE or len(self._inner) < 3 or self._inner[0] != COM_PORT:
            return
        key = self._inner[1] - ANSWER
        if key in SETTINGS:
            self.confirmed[key] = int.from_bytes(self._inner[2:], "big")

    def _option(self, verb: int, option: int) -> None:
        if option == COM_PORT and verb in (DO, DONT):
            self.granted = verb == DO
        # Ours were announced in `hello`; each of the others is answered once, or two polite ends never stop.
        if verb not in (WILL, DO) or (verb, option) in self._answered or (verb == DO and option in OURS):
            return
        self._answered.add((verb, option))
        if verb == WILL and option not in (BINARY, GO_AHEAD):
            self._reply += bytes((IAC, DO if option == COM_PORT else DONT, option))
        elif verb == DO:
            self._reply += bytes((IAC, WONT, option))


def settings_of(baud: int, *, bits: int = 8, parity: str = "N", stop_bits: float = 1) -> dict[int, int]:
    """The settings of a port as RFC 2217 numbers them; 8, N, 1 and so on."""
    return {BAUD: baud, SIZE: bits, PARITY: PARITIES[parity], STOP: 3 if stop_bits == 1.5 else int(stop_bits)}


def set_up(settings: dict[int, int]) -> bytes:
    """Sets the port, and its lines as a program does that opens one: no flow control, DTR and RTS on, nothing old."""
    made = [_sub(key, struct.pack("!I" if key == BAUD else "!B", value)) for key, value in settings.items()]
    more = [(CONTROL, NO_FLOW_CONTROL), (CONTROL, DTR_ON), (CONTROL, RTS_ON)]
    more += [(LINE_MASK, 0), (MODEM_MASK, 0), (PURGE, PURGE_RECEIVED)]
    return b"".join([*made, *(_sub(key, bytes((value,))) for key, value in more)])


def _sub(key: int, value: bytes) -> bytes:
    return bytes((IAC, SB, COM_PORT, key)) + escaped(value) + bytes((IAC, SE))
