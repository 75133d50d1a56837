"""What each version has to do with certificates, for its list of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..service import Service
from .checking import Checking, Checking21
from .installed import Installed
from .signing import Signing16, Signing21, Signing201
from .vehicles import Vehicles, Vehicles21

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["certificates_16", "certificates_21", "certificates_201"]


def certificates_16(station: str, desk: Desk) -> list[Service]:
    """1.6 with the security whitepaper."""
    return [Signing16(station, desk), Installed(station, desk)]


def certificates_201(station: str, desk: Desk) -> list[Service]:
    """2.0.1."""
    return [Signing201(station, desk), Installed(station, desk), Checking(station, desk), Vehicles(station, desk)]


def certificates_21(station: str, desk: Desk) -> list[Service]:
    """2.1."""
    return [Signing21(station, desk), Installed(station, desk), Checking21(station, desk), Vehicles21(station, desk)]
