"""Writing a recording: what stands where in the container.

Layout of a file: header (profile `pilotbench`), one metadata record that says the format and the
wall anchor, the first attachments, zstd chunks of JSON messages, the last attachments, footer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...errors import RecordingError
from ..timeline import Event
from .container import MESSAGE_OVERHEAD, Container
from .schemas import schema_bytes, schema_name

__all__ = ["CHUNK_BYTES", "FORMAT", "META_CUT", "META_RUN", "PROFILE", "McapFile"]

PROFILE = "pilotbench"
FORMAT = 1
"""Version of the layout; a reader refuses a greater one."""
META_RUN = "pilotbench.run"
META_CUT = "pilotbench.cut"
"""Metadata record of a repaired file: the recording ended early, and why."""
CHUNK_BYTES = 64 * 1024
_MAX_TIME = 2**64 - 1


class McapFile:
    """A recording being written. Not thread-safe: whoever writes is one thread at a time.

    Raises `OSError` when the disk refuses; the bytes that were complete before stay readable.
    """

    def __init__(self, path: Path, *, anchor_mono_ns: int, anchor_wall_ns: int) -> None:
        self.path = path
        self._offset_ns = anchor_wall_ns - anchor_mono_ns
        self._sink = _Sink(path)
        self._channels: dict[str, int] = {}
        self._container = Container(self._sink, PROFILE)
        anchor = {"anchor_mono_ns": str(anchor_mono_ns), "anchor_wall_ns": str(anchor_wall_ns)}
        self.metadata(META_RUN, {"format": str(FORMAT), **anchor})

    def metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Write one named record of texts."""
        self._container.metadata(name, values)

    def attach(self, name: str, data: bytes, at_mono_ns: int) -> None:
        """Write one attachment; its media type follows the end of its name."""
        wall = self._wall(at_mono_ns)
        # Messages written before it stand before it in the file, so a cut loses the newest first.
        self.flush()
        self._container.attach(name, data, _media_type(name), wall)

    def add(self, event: Event, payload: bytes) -> None:
        """Write one event whose JSON is `payload`."""
        container = self._container
        channel = self._channels.get(event.topic)
        if channel is None:
            channel = container.channel(event.topic, schema_name(event.topic), schema_bytes(event.topic))
            self._channels[event.topic] = channel
        filled = container.chunk_bytes
        if filled and filled + len(payload) + MESSAGE_OVERHEAD > CHUNK_BYTES:
            self.flush()
        container.add(channel, self._wall(event.stamp.order_ns), event.seq & 0xFFFF_FFFF, payload)

    def flush(self) -> None:
        """End the chunk and hand everything to the operating system: from now on a killed process loses none of it."""
        self._container.flush()

    def finish(self) -> None:
        """Write index and footer, and see the file on the disk."""
        self._container.finish()
        self._sink.sync()

    def close(self) -> None:
        """Let go of the file, complete or not."""
        self._sink.close()

    def _wall(self, mono_ns: int) -> int:
        wall_ns = mono_ns + self._offset_ns
        return wall_ns if 0 <= wall_ns <= _MAX_TIME else min(max(wall_ns, 0), _MAX_TIME)


class _Sink:
    """A file of mode 0600 that holds nothing back once flushed, and nothing at all once it failed.

    An ordinary buffered file would try its failed write again when it is collected.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise RecordingError(
                "a file of that name exists, and a recording never overwrites one. Choose another folder.",
                file=str(path),
            ) from error
        except OSError as error:
            raise RecordingError(
                f"the recording cannot be created: {error.strerror}. Choose a folder that can be written.",
                file=str(path),
            ) from error
        self._parts: list[bytes] = []
        self._count = 0

    def write(self, data: bytes) -> int:
        if data:
            self._parts.append(bytes(data))
            self._count += len(data)
        return len(data)

    def tell(self) -> int:
        return self._count

    def flush(self) -> None:
        data = memoryview(b"".join(self._parts))
        self._parts.clear()
        while data:
            data = data[os.write(self._fd, data) :]

    def sync(self) -> None:
        self.flush()
        os.fsync(self._fd)

    def close(self) -> None:
        self._parts.clear()
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def _media_type(name: str) -> str:
    kinds = {".json": "application/json", ".toml": "application/toml", ".xml": "application/xml"}
    return kinds.get(Path(name).suffix, "text/plain" if Path(name).suffix == ".txt" else "application/octet-stream")
