"""Files that only their owner may read: keys and passwords.

A file that others can read is refused, not repaired: what it held may already be known to others.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from ....errors import CsmsError

__all__ = ["private_folder", "read_private", "write_private"]

OTHERS = 0o077


def private_folder(folder: Path) -> None:
    """Make a folder of mode 0700, or check that it is one.

    Raises:
        CsmsError: it cannot be made, is no folder, or others may look into it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.stat()
    except OSError as exc:
        raise CsmsError(
            f"the folder {folder} for keys cannot be made: {exc.strerror or exc}. Give a state directory "
            "that can be written."
        ) from exc
    if not stat.S_ISDIR(found.st_mode):
        raise CsmsError(f"{folder} shall hold keys and is no folder. Move it away, or give another state directory.")
    _only_ours(folder, found, "700")


def read_private(path: Path) -> bytes:
    """The content of a private file.

    Raises:
        CsmsError: it cannot be read, or others may read it.
        FileNotFoundError: there is none.
    """
    try:
        with path.open("rb") as file:
            _only_ours(path, os.fstat(file.fileno()), "600")
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise CsmsError(f"{path} cannot be read: {exc.strerror or exc}. Fix its rights (chmod 600) or owner.") from exc


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600: the old content or the new is there at every instant, on disk when this returns.

    Raises:
        CsmsError: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.new-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise CsmsError(f"{path} cannot be written: {exc.strerror or exc}. Free space or fix its rights.") from exc


def _only_ours(path: Path, found: os.stat_result, mode: str) -> None:
    if stat.S_IMODE(found.st_mode) & OTHERS:
        raise CsmsError(
            f"{path} holds secrets and other users may use it (mode {stat.S_IMODE(found.st_mode):o}). "
            f"`chmod {mode} {path}`; if it was open on a shared machine, delete it too, so that new keys are made."
        )
    if found.st_uid not in (os.geteuid(), 0):
        raise CsmsError(f"{path} holds secrets and belongs to another user (uid {found.st_uid}). Give it to this one.")
