"""`python -m pilotbench.bench.twin`: prints as JSON what the virtual bench can be asked to do wrong, or strangely.

`station`: faults and oddities of the simulated station's software, set when it starts. `physical`: what can break
beside it while the bench runs. With control lines (`{"type":"fault","name":…}`) as arguments it says instead what is
wrong with them, a line each; which outlets and devices there are, only a twin that runs can say.
"""

from __future__ import annotations

import json
import sys

ADDRESS = ("type", "id", "name", "on", "evse", "device")
"""What a control line of a fault has beside its arguments."""


def main(lines: list[str]) -> int:
    """Print the lists, or what is wrong with the faults given; returns the exit code 0."""
    from .faults import FaultError, complete, table
    from .station.faults import DEVIATIONS

    if lines:
        for line in lines:
            args = json.loads(line)
            try:
                complete(str(args["name"]), {key: args[key] for key in args if key not in ADDRESS})
            except FaultError as error:
                print(error)
        return 0
    lists = {"station": [one.plain() for one in DEVIATIONS.values()], "physical": table()}
    print(json.dumps(lists, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
