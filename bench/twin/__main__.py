"""`python -m pilotbench.bench.twin`: prints as JSON what the virtual bench can be asked to do wrong, or strangely.

`station`: faults and oddities of the simulated station's software, set when it starts. `physical`: what can break
beside it while the bench runs.
"""

from __future__ import annotations

import json
import sys


def main() -> int:
    """Print the lists; returns the exit code 0."""
    from .faults import table
    from .station.faults import DEVIATIONS

    lists = {"station": [one.plain() for one in DEVIATIONS.values()], "physical": table()}
    print(json.dumps(lists, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
