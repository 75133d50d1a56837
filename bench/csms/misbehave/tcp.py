"""What can be done to, and asked of, the socket under a connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

__all__ = ["given_up", "reset", "watch"]

CLOSE_WAIT, ENDED = 8, 7
"""States of a socket that the other side has closed (Linux, `tcp_states.h`): half closed, and reset."""
POLL_S = 0.1


def reset(transport: asyncio.Transport) -> None:
    """Cut the TCP connection by a RST: no FIN, and what was not sent is thrown away."""
    own: socket.socket | None = transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def given_up(transport: asyncio.Transport) -> bool:
    """Whether the other side has closed; a socket that is not read tells so by its TCP state only (Linux)."""
    own: socket.socket | None = transport.get_extra_info("socket")
    info = getattr(socket, "TCP_INFO", None)
    if own is None or info is None or own.fileno() < 0:
        return False
    return own.getsockopt(socket.IPPROTO_TCP, info, 1)[0] in (CLOSE_WAIT, ENDED)


def watch(transport: asyncio.Transport, limit_s: float, over: Callable[[str], None]) -> None:
    """Cut the connection once the other side has given it up, or after `limit_s` seconds; `over` is told why."""
    loop = asyncio.get_running_loop()
    begun_s = loop.time()

    def look() -> None:
        took_s = loop.time() - begun_s
        if transport.is_closing():
            over(f"closed after {took_s:.1f} s")
        elif given_up(transport):
            over(f"given up by the station after {took_s:.1f} s")
            transport.abort()
        elif took_s >= limit_s:
            over(f"cut after {took_s:.1f} s, its limit")
            transport.abort()
        else:
            loop.call_later(POLL_S, look)

    loop.call_later(min(POLL_S, limit_s), look)
