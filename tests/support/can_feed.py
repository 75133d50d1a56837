"""Starts the feeding end of `can_load.py`: a full CAN bus on a pty."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["CanFeed", "can_feed"]


class CanFeed:
    """The program, running; frames come to `port` a second after `go`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.port: str = json.loads(self._out.readline())["port"]

    def go(self) -> None:
        self._in.write("go\n")
        self._in.flush()

    def sent(self) -> dict[str, Any]:
        """How many frames were sent, and how many did not fit into the pty; waits until all are."""
        return json.loads(self._out.readline())


@contextlib.contextmanager
def can_feed(rate: int, seconds: float) -> Iterator[CanFeed]:
    """Start it, and end it, whether it has sent everything or not."""
    command = [sys.executable, str(Path(__file__).with_name("can_load.py")), "feed", str(rate), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield CanFeed(process)
        process.kill()
