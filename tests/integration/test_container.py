"""The container, read by the `mcap` package with every check it has, and beside what its own writer makes."""

from __future__ import annotations

import io
import os
from typing import Any

from mcap.reader import SeekingReader
from mcap.summary import Summary
from mcap.writer import CompressionType, Writer
from pilotbench.bench.recording.container import Container

MESSAGES = [(number % 3, 10**18 + (number * 7919) % 1000, os.urandom(number % 50)) for number in range(400)]


def _ours() -> bytes:
    sink = io.BytesIO()
    file = Container(sink, "p")
    file.metadata("m", {"a": "b", "c": "d"})
    file.attach("x.txt", b"text", "text/plain", 5)
    numbers = {}
    for count, (topic, time_ns, data) in enumerate(MESSAGES):
        if topic not in numbers:
            numbers[topic] = file.channel(f"t{topic}", f"s{topic}", b"{}")
        file.add(numbers[topic], time_ns, count, data)
        if count % 150 == 149:
            file.flush()
    file.finish()
    return sink.getvalue()


def _theirs() -> bytes:
    sink = io.BytesIO()
    file = Writer(sink, chunk_size=1 << 30, compression=CompressionType.ZSTD)
    file.start("p")
    file.add_metadata("m", {"a": "b", "c": "d"})
    file.add_attachment(5, 5, "x.txt", "text/plain", b"text")
    numbers = {}
    for count, (topic, time_ns, data) in enumerate(MESSAGES):
        if topic not in numbers:
            schema = file.register_schema(f"s{topic}", "jsonschema", b"{}")
            numbers[topic] = file.register_channel(f"t{topic}", "json", schema)
        file.add_message(numbers[topic], time_ns, data, time_ns, count)
        if count % 150 == 149:
            file.flush()
    file.finish()
    return sink.getvalue()


def _read(data: bytes) -> tuple[Any, ...]:
    reader = SeekingReader(io.BytesIO(data), validate_crcs=True)
    summary = reader.get_summary()
    assert isinstance(summary, Summary)
    messages = [
        (channel.topic, message.log_time, message.publish_time, message.sequence, message.data)
        for _, channel, message in reader.iter_messages()
    ]
    return messages, list(reader.iter_attachments()), list(reader.iter_metadata()), summary


def test_what_the_mcap_package_reads_is_what_it_would_have_written() -> None:
    messages, attachments, metadata, summary = _read(_ours())
    their_messages, their_attachments, their_metadata, their_summary = _read(_theirs())
    assert len(messages) == len(MESSAGES)
    assert messages == their_messages
    assert attachments == their_attachments
    assert metadata == their_metadata
    assert summary.statistics == their_summary.statistics
    assert summary.schemas == their_summary.schemas
    assert summary.channels == their_summary.channels
    assert summary.attachment_indexes == their_summary.attachment_indexes
    assert [(one.message_start_time, one.message_end_time, one.uncompressed_size) for one in summary.chunk_indexes] == [
        (one.message_start_time, one.message_end_time, one.uncompressed_size) for one in their_summary.chunk_indexes
    ]
