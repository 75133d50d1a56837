"""A station fetches a file: GET and HEAD, whole or in part (RFC 9110 sections 13.1 and 14)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .answers import Lost, Refused, pause
from .faults import FileFault
from .offers import Offer, Opened
from .ranges import Span, Unsatisfiable, wanted
from .store import Disk
from .transfer import Transfer

__all__ = ["Downloads"]

CHUNK = 64 * 1024
STEP_S = 0.02
"""A throttled transfer goes in steps about so long."""
UNTRUE = "not true to the file, on purpose"


class Downloads:
    """Serves offers. `idle_s`: how long a station may take nothing."""

    def __init__(self, disk: Disk, idle_s: float) -> None:
        self._disk = disk
        self._idle_s = idle_s

    async def serve(self, request: web.BaseRequest, offer: Offer, transfer: Transfer) -> web.StreamResponse:
        """Answer a GET or HEAD of an offer.

        Raises:
            Refused: it is answered by an error.
            Lost: the station, or a fault, ended it before its end.
        """
        transfer.station = offer.station
        if offer.basic is not None and not offer.basic.admits(request.headers.get("Authorization")):
            raise Refused(401, "no or wrong credentials", WWW_Authenticate='Basic realm="pilotbench"')
        fault = transfer.fault = offer.faults.take() if request.method == "GET" else None
        if fault is not None and fault.status is not None:
            raise Refused(fault.status, "refused on purpose")
        try:
            file = await offer.open(self._disk)
        except OSError as exc:
            raise Refused(500, f"{offer.name} cannot be read: {exc.strerror or exc}") from exc
        try:
            return await self._answer(request, offer, file, transfer)
        finally:
            file.close()

    async def _answer(
        self, request: web.BaseRequest, offer: Offer, file: Opened, transfer: Transfer
    ) -> web.StreamResponse:
        transfer.total = file.size
        headers = {"ETag": file.etag, "Accept-Ranges": "bytes"}
        known = request.headers.get("If-None-Match")
        if known is not None and file.etag in (tag.strip() for tag in known.split(",")):
            response = web.StreamResponse(status=304, headers=headers)
            await self._begun(request, response)
            await response.write_eof()
            transfer.end(304, "the station has it already", ok=True)
            return response
        try:
            part = _part(request, file)
        except Unsatisfiable as exc:
            raise Refused(416, f"there are no {exc}", Content_Range=f"bytes */{file.size}") from exc
        status, span = (200, Span(0, file.size - 1)) if part is None else (206, part)
        if part is not None:
            transfer.range = headers["Content-Range"] = f"bytes {span.first}-{span.last}/{file.size}"
        fault = transfer.fault
        response = web.StreamResponse(status=status, headers=headers)
        response.content_type = "application/octet-stream"
        response.content_length = max(0, span.length + (fault.length_off if fault else 0))
        await self._begun(request, response)
        transfer.status = status
        if request.method == "HEAD":
            await response.write_eof()
            transfer.end(status, "only its headers were asked for", ok=True)
            return response
        await self._send(request, response, file, span, offer.bytes_per_s, transfer)
        transfer.waits()
        async with asyncio.timeout(self._idle_s):
            await response.write_eof()
        if fault is not None and fault.length_off:
            response.force_close()
            if request.transport is not None:
                request.transport.close()
        untrue = fault is not None and (fault.corrupt or bool(fault.length_off))
        transfer.end(status, UNTRUE if untrue else None)
        return response

    async def _begun(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        async with asyncio.timeout(self._idle_s):
            await response.prepare(request)

    async def _send(
        self,
        request: web.BaseRequest,
        response: web.StreamResponse,
        file: Opened,
        span: Span,
        bytes_per_s: float | None,
        transfer: Transfer,
    ) -> None:
        fault = transfer.fault or FileFault(bytes_per_s=float("inf"))
        pace = min(fault.bytes_per_s or float("inf"), bytes_per_s or float("inf"))
        chunk = int(max(1, min(CHUNK, pace * STEP_S)))
        loop = asyncio.get_running_loop()
        begun_s, stalled = loop.time(), False
        while transfer.done < span.length:
            if fault.stall_after is not None and not stalled and transfer.done >= fault.stall_after:
                stalled = True
                await pause(request, fault.stall_s)
                begun_s = loop.time() - transfer.done / pace
            if fault.cut_after is not None and transfer.done >= fault.cut_after:
                break
            marks = [span.length, fault.cut_after, None if stalled else fault.stall_after]
            until = min(mark for mark in marks if mark is not None and mark > transfer.done)
            data = await self._read(file, span.first + transfer.done, min(chunk, until - transfer.done))
            if fault.corrupt:
                data = _turned(data, span.length // 2 - transfer.done)
            await self._write(request, response, data, transfer)
            early_s = begun_s + transfer.done / pace - loop.time()
            if early_s > 0:
                await pause(request, early_s)
        if fault.cut_after is not None and transfer.done >= fault.cut_after:
            if request.transport is not None:
                request.transport.close()
            raise Lost(f"cut after {transfer.done} bytes, on purpose")

    async def _read(self, file: Opened, at: int, count: int) -> bytes:
        try:
            data = await file.read(at, count)
        except OSError as exc:
            raise Lost(f"the file cannot be read: {exc.strerror or exc}") from exc
        if not data:
            raise Lost("the file has become shorter")
        return data

    async def _write(
        self, request: web.BaseRequest, response: web.StreamResponse, data: bytes, transfer: Transfer
    ) -> None:
        transfer.waits()
        length = response.content_length or 0
        async with asyncio.timeout(self._idle_s):
            # What Content-Length does not cover goes out beside the library, which would keep it back.
            covered = data[: max(0, length - transfer.done)]
            if covered:
                await response.write(covered)
            if len(covered) < len(data) and request.transport is not None:
                request.transport.write(data[len(covered) :])
        transfer.moved(data)


def _part(request: web.BaseRequest, file: Opened) -> Span | None:
    """The part to send; None: the whole file, or not a GET.

    An If-Range that does not name exactly this file (a date never does) asks for all of it.
    """
    condition = request.headers.get("If-Range")
    if request.method != "GET" or (condition is not None and condition.strip() != file.etag):
        return None
    return wanted(request.headers.get("Range"), file.size)


def _turned(data: bytes, at: int) -> bytes:
    if not 0 <= at < len(data):
        return data
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
