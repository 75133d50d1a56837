"""The MCAP container, with messages packed by hand: the `mcap` writer takes longer for a small one than all else.

Records other than messages are those of the `mcap` package. Attachments and metadata stand outside of chunks,
schemas and channels within them, and again in the summary at the end.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Protocol

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.writer import LIBRARY_IDENTIFIER, MCAP0_MAGIC

__all__ = ["MESSAGE_OVERHEAD", "Container"]

_MESSAGE = struct.Struct("<BQHIQQ")
MESSAGE_OVERHEAD = _MESSAGE.size
"""Bytes of a message in a chunk beside its data."""
_FIXED = MESSAGE_OVERHEAD - 9
_OPCODE = int(Opcode.MESSAGE)


class _Sink(Protocol):
    def write(self, data: bytes) -> int: ...

    def tell(self) -> int: ...

    def flush(self) -> None: ...


class Container:
    """Writes one file to `sink`. A chunk lasts until `flush`; `chunk_bytes`: what it holds so far, not compressed.

    Times are nanoseconds since 1970, 0 to 2^64 - 1.
    """

    def __init__(self, sink: _Sink, profile: str) -> None:
        self._sink = sink
        self._compress = zstandard.ZstdCompressor().compress
        self._chunk = RecordBuilder()
        self._parts: list[bytes] = []
        self.chunk_bytes = 0
        self._from = self._to = 0
        self._index: dict[int, list[int]] = {}
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self._counts: dict[int, int] = {}
        self._chunks: list[ChunkIndex] = []
        self._attachments: list[AttachmentIndex] = []
        self._metadata: list[MetadataIndex] = []
        sink.write(MCAP0_MAGIC)
        self._put(Header(profile, LIBRARY_IDENTIFIER))

    def metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Write one named record of texts."""
        at = self._sink.tell()
        length = self._put(Metadata(name=name, metadata=dict(values)))
        self._metadata.append(MetadataIndex(offset=at, length=length, name=name))

    def attach(self, name: str, data: bytes, media_type: str, time_ns: int) -> None:
        """Write one attachment."""
        at = self._sink.tell()
        attachment = Attachment(create_time=time_ns, log_time=time_ns, name=name, media_type=media_type, data=data)
        length = self._put(attachment)
        self._attachments.append(
            AttachmentIndex(
                offset=at,
                length=length,
                create_time=time_ns,
                log_time=time_ns,
                data_size=len(data),
                name=name,
                media_type=media_type,
            )
        )

    def channel(self, topic: str, schema_name: str, schema: bytes) -> int:
        """The number of a new channel of JSON messages."""
        number = len(self._channels) + 1
        self._schemas.append(Schema(id=number, data=schema, encoding="jsonschema", name=schema_name))
        channel = Channel(id=number, topic=topic, message_encoding="json", schema_id=number, metadata={})
        self._channels.append(channel)
        for record in (self._schemas[-1], channel):
            record.write(self._chunk)
        self._append(self._chunk.end())
        return number

    def add(self, channel: int, time_ns: int, sequence: int, data: bytes) -> None:
        """Write one message."""
        index = self._index.get(channel)
        if index is None:
            if not self._index:
                self._from = self._to = time_ns
            index = self._index[channel] = []
        if time_ns < self._from:
            self._from = time_ns
        elif time_ns > self._to:
            self._to = time_ns
        at, length = self.chunk_bytes, len(data)
        index += (time_ns, at)
        self._parts += (_MESSAGE.pack(_OPCODE, _FIXED + length, channel, sequence, time_ns, time_ns), data)
        self.chunk_bytes = at + MESSAGE_OVERHEAD + length

    def flush(self) -> None:
        """End the chunk, if it has a message, and flush the sink."""
        if self._index:
            self._end_chunk()
        self._sink.flush()

    def finish(self) -> None:
        """End the chunk, and write the summary."""
        self.flush()
        self._put(DataEnd(0))
        begin = self._sink.tell()
        groups: list[tuple[Opcode, list[McapRecord]]] = [
            (Opcode.SCHEMA, [*self._schemas]),
            (Opcode.CHANNEL, [*self._channels]),
            (Opcode.STATISTICS, [self._statistics()]),
            (Opcode.CHUNK_INDEX, [*self._chunks]),
            (Opcode.ATTACHMENT_INDEX, [*self._attachments]),
            (Opcode.METADATA_INDEX, [*self._metadata]),
        ]
        summary, offsets = RecordBuilder(), list[SummaryOffset]()
        for opcode, records in groups:
            at = summary.count
            for record in records:
                record.write(summary)
            offsets.append(SummaryOffset(group_opcode=opcode, group_start=begin + at, group_length=summary.count - at))
        offsets_at = begin + summary.count
        for offset in offsets:
            offset.write(summary)
        data = summary.end()
        # The check covers the footer up to itself.
        head = struct.pack("<BQQQ", Opcode.FOOTER, 8 + 8 + 4, begin, offsets_at)
        self._sink.write(data)
        self._put(Footer(begin, offsets_at, zlib.crc32(head, zlib.crc32(data))))
        self._sink.write(MCAP0_MAGIC)

    def _append(self, data: bytes) -> None:
        self._parts.append(data)
        self.chunk_bytes += len(data)

    def _put(self, record: McapRecord) -> int:
        builder = RecordBuilder()
        record.write(builder)
        return self._sink.write(builder.end())

    def _end_chunk(self) -> None:
        raw = b"".join(self._parts)
        chunk = Chunk(
            compression="zstd",
            data=self._compress(raw),
            message_start_time=self._from,
            message_end_time=self._to,
            uncompressed_crc=zlib.crc32(raw),
            uncompressed_size=len(raw),
        )
        at = self._sink.tell()
        length = self._put(chunk)
        offsets: dict[int, int] = {}
        behind = self._sink.tell()
        for channel, index in self._index.items():
            offsets[channel] = self._sink.tell()
            entries = struct.pack(f"<{len(index)}Q", *index)
            head = struct.pack("<BQHI", Opcode.MESSAGE_INDEX, 6 + len(entries), channel, len(entries))
            self._sink.write(head + entries)
            self._counts[channel] = self._counts.get(channel, 0) + len(index) // 2
        self._chunks.append(
            ChunkIndex(
                message_start_time=self._from,
                message_end_time=self._to,
                chunk_start_offset=at,
                chunk_length=length,
                message_index_offsets=offsets,
                message_index_length=self._sink.tell() - behind,
                compression="zstd",
                compressed_size=len(chunk.data),
                uncompressed_size=len(raw),
            )
        )
        self._parts.clear()
        self._index.clear()
        self.chunk_bytes = 0

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=len(self._attachments),
            channel_count=len(self._channels),
            channel_message_counts=self._counts,
            chunk_count=len(self._chunks),
            message_count=sum(self._counts.values()),
            metadata_count=len(self._metadata),
            message_start_time=min((chunk.message_start_time for chunk in self._chunks), default=0),
            message_end_time=max((chunk.message_end_time for chunk in self._chunks), default=0),
            schema_count=len(self._schemas),
        )
