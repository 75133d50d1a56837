"""Why rules did not pass, in full."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from ...bench.live import VerdictLine
from ..text import plain
from .style import VERDICT

__all__ = ["WhyScreen"]

EXPLAINED = ("FAIL", "ERROR", "INCONCLUSIVE")


class WhyScreen(ModalScreen[None]):
    """The whole texts of the verdicts that are not PASS, newest first; they are timeline excerpts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,w", "app.pop_screen", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, verdicts: tuple[VerdictLine, ...]) -> None:
        super().__init__()
        self._verdicts = [verdict for verdict in reversed(verdicts) if verdict.verdict in EXPLAINED]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="why") as box:
            box.border_title = "Why rules did not pass"
            yield Static(self._text())
        yield Footer(compact=True, show_command_palette=False)

    def _text(self) -> Text:
        if not self._verdicts:
            return Text("Every rule that was decided so far has passed.")
        text = Text()
        for verdict in self._verdicts:
            look = VERDICT[verdict.verdict]
            text.append(f"{look.shape} {verdict.verdict} ", look.style)
            text.append(f"{plain(verdict.rule)}  at {verdict.at_s:.2f} s\n", "bold")
            said = verdict.text.strip().removeprefix(f"{verdict.verdict} {verdict.rule}").lstrip(": ")
            text.append("\n".join(plain(line) for line in said.splitlines()) + "\n\n")
        return text
