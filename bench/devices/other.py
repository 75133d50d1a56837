"""Devices of third-party drivers: whatever keys the driver's constructor takes."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from ...drivers.roles import Role
from .base import DeviceSection, FindFile

__all__ = ["OtherDevice"]


class OtherDevice(DeviceSection):
    """A device whose driver comes from another package; its keys go to the driver as they stand."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, populate_by_name=True)

    driver: str

    @property
    def role(self) -> Role:  # pyright: ignore[reportIncompatibleVariableOverride]
        """As the driver's class says, which is imported for it.

        Raises:
            ConfigError: the driver cannot be loaded, or is none.
        """
        from ...drivers.registry import driver_class

        return driver_class(self.driver).role

    def options(self, find: FindFile) -> dict[str, Any]:
        return dict(self.model_extra or {})
