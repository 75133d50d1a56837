"""Loading packs and limits: strict, with names and near misses in every error."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.correlation import load_limits, load_pack
from pilotbench.errors import RuleError

from traces import CONFIGS, shipped_pack

LIMITS = [CONFIGS / "limits" / f"{name}.toml" for name in ("iec61851-1", "ocpp", "lab")]
IEC = CONFIGS / "rules" / "iec61851.toml"
GOOD = """schema = 2
title = "A few rules"

[rule."tx.stop"]
respond = "csms.remote_stop[accepted] => tx none"
text = "remote stop accepted, then the transaction is reported as ended"
ref = "OCPP 1.6 sections 4.10, 5.12"
within = "limit.tx_stop"

[rule."start.close"]
respond = "cp.mode B2 -> C2|D2 => output live"
text = "B2 -> C2 (or D2), then output live"
ref = "IEC 61851-1 Annex A, Table A.6 sequence 4"
within = "limit.seq4"

[rule."stop.open"]
respond = "cp.state C|D -> A|B => output dead"
text = "C or D -> B or A, then output dead"
ref = "IEC 61851-1 Annex A, Table A.6 sequence 8.1"
severity = "safety"
within = "limit.seq8_1"

[rule."heartbeat"]
cadence = "ocpp.call[dir=rx] every heartbeat.interval while online yes"
text = "a request at least every heartbeat interval"
ref = "OCPP 1.6 section 4.6"
per = "station"
"""


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    load_pack([path], LIMITS)


def test_the_shipped_pack_has_the_rules_of_a_session_and_a_stable_digest() -> None:
    pack = shipped_pack()
    assert {rule.id for rule in pack.rules} >= {"stop.open", "energy.agree", "no_current.unauth", "boot.first"}
    assert load_pack([IEC], LIMITS).digest == load_pack([IEC], LIMITS).digest
    assert next(rule for rule in pack.rules if rule.id == "stop.open").verified
    assert not next(rule for rule in pack.rules if rule.id == "plug.status").verified


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'within = "limit.seq8_1"',
            'within = "limit.seq8_2"',
            "unknown limit 'limit.seq8_2' (did you mean 'limit.seq8_1'?)",
        ),
        ('within = "limit.seq8_1"', 'withn = "limit.seq8_1"', "unknown key 'withn' (did you mean 'within'?)"),
        ('within = "limit.seq8_1"', 'within = "100"', "expected is a time with its unit"),
        ('within = "limit.seq8_1"', 'within = "100 Hz"', "'Hz' is a unit of frequency"),
        ('within = "limit.seq8_1"', 'within = "limit.class_b"', "a time is needed"),
        ("csms.remote_stop[accepted] => tx", "csms.remote_stopp[accepted] => tx", "did you mean 'csms.remote_stop'"),
        ("cp.mode B2 -> C2|D2 =>", "cp.moed B2 -> C2|D2 =>", "did you mean 'cp.mode'"),
        ("cp.mode B2 -> C2|D2 =>", "cp.mode B2 -> C3|D2 =>", "cp.mode is never 'C3'; it is A1, A2"),
        ('\ncadence = "', '\ncadense = "', "did you mean 'cadence'"),
        ("remote_stop[accepted] => tx", "remote_stop[acepted] => tx", "did you mean 'accepted'"),
        ('severity = "safety"', 'severity = "grave"', "Invalid enum value 'grave'"),
        ("=> output dead", "output dead", "expected is '=>' and what has to follow"),
        ('within = "limit.seq8_1"', 'within = "limit.seq8_1"\nafter = "1 s"', "the window is empty"),
        ("schema = 2", "schema = 1", "this program reads schema = 2"),
    ],
)
def test_a_wrong_word_is_named_with_the_nearest_right_one(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(RuleError, match=r"mine\.toml") as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(caught.value)


def test_an_error_in_a_sentence_says_the_line_and_points_at_the_word(tmp_path: Path) -> None:
    wrong = GOOD.replace("cp.mode B2 -> C2|D2 => output live", "cp.mode B2 -> C2|D2 => ouput live", 1)
    line = next(n for n, text in enumerate(wrong.splitlines(), 1) if "ouput" in text)
    with pytest.raises(RuleError) as caught:
        load(tmp_path, wrong)
    said = str(caught.value).splitlines()
    assert f"mine.toml:{line} rule 'start.close': unknown signal 'ouput' (did you mean 'output'?)" in said[0]
    assert said[1].strip() == "cp.mode B2 -> C2|D2 => ouput live"
    assert said[1][said[2].index("^") : said[2].rindex("^") + 1] == "ouput"


def test_limits_are_strict_too(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    entry = 'schema = 1\n[limit.x]\nvalue = 1\nunit = "{unit}"\nclause = "c"\nsource = "s"\n{more}\n'
    for unit, more, says in (
        ("sec", "verified = true", "unknown unit 'sec'"),
        ("s", "", "verified"),
        ("s", "verified = true\nverifed = 1", "verifed"),
    ):
        path.write_text(entry.format(unit=unit, more=more), encoding="utf-8")
        with pytest.raises(RuleError, match=says):
            load_limits([path])
    path.write_text(entry.format(unit="s", more="verified = true"), encoding="utf-8")
    assert load_limits([path])["limit.x"].base == 1e9
    with pytest.raises(RuleError, match="a second time"):
        load_limits([path, path])


def test_a_changed_limit_changes_the_digest_of_the_rules_that_name_it(tmp_path: Path) -> None:
    text = LIMITS[0].read_text(encoding="utf-8").replace("value = 100\n", "value = 120\n")
    changed = tmp_path / "iec61851-1.toml"
    changed.write_text(text, encoding="utf-8")
    mine = load_pack([IEC], LIMITS)
    other = load_pack([IEC], [changed, *LIMITS[1:]])
    moved = {a.id for a, b in zip(mine.rules, other.rules, strict=True) if a.digest != b.digest}
    assert moved == {"stop.open"}


def test_missing_files_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        load_pack([tmp_path / "none.toml"], LIMITS)
