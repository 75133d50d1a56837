"""`python -m pilotbench.bench.twin.solo CONFIG.json`: a station, its outlet and a car, until its owner goes.

The configuration is a JSON object with `url`, and if need be `ocpp`, `password`, `ca`, `cert`, `key`, `odd` (names of
faults and oddities), `seed` and `session` (a card: play one session and end). Lines of JSON on stdin command it:
`{"type":"command","text":"plug"}`; the texts are in docs/station.md. What happens is told in lines of JSON on stdout.

Exit codes: 0 after a regular end, 1 when the session did not come about, 2 for a configuration that cannot be used.
SIGINT, SIGTERM and SIGHUP are ignored: it ends with its stdin.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run it; returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if len(arguments) != 1:
        print("usage: python -m pilotbench.bench.twin.solo CONFIG.json", file=sys.stderr)
        return 2
    import asyncio

    from ..station.port import StationError
    from .run import SoloSettings, run

    path = Path(arguments[0])
    try:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        settings = SoloSettings(**values)
    except (OSError, ValueError, TypeError) as error:
        print(f"station: {path}: {error}", file=sys.stderr)
        return 2
    try:
        return asyncio.run(run(settings, path.parent))
    except StationError as error:
        print(f"station: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
