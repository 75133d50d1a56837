"""`python -m pilotbench.bench.twin.emulators CONFIG.json`: the virtual bench, until its owner goes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run it; 0 after a regular end, 2 when the configuration cannot be used (the reason is on stderr)."""
    # The terminal's signals are the owner's business: it ends this process by closing its stdin.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if len(arguments) != 1:
        print("usage: python -m pilotbench.bench.twin.emulators CONFIG.json", file=sys.stderr)
        return 2
    import asyncio

    from .settings import SettingsError, load

    try:
        settings = load(Path(arguments[0]))
    except SettingsError as error:
        print(f"twin: {error}", file=sys.stderr)
        return 2
    from .kinds import UnknownKind
    from .twin import run

    try:
        asyncio.run(run(settings))
    except (SettingsError, UnknownKind) as error:
        print(f"twin: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Straight out: nothing a library left behind may keep this process alive.
    os._exit(code)
