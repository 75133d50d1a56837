"""Who a station is: its password, its certificate, and the security profile it must use."""

from __future__ import annotations

from .pki import Pki

__all__ = ["Pki"]
