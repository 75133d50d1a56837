"""`pilotbench rules …`: what is printed, for people and as JSON, and which exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.cli.main import app
from pilotbench.bench.config import virtual_bench
from pilotbench.errors import ConfigError, RuleError
from typer.testing import CliRunner

from cli_runs import cli
from traces import CONFIGS

RUNNER = CliRunner()
SAFETY = (CONFIGS / "rules" / "safety.toml").read_text(encoding="utf-8")


def rules(*args: str, code: int = 0) -> str:
    """Run a command in this process; what is wrong with its input is raised."""
    done = RUNNER.invoke(app, ["rules", *args], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def document(*args: str, code: int = 0) -> dict[str, Any]:
    return json.loads(rules(*args, "--json", code=code))


def test_list_has_all_shipped_packs_or_one_or_those_of_a_bench(tmp_path: Path) -> None:
    everything = rules("list")
    for path in (CONFIGS / "rules").glob("*.toml"):
        assert f"{path.stem}: " in everything
    one = rules("list", "--pack", "safety")
    assert "no_current.a" in one
    assert "ocpp16" not in one
    assert "(limit not verified)" in one
    own = tmp_path / "own.toml"
    text = re.sub(r"(?m)^packs = .*", 'packs = ["energy"]', virtual_bench().read_text(encoding="utf-8"))
    own.write_text(text, encoding="utf-8")
    assert [pack["pack"] for pack in document("list", "--bench", str(own))["packs"]] == ["energy"]


def test_list_as_json_says_what_a_rule_is_and_keeps() -> None:
    packs = document("list", "--pack", "iec61851", "--bounds")["packs"]
    rule = next(rule for rule in packs[0]["rules"] if rule["id"] == "stop.open")
    assert (rule["pattern"], rule["force"], rule["severity"]) == ("respond", "shall", "safety")
    assert rule["limits_verified"] is True
    assert rule["bound"]["parts"][0]["what"] == "open triggers"
    assert rule["bound"]["mib"] == pytest.approx(
        sum(part["most"] * part["bytes_each"] for part in rule["bound"]["parts"]) / 2**20, abs=1e-3
    )
    assert "MiB at most" in rules("list", "--pack", "iec61851", "--bounds")


def test_list_names_what_a_rule_may_name() -> None:
    text = rules("list", "--names")
    assert "A|B|C|D|E|F" in text
    assert "ocpp.boot.answered" in text
    found = document("list", "--names")
    keys = {topic["name"]: topic["keys"] for topic in found["events"]}
    assert keys["ocpp.boot.answered"] == ["station", "status", "interval_s"]
    assert next(signal for signal in found["signals"] if signal["name"] == "current")["unit"] == "current"


def test_show_tells_everything_about_a_rule() -> None:
    text = rules("show", "stop.open")
    for part in (
        "limit.seq8_1 = 100 ms (verified): Annex A",
        "reads     cp.state, output",
        "severity safety",
        "open triggers",
        'respond = "cp.state C|D -> A|B => output dead"',
    ):
        assert part in text
    found = document("show", "stop.open")["rules"][0]
    assert found["sentence"] == "cp.state C|D -> A|B => output dead"
    assert found["limits"][0]["verified"] is True
    assert found["options"]["within"] == "limit.seq8_1"
    assert found["digest"] in text


def test_fmt_prints_python_and_toml(tmp_path: Path) -> None:
    assert "when(name(" in rules("fmt", "iec61851", "stop.open")
    one = rules("fmt", "safety", "no_current.a", "--to", "toml")
    assert one.count("[rule.") == 1
    written = tmp_path / "safety.toml"
    written.write_text(rules("fmt", "safety", "--to", "toml"), encoding="utf-8")
    assert rules("check", str(written)).split(", digest ")[1] == rules("check", "safety").split(", digest ")[1]
    with pytest.raises(ConfigError, match="did you mean 'python'"):
        rules("fmt", "safety", "--to", "pyton")


def test_check_counts_the_rules_or_says_what_is_wrong(tmp_path: Path) -> None:
    assert f"{SAFETY.count('[rule.')} rules" in rules("check", "safety")
    assert document("check", "safety", "energy")["packs"][1]["rules"] == 2
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(SAFETY.replace("while cp.state A|B", "while cp.stat A|B", 1), encoding="utf-8")
    done = cli("rules", "check", str(wrong), state=tmp_path)
    first, shown, marks = done.err.rstrip("\n").splitlines()
    assert done.code == 2
    assert first.startswith(f"pilotbench: {wrong}:")
    assert "(did you mean 'cp.state'?)" in first
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "cp.stat"
    told = RUNNER.invoke(app, ["rules", "check", str(wrong), "--json"])
    assert json.loads(told.stdout)["exit_code"] == 2
    assert isinstance(told.exception, RuleError)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("list", "--pack", "safty"), "did you mean 'safety'"),
        (("list", "--limits", "labb"), "did you mean 'lab'"),
        (("show", "stop.opn"), "did you mean 'stop.open'"),
        (("fmt", "iec61851", "stop.opn"), "did you mean 'stop.open'"),
        (("check", "nowhere/x.toml"), "there is no pack 'nowhere/x.toml'"),
        (("doctor", "--bench", "nowhere.toml"), "there is no such bench file"),
    ],
)
def test_what_is_not_there_is_told_with_what_is_near(args: tuple[str, ...], says: str) -> None:
    with pytest.raises((ConfigError, RuleError), match=says) as caught:
        rules(*args)
    assert caught.value.exit_code == 2


def test_doctor_says_what_the_virtual_bench_can_decide() -> None:
    text = rules("doctor")
    assert "stop.open" in text
    assert "undecided 94." in text
    assert "most by output sense of pilot" in text
    last = text.rstrip().splitlines()[-1]
    assert last.endswith("rules decidable on this bench")
    found = document("doctor")
    assert last.startswith(f"{found['decidable']} of {len(found['rules'])} ")


def test_doctor_exits_with_5_where_nothing_can_be_decided() -> None:
    text = rules("doctor", "--pack", "ocpp201", "--limits", "ocpp2", code=5)
    assert "can never be decided on this bench, because it is about OCPP 2.0.1 and 2.1" in text
    assert text.rstrip().splitlines()[-1].startswith("0 of ")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom pilotbench.bench.cli import main\n"
        "heavy = [m for m in sys.modules if m.startswith(('pilotbench.bench.correlation', 'pilotbench.drivers', "
        "'pydantic', 'pymodbus', 'can', 'websockets', 'msgspec'))]\nprint(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
