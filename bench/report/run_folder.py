"""Where a run leaves its files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from ...errors import ConfigError

__all__ = ["RUN_FILES", "create_run_folder"]

RUN_FILES = ("run.mcap", "verdicts.json", "junit.xml", "summary.txt")
"""What a run leaves in its folder."""


def create_run_folder(name: str, *, out: Path | None = None, base: Path = Path("runs")) -> Path:
    """Make the folder of a new run: `base/<utc-stamp>-<name>`, or exactly `out`.

    `out` may exist and hold other files; a run that is already in it is never overwritten
    (files of length 0, as an interrupted start leaves them, are replaced).
    Returns the absolute path.

    Raises:
        ConfigError: `out` holds a run, is no folder, or the folder cannot be made.
    """
    folder = _fresh(base, name) if out is None else _exactly(out)
    return folder.resolve()


def _fresh(base: Path, name: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "run"
    for n in range(1, 1000):
        folder = base / (f"{stamp}-{slug}" if n == 1 else f"{stamp}-{slug}-{n}")
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            if not folder.is_dir():
                raise ConfigError(f"{folder} is in the way: it is no folder. Remove it.") from None
            continue  # another run began in the same second
        except OSError as error:
            raise _cannot(folder, error) from error
        return folder
    raise ConfigError(f"{base} holds a thousand runs of this second. Name a folder with --out.")


def _exactly(out: Path) -> Path:
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: this is a file, and a run needs a folder. Name another.")
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = [out / name for name in RUN_FILES if (out / name).exists() or (out / name).is_symlink()]
        full = [path.name for path in held if path.is_symlink() or not path.is_file() or path.stat().st_size > 0]
        if full:
            raise ConfigError(
                f"--out {out}: there is a run in it already ({', '.join(full)}), and no run overwrites another. "
                "Name another folder, or remove these files first."
            )
        for path in held:
            path.unlink()
        # A folder that cannot be written is found now, not when the run is over.
        probe = out / ".pilotbench-probe"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise _cannot(out, error) from error
    return out


def _cannot(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(f"the run's folder {folder} cannot be made or written: {error.strerror}. Name another folder.")
