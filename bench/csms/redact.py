"""Keeps credentials out of every event of the back end, raw text included, before it reaches the timeline.

What counts as one, and what stands in its place, says `timeline.credentials`; here is only the quick look that most
texts are done with: a message goes through it twice.
"""

from __future__ import annotations

from ..timeline.credentials import Redactor as _Redactor
from ..timeline.stems import Stems

__all__ = ["Redactor"]

_STEMS = Stems(("pass", "auth", "secret", "key", "pwd", "pin", "cookie", "basic", "bearer", "vpn", "\\u", "://", ":\\"))
"""A text without any of these certainly holds none of the places where credentials stand."""


class Redactor(_Redactor):
    """Replaces the secrets of a text by their salted hash."""

    def text(self, text: str) -> str:
        """The text without secrets; the very same object when it holds none."""
        if not self.knows_any and not _STEMS.any_in(text.lower()):
            return text
        if not self.suspects(text.encode("utf-8", "backslashreplace")):
            return text
        clean = super().text(text)
        return text if clean == text else clean
