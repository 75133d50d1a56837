"""What adapters say about the bus, in the words of the topic `can.error`."""

from __future__ import annotations

from .wire import Trouble

__all__ = ["RECOVERED", "slcan_flags", "socketcan_error"]

RECOVERED = "recovered"

_CLASSES = (
    (0x001, "error-frame", "a frame could not be sent in time"),
    (0x002, "error-frame", "arbitration lost"),
    (0x008, "error-frame", "a frame that breaks the protocol"),
    (0x010, "error-frame", "the transceiver reports a fault"),
    (0x020, "error-frame", "nobody acknowledged a frame"),
    (0x040, "bus-off", "the controller has left the bus"),
    (0x080, "error-frame", "bus error"),
    (0x100, RECOVERED, "the controller was restarted"),
)
"""Error classes of SocketCAN (linux/can/error.h), which stand in the identifier of an error frame."""

_CONTROLLER = (
    (0x01, "overrun", "receive buffer overflow"),
    (0x02, "overrun", "transmit buffer overflow"),
    (0x04, "warning", "receive errors reached 96"),
    (0x08, "warning", "transmit errors reached 96"),
    (0x10, "passive", "receive errors reached 128"),
    (0x20, "passive", "transmit errors reached 128"),
    (0x40, RECOVERED, "error active again"),
)
"""Byte 1 of an error frame of class 4 (controller)."""

_FLAGS = (
    (0x01, "overrun", "the adapter's receive queue is full"),
    (0x02, "overrun", "the adapter's transmit queue is full"),
    (0x04, "warning", "error warning"),
    (0x08, "overrun", "the controller lost frames"),
    (0x20, "passive", "error passive"),
    (0x40, "error-frame", "arbitration lost"),
    (0x80, "error-frame", "bus error"),
)
"""Bits of the answer to `F` (LAWICEL)."""


def socketcan_error(classes: int, data: bytes) -> list[Trouble]:
    """An error frame: `classes` is its identifier without flags."""
    found = [Trouble(kind, text) for bit, kind, text in _CLASSES if classes & bit]
    if classes & 0x004:
        controller = data[1] if len(data) > 1 else 0
        found += [Trouble(kind, text) for bit, kind, text in _CONTROLLER if controller & bit]
    return found or [Trouble("error-frame", f"error class 0x{classes:03X}")]


def slcan_flags(flags: int) -> list[Trouble]:
    """The status flags of an SLCAN adapter; without any, all is well again."""
    found = [Trouble(kind, text) for bit, kind, text in _FLAGS if flags & bit]
    return found if flags & 0x24 else [*found, Trouble(RECOVERED, "no error flags")]
