"""How the back end shall behave, and what every station's link shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..timeline import Gate, Source
from .certificates import CertificateDesk
from .misbehave import Handler, Scripts
from .policy import Policy
from .redact import Redactor
from .security import Security
from .state import CsmsState
from .tokens import TokenStore

__all__ = ["Desk", "Handler", "Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    - `tokens`: identifiers as texts or tables, see `TokenStore`; None: every one is accepted.
    - `heartbeat_s`: interval given with an accepted boot. `boot_retry_s`: with a pending or rejected one.
    - `boots`: answers to the first boots of each station, e.g. ("Pending",); afterwards Accepted.
    - `attach_after_s`: how long a new connection may be silent before the station is served without a boot.
    - `call_timeout_s`: how long an answer of the station may take; `call_timeouts`: by action.
    - `strict`: answer every violation by an error, also those that a lenient back end would live with;
      `tolerance`: the same per station, `lenient` or `strict`.
    - `read_back`: read the station's configuration after each accepted boot, and identity too when it attaches.
    - `prefer`: the OCPP version to choose when a station offers several; None: the first that it offers.
    - `policy`: what the back end does of its own accord, see `Policy`.
    """

    tokens: Sequence[str | Mapping[str, Any]] | None = None
    heartbeat_s: int = 30
    boot_retry_s: int = 10
    boots: Sequence[str] = ()
    attach_after_s: float = 1.0
    call_timeout_s: float = 30.0
    call_timeouts: Mapping[str, float] = {}
    strict: bool = False
    tolerance: Mapping[str, Literal["lenient", "strict"]] = {}
    read_back: bool = True
    prefer: str | None = None
    policy: Policy = Policy()

    def is_strict(self, station: str) -> bool:
        """Whether every violation of this station is answered by an error."""
        chosen = self.tolerance.get(station)
        return self.strict if chosen is None else chosen == "strict"

    def timeout_s(self, action: str) -> float:
        """How long the answer to `action` may take."""
        return self.call_timeouts.get(action, self.call_timeout_s)


class Desk(msgspec.Struct, frozen=True):
    """What the links of one back end share."""

    source: Source
    gate: Gate
    state: CsmsState
    settings: Settings
    redactor: Redactor
    scripts: Scripts
    tokens: TokenStore
    certificates: CertificateDesk | None = None
    security: Security | None = None
