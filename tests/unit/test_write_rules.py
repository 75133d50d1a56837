"""A rule has one digest whichever way it is written: pack, canonical TOML, Python."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.correlation import NamedRule, Pack, load_limits, load_pack
from pilotbench.bench.correlation.fluent import Rule
from pilotbench.bench.correlation.foresight.bounds import bound
from pilotbench.bench.correlation.foresight.decidability import decidability
from pilotbench.bench.correlation.language.pack import SCHEMA
from pilotbench.bench.correlation.language.signals import Signal
from pilotbench.bench.correlation.language.write_python import write_module, write_python
from pilotbench.bench.correlation.language.write_toml import write_pack

from traces import CONFIGS, TWIN_FACTS

LIMITS = sorted((CONFIGS / "limits").glob("*.toml"))
KNOWN = load_limits(LIMITS)
SHIPPED = sorted((CONFIGS / "rules").glob("*.toml"))

ODD = """
schema = 2
ocpp = ["2.0.1", "2.1"]

[rule."odd.respond"]
respond = 'profile.reached changes (when pwm on and config.A.B[1] ""|"or") => current <= $limit_a - 0.5 A'
text = 'says "so" and \\ and those'
ref = "none"
cases = "one, two"
arm = "output[] or csms.reset[accepted]"
disarm = "ocpp.boot"
within = "config.X + 1 s - 200 ms"
after = "200 ms"
hold = "2 s"
proven = true
unless = "status not faulted|unavailable or auth no unsure ending"
decision = "simple"

[rule."class"]
count = 'ocpp.call[dir=rx, action="Boot, Notification", payload.n=-1.50|2|true] >= 2 <= 5 while online yes'
text = "many"
ref = "none"

[rule."odd-count"]
count = "cp.state changes <= 3 within 10 s"
text = "few"
ref = "none"
per = "station"

[rule."odd.absent"]
absent = "output dead -> live while cp.state A|B"
text = "x"
ref = "none"
settle = "1 s"
settle_from = "C|D"

[rule."odd.apart"]
cadence = "ocpp.heartbeat apart 10 s"
text = "x"
ref = "none"
tolerance = "10 %"
at = "claim"

[rule."odd.either"]
order = "ocpp.boot or ocpp.attached < ocpp.tx.started or ocpp.tx.updated[tx?, seq_no!?]"
text = "x"
ref = "none"
per = "tx, id_tag"
"""

OWN = """
schema = 2

[signal."lab.door"]
text = "the door of the cabinet"
topic = "lab.door[where=front]"
key = "v"
values = { open = [1, "o"], closed = [0] }
debounce = "50 ms"

[signal."lab.temp"]
text = "temperature of the plug"
topic = "lab.t"
key = "v"
kind = "sampled"
unit = "degC"
accuracy = "0.5 degC"
max_gap = "2 s"

[rule."door.dead"]
respond = "lab.door closed -> open => output dead"
text = "x"
ref = "none"
within = "1 s"
unless = "lab.door closed"

[rule."cool"]
invariant = "lab.temp <= 60 degC while cp.state C|D"
text = "x"
ref = "none"

[rule."cools"]
respond = "lab.door -> closed => lab.temp < 30 degC"
text = "x"
ref = "none"
within = "1 min"
"""


def built(source: str, signals: Mapping[str, Signal] | None = None) -> dict[str, NamedRule]:
    """Run a piece of Python, and read the rules in it."""
    names: dict[str, Any] = {}
    exec(compile(source, "rules", "exec"), names)
    return {rule.id: rule.build(KNOWN, signals=signals) for rule in names.values() if isinstance(rule, Rule)}


def digests(rules: Pack) -> dict[str, str]:
    return {rule.id: rule.digest for rule in rules.rules}


@pytest.fixture(params=[*(path.stem for path in SHIPPED), "odd"])
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Pack:
    if request.param != "odd":
        return load_pack([CONFIGS / "rules" / f"{request.param}.toml"], LIMITS)
    path = tmp_path / "odd.toml"
    path.write_text(ODD, encoding="utf-8")
    return load_pack([path], LIMITS)


def test_every_rule_in_python_builds_to_its_digest(pack: Pack) -> None:
    read = built(write_module(pack.rules))
    assert {rule_id: rule.digest for rule_id, rule in read.items()} == digests(pack)


def test_canonical_toml_reads_to_the_same_digests_and_is_canonical(pack: Pack, tmp_path: Path) -> None:
    path = tmp_path / "again.toml"
    text = write_pack(pack.rules, SCHEMA, 'a "title"')
    path.write_text(text, encoding="utf-8")
    again = load_pack([path], LIMITS)
    assert digests(again) == digests(pack)
    assert write_pack(again.rules, SCHEMA, 'a "title"') == text


def test_python_reads_as_somebody_would_write_it() -> None:
    rule = load_pack([CONFIGS / "rules" / "iec61851.toml"], LIMITS).only("stop.open").rules[0]
    assert write_python(rule).splitlines()[:4] == [
        "stop_open = (",
        '    when(name("cp.state").turns("C|D", "A|B"))',
        '    .then(name("output").is_("dead"))',
        '    .text("C or D -> B or A, then output dead")',
    ]


def test_rules_about_signals_of_their_own_pack(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    pack = load_pack([path], LIMITS)
    read = built(write_module(pack.rules), pack.signals)
    assert {rule_id: rule.digest for rule_id, rule in read.items()} == digests(pack)
    again = tmp_path / "again.toml"
    again.write_text(write_pack(pack.rules, SCHEMA, "", tomllib.loads(OWN)["signal"]), encoding="utf-8")
    assert digests(load_pack([again], LIMITS)) == digests(pack)
    assert all(bound(rule).parts for rule in pack.rules)
    found = {item.rule: item for item in decidability(pack, TWIN_FACTS)}
    assert all(item.decidable for item in found.values())
    assert found["cool"].u == 0.5
    assert found["cools"].dominant == "time between two readings (up to 2000 ms) (±1000 ms)"
