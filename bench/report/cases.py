"""How one case of a run ended."""

from __future__ import annotations

import msgspec

__all__ = ["CaseResult"]


class CaseResult(msgspec.Struct, frozen=True):
    """One execution of a case.

    - `outcome`: `passed`, `failed` (an assertion), `incomplete` (the station did not go on),
      `interrupted` (a signal), or `error` (the bench or a device).
    - `text`: why, empty when it passed.
    - `duration_s`: seconds from its first step to its last.
    """

    name: str
    outcome: str
    text: str = ""
    duration_s: float = 0.0
