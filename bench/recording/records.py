"""The records of an MCAP file in the order in which they stand, with every check the format offers.

The library's own readers skip a record whose type they do not know and drop an attachment's
check sum, so one damaged byte could make events vanish in silence. Here it ends the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import IO

import msgspec
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile, McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Chunk, Header, McapRecord, Metadata, Statistics
from mcap.stream_reader import breakup_chunk

__all__ = ["DAMAGE", "MAGIC", "read_records"]

MAGIC = b"\x89MCAP0\r\n"

DAMAGE: tuple[type[Exception], ...] = (
    McapError,
    msgspec.MsgspecError,
    struct.error,
    ValueError,  # wrong CRC, text that is no UTF-8
    KeyError,
    EOFError,
    MemoryError,
    OverflowError,
    zstandard.ZstdError,
)
"""What damaged bytes raise here and in whoever decodes the messages."""


def read_records(stream: IO[bytes], size: int) -> Iterator[McapRecord]:
    """Header, metadata, attachments, statistics, and what stands in the chunks; `stream` stands behind the magic.

    Raises:
        EndOfFile: the file ends before its footer.
        one of DAMAGE: something in it is not as it was written.
    """
    ended = False
    while True:
        opcode, length = struct.unpack("<BQ", _exactly(stream, 9, size))
        body = _exactly(stream, length, size)
        if opcode == Opcode.CHUNK and not ended:
            yield from breakup_chunk(Chunk.read(_data(body)), validate_crc=True)
        elif opcode == Opcode.ATTACHMENT and not ended:
            _check_crc(body)
            yield Attachment.read(_data(body))
        elif opcode == Opcode.HEADER:
            yield Header.read(_data(body))
        elif opcode == Opcode.METADATA and not ended:
            yield Metadata.read(_data(body))
        elif opcode == Opcode.MESSAGE_INDEX and not ended:
            if length != 6 + struct.unpack_from("<I", body, 2)[0]:
                raise McapError("a message index of the wrong length")
        elif opcode == Opcode.DATA_END and not ended:
            if length != 4:
                raise McapError("an end of data of the wrong length")
            ended = True
        elif opcode == Opcode.STATISTICS and ended:
            yield Statistics.read(_data(body))
        elif opcode == Opcode.FOOTER and ended:
            if _exactly(stream, len(MAGIC), size) != MAGIC:
                raise McapError("a wrong closing mark")
            return
        elif not ended:
            raise McapError(f"a record of type {opcode}, which has no place there")


def _exactly(stream: IO[bytes], length: int, size: int) -> bytes:
    # A damaged length may not ask for more memory than the file could fill.
    if length > size:
        raise EndOfFile()
    data = stream.read(length)
    if len(data) != length:
        raise EndOfFile()
    return data


def _data(body: bytes) -> ReadDataStream:
    return ReadDataStream(BytesIO(body))


def _check_crc(body: bytes) -> None:
    stored = struct.unpack("<I", body[-4:])[0]
    if stored not in (0, zlib.crc32(body[:-4])):
        raise McapError("the check sum of an attachment is wrong")
