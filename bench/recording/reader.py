"""Reading a recording, whole or cut."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec
from mcap.exceptions import McapError
from mcap.records import Attachment, Channel, Footer, Header, Message, Metadata
from mcap.stream_reader import StreamReader

from ...errors import RecordingError
from ..timeline import Event
from .encode import decode_event
from .mcap_file import FORMAT, META_CUT, META_RUN, PROFILE

__all__ = ["RUN_FILE", "Run", "locate", "read_run", "read_whole"]

RUN_FILE = "run.mcap"
_MAGIC = 8


class Run(msgspec.Struct, frozen=True):
    """What a recording holds.

    - `events`: in canonical order.
    - `attachments`: name -> content; of two with one name the later.
    - `anchor`: bench clock and wall clock at the start, in nanoseconds; None when the cut came before it.
    - `truncated`: why the recording is not whole, or None.
    """

    path: Path
    events: list[Event]
    attachments: dict[str, bytes]
    anchor: tuple[int, int] | None
    truncated: str | None

    def wall_ns(self, mono_ns: int) -> int | None:
        """Wall clock (nanoseconds since 1970, UTC) at an instant of the bench clock; None without an anchor."""
        return None if self.anchor is None else mono_ns - self.anchor[0] + self.anchor[1]


def read_run(path: Path) -> Run:
    """The run recorded in `path`: an MCAP file, or a run's folder that holds `run.mcap`.

    A file that was cut or is damaged is read up to that point, and `truncated` says so.

    Raises:
        RecordingError: there is no such file, or it is no recording of pilotbench.
    """
    run = read_whole(path)
    run.events.sort(key=_order)
    return run


def read_whole(path: Path) -> Run:
    """As `read_run`, with the events in the order of their arrival."""
    file = locate(path)
    events: list[Event] = []
    attachments: dict[str, bytes] = {}
    anchor: tuple[int, int] | None = None
    truncated: str | None = None
    whole = False
    size = file.stat().st_size
    with _open(file) as stream:
        tail = _Tail(stream)
        try:
            for record in _records(tail, size, file):
                if isinstance(record, Message):
                    events.append(decode_event(record.data))
                elif isinstance(record, Attachment):
                    _check_crc(record, tail.last)
                    attachments[record.name] = record.data
                elif isinstance(record, Metadata) and record.name == META_RUN:
                    anchor = _anchor(record.metadata, file)
                elif isinstance(record, Metadata) and record.name == META_CUT:
                    truncated = record.metadata.get("why", "the recording was cut")
                elif isinstance(record, Footer):
                    whole = True
        except _ENDS as error:
            # The footer may have been read and only the last eight bytes be missing: then nothing is lost but them.
            whole = False
            truncated = truncated or _cut(tail.count, size, error)
        except OSError as error:
            whole = False
            truncated = f"the recording cannot be read on after byte {tail.count} of {size}: {error.strerror}"
    if not whole and truncated is None:
        truncated = _cut(size, size, None)
    return Run(file, events, attachments, anchor, truncated)


def locate(path: Path) -> Path:
    """The recording that `path` means.

    Raises:
        RecordingError: there is none.
    """
    file = path / RUN_FILE if path.is_dir() else path
    if file.is_dir():
        raise RecordingError("this is a folder, and a recording is a file.", file=str(file))
    if not file.exists():
        if path.is_dir():
            raise RecordingError(
                f"this folder holds no {RUN_FILE}. Name a run's folder or its recording.", file=str(path)
            )
        raise RecordingError("there is no such file. Name a run's folder or its recording.", file=str(path))
    return file


def _records(tail: _Tail, size: int, file: Path) -> Iterator[Any]:
    """Records of the file; only those of ours pass the header."""
    # A damaged length may not ask for more memory than the file could fill.
    reader = StreamReader(cast("IO[bytes]", tail), validate_crcs=True, record_size_limit=max(size, 1))
    channels: set[int] = set()
    for record in reader.records:
        if isinstance(record, Header) and record.profile != PROFILE:
            raise RecordingError(
                f"this is an MCAP file, but no recording of pilotbench (its profile is {record.profile!r}). "
                "Name a run's recording.",
                file=str(file),
            )
        if isinstance(record, Channel):
            channels.add(record.id)
        if isinstance(record, Message) and record.channel_id not in channels:
            raise McapError(f"a message on channel {record.channel_id}, which was never declared")
        yield record


def _open(file: Path) -> IO[bytes]:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise RecordingError(f"the recording cannot be read: {error.strerror}.", file=str(file)) from error
    magic = stream.read(_MAGIC)
    stream.seek(0)
    if len(magic) == _MAGIC and magic == b"\x89MCAP0\r\n":
        return stream
    stream.close()
    if not magic:
        raise RecordingError("the file is empty: the run ended before anything was recorded.", file=str(file))
    raise RecordingError(
        f"this is no MCAP file (it begins with {magic!r}). Name a run's folder or its {RUN_FILE}.", file=str(file)
    )


class _Tail:
    """Counts what was read and keeps the last piece: the reader itself drops an attachment's check sum."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""
        self.count = 0

    def read(self, length: int) -> bytes:
        data = self._stream.read(length)
        self.count += len(data)
        self.last = data
        return data


def _check_crc(record: Attachment, stored: bytes) -> None:
    name, kind = record.name.encode(), record.media_type.encode()
    head = struct.pack("<QQI", record.log_time, record.create_time, len(name)) + name
    head += struct.pack("<I", len(kind)) + kind + struct.pack("<Q", len(record.data))
    crc = zlib.crc32(record.data, zlib.crc32(head))
    if len(stored) != 4 or struct.unpack("<I", stored)[0] not in (0, crc):
        raise McapError(f"the check sum of attachment {record.name!r} is wrong")


def _anchor(values: dict[str, str], file: Path) -> tuple[int, int]:
    if int(values.get("format", "0")) > FORMAT:
        raise RecordingError(
            f"this recording has layout {values['format']}, newer than this version of pilotbench reads "
            f"({FORMAT}). Update pilotbench.",
            file=str(file),
        )
    return int(values["anchor_mono_ns"]), int(values["anchor_wall_ns"])


def _cut(at: int, size: int, error: Exception | None) -> str:
    if error is None or at >= size:
        return f"the recording ends after {size} bytes without its footer: the run was killed or the file was cut"
    what = str(error) or type(error).__name__
    return f"the recording is damaged near byte {at} of {size} ({what}): what stands before is used"


def _order(event: Event) -> tuple[int, int, int]:
    return event.order


def _zstd_error() -> type[Exception]:
    import zstandard

    return cast("type[Exception]", zstandard.ZstdError)


# Whatever damaged bytes make the reader raise.
_ENDS: tuple[type[Exception], ...] = (
    McapError,
    msgspec.MsgspecError,
    struct.error,
    ValueError,  # wrong CRC, text that is no UTF-8
    KeyError,
    EOFError,
    MemoryError,
    OverflowError,
    _zstd_error(),
)
