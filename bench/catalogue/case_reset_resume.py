"""A restart that the transaction outlives (OCPP 2.1)."""

from __future__ import annotations

from typing import Any

from .steps import begin, booted, charge_on, end, settings, speaks

TIMEOUT = "TxCtrlr.ResumptionTimeout"
MEASURABLE_WH = 40.0
TOLD = "305 s"
"""A station that does not tell is waited for until the rules have decided."""


def test_reset_resume(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """A reset with resumption while that is off, and one while a vehicle charges: it goes on without energy. Stop."""
    if not speaks(bench, "2.1"):
        return
    with settings(csms, v2={TIMEOUT: "0", "TxCtrlr.AllowEnergyTransferResumption": "false"}) as able:
        bench.phase("reset with resumption, which is off")
        mark = timeline.now_ns()
        if csms.reset("ImmediateAndResume").accepted and timeline.seen("ocpp.boot", within="10 s", since_ns=mark):
            csms.wait_ready("60 s")
        if not able or not begin(bench, vehicle, timeline):
            return
        csms.set_variable(TIMEOUT, "300")
        charge_on(timeline, MEASURABLE_WH)
        bench.phase("reset with resumption")
        mark = timeline.now_ns()
        if not csms.reset("ImmediateAndResume").accepted:
            return
        booted(csms, timeline, mark, within="60 s")
        for trigger in ("ResetCommand", "TxResumed"):
            timeline.seen("ocpp.tx.updated", within=TOLD, since_ns=mark, trigger=trigger)
        end(bench, vehicle, csms, timeline)
