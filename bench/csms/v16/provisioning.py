"""Registration of a station of OCPP 1.6."""

from __future__ import annotations

from ..boots import Boots
from ..verbs import Caller

__all__ = ["Boots16"]


class Boots16(Boots):
    """See `Boots`; settings are keys of the configuration."""

    async def write(self, caller: Caller, name: str, value: str) -> None:
        """ChangeConfiguration."""
        await caller.ask("ChangeConfiguration", {"key": name, "value": value})
