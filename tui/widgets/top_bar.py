"""The first line: what this is, how the bench is, and whether the output is live."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from ...bench.live import Snapshot
from ..text import plain
from .style import OUTPUT

__all__ = ["TopBar"]

QUIET_AFTER_S = 2.0


class TopBar(Widget):
    """One line. When the bench has had nothing new for a while it says so: what is shown may be old."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[str, str, bool | None, int] = ("starting", "", None, 0)

    def show(self, snapshot: Snapshot, quiet_s: float) -> bool:
        """Show a snapshot whose newest change is `quiet_s` seconds old; True when that changed anything."""
        quiet = f"last change {quiet_s:.0f} s ago" if quiet_s >= QUIET_AFTER_S else ""
        parts = (snapshot.state, quiet, snapshot.output_live, int(snapshot.at_s))
        if parts == self._parts:
            return False
        self._parts = parts
        self.set_class(snapshot.state == "unsafe", "-unsafe")
        self.refresh()
        return True

    def render(self) -> Text:
        state, quiet, live, at_s = self._parts
        minutes, seconds = divmod(at_s, 60)
        look = OUTPUT[live]
        left = Text.assemble((" pilotbench ", "bold"), f" {plain(state)}  {minutes}:{seconds:02d}  ", (quiet, "yellow"))
        right = Text(f" {look.shape} OUTPUT {look.word} ", look.style)
        room = self.size.width - right.cell_len
        left.truncate(max(room, 0), overflow="ellipsis", pad=True)
        return left.append_text(right)
