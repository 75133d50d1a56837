"""One bench has one owner: an exclusive lock per bench file that names its holder."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ..errors import BenchError

__all__ = ["Ownership", "state_dir"]


def state_dir() -> Path:
    """Where what outlives a run is kept: `PILOTBENCH_STATE_DIR`, else the user's state directory. Made if missing.

    Raises:
        BenchError: it cannot be made.
    """
    named = os.environ.get("PILOTBENCH_STATE_DIR")
    base = os.environ.get("XDG_STATE_HOME")
    path = Path(named) if named else (Path(base) if base else Path.home() / ".local" / "state") / "pilotbench"
    return _made(path)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def _unusable(path: Path, error: OSError) -> BenchError:
    return BenchError(
        f"the state of the bench cannot be kept in {path}: {error.strerror}. "
        "Set PILOTBENCH_STATE_DIR to a folder that can be written."
    )


class Ownership:
    """Holds a bench file (or whatever has one owner, `what`) for this process until `release()` or its death.

    Raises:
        BenchError: somebody else holds it; names the program, its pid and since when. Or the state
            directory cannot be written.
    """

    def __init__(self, bench_file: Path, program: str | None = None, *, what: str = "the bench") -> None:
        key = hashlib.sha256(str(bench_file.resolve()).encode()).hexdigest()[:16]
        path = _made(state_dir() / "locks") / f"bench-{key}.lock"
        try:
            lock: IO[str] = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                lock.close()
                raise _unusable(path, error) from error
            lock.seek(0)
            holder = _holder(lock.read())
            lock.close()
            raise BenchError(
                f"{what} {bench_file} is in use by {holder}. Wait until it is done, or end that process; "
                "it has one owner at a time."
            ) from None
        self._lock: IO[str] | None = lock
        lock.seek(0)
        lock.truncate()
        json.dump(
            {
                "program": program or Path(sys.argv[0]).name or "python",
                "pid": os.getpid(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            },
            lock,
        )
        lock.flush()

    def release(self) -> None:
        """Give the bench back; may be called twice."""
        if self._lock is not None:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.close()
            self._lock = None


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"{holder['program']} (pid {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
