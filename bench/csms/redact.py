"""Keeps credentials out of every event, raw text included.

OCPP carries passwords in two places: the value of the configuration key AuthorizationKey (1.6,
OCPP-J 6.2.2) and of the variable BasicAuthPassword (2.x). A value is replaced by a hash salted
anew in each process, so two equal passwords of one run can be told, and none can be guessed.
"""

from __future__ import annotations

import hashlib
import re
import secrets

__all__ = ["Redactor"]

_NAMED = re.compile(r"authorizationkey|basicauthpassword", re.IGNORECASE)
_STRING = r'"((?:[^"\\]|\\.)*)"'
_FLAT = (r'"AuthorizationKey"', rf'"value"\s*:\s*{_STRING}', r"[^{}\[\]]*?")
_DEEP = (r'"BasicAuthPassword"', rf'"attributeValue"\s*:\s*{_STRING}', r'(?:(?!"attributeValue")[^\[\]])*?')
_PLACES = tuple(
    re.compile(first + between + second, re.IGNORECASE)
    for key, value, between in (_FLAT, _DEEP)
    for first, second in ((key, value), (value, key))
)


class Redactor:
    """Replaces the secrets of a text by their salted hash."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)

    def token(self, secret: str) -> str:
        """What stands for a secret."""
        return "redacted:" + hashlib.sha256(self._salt + secret.encode("utf-8", "replace")).hexdigest()[:16]

    def text(self, text: str) -> str:
        """The text without secrets; the very same object when it holds none."""
        if _NAMED.search(text) is None:
            return text
        for place in _PLACES:
            text = place.sub(self._replace, text)
        return text

    def _replace(self, match: re.Match[str]) -> str:
        secret = match.group(1)
        if secret.startswith("redacted:"):
            return match.group(0)
        whole, start = match.group(0), match.start(1) - match.start(0)
        return whole[:start] + self.token(secret) + whole[start + len(secret) :]
