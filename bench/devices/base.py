"""What every device's table in a bench file has, and what the bench asks of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ...drivers.roles import Role
from ..quantities import Model

__all__ = ["Calibrated", "DeviceSection", "FindFile"]

FindFile = Callable[[str, str, str], Path]
"""Folder among the shipped data, name, suffix -> the file: beside the bench file, else the shipped one."""


class DeviceSection(Model):
    """One device: its driver, its port, its outlet, and how exact it is.

    `port`: a path, a URL, or `twin:NAME`, which the twin makes. `reconnect`: look for it again when it is gone.
    """

    role: ClassVar[Role] = "monitor"

    port: str = Field(description="a path, `usb:SERIALNUMBER`, an address, a CAN interface, or `twin:NAME`")
    evse: int = Field(default=1, ge=1, description="outlet of the station that it is at")
    reconnect: bool = Field(default=True, description="look for it again when it is gone")

    @field_validator("port")
    @classmethod
    def _address(cls, port: str) -> str:
        scheme, is_address, _ = port.partition("://")
        if not is_address:
            return port
        try:
            parts = urlsplit(port)
            whole = bool(parts.hostname) and parts.port is not None
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(f"an address is written with host and port number, as in {scheme}://192.168.50.20:502")
        return port

    @property
    def kind(self) -> str:
        """The driver, as the file names it."""
        return str(self.__dict__["driver"])

    def options(self, find: FindFile) -> dict[str, Any]:
        """Keywords for the driver's constructor, beside port and evse.

        Raises:
            ConfigError: a data file is missing or wrong.
        """
        return {}

    def emulator(self) -> dict[str, Any]:
        """Settings of the emulator that stands in for it, with its `kind`; empty when there is none."""
        return {}

    def data_files(self) -> list[tuple[str, str, str]]:
        """Folder, name and suffix of the data files it rests on."""
        return []

    @property
    def shares_port(self) -> bool:
        """Whether other devices may be on the same port, as units on one bus are."""
        return False


class Calibrated(Model):
    """When the device was calibrated, and until when that counts."""

    uncertainties: ClassVar[tuple[str, ...]] = ()
    """Keys that a calibration finds out."""

    calibrated: date | None = Field(default=None, description="when")
    calibration_due: date | None = Field(default=None, description="until when that counts")
    allow_expired_calibration: bool = Field(
        default=False, description="verdicts that rest on an expired one stand, with a note"
    )
    certificate: str = Field(default="", description="its number")
    operator: str = Field(default="", description="who calibrated it")

    @model_validator(mode="after")
    def _dates(self) -> Self:
        begun, due = self.calibrated, self.calibration_due
        if begun is not None and due is not None and due < begun:
            raise ValueError(f"calibration_due {due} lies before calibrated {begun}")
        return self
