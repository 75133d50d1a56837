"""The health of the instruments."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from ..text import plain
from .style import DEVICE, Look

__all__ = ["Devices"]

WHY_LIMIT = 160


class Devices(Static):
    """One line a device, and below it why it is not well."""

    def __init__(self) -> None:
        super().__init__(Text("none yet", "dim"))
        self.border_title = "Devices"
        self._shown: tuple[tuple[str, str, str], ...] = ()

    def show(self, devices: tuple[tuple[str, str, str], ...]) -> bool:
        """Show these devices (name, state, why); True when they are others than before."""
        if devices == self._shown:
            return False
        self._shown = devices
        text = Text(overflow="fold")
        # Sick ones first: on a small screen the list may be cut at its end.
        for name, state, why in sorted(devices, key=lambda device: (device[1] in ("ACTIVE", "IDLE"), device[0])):
            look = DEVICE.get(state, Look("?", plain(state), "yellow"))
            if text:
                text.append("\n")
            text.append(f"{look.shape} {look.word:8}", look.style)
            text.append(f" {plain(name, 40)}")
            if why and state not in ("ACTIVE", "IDLE"):
                text.append(f" {plain(why, WHY_LIMIT)}", "dim")
        self.update(text)
        return True
