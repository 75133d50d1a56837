"""One password, and the ways a station may write it into an Authorization header.

OCPP-J 1.6 section 6.2.2 sends the key as its raw bytes, the security whitepaper (A00.FR.205) keeps it as hexadecimal
digits, OCPP 2.x sends the text itself (part 2, A00.FR.205). All three are recognised; which was used is told.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Literal

import msgspec

__all__ = ["Form", "Hashed", "Match", "Plain", "Secret", "problem_with"]

Form = Literal["text", "hex", "raw bytes"]

ROUNDS = 2000
"""Of PBKDF2: about a millisecond. More would hold up the loop, and gains nothing on passwords of 16 random bytes."""

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_PASSWORD_STRING = re.compile(r"[A-Za-z0-9*\-_=:+|@.]*")


class Match(msgspec.Struct, frozen=True):
    """How a password was given. `exact`: the very text of the password, which 2.x demands, also of hexadecimal ones."""

    form: Form
    exact: bool


class Hashed(msgspec.Struct, frozen=True):
    """A password as it may be stored: salted hashes of its text, and of its bytes where it is hexadecimal digits."""

    salt: str
    text: str
    raw: str | None = None

    @classmethod
    def of(cls, password: str) -> Hashed:
        """Hash a password with a new salt."""
        salt = secrets.token_hex(16)
        raw = _unhexed(password.encode())
        return cls(salt, _hash(salt, password.encode()), None if raw is None else _hash(salt, raw))

    def match(self, given: bytes) -> Match | None:
        """How `given` writes this password; None when it does not."""
        unhexed = _unhexed(given)
        whole = _hash(self.salt, given)
        decoded = "" if unhexed is None else _hash(self.salt, unhexed)
        return _judge(self.text, self.raw, whole, decoded)

    def is_password(self, password: str) -> bool:
        """Whether this is the hash of exactly this password."""
        return hmac.compare_digest(self.text, _hash(self.salt, password.encode()))


class Plain(msgspec.Struct, frozen=True):
    """A password as the bench file has it."""

    password: str

    def match(self, given: bytes) -> Match | None:
        """How `given` writes this password; None when it does not."""
        raw, unhexed = _unhexed(self.password.encode()), _unhexed(given)
        return _judge(
            self.password.encode().hex(),
            None if raw is None else raw.hex(),
            given.hex(),
            "" if unhexed is None else unhexed.hex(),
        )


Secret = Hashed | Plain


def problem_with(password: str, version: str) -> str | None:
    """What the specification has against a password; None: nothing.

    1.6: 16 to 20 bytes as hexadecimal digits (whitepaper A00.FR.205). 2.x: 16 to 64 characters of a passwordString
    (part 2, A00.FR.205 and its erratum of 2025-01; many stations know only 40).
    """
    if version == "1.6":
        if not _HEX.fullmatch(password):
            return "it is not hexadecimal digits, two for each byte (AuthorizationKey)"
        size = len(password) // 2
        return None if 16 <= size <= 20 else f"it has {size} bytes; AuthorizationKey has 16 to 20"
    if not _PASSWORD_STRING.fullmatch(password):
        return "it has characters that a passwordString may not have (letters, digits and * - _ = : + | @ . only)"
    return None if 16 <= len(password) <= 64 else f"it has {len(password)} characters; a password has 16 to 64"


def _judge(text: str, raw: str | None, given: str, decoded: str) -> Match | None:
    # Every comparison is made, so that time tells nothing of which failed.
    exact = hmac.compare_digest(text, given)
    as_bytes = hmac.compare_digest(raw or "", given) and raw is not None
    as_digits = hmac.compare_digest(raw or text, decoded) and decoded != ""
    if exact:
        return Match("text" if raw is None else "hex", exact=True)
    if as_bytes:
        return Match("raw bytes", exact=False)
    return Match("hex", exact=False) if as_digits else None


def _unhexed(given: bytes) -> bytes | None:
    text = given.decode("ascii", "replace")
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def _hash(salt: str, given: bytes) -> str:
    # HMAC fills a short key up with zero bytes: of keys that end with some the length counts too.
    size = len(given).to_bytes(4) if given.endswith(b"\0") else b""
    return hashlib.pbkdf2_hmac("sha256", given, bytes.fromhex(salt) + size, ROUNDS).hex()
