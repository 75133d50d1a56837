"""The emergency recipe of an EV simulator on CAN: its command frame, saying no."""

from __future__ import annotations

from collections.abc import Callable

from ..emergency import EmergencyRecipe, Step
from ..ports import wire_of

__all__ = ["slcan_recipe"]

FRAMES = 3
"""A simulator that checks the counter takes the second of them at the latest."""


def slcan_recipe(
    name: str, port: str, baud: int, *, speed: str, identifier: int, extended: bool, command: Callable[[int], bytes]
) -> EmergencyRecipe:
    """Open the channel if it is not, and send `command(counter)` three times.

    Args:
        speed: the adapter's command for the bit rate, `S0` to `S9`.
        command: the data of the frame that asks for 0 A and no charging.
    """
    letter, taken = ("T", "Z") if extended else ("t", "z")
    digits = f"{identifier:08X}" if extended else f"{identifier:03X}"
    # A channel that is open refuses C, S and O with BEL, or closes and opens again: either way it is open then.
    opening = f"C\r{speed}\rO\r"
    frames = [f"{letter}{digits}{len(data)}{data.hex().upper()}\r" for data in map(command, range(FRAMES))]
    # Hex digits are upper case and no frame has a z or Z: it is the adapter's word for "on the bus".
    sent = (opening + "".join(frames)).encode("ascii").hex()
    expect = rf"{taken}\r"
    step = Step("request", "EV asks for 0 A", sent, expect, within_ms=50, attempts=5)
    wire, reach, why = wire_of(port, baud)
    return EmergencyRecipe(name, wire, (step,), flush_hex=b"\r".hex(), reach=reach, why=why)
