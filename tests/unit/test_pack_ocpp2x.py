"""The packs of OCPP 2.0.1 and 2.1: each rule passes, fails and forgives on traces made from real messages."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from pilotbench.bench.correlation import Facts, Outcome, Pack, Report, evaluate, load_pack
from pilotbench.bench.timeline import Event

import ocpp2x_asked
import ocpp2x_boot
import ocpp2x_data
import ocpp2x_end
import ocpp2x_only21
import ocpp2x_outlet
import ocpp2x_start
from ocpp2x_case import Case
from ocpp2x_days import DAYS
from ocpp2x_told import Told2x

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "hw-configs"
PAGE = (ROOT / "docs" / "rules-ocpp2x.md").read_text(encoding="utf-8")
PACK = load_pack(
    [CONFIGS / "rules" / "ocpp201.toml", CONFIGS / "rules" / "ocpp21.toml"], [CONFIGS / "limits" / "ocpp2.toml"]
)
FACTS = Facts(station="CP001", powered_by_bench=True)
MODULES = (ocpp2x_boot, ocpp2x_outlet, ocpp2x_start, ocpp2x_end, ocpp2x_data, ocpp2x_asked, ocpp2x_only21)
CASES: dict[str, Case] = {rule: case for module in MODULES for rule, case in module.CASES.items()}
FAILING = [rule for rule, case in CASES.items() if not case.measures]
STRANGE = [(rule, way) for rule, case in CASES.items() for way in case.strange]
BAD = (Outcome.FAIL, Outcome.ERROR)
ALSO_OFFLINE = {
    # energy and the lock do not need a connection
    "v2.remote_stop.energy",
    "v2.invalid.energy",
    "v21.limit.energy",
    "v2.unlock.opens",
    "v2.unplug.unlocks",
    "v2.lock.no_start",
    # what was answered is the fault itself
    "v2.unlock.in_tx",
    "v2.remote_stop.unknown",
    # a station that was restarted has to come back
    "v2.reset.boot",
    "v2.reset.ended",
    "v21.reset.told",
    "v21.reset.resumed",
}


def judged(events: list[Event], pack: Pack = PACK) -> Report:
    return evaluate(events, pack, FACTS)


def blamed(report: Report) -> list[str]:
    return [verdict.rule for verdict in report.verdicts if verdict.verdict in BAD]


def told(rule: str, way: str) -> list[Event]:
    return CASES[rule].story(way).events


def test_every_rule_has_its_traces() -> None:
    assert set(CASES) == {named.id for named in PACK.rules}
    assert [rule for rule, case in CASES.items() if not case.strange] == []
    assert len(FAILING) == len(CASES) - 1  # one rule measures only


@pytest.mark.parametrize("rule", CASES)
def test_a_station_that_does_it_passes(rule: str) -> None:
    verdict = judged(told(rule, "pass"), PACK.only(rule)).of(rule)
    assert verdict.verdict is Outcome.PASS, verdict.text


@pytest.mark.parametrize("rule", FAILING)
def test_a_station_that_does_not_fails_this_rule_and_no_other(rule: str) -> None:
    report = judged(told(rule, "fail"))
    assert blamed(report) == [rule], "\n".join(report.of(name).text for name in blamed(report))
    assert report.of(rule).evidence


@pytest.mark.parametrize(("rule", "way"), STRANGE, ids=[f"{rule}-{way}" for rule, way in STRANGE])
def test_what_is_strange_and_conforms_is_not_blamed(rule: str, way: str) -> None:
    verdict = judged(told(rule, way), PACK.only(rule)).of(rule)
    assert verdict.verdict not in BAD, verdict.text


@pytest.mark.parametrize("day", DAYS)
def test_a_strange_day_is_not_blamed(day: str) -> None:
    report = judged(DAYS[day]().events)
    assert blamed(report) == [], "\n".join(report.of(name).text for name in blamed(report))


@pytest.mark.parametrize("rule", FAILING)
def test_a_connection_that_breaks_at_once_is_not_blamed(rule: str) -> None:
    """The failing trace, cut right after its trigger: no message can come, and nobody is to blame."""
    events = told(rule, "fail")
    instances = judged(events, PACK.only(rule)).of(rule).instances
    failed = next(instance for instance in instances if instance.outcome is Outcome.FAIL)
    seen = {ref.id: ref.role for ref in failed.evidence}
    at = next((event.stamp.order_ns for event in events if seen.get(event.id) in ("trigger", "anchor")), None)
    if at is None:
        return  # a rule about a scope or a law has no trigger
    lost = at + 20_000_000
    t = Told2x()
    t.csms("ocpp.disconnected", lost / 1e6, evse=None, code=1006, reason="")
    (broken,) = t.events
    kept = [event for event in events if event.stamp.order_ns <= lost or event.source != "csms"]
    numbered = msgspec.structs.replace(broken, seq=10_000)
    verdict = judged(sorted([*kept, numbered], key=lambda event: event.order), PACK.only(rule)).of(rule)
    assert (verdict.verdict in BAD) is (rule in ALSO_OFFLINE), verdict.text


@pytest.mark.long
def test_no_other_rule_blames_what_conforms() -> None:
    """All rules on every trace of a station that conforms."""
    for rule, way in [*((rule, "pass") for rule in CASES), *STRANGE]:
        report = judged(told(rule, way))
        assert blamed(report) == [], (rule, way, [report.of(name).text for name in blamed(report)])


@pytest.mark.parametrize("rule", [rule for rule in FAILING if not rule.startswith("v21.")])
def test_a_rule_is_about_the_versions_that_it_names(rule: str) -> None:
    """The same messages on a connection of 2.1, and of 1.6: only the versions of the rule are judged."""
    named = next(item for item in PACK.rules if item.id == rule)
    alone = PACK.only(rule)
    for version in ("2.0.1", "2.1", "1.6"):
        report = judged([_of_version(event, version) for event in told(rule, "fail")], alone)
        wanted = [rule] if version in named.rule.ocpp else []
        assert blamed(report) == wanted, version


def _of_version(event: Event, version: str) -> Event:
    if event.topic != "ocpp.connected":
        return event
    return msgspec.structs.replace(event, data={**event.data, "version": version})


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_clean_session_is_clean(version: str) -> None:
    """Nothing to blame, and nothing left open but what a short run cannot tell of the station's clock."""
    t = Told2x(version)
    t.charging()
    t.stopped(10_000)
    t.unplug(12_000)
    t.end(60_000)
    report = judged(t.events)
    open_still = [v.rule for v in report.verdicts if v.verdict not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    assert set(open_still) <= {"v2.clock"}, "\n".join(report.of(rule).text for rule in open_still)
    passed = [v.rule for v in report.verdicts if v.verdict is Outcome.PASS]
    assert len(passed) >= 20, passed


def test_a_reset_on_idle_may_not_end_the_transaction_itself() -> None:
    """Whether it restarts in the middle of it, which is the failing trace, or ends it first in order to restart."""
    assert blamed(judged(told("v2.reset.waits", "ended for it"))) == ["v2.reset.waits"]


@pytest.mark.parametrize("rule", ["v2.offline.status", "v2.offline.ended"])
def test_that_the_bench_cut_the_connection_itself_is_no_excuse_afterwards(rule: str) -> None:
    """What is owed once it is back is owed, however it was lost."""
    t = CASES[rule].story("fail")
    t.misbehaves(1500, "reset")
    assert judged(t.events, PACK.only(rule)).of(rule).verdict is Outcome.FAIL


def test_settings_that_were_not_read_back_leave_a_failure_open() -> None:
    """Without `station.config` a rule that rests on a variable does not fail: it says that it does not know."""
    needy = ["v2.plug.tx", "v2.unplug.ended", "v2.remote_stop.ended", "v2.invalid.ended", "v2.plug_timeout.bay"]
    for rule in needy:
        events = [event for event in told(rule, "fail") if event.topic != "station.config"]
        verdict = judged(events, PACK.only(rule)).of(rule)
        assert verdict.verdict is Outcome.INCONCLUSIVE, verdict.text
        assert verdict.reason is not None
        assert verdict.reason.name == "PRECONDITION"


def rows() -> dict[str, str]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `v2")]
    return {line.split("`")[1]: line for line in lines}


def test_the_page_names_every_rule_with_its_requirement_and_what_it_forgives() -> None:
    table = rows()
    assert list(table) == [named.id for named in PACK.rules]
    for named in PACK.rules:
        line = table[named.id]
        assert named.rule.text in line, named.id
        assert named.rule.ref in line, named.id
        assert f"| {named.rule.force} |" in line, named.id
        assert [way for way in CASES[named.id].strange if way not in line] == [], named.id
        assert [case for case in named.rule.cases if case.removesuffix("_CS") not in line] == [], named.id


def test_the_page_says_of_each_listed_rule_where_it_went() -> None:
    """R01 to R54 of the list that the packs were made from: each is a rule here or is named among those left out."""
    left = PAGE.partition("## Left out")[2]
    assert left
    numbers = {f"R{n:02d}" for n in range(1, 55)}
    from_list = {word for line in rows().values() for word in line.replace(",", " ").split() if word in numbers}
    named_left = {word.strip("*,.:;()") for word in left.split()} & numbers
    assert numbers - from_list - named_left == set()
