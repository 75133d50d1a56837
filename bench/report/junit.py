"""`junit.xml`: cases and rules as CI shows them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from ..correlation import Report
from ..recording import Redactor
from .cases import CaseResult
from .summary import measured_text
from .verdicts_json import verdict_rows

__all__ = ["junit_xml"]

# What XML 1.0 cannot hold, not even escaped; raw frames may.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(
    report: Report,
    cases: Sequence[CaseResult] = (),
    problems: Sequence[str] = (),
    properties: Mapping[str, str] = {},
    redactor: Redactor | None = None,
) -> bytes:
    """One suite of cases and one of rules.

    A FAIL of a rule that counts is a failure, INCONCLUSIVE a failure of type `inconclusive`, ERROR an
    error, NOT_APPLICABLE skipped. A rule that only advises (`should`, `tolerance`) never fails the suite:
    what it found stands in its output. `redactor` replaces credentials before the text is escaped.
    """
    rows = verdict_rows(report)
    if redactor is not None:
        rows = [redactor.value(row) for row in rows]
    root = ET.Element("testsuites", name="pilotbench")
    suites = [_cases(root, cases, problems), _rules(root, rows, {**properties, "digest": report.digest})]
    for suite in suites:
        _count(suite)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _cases(root: ET.Element, cases: Sequence[CaseResult], problems: Sequence[str]) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name="cases")
    for case in cases:
        test = ET.SubElement(
            suite,
            "testcase",
            classname="pilotbench.cases",
            name=_legal(case.name),
            time=f"{case.duration_s:.3f}",
        )
        if case.outcome == "failed":
            _add(test, "failure", "failed", case.text)
        elif case.outcome == "incomplete":
            _add(test, "failure", "inconclusive", case.text)
        elif case.outcome != "passed":
            _add(test, "error", case.outcome, case.text)
    if problems:
        test = ET.SubElement(suite, "testcase", classname="pilotbench.bench", name="bench", time="0.000")
        _add(test, "error", "bench", "\n".join(problems))
    suite.set("time", f"{sum(case.duration_s for case in cases):.3f}")
    return suite


def _rules(root: ET.Element, rows: Sequence[Mapping[str, Any]], properties: Mapping[str, str]) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name="rules", time="0.000")
    held = ET.SubElement(suite, "properties")
    for key, value in properties.items():
        ET.SubElement(held, "property", name=key, value=_legal(value))
    for row in rows:
        _rule(suite, row)
    return suite


def _rule(suite: ET.Element, row: Mapping[str, Any]) -> None:
    test = ET.SubElement(suite, "testcase", classname="pilotbench.rules", name=_legal(row["rule"]), time="0.000")
    own = ET.SubElement(test, "properties")
    for key in ("subject", "severity", "force", "reason"):
        if row.get(key):
            ET.SubElement(own, "property", name=key, value=_legal(row[key]))
    for key in ("measured", "limit", "margin"):
        text = measured_text(row, key)
        if text:
            ET.SubElement(own, "property", name=key, value=_legal(text))
    verdict, text = row["verdict"], str(row.get("text") or row.get("because") or "")
    reason = row.get("reason")
    if verdict == "NOT_APPLICABLE":
        ET.SubElement(test, "skipped", message="never triggered")
    elif verdict != "PASS" and not row.get("counts", True):
        ET.SubElement(test, "system-out").text = _legal(f"{verdict} (reported only, {row.get('force')})\n{text}")
    elif verdict == "FAIL":
        _add(test, "failure", "fail", text)
    elif verdict == "INCONCLUSIVE":
        _add(test, "failure", "inconclusive", text, reason)
    elif verdict == "ERROR":
        _add(test, "error", "error", text, reason)


def _add(test: ET.Element, tag: str, kind: str, text: str, reason: object = None) -> None:
    first = text.strip().splitlines()[0] if text.strip() else kind
    message = f"{reason}: {first}" if reason else first
    ET.SubElement(test, tag, type=kind, message=_legal(message)).text = _legal(text)


def _count(suite: ET.Element) -> None:
    tests = suite.findall("testcase")
    suite.set("tests", str(len(tests)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(test.find(tag) is not None for test in tests)))


def _legal(text: object) -> str:
    return _ILLEGAL.sub(lambda match: f"\\x{ord(match.group()):02x}", str(text))
