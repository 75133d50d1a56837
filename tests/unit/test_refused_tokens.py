"""The rules about a token that is refused in the answer to an event, on what they once could not see."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.correlation import Facts, Outcome, evaluate, load_pack

from ocpp2x_told import Told2x

CONFIGS = Path(__file__).resolve().parents[2] / "hw-configs"
PACK = load_pack([CONFIGS / "rules" / "ocpp201.toml"], [CONFIGS / "limits" / "ocpp2.toml"])


def judged(t: Told2x, rule: str) -> Outcome:
    t.end(60_000)
    return evaluate(t.events, PACK.only(rule), Facts(station="CP001", powered_by_bench=True)).of(rule).verdict


def refused_at_the_start(live: tuple[tuple[float, bool], ...]) -> Told2x:
    """The answer to Started, at 2050, refuses the token; the output is dead then, and changes as `live` says."""
    t = Told2x(but={"TxCtrlr.StopTxOnInvalidId": "false"})
    t.ready()
    t.plug()
    t.authorize(2000)
    t.tx(2050, "Started", "Authorized", "EVConnected", token=True, answer="Invalid")
    for at, on in live:
        t.output(at, on)
    return t


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ((), Outcome.PASS),
        (((2500, True), (9000, False)), Outcome.PASS),  # the vehicle took its 6 s
        (((4000, True),), Outcome.FAIL),
        (((4000, True), (6000, False), (7000, True), (11_000, False), (13_000, True)), Outcome.FAIL),
    ],
    ids=["stays dead", "closing was under way", "comes alive", "comes and goes"],
)
def test_an_output_that_was_dead_has_to_stay_so(live: tuple[tuple[float, bool], ...], wanted: Outcome) -> None:
    assert judged(refused_at_the_start(live), "v2.invalid.energy") is wanted


@pytest.mark.parametrize(
    ("trigger", "reason", "wanted"),
    [
        ("Deauthorized", "DeAuthorized", Outcome.PASS),
        ("ChargingStateChanged", "DeAuthorized", Outcome.FAIL),
        ("StopAuthorized", "Local", Outcome.NOT_APPLICABLE),
        ("StopAuthorized", None, Outcome.NOT_APPLICABLE),  # Local may be left out (E06.FR.09)
        ("EVCommunicationLost", "EVDisconnected", Outcome.NOT_APPLICABLE),
    ],
)
def test_an_end_by_the_refusal_says_so(trigger: str, reason: str | None, wanted: Outcome) -> None:
    """E05.FR.10: no other trigger is right for an end whose own reason is the refusal; other ends excuse."""
    t = Told2x()
    t.charging()
    t.tx(8000, "Updated", "ChargingRateChanged", answer="Invalid")
    t.de_energise(9000)
    t.tx(9400, "Ended", trigger, "EVConnected", reason=reason)
    assert judged(t, "v2.invalid.event") is wanted


@pytest.mark.parametrize(("evse", "wanted"), [(1, Outcome.NOT_APPLICABLE), (2, Outcome.FAIL)])
def test_only_what_begins_at_the_same_outlet_ends_what_is_owed(evse: int, wanted: Outcome) -> None:
    """The refused one goes on delivering; a second later somebody begins, here or at the other outlet."""
    t = refused_at_the_start(((2500, True),))
    t.csms("ocpp.tx.started", 3200, evse=evse, station="CP001", tx="t-2", connector=1)
    assert judged(t, "v2.invalid.energy") is wanted
