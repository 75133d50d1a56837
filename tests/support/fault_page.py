"""Writes docs/twin-faults.md: `python tests/support/fault_page.py`. A test holds that the page is up to date."""

from __future__ import annotations

import sys
import tempfile
from itertools import groupby
from pathlib import Path

from cli_runs import cli
from fault_matrix import NO_FAULT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "twin-faults.md"

HEAD = """\
# What can be wrong in the virtual bench

The simulated station can be told to break one requirement (a *fault*) or to be strange and conform (an *oddity*), and
the model, the instruments and their wires can break while a run goes on. The tables are what
`pilotbench twin faults --markdown` prints; `--json` gives the same as data.

```sh
pilotbench run session --station-fault late-open
pilotbench run unplug_live --ocpp 2.1 --station-fault unplug-ignored
pilotbench run session --station-oddity soft-start
pilotbench run session --twin-fault cp-short:ohm=80,once=charging,after_s=2,for_s=5
```

A fault shows in its *case*; in others it may go unseen. The rules named say FAIL because of it, those without a version
in front of them in every version in which the fault has a meaning. A play that *takes minutes* waits for a limit of a
minute or more.

`make faults` plays every fault and oddity in every version, 50 sessions of a station in order with noise and delays of
their own, and what breaks beside the station's software, five runs at a time, and prints what was caught, what was not,
what was blamed wrongly, and which rules nothing tripped. A run in which this machine stood still, so that a verdict
leans to FAIL and no more, or that the guardian ended for it, is played again alone, and the table says so. What takes
minutes begins first. `python tests/support/fault_report.py --only NAME` plays some.

"""
REST = """
## Rules that no fault trips for sure

Each of them is tripped by a trace of the unit tests.

| rules | why none |
|---|---|
"""


def page(tables: str) -> str:
    """The whole page, from the tables that the command line prints."""
    reasons = sorted(NO_FAULT.items(), key=lambda item: (list(NO_FAULT.values()).index(item[1]), item[0]))
    rows = [
        f"| {', '.join(f'`{rule}`' for rule, _ in rules)} | {why} |"
        for why, rules in groupby(reasons, key=lambda item: item[1])
    ]
    return HEAD + tables + REST + "\n".join(rows) + "\n"


def main() -> int:
    with tempfile.TemporaryDirectory() as state:
        run = cli("twin", "faults", "--markdown", state=Path(state))
    if run.code:
        sys.stderr.write(run.err)
        return run.code
    PAGE.write_text(page(run.out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
