"""The supply of the station fails while a vehicle charges (OCPP 2.1: once shorter, once longer than it may resume)."""

from __future__ import annotations

from typing import Any

from .steps import begin, booted, charge_on, leave, settings

TIMEOUT = "TxCtrlr.ResumptionTimeout"
MEASURABLE_WH = 40.0
SHORT_S, LONG_S = 2.0, 4.0


def test_power_cut(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, 2 s without supply, charge on; the vehicle pauses, 4 s without supply, which is too long; unplug."""
    with settings(csms, v2={TIMEOUT: "300", "TxCtrlr.AllowEnergyTransferResumption": "true"}) as able:
        if not able or not begin(bench, vehicle, timeline):
            return
        bench.phase("supply off for a short time")
        mark = timeline.now_ns()
        if not bench.cut_supply(f"{max(SHORT_S, bench.file.envelope.min_off):g} s"):
            return
        booted(csms, timeline, mark, within="90 s")
        if timeline.seen("ocpp.tx.updated", within="20 s", since_ns=mark, trigger="TxResumed"):
            charge_on(timeline, MEASURABLE_WH)
        csms.set_variable(TIMEOUT, "1")
        bench.phase("the vehicle pauses")
        mark = timeline.now_ns()
        vehicle.pause()
        timeline.seen("output", live=False, within="8 s", since_ns=mark)
        bench.phase("supply off for too long")
        mark = timeline.now_ns()
        bench.cut_supply(f"{max(LONG_S, bench.file.envelope.min_off):g} s")
        booted(csms, timeline, mark, within="90 s")
        timeline.seen("ocpp.tx.ended", within="20 s", since_ns=mark)
        leave(bench, vehicle, timeline)
