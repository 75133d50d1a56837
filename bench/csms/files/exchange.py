"""Requests at the file port: who is meant, what happens, and one event for each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

from aiohttp import web

from ...timeline import Source
from .answers import Lost, Refused, refuse
from .downloads import Downloads
from .listening import Connection, connection_of
from .offers import Offer
from .slots import Slot
from .transfer import Transfer
from .uploads import Uploads

__all__ = ["Exchange", "parts_of", "path_of"]

METHODS = {"fw": ("GET", "HEAD"), "up": ("PUT", "POST")}
"""First part of an address -> what may be done there: files to fetch, places for uploads."""
SENDING = ("PUT", "POST", "PATCH")


class Exchange:
    """Answers requests from the offers (by name) and slots (by token) of a desk, which owns both tables."""

    def __init__(
        self,
        source: Source,
        offers: Mapping[str, Offer],
        slots: Mapping[str, Slot],
        downloads: Downloads,
        uploads: Uploads,
        idle_s: float,
    ) -> None:
        self._source = source
        self._offers = offers
        self._slots = slots
        self._downloads = downloads
        self._uploads = uploads
        self._idle_s = idle_s
        self._running: set[asyncio.Task[Any]] = set()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; whatever happens, it is told once."""
        direction = "upload" if request.method in SENDING else "download"
        transfer = Transfer(self._source, direction, path_of(request.raw_path), _remote(request.transport))
        connection = connection_of(request)
        connection.serving = True
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await self._route(request, transfer)
        except Refused as refused:
            return await refuse(request, transfer, refused, self._idle_s)
        except Lost as lost:
            return _ended(request, transfer, str(lost))
        except TimeoutError:
            return _ended(request, transfer, f"the station took nothing for {self._idle_s:g} s")
        except OSError as exc:
            return _ended(request, transfer, f"the connection was lost ({exc.strerror or exc})")
        except asyncio.CancelledError:
            transfer.end(transfer.status, "the bench closes the file port")
            raise
        except Exception as exc:  # noqa: BLE001 - one request must not stop the port; the timeline is told
            why = f"the file port failed: {type(exc).__name__}: {exc}"
            self._source.note("device.state", {"device": "csms", "state": "DEGRADED", "why": why})
            return _ended(request, transfer, why)
        finally:
            connection.serving = False

    async def end(self) -> None:
        """Break off every transfer, and return when each was told."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def unreadable(self, connection: Connection, status: int, why: str) -> None:
        """Tell of a request that is no HTTP."""
        Transfer(self._source, "download", "", _remote(connection.transport)).end(status, f"not HTTP: {why}")

    def no_handshake(self, why: str) -> None:
        """Tell of a connection that did not come to TLS; who it was is not known."""
        Transfer(self._source, "download", "", None).end(0, f"no TLS handshake: {why}")

    async def _route(self, request: web.BaseRequest, transfer: Transfer) -> web.StreamResponse:
        parts = parts_of(request.raw_path)
        allowed = METHODS.get(parts[0]) if len(parts) > 1 else None
        if allowed is None:
            raise Refused(404, "there is nothing here")
        if parts[0] == "fw":
            offer = self._offers.get(parts[1]) if len(parts) == 2 else None
            if offer is None:
                raise Refused(404, "nothing of this name is offered")
            transfer.station = offer.station
            _check_method(request, allowed)
            return await self._downloads.serve(request, offer, transfer)
        slot = self._slots.get(parts[1])
        if slot is None:
            raise Refused(404, "no upload is expected here")
        transfer.station = slot.station
        _check_method(request, allowed)
        if len(parts) > 3:
            raise Refused(400, "the address names folders; only the name of a file may follow the address given")
        return await self._uploads.serve(request, slot, parts[2] if len(parts) == 3 else None, transfer)


def path_of(url: str) -> str:
    """The path of an address or of a request line, which may name the whole address, with credentials."""
    before, scheme, after = url.partition("://")
    if scheme and "/" not in before:
        url = "/" + after.partition("/")[2]
    return url.partition("?")[0].partition("#")[0]


def parts_of(url: str) -> list[str]:
    """The parts of an address's path, decoded one by one, so that an encoded slash divides nothing."""
    return [unquote(part) for part in path_of(url).split("/") if part]


def _check_method(request: web.BaseRequest, allowed: tuple[str, ...]) -> None:
    if request.method not in allowed:
        raise Refused(405, f"{request.method[:20]} is not for this address", Allow=", ".join(allowed))


def _ended(request: web.BaseRequest, transfer: Transfer, why: str) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    transfer.end(transfer.status, why, ok=False)
    # Nothing more can be written; the library finds the connection closed.
    response = web.Response(status=500)
    response.force_close()
    return response


def _remote(transport: Any) -> str | None:
    peer = None if transport is None else transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else None
