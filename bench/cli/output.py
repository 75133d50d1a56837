"""Standard output and error that may go away, and the documents that go there."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, TextIO, cast

import msgspec

__all__ = ["keep_streams", "write_document"]

GONE = (errno.EPIPE, errno.EBADF)
"""Whoever read has closed: nobody is there to be told."""


class LastingStream:
    """A text stream that never fails: what can be written no more is dropped, and the run goes on."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._lost = False

    def write(self, text: str) -> int:
        if not self._lost:
            try:
                return self._stream.write(text)
            except (OSError, ValueError) as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        if not self._lost:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _lose(self, error: Exception) -> None:
        self._lost = True
        # What is still in the stream's buffer must find somewhere to go when the interpreter ends.
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, self._stream.fileno())
        except (OSError, ValueError):
            pass  # a stream without a descriptor, or a closed one, has nothing to flush
        finally:
            os.close(null)
        if self._name == "stdout" and getattr(error, "errno", None) not in GONE:
            sys.stderr.write(
                f"pilotbench: standard output cannot be written ({error}); what was meant for it is lost.\n"
            )


def keep_streams() -> None:
    """Let no missing, full or closed standard stream end a command."""
    for name in ("stdout", "stderr"):
        stream = cast("TextIO | None", getattr(sys, name))
        if stream is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it lives as long as the process
        setattr(sys, name, LastingStream(stream, name))


def write_document(document: dict[str, Any]) -> None:
    """Print the one JSON document of a command."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")
    sys.stdout.flush()
