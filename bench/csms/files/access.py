"""Who may use an address of the file port."""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import quote

import msgspec

__all__ = ["Basic"]


class Basic(msgspec.Struct, frozen=True):
    """Basic credentials (RFC 7617) of one address, never those of the station's OCPP connection (N01.FR.17)."""

    user: str
    password: str

    @classmethod
    def fresh(cls, user: str) -> Basic:
        """A password that nobody can guess."""
        return cls(user, secrets.token_urlsafe(18))

    @property
    def userinfo(self) -> str:
        """As the beginning of an address: `user:password@`."""
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"

    def admits(self, header: str | None) -> bool:
        """Whether an Authorization header has these credentials."""
        scheme, _, coded = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(coded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return secrets.compare_digest(given, f"{self.user}:{self.password}".encode())
