"""Whom the station trusts over TLS, and what it shows of itself (security profiles 2 and 3)."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

__all__ = ["Trust"]


class Trust:
    """The files of the connection. A certificate that was signed for us later on takes the place of the first one.

    Args:
        ca: PEM file of the roots that may have signed the back end's certificate; None = those of the system.
        cert, key: PEM files of the station's own certificate chain and its key; None = none (profile 2).
    """

    def __init__(self, ca: Path | None, cert: Path | None, key: Path | None) -> None:
        self._ca = ca
        self._cert = cert
        self._key = key
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.more_roots: list[str] = []

    @property
    def shows_certificate(self) -> bool:
        """Whether the station is configured for security profile 3."""
        return self._cert is not None

    def context(self) -> ssl.SSLContext:
        """A context for the next connection.

        Raises:
            OSError: a file cannot be read, or holds no certificate or no key.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(self._ca)
        for pem in self.more_roots:
            context.load_verify_locations(cadata=pem)
        if self._cert is not None:
            context.load_cert_chain(self._cert, self._key)
        return context

    def renew(self, chain_pem: str, key_pem: str) -> None:
        """Show this certificate from the next connection on. It is kept as long as the process lives."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="station-")
        folder = Path(self._folder.name)
        self._cert, self._key = folder / "chain.pem", folder / "key.pem"
        for path, text in ((self._cert, chain_pem), (self._key, key_pem)):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
