"""The last thing the screen has to say; an error stays until the next key."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from ..text import plain

__all__ = ["StatusLine"]

LOOKS = {
    "information": ("", ""),
    "warning": ("▲ ", "yellow"),
    "error": ("✖ ", "bold red"),
}


class StatusLine(Static):
    """Up to three lines of text above the footer."""

    def __init__(self) -> None:
        super().__init__(Text("Keys p a s u act on the vehicle, l r ask the station; w: why rules failed.", "dim"))
        self.text = ""

    def show(self, text: str, severity: str) -> None:
        """Replace the text; `severity` as for notifications."""
        shape, style = LOOKS[severity]
        self.text = text
        self.update(Text(shape + plain(text), style, overflow="ellipsis"))
