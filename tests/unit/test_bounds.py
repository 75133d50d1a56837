"""What a rule says that it keeps at most is what it keeps: one more, and something is INCONCLUSIVE(LIMIT)."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from pilotbench.bench.correlation import Engine, Facts, Pack, Reason, load_pack
from pilotbench.bench.correlation.fluent import Rule
from pilotbench.bench.correlation.foresight.bounds import bound
from pilotbench.bench.correlation.language.named import NamedRule
from pilotbench.bench.timeline import Event, Stamp

from traces import CONFIGS, MS

FACTS = Facts(station="CP001")
Feed = Callable[[int], Iterator[Event]]


def event(n: int, topic: str, seq: int, at_ms: float, **data: object) -> Event:
    at = round(at_ms * MS)
    filled = {"station": "CP001", "message_id": f"message-{n:08}", **data}
    return Event(topic, "csms", seq, Stamp(at, at - MS, at), filled, 1, f'[2,"message-{n:08}","X",{{}}]', 1)


def stream(topic: str, *, same_key: bool = False, every_ms: float = 0.02, first: str = "", **data: object) -> Feed:
    """`n` events of a topic, each with a key of its own or all with one; `first` comes before them."""

    def feed(n: int) -> Iterator[Event]:
        if first:
            yield event(0, first, 1, 900, version="1.6")
        for i in range(n):
            key = 0 if same_key else i
            yield event(key, topic, i + 2, 1000 + i * every_ms, tx=i, seq_no=i, claim=None, **data)

    return feed


def rule(pattern: str, sentence: str, **options: str) -> NamedRule:
    made = Rule(pattern, sentence).text("t").ref("r").named("it")
    for key, value in options.items():
        made = made._with(key, value)  # pyright: ignore[reportPrivateUsage]
    return made.build()


def limited(named: NamedRule, feed: Feed, n: int) -> bool:
    """Whether anything was given up for want of room."""
    found: list[object] = []
    engine = Engine(Pack([named], {}), FACTS, on_verdict=lambda instance: found.append(instance.reason))
    last = 0
    for item in feed(n):
        engine.feed(item)
        last = item.stamp.order_ns
    engine.finish(last + 3600 * 1000 * MS)
    return Reason.LIMIT in found


CASES: list[tuple[str, NamedRule, Feed]] = [
    (
        "open triggers",
        rule("respond", "ocpp.call => ocpp.boot", within="1 h", per="message_id"),
        stream("ocpp.call"),
    ),
    (
        "open triggers of one key (of those)",
        rule("respond", "ocpp.call => ocpp.boot", within="1 h", per="message_id"),
        stream("ocpp.call", same_key=True),
    ),
    ("open triggers", rule("respond", "ocpp.call => output dead", within="1 h"), stream("ocpp.call")),
    (
        "open triggers",
        rule("absent", "ocpp.call => ocpp.boot", within="1 h", per="message_id"),
        stream("ocpp.call"),
    ),
    ("keys remembered", rule("order", "ocpp.call action unique", per="message_id"), stream("ocpp.call", action="X")),
    (
        "values remembered",
        rule("order", "ocpp.call message_id unique", per="station"),
        stream("ocpp.call"),
    ),
    (
        "events that wait",
        rule("order", "ocpp.boot < ocpp.call", per="station", when="tx running"),
        stream("ocpp.call"),
    ),
    (
        "keys of a stay",
        rule("cadence", "ocpp.call every 1 h while connected yes", per="message_id"),
        stream("ocpp.call", first="ocpp.connected"),
    ),
    ("keys remembered", rule("cadence", "ocpp.call apart 1 s", per="message_id"), stream("ocpp.call")),
    ("keys remembered", rule("count", "ocpp.call <= 5", per="message_id"), stream("ocpp.call")),
    (
        "open windows of one key",
        rule("count", "ocpp.call <= 5000 within 1 h", per="message_id"),
        stream("ocpp.call", same_key=True),
    ),
    (
        "open transactions",
        rule("agree", "tx_meter ~ register", per="tx", tolerance="1 Wh"),
        stream("ocpp.tx.started", meter_wh="1"),
    ),
]


@pytest.mark.parametrize(
    ("what", "named", "feed"),
    CASES,
    ids=[f"{named.pattern}-{what.replace(' ', '-')}-{i}" for i, (what, named, _) in enumerate(CASES)],
)
def test_up_to_the_stated_number_nothing_is_given_up_and_one_more_is(what: str, named: NamedRule, feed: Feed) -> None:
    part = next(part for part in bound(named).parts if part.what == what)
    assert "LIMIT" in part.beyond
    assert not limited(named, feed, part.most)
    assert limited(named, feed, part.most + 1)


def test_the_stated_memory_is_enough_and_not_far_from_what_is_taken() -> None:
    named = rule("respond", "ocpp.call => ocpp.boot", within="1 h", per="message_id")
    part = next(part for part in bound(named).parts if part.what == "open triggers")
    feed = stream("ocpp.call")
    engine = Engine(Pack([named], {}), FACTS)
    for item in feed(1000):  # what is there anyway: signals, the ring of recent events
        engine.feed(item)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        more = part.most - 1000
        for i in range(more):
            engine.feed(event(1000 + i, "ocpp.call", 5000 + i, 2000 + i * 0.02))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    each = (after - before) / more
    assert part.bytes_each / 3 < each <= part.bytes_each


@pytest.mark.parametrize("pack", sorted(path.stem for path in (CONFIGS / "rules").glob("*.toml")))
def test_every_shipped_rule_states_its_bound(pack: str) -> None:
    limits = sorted((CONFIGS / "limits").glob("*.toml"))
    for named in load_pack([CONFIGS / "rules" / f"{pack}.toml"], limits).rules:
        found = bound(named)
        assert found.parts, named.id
        assert 0 < found.mib < 600, named.id
        assert all(part.most > 0 and part.beyond for part in found.parts), named.id
