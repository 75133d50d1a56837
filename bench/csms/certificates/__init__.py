"""Certificates: signing what stations ask for, answering for certificates, and noting what stations have."""

from __future__ import annotations

from .desk import CertificateDesk
from .wishes import Wish

__all__ = ["CertificateDesk", "Wish"]
