"""The OCPP 1.6 pack: each rule has a trace that passes it, one that fails it alone, and odd ones that must not fail."""

from __future__ import annotations

import functools
import re

import pytest
from pilotbench.bench.correlation import Outcome, Pack, Report, evaluate, load_pack

import ocpp16_boot
import ocpp16_requests
import ocpp16_status
import ocpp16_transactions
from ocpp16_told import Case, Told, Traced
from traces import CONFIGS, TWIN_FACTS

PARTS = (ocpp16_boot, ocpp16_status, ocpp16_transactions, ocpp16_requests)
CASES: dict[str, Case] = {rule: case for part in PARTS for rule, case in part.CASES.items()}
BAD = (Outcome.FAIL, Outcome.ERROR)
MEASURED = {"reconnect.measured", "reconnect.boot"}


@functools.cache
def pack() -> Pack:
    limits = [CONFIGS / "limits" / f"{name}.toml" for name in ("iec61851-1", "ocpp", "lab")]
    return load_pack([CONFIGS / "rules" / "ocpp16.toml"], limits)


def judged(traced: Traced) -> Report:
    return evaluate(traced().events, pack(), TWIN_FACTS)


def bad(report: Report) -> dict[str, str]:
    return {verdict.rule: verdict.text for verdict in report.verdicts if verdict.verdict in BAD}


def test_every_rule_has_its_three_traces() -> None:
    assert set(CASES) == {rule.id for rule in pack().rules}
    assert sum(len(part.CASES) for part in PARTS) == len(CASES)
    assert not [rule for rule, case in CASES.items() if not case.strange]
    assert {rule for rule, case in CASES.items() if case.fails is None} == MEASURED


def test_only_what_measures_has_no_limit() -> None:
    for rule in pack().rules:
        without = rule.pattern == "respond" and getattr(rule.rule, "within", None) is None
        assert without == (rule.id in MEASURED)


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
    assert report.of(rule).verdict is Outcome.FAIL, report.of(rule).text
    assert set(bad(report)) == {rule}, bad(report)


@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, case in CASES.items() for name in case.strange])
def test_strange_and_conforming(rule: str, name: str) -> None:
    assert bad(judged(CASES[rule].strange[name])) == {}


def page_rows() -> dict[str, list[str]]:
    """The table of the page: rule -> its cells."""
    text = (CONFIGS.parent / "docs" / "rules-ocpp16.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells[1:] for cells in rows}


def test_the_page_names_every_rule_with_its_text_section_force_and_cases() -> None:
    rows = page_rows()
    assert list(rows) == [rule.id for rule in pack().rules]
    for named in pack().rules:
        rule, cells = named.rule, rows[named.id]
        cases = ", ".join(case.removeprefix("TC_").removesuffix("_CS") for case in rule.cases)
        assert cells[:4] == [rule.text, rule.ref, rule.force, cases or "–"]
        assert len(cells) == 6


def test_the_page_says_which_settings_a_rule_rests_on() -> None:
    rows = page_rows()
    for named in pack().rules:
        named_settings = set(re.findall(r"config\.(\w+)", repr(named.rule)))
        assert {key for key in named_settings if key not in rows[named.id][4]} == set(), named.id


def test_that_the_bench_cut_the_connection_itself_is_no_excuse_afterwards() -> None:
    def traced() -> Told:
        t = ocpp16_requests.offline_start(None)
        t.misbehaves(2500, "reset")
        return t

    assert judged(traced).of("offline.start").verdict is Outcome.FAIL
