"""The heartbeat: one line of JSON each 200 ms, saying how long ago the slowest part of the bench last moved."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable
from typing import Any, cast

__all__ = ["Ended", "watch"]

LATE_SHARE = 0.6
"""Silence, as a share of what is dead, that is told."""
OVERSLEPT_NS = 100_000_000
GRACE_NS = 250_000_000
START_DEAD_NS = 10_000_000_000
ANSWER_EVERY = 5
"""Heartbeats between two words of the guardian that it is alive."""


class Ended:
    """Why the watch is over. `orderly`: nothing is to be done. `kill`: the owner must be seen gone first."""

    def __init__(self, why: str, *, orderly: bool = False, kill: bool = True) -> None:
        self.why = why
        self.orderly = orderly
        self.kill = kill


def watch(stdin: int, owner: int, dead_ms: int, say: Callable[..., None]) -> Ended:
    """Until the owner is done, is gone, or has been silent for `dead_ms`.

    Args:
        stdin: the pipe of the heartbeat; owner: a pidfd.
        say: tells the owner something.

    While the bench starts, which loads libraries and energises nothing, only 10 s of silence are deadly: until the
    owner asks for `"watch": "closely"`. A heartbeat carries `age_ns`: what has not moved for so long was silent all
    that time. Time in which this process itself did not run proves nothing: after such a gap the owner has a quarter
    of a second, once.
    """
    os.set_blocking(stdin, False)
    dead_ns = START_DEAD_NS
    poll = select.poll()
    poll.register(stdin, select.POLLIN | select.POLLHUP)
    poll.register(owner, select.POLLIN)
    alive_ns = time.monotonic_ns()
    told = graced = False
    rest, beats = b"", 0
    while True:
        now_ns = time.monotonic_ns()
        late_ns = alive_ns + int(dead_ns * LATE_SHARE)
        due_ns = alive_ns + dead_ns if told else late_ns
        ready = poll.poll(max(0, due_ns - now_ns) / 1e6)
        woke_ns = time.monotonic_ns()
        for descriptor, _ in ready:
            if descriptor == owner:
                # It may have said that it is done just before.
                done = _last_word(stdin, rest)
                return done or Ended("the owner of the bench is gone", kill=False)
        if ready:
            data = _read(stdin)
            if data is None:
                continue
            if not data:
                return Ended("the owner of the bench closed its line without a word")
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                message = _message(line)
                end = _end(message)
                if end is not None:
                    return end
                if message.get("watch") == "closely":
                    # Said by the loop, just now: its silence until here was granted.
                    dead_ns, alive_ns = dead_ms * 1_000_000, woke_ns
                age_ns = message.get("age_ns")
                if isinstance(age_ns, int):
                    beats += 1
                    alive_ns = max(alive_ns, woke_ns - age_ns)
                    if woke_ns - alive_ns < dead_ns * LATE_SHARE:
                        told = graced = False
                    if beats % ANSWER_EVERY == 1:
                        say("alive")
            continue
        silent_ns = woke_ns - alive_ns
        if woke_ns - max(due_ns, now_ns) > OVERSLEPT_NS and not graced:
            graced = True
            alive_ns = max(alive_ns, woke_ns - dead_ns + GRACE_NS)
        elif silent_ns >= dead_ns:
            return Ended(f"the bench has not moved for {silent_ns // 1_000_000} ms")
        elif not told and silent_ns >= dead_ns * LATE_SHARE:
            told = True
            say("late", silent_ms=silent_ns // 1_000_000)


def _read(stdin: int) -> bytes | None:
    try:
        return os.read(stdin, 65536)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return cast("dict[str, Any]", message) if isinstance(message, dict) else {}


def _end(message: dict[str, Any]) -> Ended | None:
    match message.get("end"):
        case "done":
            return Ended("the bench is closed", orderly=True)
        case "act":
            return Ended(str(message.get("why", "the owner asked for it")), kill=False)
        case _:
            return None


def _last_word(stdin: int, rest: bytes) -> Ended | None:
    for line in (rest + (_read(stdin) or b"")).split(b"\n"):
        end = _end(_message(line))
        if end is not None:
            return end
    return None
