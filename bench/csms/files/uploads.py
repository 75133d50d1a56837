"""A station uploads a file: PUT or POST, raw or as a form (2.x N01.FR.18, N01.FR.19)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .answers import Lost, Refused, pause
from .faults import FileFault
from .forms import Form, FormError, boundary_of
from .names import disposition_name, holds_path
from .slots import Slot, Upload
from .store import Disk, Incoming
from .transfer import Transfer

__all__ = ["Uploads"]

FRAME = 64 * 1024
"""Bytes that a form may have around its file."""
EMPTY = hashlib.sha256().hexdigest()
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Uploads:
    """Takes uploads into `folder`. `most`: bytes of one file; `idle_s`: how long a station may send nothing."""

    def __init__(self, disk: Disk, folder: Path, most: int, idle_s: float) -> None:
        self._disk = disk
        self._folder = folder
        self._most = most
        self._idle_s = idle_s

    async def serve(
        self, request: web.BaseRequest, slot: Slot, name: str | None, transfer: Transfer
    ) -> web.StreamResponse:
        """Take an upload. `name`: the end of its address, if it has one beyond the slot's.

        Raises:
            Refused: it is answered by an error; no file stays.
            Lost: it broke off; no file stays.
        """
        transfer.station = slot.station
        self._admit(request, slot, transfer)
        form = request.content_type.startswith("multipart/")
        named = name or (None if form else disposition_name(request.headers.get("Content-Disposition")))
        _check_name(named)
        fault = transfer.fault = slot.faults.take()
        if fault is not None and fault.status is not None:
            raise Refused(fault.status, "refused on purpose")
        slot.busy = True
        incoming = Incoming(self._disk, self._folder)
        try:
            if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
                request.transport.write(CONTINUE)
            if form:
                named = await self._take_form(request, incoming, named, transfer)
            else:
                async with aclosing(self._body(request, transfer)) as body:
                    async for data in body:
                        await self._take(data, incoming, transfer)
            path = await self._keep(incoming, slot, named)
        except BaseException as exc:
            if isinstance(exc, asyncio.CancelledError):
                incoming.discard_later()
            else:
                await incoming.discard()
            raise
        finally:
            slot.busy = False
        slot.fill(Upload(path, named, transfer.done, transfer.sha256 or EMPTY))
        return await self._thank(request, path, transfer)

    def _admit(self, request: web.BaseRequest, slot: Slot, transfer: Transfer) -> None:
        """Everything that can be refused before a byte of the body was read (N01.FR.22)."""
        if slot.basic is not None and not slot.basic.admits(request.headers.get("Authorization")):
            raise Refused(401, "no or wrong credentials", WWW_Authenticate='Basic realm="pilotbench"')
        if slot.closed is not None:
            raise Refused(410, f"nothing is expected here any more: {slot.closed}")
        if slot.busy:
            raise Refused(409, "another upload to this address is under way")
        if request.headers.get("Content-Range") is not None:
            # RFC 9110 section 14.5: a part must not be taken for the whole.
            raise Refused(400, "parts are not taken; upload the whole file")
        transfer.total = request.content_length
        if transfer.total is None and "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
            raise Refused(411, "Content-Length is missing")
        room = FRAME if request.content_type.startswith("multipart/") else 0
        if transfer.total is not None and transfer.total > self._most + room:
            raise Refused(413, f"{transfer.total} bytes are announced, {self._most} are allowed")

    async def _take(self, data: bytes, incoming: Incoming, transfer: Transfer) -> None:
        transfer.moved(data)
        if transfer.done > self._most:
            raise Refused(413, f"it is longer than {self._most} bytes")
        try:
            await incoming.write(data)
        except OSError as exc:
            raise Refused(507, f"the disk does not take it: {exc.strerror or exc}") from exc

    async def _keep(self, incoming: Incoming, slot: Slot, name: str | None) -> Path:
        try:
            return await incoming.keep(slot.file_name(name))
        except OSError as exc:
            raise Refused(507, f"the disk does not take it: {exc.strerror or exc}") from exc

    async def _body(self, request: web.BaseRequest, transfer: Transfer) -> AsyncGenerator[bytes]:
        """The body as it comes, slowed or ended by the fault of this transfer."""
        fault = transfer.fault or FileFault(bytes_per_s=float("inf"))
        loop = asyncio.get_running_loop()
        begun_s, stalled = loop.time(), False
        while data := await self._next(request, transfer):
            yield data
            if fault.cut_after is not None and transfer.done >= fault.cut_after:
                if request.transport is not None:
                    request.transport.close()
                raise Lost(f"cut after {transfer.done} bytes, on purpose")
            if fault.stall_after is not None and not stalled and transfer.done >= fault.stall_after:
                stalled = True
                await pause(request, fault.stall_s)
            early_s = begun_s + transfer.done / (fault.bytes_per_s or float("inf")) - loop.time()
            if early_s > 0:
                await pause(request, early_s)

    async def _next(self, request: web.BaseRequest, transfer: Transfer) -> bytes:
        transfer.waits()
        try:
            async with asyncio.timeout(self._idle_s):
                return await request.content.readany()
        except TimeoutError as exc:
            raise Lost(f"nothing came for {self._idle_s:g} s") from exc
        except (HttpProcessingError, web.RequestPayloadError) as exc:
            raise Refused(400, f"the body is not as HTTP has it: {exc}") from exc

    async def _take_form(
        self, request: web.BaseRequest, incoming: Incoming, name: str | None, transfer: Transfer
    ) -> str | None:
        """The one file of a form; its other fields are passed over."""
        transfer.total = None
        found = inside = False
        spare = FRAME
        try:
            form = Form(boundary_of(request.headers.get("Content-Type", "")))
            async with aclosing(self._body(request, transfer)) as body:
                async for data in body:
                    spare -= len(data)
                    for piece in form.feed(data):
                        if isinstance(piece, bytes):
                            if inside:
                                spare += len(piece)
                                await self._take(piece, incoming, transfer)
                            continue
                        given = disposition_name(piece.get("Content-Disposition"))
                        inside = given is not None
                        if given is not None and found:
                            raise Refused(400, "more than one file; a log is a single one (N01.FR.02)")
                        if given is not None:
                            found, name = True, name or given
                            _check_name(given)
                    if spare < 0:
                        raise Refused(413, f"more than {FRAME} bytes beside the file")
        except FormError as exc:
            raise Refused(400, f"the form cannot be read: {exc}") from exc
        if not form.ended:
            raise Refused(400, "the form ends before its last boundary")
        if not found:
            raise Refused(400, "the form has no file: no part of it names one")
        return name

    async def _thank(self, request: web.BaseRequest, path: Path, transfer: Transfer) -> web.StreamResponse:
        response = web.Response(status=201, text="taken\n")
        transfer.waits()
        note = None
        try:
            async with asyncio.timeout(self._idle_s):
                await response.prepare(request)
                await response.write_eof()
        except (ConnectionError, TimeoutError):
            note = "the station did not wait for the answer"
        transfer.end(201, note, ok=True, file=path.name)
        return response


def _check_name(name: str | None) -> None:
    if name is not None and holds_path(name):
        raise Refused(400, f"{name[:100]!r} says where to put the file; only a name may be given")
