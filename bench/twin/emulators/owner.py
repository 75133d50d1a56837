"""The line to the owner: JSON lines out on stdout, control lines and the lifeline in on stdin.

Neither may ever stall the model: stdout is written without blocking, what does not fit is dropped and counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable
from typing import Any

__all__ = ["Owner"]

MAX_PENDING = 256 * 1024
MAX_LINE = 4096


class Owner:
    """Speaks with the process that started this one.

    Args:
        on_line: called with each control object.
        on_gone: called once, when stdin ends.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_line: Callable[[dict[str, Any]], None],
        on_gone: Callable[[], None],
        *,
        stdin: int = 0,
        stdout: int = 1,
    ) -> None:
        self._loop = loop
        self._on_line = on_line
        self._on_gone = on_gone
        self._stdin = stdin
        self._stdout = stdout
        self._in = b""
        self._out = b""
        self._dropped = 0
        self._deaf = False
        if stat.S_ISFIFO(os.fstat(stdout).st_mode):
            os.set_blocking(stdout, False)

    def listen(self) -> None:
        """Start to read stdin."""
        mode = os.fstat(self._stdin).st_mode
        if stat.S_ISREG(mode):
            # A file cannot be waited for, and is no lifeline: whoever passed it is as good as gone.
            self._loop.call_soon(self._on_gone)
            return
        os.set_blocking(self._stdin, False)
        try:
            self._loop.add_reader(self._stdin, self._readable)
        except PermissionError:  # /dev/null
            self._loop.call_soon(self._on_gone)

    def say(self, kind: str, **values: Any) -> None:
        """Write one line; dropped and counted when the owner does not read."""
        if self._deaf:
            return
        if len(self._out) > MAX_PENDING:
            self._dropped += 1
            return
        line: dict[str, Any] = {"type": kind, **values}
        if self._dropped:
            line["dropped_lines"] = self._dropped
            self._dropped = 0
        self._out += json.dumps(line).encode() + b"\n"
        self._flush()

    def note(self, text: str) -> None:
        """Something a person may want to know."""
        self.say("note", text=text)

    def _flush(self) -> None:
        try:
            written = os.write(self._stdout, self._out)
        except BlockingIOError:
            written = 0
        except OSError:
            self._deaf = True
            self._out = b""
            self._loop.remove_writer(self._stdout)
            return
        self._out = self._out[written:]
        if self._out:
            self._loop.add_writer(self._stdout, self._flush)
        elif written:
            self._loop.remove_writer(self._stdout)

    def _readable(self) -> None:
        try:
            data = os.read(self._stdin, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._stdin)
            self._on_gone()
            return
        *lines, self._in = (self._in + data).split(b"\n")
        if len(self._in) > MAX_LINE:
            self._in = b""
            self.note("a control line longer than 4096 bytes was thrown away")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if isinstance(message, dict):
            self._on_line(message)  # pyright: ignore[reportUnknownArgumentType]
        else:
            self.note(f"control line is no JSON object: {line[:80]!r}")
