"""A long list of lines of which only those in sight are ever rendered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

__all__ = ["LineList"]

KEPT = 10_000


class LineList(ScrollView, can_focus=True):
    """Lines of text; follows the newest one until somebody scrolls up, and again from the end on.

    The cost of a line arriving does not depend on how many there are: nothing is laid out or
    measured but the text itself, and a line becomes a strip only when it comes into sight.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        super().__init__()
        self._kept = kept
        self._lines: list[Text] = []
        self._dropped = 0
        self._width = 0
        self._following = True
        self._strips: LRUCache[int, Strip] = LRUCache(512)

    @property
    def lines(self) -> list[str]:
        """The texts that can be scrolled to, oldest first."""
        return [line.plain for line in self._lines]

    def add(self, lines: Iterable[Text]) -> None:
        """Append lines; the oldest go when there are more than are kept."""
        fresh = list(lines)
        self._lines.extend(fresh)
        surplus = max(0, len(self._lines) - self._kept)
        if surplus:
            del self._lines[:surplus]
            self._dropped += surplus
        self._width = max(self._width, *(line.cell_len for line in fresh), 0)
        self._sized(surplus)

    def replace(self, lines: Iterable[Text]) -> None:
        """Show other lines."""
        self._lines = list(lines)
        self._strips.clear()
        self._width = max((line.cell_len for line in self._lines), default=0)
        self._sized(0)

    def _sized(self, surplus: int) -> None:
        self.virtual_size = Size(self._width, len(self._lines))
        if self._following:
            self.to_end()
        elif surplus:
            self.scroll_to(y=max(0, self.scroll_y - surplus), animate=False, force=True)
        self.refresh()

    def to_end(self) -> None:
        """Show the newest line and follow from now on."""
        self._following = True
        # force: the line that makes the list longer than its room comes before the scroll bar does
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._following = new_value >= self.max_scroll_y
        self.border_subtitle = "" if self._following else "paused, End follows"

    def on_resize(self, event: events.Resize) -> None:
        if self._following:
            self.to_end()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """The strip of one line in sight; `y` from the top of the widget."""
        scroll_x, scroll_y = self.scroll_offset
        width = self.scrollable_content_region.width
        index = scroll_y + y
        base = self.rich_style
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, base)
        return self._strip(index).crop_extend(scroll_x, scroll_x + width, base).apply_style(base)

    def _strip(self, index: int) -> Strip:
        serial = index + self._dropped
        strip = self._strips.get(serial)
        if strip is None:
            strip = Strip(_segments(self._lines[index]))
            self._strips[serial] = strip
        return strip


def _segments(line: Text) -> list[Segment]:
    """The pieces of a line of appended parts, one style each."""
    pieces: list[Segment] = []
    done = 0
    for span in line.spans:
        if span.start > done:
            pieces.append(Segment(line.plain[done : span.start]))
        pieces.append(Segment(line.plain[span.start : span.end], _style(span.style)))
        done = span.end
    if done < len(line.plain):
        pieces.append(Segment(line.plain[done:]))
    return pieces


def _style(style: Any) -> Style:
    return style if isinstance(style, Style) else Style.parse(style)
