"""Monitors of the station itself in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Milliseconds, Seconds
from .base import DeviceSection, FindFile

__all__ = ["EvseRapi"]


class EvseRapi(DeviceSection):
    """The RAPI port of an OpenEVSE station (docs/rapi.md), which is only read.

    `age`: how much older than the request a polled value may be; it covers the averaging of the station's ammeter.
    """

    role: ClassVar[Role] = "monitor"

    driver: Literal["evse.rapi"]
    baud: int = Field(default=115200, description="bit/s")
    poll: Seconds = Field(default=1.0, ge=0.1, le=3600, description="how often it is asked")
    timeout: Milliseconds = Field(default=500.0, ge=20, le=10_000, description="its slowest answer")
    age: Seconds = Field(default=1.5, ge=0, description="how much older than its request a value may be")

    def options(self, find: FindFile) -> dict[str, Any]:
        return {"baud": self.baud, "poll_s": self.poll, "timeout_s": self.timeout / 1e3, "age_s": self.age}

    def emulator(self) -> dict[str, Any]:
        return {"kind": "evse.rapi"}
