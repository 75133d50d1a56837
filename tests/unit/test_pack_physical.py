"""The packs of the physical side: each rule has a trace that passes it, one that fails it alone, and odd ones."""

from __future__ import annotations

import functools
import re

import pytest
from pilotbench.bench.correlation import Outcome, Pack, Report, evaluate, load_pack

import physical_outlet
import physical_pilot
from physical_pilot import resent
from traces import CONFIGS, TWIN_FACTS, shipped_pack
from wired import Case, Traced, Wired

PACKS = ("iec61851", "safety", "energy")
CASES: dict[str, Case] = {**physical_pilot.CASES, **physical_outlet.CASES}
BAD = (Outcome.FAIL, Outcome.ERROR)
MEASURED = {"c1_c2.measured", "b1_b2.measured", "ev.stops"}
OF_THE_BENCH = {"ev.follows", "no_current.dead"}
PAGES = {"iec61851": "rules-iec61851", "safety": "rules-iec61851", "energy": "rules-energy"}


@functools.cache
def pack(name: str) -> Pack:
    limits = [CONFIGS / "limits" / f"{limits}.toml" for limits in ("iec61851-1", "ocpp", "lab")]
    return load_pack([CONFIGS / "rules" / f"{name}.toml"], limits)


def rules() -> list[str]:
    return [rule.id for name in PACKS for rule in pack(name).rules]


def judged(traced: Traced) -> Report:
    """By all shipped packs."""
    trace = traced()
    return evaluate(trace.events, shipped_pack(), trace.facts if isinstance(trace, Wired) else TWIN_FACTS)


def bad(report: Report) -> dict[str, str]:
    return {verdict.rule: verdict.text for verdict in report.verdicts if verdict.verdict in BAD}


def test_every_rule_has_its_three_traces() -> None:
    assert sorted(CASES) == sorted(rules())
    assert len(physical_pilot.CASES) + len(physical_outlet.CASES) == len(CASES)
    assert not [rule for rule, case in CASES.items() if not case.strange]
    assert {rule for rule, case in CASES.items() if case.fails is None} == MEASURED


@pytest.mark.parametrize("rule", CASES)
def test_the_trace_that_passes(rule: str) -> None:
    report = judged(CASES[rule].passes)
    assert bad(report) == {}
    assert report.of(rule).verdict is Outcome.PASS, report.of(rule).text


@pytest.mark.parametrize("rule", [rule for rule, case in CASES.items() if case.fails is not None])
def test_the_trace_that_fails_this_rule_and_no_other(rule: str) -> None:
    fails = CASES[rule].fails
    assert fails is not None
    report = judged(fails)
    wanted = Outcome.ERROR if rule in OF_THE_BENCH else Outcome.FAIL
    assert report.of(rule).verdict is wanted, report.of(rule).text
    assert set(bad(report)) == {rule, *CASES[rule].also}, bad(report)


@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, case in CASES.items() for name in case.strange])
def test_strange_and_conforming(rule: str, name: str) -> None:
    assert bad(judged(CASES[rule].strange[name])) == {}


def test_a_profile_that_is_sent_again_and_again_postpones_nothing() -> None:
    report = judged(lambda: resent(8000).over(45000))
    assert report.of("profile.duty").verdict is Outcome.FAIL


@pytest.mark.parametrize(("begin", "end", "expected"), [(1000, 1050, Outcome.FAIL), (4450, 4480, Outcome.INCONCLUSIVE)])
def test_a_standstill_excuses_what_is_near_it_only(begin: float, end: float, expected: Outcome) -> None:
    for rule, traced in (
        ("ab.stays_off", lambda: physical_outlet.turns_on_in_b(s2_opened=False)),
        ("ab.dead", lambda: Wired().bare().plug(500).live(4500).over(9000)),
    ):
        trace = traced()
        trace.overrun(begin, end)
        assert evaluate(trace.events, shipped_pack(), TWIN_FACTS).of(rule).verdict is expected


def test_the_demo_judges_every_pack_that_is_shipped() -> None:
    files = {path.stem for path in (CONFIGS / "rules").glob("*.toml")}
    assert {rule.pack for rule in shipped_pack().rules} >= {pack(name).rules[0].pack for name in PACKS}
    assert len(shipped_pack().rules) == sum(
        len(re.findall(r'^\[rule\."', (CONFIGS / "rules" / f"{name}.toml").read_text(encoding="utf-8"), re.MULTILINE))
        for name in files
    )


def page_rows(name: str) -> dict[str, list[str]]:
    """The rules that a page has in its tables -> their cells."""
    text = (CONFIGS.parent / "docs" / f"{name}.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells[1:] for cells in rows}


def test_the_pages_name_every_rule_with_its_text_clause_force_and_limits() -> None:
    for page in sorted(set(PAGES.values())):
        named = [rule for name in PACKS if PAGES[name] == page for rule in pack(name).rules]
        rows = page_rows(page)
        assert list(rows) == [rule.id for rule in named]
        for rule in named:
            text, ref, force, limit, _, strange = rows[rule.id]
            subject = "" if rule.rule.subject == "station" else f", subject {rule.rule.subject}"
            assert [text, ref, force] == [rule.rule.text, rule.rule.ref, rule.rule.force + subject]
            shown = (f"{item.value:g} {item.unit}{'' if item.verified else ' (not verified)'}" for item in rule.limits)
            assert limit == (", ".join(shown) or "–")
            assert strange
