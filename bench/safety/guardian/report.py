"""What the guardian did: in a file beside the run (in the folder for temporary files when the disk is full), and in
the words of a dead owner's terminal or log.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

__all__ = ["speak_for_owner", "write_report"]

LEAVE_SCREEN = "\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1047l\x1b[?25h\x1b[999;1H\r\n"
"""No mouse, no bracketed paste, the ordinary screen, its last line: the owner may have died with the whole screen its
own. Where it had not, this only moves down."""


def write_report(path: str, content: dict[str, object]) -> str:
    """Write it, whole or not at all; returns where it is, empty when nothing can be written anywhere."""
    text = json.dumps(content, indent=2)
    spare = Path(tempfile.gettempdir()) / f"pilotbench-guardian-{os.getpid()}.json"
    for target in (Path(path), spare):
        fresh = target.with_name(target.name + ".new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(target)
        except OSError:
            try:
                fresh.unlink(missing_ok=True)
            except OSError:
                pass
            continue
        return str(target)
    return ""


def speak_for_owner(mouth: int, why: str, text: str, where: str) -> None:
    """One paragraph on the standard error of an owner that is gone; nobody may be there to read it."""
    words = f"pilotbench: this run is over: {why}. Its guardian did the rest: {text}"
    if where:
        words += f"\nguardian {where}"
    try:
        screen = os.isatty(mouth)
        told = (LEAVE_SCREEN + words.replace("\n", "\r\n") + "\r\n") if screen else words + "\n"
        os.write(mouth, told.encode())
    except OSError:
        return
