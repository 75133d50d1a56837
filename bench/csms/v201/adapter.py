"""Messages of OCPP 2.0.1 as events of the vocabulary."""

from __future__ import annotations

from ..v2x.adapter import Adapter2x

__all__ = ["Adapter201"]


class Adapter201(Adapter2x):
    """The adapter of one station of OCPP 2.0.1: what both versions have, and nothing beside it."""
