"""What the guardian did, in a file beside the run; in the folder for temporary files when the disk is full."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

__all__ = ["write_report"]


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
