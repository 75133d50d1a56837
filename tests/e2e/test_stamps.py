"""The bounds that the bench declares for its stamps hold, event by event, against the twin's own log."""

from __future__ import annotations

from cli_runs import CliRun
from stamps import compare


def test_every_stamp_of_the_pilot_holds_the_true_instant(clean_run: CliRun) -> None:
    compared = compare(clean_run.folder)
    assert len(compared) >= 20
    assert {"cp.volts", "cp.pwm", "output"} <= {entry.topic for entry in compared}
    outside = [entry for entry in compared if not entry.holds]
    assert not outside
