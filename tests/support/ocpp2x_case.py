"""What stands for a rule of the 2.x packs: a story that can be told in several ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ocpp2x_told import Told2x

__all__ = ["Case", "Cases"]

Story = Callable[[str], Told2x]


class Case(NamedTuple):
    """The traces of one rule: `story` told to `pass`, to `fail` (this rule and no other), and in each `strange` way.

    `measures`: the rule has no limit and cannot fail.
    """

    story: Story
    strange: tuple[str, ...]
    measures: bool = False


class Cases(dict[str, Case]):
    """The cases of one file: rule -> case."""

    def of(self, rule: str, *strange: str, measures: bool = False) -> Callable[[Story], Story]:
        """Mark a function as the story of a rule."""

        def kept(story: Story) -> Story:
            assert rule not in self, rule
            self[rule] = Case(story, strange, measures)
            return story

        return kept
