"""The owner's process: held by a pidfd, so that a recycled process id is never hit."""

from __future__ import annotations

import os
import select
import signal
import time

__all__ = ["end_owner", "hold_owner", "is_gone"]

GONE_WITHIN_MS = 1000


def hold_owner(pid: int) -> int | None:
    """A pidfd of this process's parent; None when the parent is not `pid` (any more)."""
    try:
        held = os.pidfd_open(pid)
    except OSError:
        return None
    # The id may have been recycled before it was held: only the process that started this one is the owner.
    if os.getppid() != pid:
        os.close(held)
        return None
    return held


def is_gone(held: int) -> bool:
    """Whether the process has ended."""
    return bool(select.select([held], [], [], 0)[0])


def end_owner(held: int) -> tuple[bool, float]:
    """Kill it, also when it is stopped, and see it gone: its ports are free then. Returns gone, and ms taken."""
    began = time.monotonic()
    try:
        signal.pidfd_send_signal(held, signal.SIGKILL)
    except ProcessLookupError:
        return True, 0.0
    except OSError:
        pass  # seen below: what cannot be killed does not go
    gone = bool(select.select([held], [], [], GONE_WITHIN_MS / 1000)[0])
    return gone, round((time.monotonic() - began) * 1000, 3)
