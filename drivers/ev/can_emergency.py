"""Frames that the guardian sends without a driver, for each way to reach a bus."""

from __future__ import annotations

from typing import NamedTuple

from ..emergency import EmergencyRecipe, Step, Wire
from ..ports import wire_of
from .address import INTERFACES, CanAddress
from .slcan import BITRATES, send_line
from .socketcand import send_text
from .wire import id_text

__all__ = ["EmergencyFrame", "can_recipe"]

_VERSION = r"V\w{4}\r"
_TAKEN = r"(?:^|[\r\a])[zZ]?\r"
"""An SLCAN adapter that took a frame answers CR, with z or Z before it where it can; frames come in between."""


class EmergencyFrame(NamedTuple):
    note: str
    key: int
    data: bytes


def can_recipe(
    device: str, address: CanAddress, frames: list[EmergencyFrame], *, bitrate: int, baud: int
) -> EmergencyRecipe:
    """The recipe that sends `frames`, each until it is taken."""
    match address.interface:
        case "slcan":
            wire, reach, why = wire_of(address.channel, baud)
            # the channel may be open or not: closing it first makes both the same; V is answered after all before it
            opening = f"C\r{BITRATES.get(bitrate, 'S6')}\rO\rV\r".encode()
            steps = [Step("request", "open the CAN channel", opening.hex(), _VERSION)]
            steps += [Step("request", f.note, send_line(f.key, f.data).hex(), _TAKEN) for f in frames]
            return EmergencyRecipe(device, wire, tuple(steps), flush_hex=b"\r".hex(), reach=reach, why=why)
        case "socketcand":
            wire, reach, why = wire_of(f"socket://{address.host}:{address.tcp_port}", 0)
            steps = [
                Step(
                    "request",
                    "open the CAN channel",
                    f"< open {address.channel} >".encode().hex(),
                    "< ok >",
                    attempts=1,
                ),
                Step("request", "raw mode", b"< rawmode >".hex(), "< ok >", attempts=1),
            ]
            # socketcand acknowledges no frame
            steps += [Step("request", f.note, send_text(f.key, f.data).hex(), None, attempts=1) for f in frames]
            return EmergencyRecipe(device, wire, tuple(steps), reach=reach, why=why)
        case "socketcan":
            wire = Wire("can", address.channel)
            steps = [
                Step("request", f.note, f"{id_text(f.key)}#{f.data.hex().upper()}", None, attempts=1) for f in frames
            ]
            return EmergencyRecipe(device, wire, tuple(steps))
        case other:
            why = f"only the driver can reach it: it is behind {INTERFACES[other]}"
            return EmergencyRecipe(device, Wire("can", address.port), (), reach="none", why=why)
