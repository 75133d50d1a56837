"""Ports of the file exchange: HTTP, or HTTPS with failed handshakes told."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from ....errors import CsmsError

__all__ = ["Connection", "Server", "connection_of", "end", "listen", "watched"]

HANDSHAKE_S = 10.0
QUIET_S = 30.0
"""A connection without a request ends after this."""
SHUTDOWN_S = 0.1
LINGER_S = 2.0
"""So long the rest of a refused upload is read and forgotten, so that the station sees the answer."""


class Connection(web.RequestHandler):  # pyright: ignore[reportMissingTypeArgument]
    """A connection that says when it is gone, and tells requests that are no HTTP."""

    def __init__(self, server: Server, told: Callable[[Connection, int, str], None], **options: Any) -> None:
        super().__init__(server, **options)
        self.gone = asyncio.Event()
        self.serving = False
        self._task: asyncio.Task[Any] | None = None
        self._server = server
        self._told = told

    async def start(self) -> None:
        """Serve the requests of this connection, one after the other."""
        task = self._task = asyncio.current_task()
        if task is not None:
            self._server.tasks.add(task)
            task.add_done_callback(self._server.tasks.discard)
        await super().start()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        self.gone.set()
        super().connection_lost(exc)
        if self._task is not None and not self.serving:
            # The library would go on waiting for the rest of a refused upload.
            self._task.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read. The library's own would write to the log of the program, too."""
        self._told(self, status, (message or str(exc) or "unreadable").partition("\n")[0][:200])
        response = web.Response(status=status, text="not HTTP\n")
        response.force_close()
        return response


class Server(web.Server):  # pyright: ignore[reportMissingTypeArgument]
    """Makes connections for every port of one desk. `handler` answers a request; `told` hears of unreadable ones."""

    def __init__(self, handler: Any, told: Callable[[Connection, int, str], None]) -> None:
        super().__init__(handler)
        self.tasks: set[asyncio.Task[Any]] = set()
        self._told = told

    def __call__(self) -> Connection:
        """A connection begins."""
        return Connection(
            self,
            self._told,
            loop=asyncio.get_running_loop(),
            access_log=None,
            keepalive_timeout=QUIET_S,
            lingering_time=LINGER_S,
            auto_decompress=False,
        )


async def end(server: Server) -> None:
    """Close every connection; none of their tasks stays behind."""
    await server.shutdown(SHUTDOWN_S)
    if server.tasks:
        await asyncio.wait(server.tasks)


def watched(context: ssl.SSLContext, told: Callable[[str], None]) -> ssl.SSLContext:
    """Have `told` called with the reason when a handshake of `context` fails; asyncio itself keeps that for itself.

    Changes the context, so give every desk one of its own.
    """
    base = context.sslobject_class

    class Watched(base):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as exc:
                told((exc.reason or str(exc)).replace("_", " ").lower())
                raise

    context.sslobject_class = Watched
    return context


async def listen(server: Server, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
    """Open a port.

    Raises:
        CsmsError: it cannot be opened; says which and what to do.
    """
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {} if tls is None else {"ssl": tls, "ssl_handshake_timeout": HANDSHAKE_S}
    try:
        return await loop.create_server(server, host, port, **options)
    except OSError as exc:
        what = "the port is in use by another program" if exc.errno == errno.EADDRINUSE else exc.strerror or str(exc)
        advice = "Choose another address or port (0 takes a free one)"
        raise CsmsError(f"the file port cannot listen on {host}:{port}: {what}. {advice}.") from exc


def connection_of(request: web.BaseRequest) -> Connection:
    """The connection on which a request came. `gone` is set when it is lost, `serving` while a request is answered."""
    return cast("Connection", request.protocol)
