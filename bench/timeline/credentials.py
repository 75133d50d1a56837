"""Credentials out of what is shown and kept: the back end uses this for its events, the recording at its boundary.

What counts as one: `Authorization` headers, values under names such as `password` or
`AuthorizationKey` (also where name and value stand side by side, as OCPP writes configuration
keys and variables), user and password in URLs, key codes (C04.FR.04), private keys in PEM, and the
secrets the bench itself knows. Each is replaced by `redacted:` and 8 hexadecimal digits of a hash
with a salt of this run: two equal secrets of one run stay equal, none can be looked up. Replacing
twice changes nothing more.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets as random_source
from collections.abc import Iterable
from typing import Any, cast

from .credential_text import MARK, redact_text
from .stems import Stems

__all__ = ["Redactor"]

_SECRET_PARTS = (
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "passcode",
    "secret",
    "authorizationkey",
    "simpin",
    "apikey",
    "privatekey",
    "presharedkey",
    "vpnkey",
)
_SECRET_NAMES = {"authorization", "proxyauthorization", "pwd", "cookie", "setcookie"}
_NAME_KEYS = ("key", "name", "variable")
_VALUE_KEYS = {"value", "values", "attributevalue", "variableattribute"}
_SEPARATORS = "_-. "
_DROPPED = _SEPARATORS.encode()
_SQUEEZE = dict.fromkeys(map(ord, _SEPARATORS))
_LOWER = bytes(range(256)).lower()
_HINTS = tuple(
    name.encode()
    for name in (*_SECRET_PARTS, "authorization", "pwd", "cookie", "basic", "bearer", "vpn", "keycode", "\\u")
)
_STEMS = Stems(("pass", "author", "secret", "simpin", "key", "pwd", "cookie", "basic", "bearer", "vpn", "\\u"))
"""Every hint has one of these in it, so that most texts are done with after one search. An escape may spell any."""
_AUTHORITY = re.compile(rb'://[^/\s"]*@|:\\+/\\+/')


class Redactor:
    """Replaces credentials in plain data and text.

    `known` are secrets that are replaced wherever they occur, whatever stands around them (at
    least 4 characters each; a shorter one would tear innocent text apart).
    """

    def __init__(self, known: Iterable[str] = (), *, salt: bytes | None = None) -> None:
        self._salt = random_source.token_bytes(16) if salt is None else salt
        self._known: dict[str, list[str]] = {}
        self._forms: list[bytes] = []
        for text in sorted(set(known), key=len, reverse=True):
            self.learn(text)

    @property
    def knows_any(self) -> bool:
        """Whether there are secrets that are replaced wherever they occur."""
        return bool(self._known)

    def learn(self, secret: str) -> None:
        """Replace this secret too from now on, wherever it occurs."""
        if len(secret) >= 4 and secret not in self._known:
            self._known[secret] = _forms(secret)
            self._forms += [form.encode("utf-8", "backslashreplace").lower() for form in self._known[secret]]

    def mark(self, secret: str) -> str:
        """What stands in the place of `secret`; a mark stays as it is."""
        if MARK.fullmatch(secret):
            return secret
        digest = hashlib.blake2b(secret.encode("utf-8", "backslashreplace"), key=self._salt, digest_size=4)
        return f"redacted:{digest.hexdigest()}"

    def suspects(self, encoded: bytes) -> bool:
        """False when JSON text certainly holds no credential: a cheap first look."""
        tight = encoded.translate(_LOWER, _DROPPED)
        if _STEMS.any_in(tight.decode("latin-1")) and any(hint in tight for hint in _HINTS):
            return True
        if self._forms:
            low = encoded.lower()
            if any(form in low for form in self._forms):
                return True
        return b"@" in encoded and _AUTHORITY.search(encoded) is not None

    def value(self, value: Any) -> Any:
        """A copy of plain data (dict, list, text, number) without credentials."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._mapping(cast("dict[Any, Any]", value))
        if isinstance(value, (list, tuple)):
            return self._sequence(cast("list[Any]", value))
        return value

    def text(self, text: str) -> str:
        """Text without credentials; JSON is read as such, stays JSON, and is kept to the byte when it holds none."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                parsed: Any = json.loads(text, object_pairs_hook=_each_once)
                clean = self.value(parsed)
            except (ValueError, RecursionError):
                pass  # broken, or ambiguous: looked at as text
            else:
                return text if clean == parsed else json.dumps(clean, separators=(",", ":"), ensure_ascii=False)
        for secret, forms in self._known.items():
            for form in forms:
                if form in text:
                    text = text.replace(form, self.mark(secret))
        return redact_text(text, self.mark)

    def blob(self, data: bytes) -> bytes:
        """An attachment without credentials; bytes that are no UTF-8 text stay as they are."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return data
        if not self.suspects(data):
            return data
        return self.text(text).encode("utf-8", "backslashreplace")

    def _mapping(self, pairs: dict[Any, Any]) -> dict[Any, Any]:
        named = _names_secret(pairs)
        result: dict[Any, Any] = {}
        for key, item in pairs.items():
            norm = _norm(key)
            if is_secret_name(key):
                result[key] = self._all(item)
            elif norm == "idtoken" and _norm(pairs.get("type")) == "keycode":
                result[key] = self._all(item)  # C04.FR.04
            elif named and norm in _VALUE_KEYS:
                result[key] = self._valued(item)
            elif norm == "vpn" and isinstance(item, dict):
                vpn = cast("dict[Any, Any]", self.value(cast("object", item)))
                result[key] = {name: self._all(part) if _norm(name) == "key" else part for name, part in vpn.items()}
            else:
                result[self.text(key) if isinstance(key, str) else key] = self.value(item)
        return result

    def _sequence(self, items: list[Any]) -> list[Any]:
        if len(items) == 2 and isinstance(items[0], str) and _norm(items[0]) in _SECRET_NAMES:
            return [items[0], self._all(items[1])]
        return [self.value(item) for item in items]

    def _valued(self, item: Any) -> Any:
        """What stands beside the name of a secret: the value itself, or a list of attributes that hold it."""
        if isinstance(item, list):
            return [self._valued(part) for part in cast("list[Any]", item)]
        if isinstance(item, dict):
            pairs = cast("dict[Any, Any]", item)
            return {
                key: self._all(part) if _norm(key) in _VALUE_KEYS else self.value(part) for key, part in pairs.items()
            }
        return self._all(item)

    def _all(self, item: Any) -> Any:
        if isinstance(item, bool) or item is None or item == "":
            return item
        if isinstance(item, dict):
            return {key: self._all(part) for key, part in cast("dict[Any, Any]", item).items()}
        if isinstance(item, (list, tuple)):
            return [self._all(part) for part in cast("list[Any]", item)]
        return self.mark(str(item))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. What a name stands for that is there twice, each reader decides for itself."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name is there twice")
    return read


def is_secret_name(name: object) -> bool:
    """True for the name of a key, variable or header whose value is a credential."""
    norm = _norm(name)
    return norm in _SECRET_NAMES or any(part in norm for part in _SECRET_PARTS)


def _norm(name: object) -> str:
    return name.lower().translate(_SQUEEZE) if isinstance(name, str) else ""


def _names_secret(pairs: dict[Any, Any]) -> bool:
    for key, item in pairs.items():
        if _norm(key) not in _NAME_KEYS:
            continue
        name = cast("dict[Any, Any]", item).get("name") if isinstance(item, dict) else item
        if is_secret_name(name):
            return True
    return False


def _forms(secret: str) -> list[str]:
    """How a known secret may be written: plain, inside JSON, as hexadecimal bytes."""
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    ascii_quoted = json.dumps(secret)[1:-1]
    raw = secret.encode("utf-8", "backslashreplace")
    return list(dict.fromkeys((ascii_quoted, quoted, secret, raw.hex(), raw.hex().upper())))
