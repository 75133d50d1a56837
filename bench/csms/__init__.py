"""The embedded back end (CSMS): OCPP-J over WebSocket, every frame stamped and recorded before it is decoded."""

from __future__ import annotations

from .door import Limits
from .link import StationLink
from .server import Attempt, Csms
from .settings import Settings
from .state import CsmsState
from .verbs import Answer, CallRefused, Verbs

__all__ = ["Answer", "Attempt", "CallRefused", "Csms", "CsmsState", "Limits", "Settings", "StationLink", "Verbs"]
