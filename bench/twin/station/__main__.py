"""`python -m pilotbench.bench.twin.station --port-file PATH`: the simulated charging station as a process.

Exit codes: 0 when the model closed the port or the owner closed stdin, 1 when the station could not start,
2 for a wrong command line. SIGINT, SIGTERM and SIGHUP are ignored: the owner's end is what ends the process.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from .faults import FAULTS, ODDITIES, meaningless
from .port import VERSIONS


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pilotbench.bench.twin.station", description="simulated station")
    parser.add_argument("--port-file", type=Path, help="dut-port.json that the model writes; awaited for 15 s")
    parser.add_argument("--fault", choices=sorted(FAULTS), metavar="NAME", help="break one requirement")
    parser.add_argument("--oddity", choices=sorted(ODDITIES), metavar="NAME", help="be unusual, and conform")
    parser.add_argument("--ocpp", choices=VERSIONS, help="version to speak (default: what the port file says)")
    parser.add_argument("--seed", type=int, default=1, help="of the back-off's random part")
    parser.add_argument("--no-boot-on-start", action="store_true", help="as if the back end had accepted us before")
    parser.add_argument("--list-faults", action="store_true", help="print name and description of each as JSON")
    parser.add_argument("--list-oddities", action="store_true", help="print name and description of each as JSON")
    arguments = parser.parse_args(argv)
    if not (arguments.list_faults or arguments.list_oddities or arguments.port_file):
        parser.error("--port-file is missing")
    if arguments.ocpp is not None:  # else the port file says it
        why = meaningless([name for name in (arguments.fault, arguments.oddity) if name], arguments.ocpp)
        if why is not None:
            parser.error(why)
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run the station; returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    arguments = _parse(argv)
    if arguments.list_faults or arguments.list_oddities:
        import json

        print(json.dumps(FAULTS if arguments.list_faults else ODDITIES, indent=1))
        return 0
    import asyncio

    from .app import run_station
    from .port import StationError

    names = [name for name in (arguments.fault, arguments.oddity) if name]
    try:
        asyncio.run(
            run_station(
                arguments.port_file,
                names,
                arguments.seed,
                boots=not arguments.no_boot_on_start,
                ocpp=arguments.ocpp,
            )
        )
    except StationError as error:
        print(f"station: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
