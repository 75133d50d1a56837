"""The verdicts so far, newest last."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from ...bench.live import VerdictLine
from ..text import plain
from .line_list import LineList
from .style import VERDICT, Look

__all__ = ["Verdicts"]


class Verdicts(LineList):
    """One line a decided instance of a rule; the title counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Verdicts"
        self._shown: tuple[VerdictLine, ...] = ()

    def show(self, verdicts: tuple[VerdictLine, ...]) -> bool:
        """Show these verdicts; True when they are others than before."""
        if verdicts == self._shown:
            return False
        self._shown = verdicts
        counts = Counter(verdict.verdict for verdict in verdicts)
        parts = [f"{look.shape} {counts[name]}" for name, look in VERDICT.items() if counts[name]]
        self.border_title = "  ".join(["Verdicts", *parts])
        bad = counts["FAIL"] + counts["ERROR"]
        self.set_class(bad > 0, "-bad")
        self.replace(_line(verdict) for verdict in verdicts)
        self.border_subtitle = "w why" if bad or counts["INCONCLUSIVE"] else ""
        return True


def _line(verdict: VerdictLine) -> Text:
    look = VERDICT.get(verdict.verdict, Look("?", plain(verdict.verdict), "yellow"))
    said = verdict.text.strip().removeprefix(f"{verdict.verdict} {verdict.rule}").lstrip(": ")
    first = plain(said.partition("\n")[0])
    return Text.assemble(
        (f"{look.shape} {look.word:5} ", look.style),
        plain(verdict.rule),
        (f"  {verdict.at_s:.2f} s", "bright_black"),
        (f"  {first}" if first else "", "dim"),
    )
