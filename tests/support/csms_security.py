"""Stations that come to a back end with all kinds of credentials and certificates."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pilotbench.bench.csms.security import Pki
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["PASSWORD", "Knock", "basic", "client_tls"]

PASSWORD = "correct-horse_battery+1"


def basic(password: str | bytes, user: str = "CP1") -> str:
    """The value of an Authorization header."""
    raw = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(user.encode() + b":" + raw).decode()


def client_tls(
    folder: Path,
    root_pem: str | None,
    certificate: tuple[str, str] | None = None,
    *,
    version: ssl.TLSVersion | None = None,
    ciphers: str | None = None,
) -> ssl.SSLContext:
    """TLS of a station: the root it trusts (None: none of ours), what it shows, and what it can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if root_pem is not None:
        context.load_verify_locations(cadata=root_pem)
    if certificate is not None:
        chain, key = folder / "station.pem", folder / "station.key"
        chain.write_text(certificate[0])
        key.write_text(certificate[1])
        context.load_cert_chain(chain, key)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # to be too old is the point
            context.minimum_version = context.maximum_version = version
    return context


class Knock:
    """One attempt to connect; `address` is the peer as the back end should name it."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None, header: str | None = None) -> None:
        self.url = url
        self.address = ""
        self._tls = tls
        self._headers: Any = None if header is None else {"Authorization": header}

    @asynccontextmanager
    async def enter(self, subprotocol: str = "ocpp1.6") -> AsyncIterator[ClientConnection]:
        """The WebSocket, if there is one."""
        there = urlsplit(self.url)
        own = socket.create_connection((there.hostname or "", there.port or 0))
        own.setblocking(False)
        host, port = own.getsockname()[:2]
        self.address = f"{host}:{port}"
        secure: Any = {} if self._tls is None else {"ssl": self._tls, "server_hostname": "localhost"}
        offered: Any = [subprotocol]
        async with connect(
            self.url, sock=own, subprotocols=offered, proxy=None, additional_headers=self._headers, **secure
        ) as ws:
            yield ws

    async def stay(self, subprotocol: str = "ocpp1.6") -> None:
        """Come in and go again; a refusal raises what the library says."""
        async with asyncio.timeout(5), self.enter(subprotocol):
            pass


def other_ca(folder: Path) -> tuple[str, str]:
    """A certificate for CP1 of an authority that nobody here knows."""
    return Pki(folder / "other").make_station("CP1")
