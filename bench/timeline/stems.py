"""Whether any of several words stands in a text, in one pass.

`word in text` in a loop reads the text once for each word, and every message of a station is looked through several
times. The regular expressions of jsonschema_rs search for all words at once, some twenty times faster; a schema of
nothing but a pattern gives access to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import jsonschema_rs

__all__ = ["Stems"]


class Stems:
    """Searches for `words` (ASCII) as they are written here: fold the case of a text before."""

    def __init__(self, words: Iterable[str]) -> None:
        pattern = "|".join(re.sub(r"(\W)", r"\\\1", word, flags=re.ASCII) for word in words)
        # This engine's time is linear in the length of the text, whatever stands in it.
        self._found = jsonschema_rs.Draft4Validator(
            {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions()
        ).is_valid

    def any_in(self, text: str) -> bool:
        """Whether one of them stands in the text; True as well when it cannot be looked through (a lone surrogate)."""
        try:
            return self._found(text)
        except ValueError:
            return True
