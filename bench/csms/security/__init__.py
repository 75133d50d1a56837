"""Who a station is: its password, its certificate, and the security profile it must use."""

from __future__ import annotations

from .guard import Security
from .passwords import Passwords
from .pki import Pki
from .secret import problem_with

__all__ = ["Passwords", "Pki", "Security", "problem_with"]
