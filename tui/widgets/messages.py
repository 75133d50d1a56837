"""The OCPP messages as they pass."""

from __future__ import annotations

from rich.text import Text

from ...bench.live import MessageLine
from ..text import plain
from .line_list import LineList

__all__ = ["Messages"]


class Messages(LineList):
    """One line a message: when, which way, the action, and the gist of its payload."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "OCPP messages"
        self._seen = 0

    def show(self, messages: tuple[MessageLine, ...], count: int) -> bool:
        """Append what is new; `count` is how many there have ever been. True when there was anything."""
        fresh = count - self._seen
        if fresh <= 0:
            return False
        self._seen = count
        lines = [_line(message) for message in messages[-fresh:]]
        missed = fresh - len(lines)
        if missed:
            lines.insert(0, Text.assemble((f"         … {missed} not shown here; the recording has them", "yellow")))
        self.add(lines)
        self.border_title = f"OCPP messages  {count}"
        return True


def _line(message: MessageLine) -> Text:
    action = plain(message.action)
    style = "bold cyan" if message.to_station else "bold green"
    if action.endswith(".conf"):
        style = "cyan" if message.to_station else "green"
    if action == "VIOLATION" or action.endswith(" refused"):
        style = "bold red"
    arrow = "▶" if message.to_station else "◀"
    gist = plain(message.gist)
    parts: list[tuple[str, str]] = [(f"{message.at_s:8.2f} ", "bright_black"), (f"{arrow} {action}", style)]
    return Text.assemble(*parts, f" {gist}" if gist else "")
