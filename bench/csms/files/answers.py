"""Short answers of the file port, and what both directions of a transfer share."""

from __future__ import annotations

import asyncio
from http.client import responses

from aiohttp import web

from .listening import connection_of
from .transfer import Transfer

__all__ = ["Lost", "Refused", "pause", "refuse"]


class Refused(Exception):
    """A request that is answered by an error: its HTTP status, why, and headers of the answer."""

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Lost(Exception):
    """The transfer broke off; says why."""


async def refuse(request: web.BaseRequest, transfer: Transfer, refused: Refused, idle_s: float) -> web.StreamResponse:
    """Answer by an error, tell it, and end the connection: what is still coming on it belongs to nothing."""
    phrase = responses.get(refused.status, "Error")
    headers = {**refused.headers, "Connection": "close"}
    response = web.Response(status=refused.status, reason=phrase, text=f"{refused.why}\n", headers=headers)
    response.force_close()
    try:
        async with asyncio.timeout(idle_s):
            await response.prepare(request)
            await response.write_eof()
    except (ConnectionError, TimeoutError) as exc:
        refused.why += f" (the answer did not go out: {type(exc).__name__})"
    transfer.end(refused.status, refused.why)
    return response


async def pause(request: web.BaseRequest, for_s: float | None) -> None:
    """Let time pass (None: without end), but no longer than the station stays.

    Raises:
        Lost: the station closed the connection.
    """
    try:
        async with asyncio.timeout(for_s):
            await connection_of(request).gone.wait()
    except TimeoutError:
        return
    raise Lost("the station closed the connection")
