"""One limit against one uncertainty: the band in between, or that there is none."""

from __future__ import annotations

import msgspec

__all__ = ["Measure", "never"]


class Measure(msgspec.Struct, frozen=True):
    """A limit (None: not known yet, or an order) with its uncertainty, in `unit`.

    `kept`: an order or a sequence is what is asked, so that the uncertainty counts around the same instant.
    """

    unit: str = ""
    limit: float | None = None
    text: str = ""
    u: float | None = None
    dominant: str = ""
    never: str | None = None
    note: str = ""
    kept: bool = False

    @property
    def band(self) -> tuple[float, float] | None:
        """Measured values that stay undecided."""
        if self.u is None or self.u <= 0:
            return None
        if self.limit is not None:
            return self.limit - self.u, self.limit + self.u
        return (-self.u, self.u) if self.kept else None

    def noted(self, more: str) -> Measure:
        """The same with something else to say."""
        return msgspec.structs.replace(self, note="; ".join(part for part in (self.note, more) if part))


def never(why: str) -> Measure:
    """It can never be decided."""
    return Measure(never=why)
