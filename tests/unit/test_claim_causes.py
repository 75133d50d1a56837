"""What bounds the station's clock from above is what certainly caused a message, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pilotbench.bench.correlation import Facts
from pilotbench.bench.correlation.world.world import World

from traces import CONFIG, MS, TWIN_FACTS, WALL, Trace

WALL_NS = int(WALL.timestamp()) * 10**9


def most_ahead_ms(trace: Trace, facts: Facts = TWIN_FACTS) -> float:
    """The upper bound of the station's clock against the bench's, in milliseconds; the truth is 0."""
    world = World(facts)
    for event in trace.events:
        world.apply(event)
    offset = world.claims.offset(trace.events[-1].stamp.order_ns)
    assert offset is not None
    assert not world.claims.steps
    assert offset.lo <= WALL_NS <= offset.hi
    return (offset.hi - WALL_NS) / 1e6


def plugged(*, preparing_at: float = 1104.0, claimed: float = 1101.0, config: dict[str, str] | None = CONFIG) -> Trace:
    """State B at 1000, C at 1050; Preparing as it is said."""
    t = Trace()
    t.idle(config=config)
    t.cp(1000, "B", pwm=False)
    t.cp(1050, "C", pwm=False)
    t.status(preparing_at, "Preparing", claimed=claimed)
    return t


def test_preparing_answers_the_plug_and_not_what_came_after_it() -> None:
    assert 101 < most_ahead_ms(plugged()) < 105


def test_preparing_may_answer_a_card_that_came_before_the_plug() -> None:
    # nobody was told of the card at 400; the message is held back for a second
    assert most_ahead_ms(plugged(preparing_at=2100, claimed=413)) == float("inf")
    t = plugged(claimed=913)
    t.host("csms", "csms.remote_start", 900, {"station": "CP001", "id_tag": "X", "accepted": True}, evse=1)
    assert most_ahead_ms(t) == float("inf")
    # without its configuration nobody knows whether the station lets people in by itself
    assert most_ahead_ms(plugged(claimed=913, config=None)) == float("inf")
    free = msgspec.structs.replace(TWIN_FACTS, authorisation="free")
    assert most_ahead_ms(plugged(config=None), free) < 105


@pytest.mark.parametrize(("cards", "ahead"), [((1990.0,), 61.0), ((1000.0, 1990.0), float("inf"))])
def test_a_transaction_answers_the_card_if_there_was_only_one(cards: tuple[float, ...], ahead: float) -> None:
    t = Trace()
    t.idle()
    for at in cards:
        t.token(at)
    t.tx_started(2050, 5000, claimed=2043)
    assert most_ahead_ms(t) == pytest.approx(ahead, abs=4)


def started(*, asked: dict[str, Any], started: dict[str, Any], card: bool = False) -> float:
    t = Trace()
    t.idle()
    if card:
        t.token(800)
    t.csms("csms.remote_start", 1000, accepted=True, sent_ns=990 * MS, **asked)
    data = {"tx": 7, "meter_wh": "0", "claim": t.claim(1103), **started}
    t.csms("ocpp.tx.started", 1110, **data)
    return most_ahead_ms(t)


def test_a_transaction_answers_the_remote_start_of_its_token_or_of_its_number() -> None:
    assert started(asked={"id_tag": "T"}, started={"id_tag": "t"}) < 130
    assert started(asked={"id_tag": "T"}, started={"id_tag": "OTHER"}) == float("inf")
    # the driver may have held the same card to the reader before
    assert started(asked={"id_tag": "04A2"}, started={"id_tag": "04A2"}, card=True) == float("inf")
    numbered = {"id_tag": "04A2", "remote_start_id": 5}
    assert started(asked=numbered, started=numbered, card=True) < 130


@pytest.mark.parametrize(("reason", "ahead"), [("Remote", 105.0), ("Local", float("inf"))])
def test_a_transaction_that_was_stopped_by_somebody_else_answers_no_remote_stop(reason: str, ahead: float) -> None:
    t = Trace()
    t.idle()
    t.tx_started(1000, 5000, claimed=993)
    t.remote_stop(6000)
    t.tx_ended(6110, 5001, claimed=6099, reason=reason)
    assert most_ahead_ms(t) == pytest.approx(ahead, abs=2)


def test_charging_answers_the_one_closing_of_s2() -> None:
    for closings, ahead in (((3000.0,), 103.0), ((3000.0, 3050.0), float("inf"))):
        t = Trace()
        t.idle(config=None)
        t.cp(1000, "B", pwm=True)
        for at in closings:
            t.cp(at, "C", pwm=True)
            t.cp(at + 40, "B", pwm=True)
        t.status(3110, "Charging", claimed=3101)
        assert most_ahead_ms(t) == pytest.approx(ahead, abs=4)
