"""Reading a recording, whole or cut."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import msgspec
from mcap.exceptions import EndOfFile
from mcap.records import Attachment, Channel, Header, Message, Metadata, Statistics

from ...errors import RecordingError
from ..timeline import Event, check_topic
from .encode import decode_event
from .mcap_file import FORMAT, META_CUT, META_RUN, PROFILE
from .records import DAMAGE, MAGIC, read_records

__all__ = ["RUN_FILE", "Run", "locate", "read_run", "read_whole"]

RUN_FILE = "run.mcap"


class Run(msgspec.Struct, frozen=True):
    """What a recording holds.

    - `events`: in canonical order.
    - `attachments`: name -> content; of two with one name the later.
    - `anchor`: bench clock and wall clock at the start, in nanoseconds; None when the cut came before it.
    - `truncated`: why the recording is not whole, or None.
    - `foreign`: messages that another program wrote into the file, by channel: how many were left out.
    """

    path: Path
    events: list[Event]
    attachments: dict[str, bytes]
    anchor: tuple[int, int] | None
    truncated: str | None
    foreign: dict[str, int] = {}

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
    channels: dict[int, str] = {}
    foreign: dict[str, int] = {}
    size = file.stat().st_size
    with _open(file) as stream:
        try:
            for record in read_records(stream, size):
                if isinstance(record, Message):
                    channel = channels[record.channel_id]
                    if _ours(channel):
                        events.append(decode_event(record.data))
                    else:
                        foreign[channel] = foreign.get(channel, 0) + 1
                elif isinstance(record, Channel):
                    channels[record.id] = record.topic
                elif isinstance(record, Attachment):
                    attachments[record.name] = record.data
                elif isinstance(record, Header):
                    _check_profile(record, file)
                elif isinstance(record, Metadata) and record.name == META_RUN:
                    anchor = _anchor(record.metadata, file)
                elif isinstance(record, Metadata) and record.name == META_CUT:
                    truncated = record.metadata.get("why", "the recording was cut")
                elif isinstance(record, Statistics) and record.message_count != len(events) + sum(foreign.values()):
                    truncated = f"{len(events)} of {record.message_count} events can be read: the recording is damaged"
        except EndOfFile:
            truncated = truncated or (
                f"the recording ends after {size} bytes without its footer: the run was killed or the file was cut"
            )
        except DAMAGE as error:
            what = str(error) or type(error).__name__
            truncated = truncated or (
                f"the recording is damaged before byte {stream.tell()} of {size} ({what}): what stands before is used"
            )
        except OSError as error:
            truncated = f"the recording cannot be read on after byte {stream.tell()} of {size}: {error.strerror}"
    return Run(file, events, attachments, anchor, truncated, foreign)


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


def _ours(channel: str) -> bool:
    """Whether events of pilotbench stand on a channel: it bears a topic of the vocabulary."""
    try:
        check_topic(channel)
    except ValueError:
        return False
    return True


def _check_profile(header: Header, file: Path) -> None:
    if header.profile != PROFILE:
        raise RecordingError(
            f"this is an MCAP file, but no recording of pilotbench (its profile is {header.profile!r}). "
            "Name a run's recording.",
            file=str(file),
        )


def _open(file: Path) -> IO[bytes]:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise RecordingError(f"the recording cannot be read: {error.strerror}.", file=str(file)) from error
    magic = stream.read(len(MAGIC))
    if magic == MAGIC:
        return stream
    stream.close()
    if not magic:
        raise RecordingError("the file is empty: the run ended before anything was recorded.", file=str(file))
    raise RecordingError(
        f"this is no MCAP file (it begins with {magic!r}). Name a run's folder or its {RUN_FILE}.", file=str(file)
    )


def _anchor(values: dict[str, str], file: Path) -> tuple[int, int]:
    if int(values.get("format", "0")) > FORMAT:
        raise RecordingError(
            f"this recording has layout {values['format']}, newer than this version of pilotbench reads "
            f"({FORMAT}). Update pilotbench.",
            file=str(file),
        )
    return int(values["anchor_mono_ns"]), int(values["anchor_wall_ns"])


def _order(event: Event) -> tuple[int, int, int]:
    return event.order
