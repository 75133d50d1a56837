"""A recording written anew: to close a cut one, or to see what a changed event would have meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ...errors import RecordingError
from ..timeline import Event
from .mcap_file import META_CUT, McapFile
from .reader import Run, read_whole

__all__ = ["repair", "rewrite"]


def rewrite(
    src: Path,
    dst: Path,
    transform: Callable[[Event], Event | None],
    keep_attachments: Callable[[str], bool] = lambda _name: True,
) -> Run:
    """Write the recording `src` to `dst` with each event as `transform` gives it (None leaves it out).

    Events go through in the order of their arrival. `keep_attachments` is asked with each name.
    That `src` was cut is kept: the new file has a footer, and still says so. `dst` appears only
    when it is complete. Returns what was read from `src`.

    Raises:
        RecordingError: `src` cannot be read, holds nothing, or `dst` exists or cannot be written.
    """
    run = read_whole(src)
    if run.anchor is None:
        raise RecordingError("the recording was cut before its first event; there is nothing to keep.", file=str(src))
    if dst.exists():
        raise RecordingError("a file of that name exists, and a recording never overwrites one.", file=str(dst))
    part = dst.with_name(dst.name + ".part")
    part.unlink(missing_ok=True)
    mono_ns, wall_ns = run.anchor
    file = McapFile(part, anchor_mono_ns=mono_ns, anchor_wall_ns=wall_ns)
    try:
        for name, data in run.attachments.items():
            if keep_attachments(name):
                file.attach(name, data, mono_ns)
        for event in run.events:
            changed = transform(event)
            if changed is not None:
                file.add(changed, msgspec.json.encode(changed))
        file.flush()
        if run.truncated is not None:
            file.metadata(META_CUT, {"why": run.truncated})
        file.finish()
        part.rename(dst)
    except OSError as error:
        raise RecordingError(f"the recording cannot be written: {error.strerror}.", file=str(dst)) from error
    finally:
        file.close()
        part.unlink(missing_ok=True)
    return run


def repair(src: Path, dst: Path) -> Run:
    """Close a cut recording: the same events in a file that every MCAP tool opens. It still says that it was cut.

    Raises:
        RecordingError: as `rewrite`.
    """
    return rewrite(src, dst, lambda event: event)
