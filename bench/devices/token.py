"""Card presenters in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Seconds
from .base import DeviceSection, FindFile

__all__ = ["TokenLine"]


class TokenLine(DeviceSection):
    """A card presenter that speaks the token line protocol (docs/token-protocol.md).

    `hold`: how long a card stays at the reader; `watchdog`: it takes the card away when nobody spoke to it for so long.
    """

    role: ClassVar[Role] = "token"

    driver: Literal["token.line"]
    baud: int = Field(default=115200, description="bit/s")
    hold: Seconds = Field(default=1.0, ge=0.05, le=60, description="how long a card stays at the reader")
    watchdog: Seconds = Field(
        default=2.0, ge=0.2, le=10, description="it takes the card away when it is not spoken to for so long"
    )

    def options(self, find: FindFile) -> dict[str, Any]:
        return {
            "baud": self.baud,
            "hold_ms": round(self.hold * 1e3),
            "watchdog_ms": round(self.watchdog * 1e3),
        }

    def emulator(self) -> dict[str, Any]:
        return {"kind": "token.line"}
