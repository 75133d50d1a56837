"""One vocabulary: every topic has keys and a place in the documentation, and all versions use it alike."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pilotbench.bench.timeline import TOPICS, check_topic, keys_of, kind_of

from tellings import VERSIONS, session, tell

DOCS = Path(__file__).parents[2] / "docs" / "vocabulary.md"


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_says_its_keys(topic: str) -> None:
    keys = keys_of(topic)
    assert keys
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", key) for key in keys), keys


def test_the_page_has_every_topic_with_its_keys_and_no_other() -> None:
    """A row: `topic` | `key`, `key` | who | 1.6 | 2.0.1 and 2.1."""
    rows = [line.split("|")[1:-1] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    page = {row[0].strip().strip("`"): tuple(re.findall(r"`([^`]+)`", row[1])) for row in rows}
    assert page == {topic: keys_of(topic) for topic in TOPICS}
    kinds = {row[0].strip().strip("`"): row[2].strip() for row in rows}
    assert kinds == {topic: kind_of(topic) for topic in TOPICS}


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("cp.state", "pilot"),
        ("lock", "pilot"),
        ("pp", "pilot"),
        ("meter.sample", "meter"),
        ("ev.status", "ev"),
        ("ocpp.tx.ended", "csms"),
        ("station.config", "csms"),
        ("csms.unlock", "csms"),
        ("stimulus", "bench"),
        ("clock.model", "bench"),
        ("dut.alive_without_mains", "bench"),
        ("lab.door", "lab"),
        ("thermo.celsius", "thermo"),
    ],
)
def test_who_speaks_of_a_topic(topic: str, kind: str) -> None:
    assert kind_of(topic) == kind


def test_a_laboratory_brings_topics_of_its_own() -> None:
    check_topic("lab.door")
    check_topic("lab.chamber-2.temperature_c")
    assert keys_of("lab.door") is None
    for bad in ("lab", "lab.", "lab.Door", "lab..door", "lab.door.", "lab.door\n", "laboratory.door"):
        with pytest.raises(ValueError, match="topic"):
            check_topic(bad)


def test_a_mistyped_topic_is_answered_by_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"did you mean 'ocpp\.tx\.updated'"):
        keys_of("ocpp.tx.update")


LOGICAL = {
    "ocpp.boot": ("model", "vendor", "firmware"),
    "ocpp.boot.answered": ("status", "interval_s"),
    "ocpp.status": ("logical", "connector", "component", "claim"),
    "ocpp.authorized": ("id_tag", "accepted", "how"),
    "ocpp.tx.started": ("id_tag", "meter_wh", "connector", "claim"),
    "ocpp.tx.updated": ("charging_state", "connector", "claim"),
    "ocpp.tx.ended": ("reason", "meter_wh", "orphan", "connector", "claim"),
    "ocpp.register": ("context", "value_wh", "claim"),
    "ocpp.value": ("measurand", "phase", "context", "value", "unit", "claim"),
    "csms.remote_start": ("id_tag", "accepted"),
    "csms.remote_stop": ("accepted",),
}
"""What a rule can ask of each version alike."""
VALUES = ("ocpp.register", "ocpp.value")


def story(version: str) -> list[tuple[object, ...]]:
    """A session in logical words.

    Left out is what a version repeats: in 1.6 a connector that stays occupied changes its status, in 2.x its
    transaction is updated for other reasons than its charging state.
    """
    lines: list[tuple[object, ...]] = []
    status: dict[int | None, object] = {}
    for fact in tell(version, session(version)):
        data = fact.data
        if fact.topic == "ocpp.tx.updated" and data["charging_state"] is None:
            continue
        if fact.topic == "ocpp.status":
            before, status[fact.evse] = status.get(fact.evse), data["logical"]
            if before == data["logical"]:
                continue
        lines.append((fact.topic, fact.evse, *(_plain(data[key]) for key in LOGICAL[fact.topic])))
    return lines


def _plain(value: object) -> object:
    """A measured number by its value: how many zeros a station writes is its own."""
    return Decimal(value).normalize() if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else value


def test_one_session_is_one_story_in_every_version() -> None:
    first, *others = (story(version) for version in VERSIONS)
    topics = [line[0] for line in first]
    assert topics[:3] == ["ocpp.boot", "ocpp.boot.answered", "ocpp.status"]
    assert topics.count("ocpp.tx.updated") == 2
    assert topics.count("ocpp.register") == topics.count("ocpp.value") == 3
    for other in others:
        # 2.x brings the first values with the start itself, before the answer to its token; 1.6 after it.
        for values in (True, False):
            assert [line for line in other if (line[0] in VALUES) is values] == [
                line for line in first if (line[0] in VALUES) is values
            ]
