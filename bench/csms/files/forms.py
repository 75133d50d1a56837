"""Forms (multipart bodies, RFC 2046 section 5.1.1 and RFC 7578), read as they come.

Written here because a station's form is judged, not only read: what is not as it should be is an answer of 400
and an event, never a warning of a library.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser

__all__ = ["Form", "FormError", "Head", "boundary_of"]

LONGEST_BOUNDARY = 70
LONGEST_HEAD = 8192
LONGEST_PADDING = 200

Head = Message
"""The headers of a part."""


class FormError(ValueError):
    """The body is not a form; says why."""


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names.

    Raises:
        FormError: it names none, or one that cannot be.
    """
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_boundary()
    if not boundary or len(boundary) > LONGEST_BOUNDARY:
        raise FormError("its Content-Type names no boundary of 1 to 70 characters")
    return boundary.encode("utf-8", "replace")


class Form:
    """A reader that is fed the body piece by piece. `ended`: its last boundary was seen."""

    def __init__(self, boundary: bytes) -> None:
        self.ended = False
        self._mark = b"\r\n--" + boundary
        # The first boundary may stand at the very beginning, without a line before it.
        self._rest = bytearray(b"\r\n")
        self._step = self._body
        self._inside = False

    def feed(self, data: bytes) -> Iterator[Head | bytes]:
        """For each part its headers, then its content in pieces.

        Raises:
            FormError: the body is not a form.
        """
        self._rest += data
        while not self.ended:
            before = (self._step, len(self._rest))
            yield from self._step()
            if before == (self._step, len(self._rest)):
                return
        self._rest.clear()

    def _body(self) -> Iterator[Head | bytes]:
        at = self._rest.find(self._mark)
        if at < 0:
            yield from self._content(max(0, len(self._rest) - len(self._mark) + 1))
            return
        yield from self._content(at)
        del self._rest[: len(self._mark)]
        self._inside = False
        self._step = self._boundary

    def _content(self, count: int) -> Iterator[bytes]:
        if count and self._inside:
            yield bytes(self._rest[:count])
        del self._rest[:count]

    def _boundary(self) -> Iterator[Head | bytes]:
        if self._rest.startswith(b"--"):
            self.ended = True
            return
        end = self._rest.find(b"\r\n")
        if end < 0:
            if len(self._rest) > LONGEST_PADDING:
                raise FormError("a boundary is not followed by the end of its line")
            return
        if self._rest[:end].strip(b" \t"):
            raise FormError("a boundary is followed by something else on its line")
        # The end of this line stays: a part without headers begins with an empty line.
        del self._rest[:end]
        self._step = self._head
        yield from ()

    def _head(self) -> Iterator[Head | bytes]:
        end = self._rest.find(b"\r\n\r\n")
        if end > LONGEST_HEAD or (end < 0 and len(self._rest) > LONGEST_HEAD + 4):
            raise FormError(f"the headers of a part are longer than {LONGEST_HEAD} bytes")
        if end < 0:
            return
        head = HeaderParser().parsestr(self._rest[2:end].decode("utf-8", "replace"))
        del self._rest[: end + 4]
        self._inside = True
        self._step = self._body
        yield head
