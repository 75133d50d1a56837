"""Signals that a pack defines, in its rules: conditions, edges, scopes and invariants, from the file to the verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.correlation import Engine, Facts, Pack, Verdict, evaluate, load_pack
from pilotbench.bench.correlation.fluent import name, when
from pilotbench.bench.correlation.language.signal_reader import KEYS
from pilotbench.bench.correlation.reads import reads
from pilotbench.bench.timeline import Event, Stamp
from pilotbench.errors import RuleError

from traces import CONFIGS

MS = 1_000_000
SIGNALS = """
schema = 2

[signal."lab.door"]
text = "the cabinet's door, as its switch says"
topic = "lab.cabinet"
key = "door.state"
values = { open = 1, closed = 0 }
debounce = "50 ms"

[signal."lab.temp"]
text = "temperature of the plug"
topic = "lab.climate[place=plug]"
key = "max(t)"
kind = "sampled"
unit = "degC"
max_gap = "1 s"
between = "linear"
slew = "100 degC/s"

[signal."lab.hot"]
text = "the plug is hot"
topic = "lab.climate[place=plug]"
key = "max(t)"
kind = "sampled"
unit = "degC"
values = ["cool", "hot"]
hysteresis = ["55 degC", "60 degC"]
max_gap = "1 s"

[signal."lab.cycles"]
text = "what the counter of the dispenser grew by"
topic = "lab.counter"
key = "n"
kind = "register"
unit = "Wh"
max_gap = "10 s"
"""


def rule(rule_id: str, sentence: str, **options: str) -> str:
    lines = [f'[rule."{rule_id}"]', sentence, 'text = "t"', 'ref = "r"']
    return "\n".join([*lines, *(f'{key} = "{value}"' for key, value in options.items())]) + "\n"


def packed(tmp_path: Path, *rules: str, signals: str = SIGNALS) -> Pack:
    path = tmp_path / "lab.toml"
    path.write_text(signals + "\n" + "\n".join(rules), encoding="utf-8")
    return load_pack([path], [])


class Tape:
    """Events in the making."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, topic: str, ms: float, data: dict[str, Any], *, width: float = 0.0, source: str = "lab") -> None:
        ns = round(ms * MS)
        seq = sum(event.source == source for event in self.events) + 1
        self.events.append(Event(topic, source, seq, Stamp(ns, ns - round(width * MS), ns), data, None, None, 1))

    def door(self, ms: float, state: object) -> None:
        self.add("lab.cabinet", ms, {"door": {"state": state}})

    def climate(self, *rows: tuple[float, float]) -> None:
        for ms, value in rows:
            self.add("lab.climate", ms, {"place": "plug", "t": [value, 10.0]}, source="sensor")

    def output(self, ms: float, live: bool) -> None:
        self.add("output", ms, {"live": live, "phases": [live] * 3, "kind": "ac"}, source="pilot")

    def end(self, ms: float) -> list[Event]:
        self.add("bench.state", ms, {"state": "closed", "why": "finished"}, source="bench")
        return sorted(self.events, key=lambda event: event.order)


def judged(pack: Pack, events: Sequence[Event], rule_id: str = "r") -> Verdict:
    return evaluate(events, pack, Facts()).of(rule_id)


def outcome(verdict: Verdict) -> str:
    return verdict.verdict.value + (f"({verdict.reason.value})" if verdict.reason else "")


# ---- in every place of a sentence


@pytest.mark.parametrize(("dead_at", "expected"), [(1050, "PASS"), (1150, "FAIL")])
def test_an_edge_of_it_is_a_trigger(tmp_path: Path, dead_at: float, expected: str) -> None:
    pack = packed(tmp_path, rule("r", "respond = 'lab.door closed -> open => output dead'", within="100 ms"))
    tape = Tape()
    tape.output(0, True)
    tape.door(0, 0)
    tape.door(500, 1)  # too short to count
    tape.door(520, 0)
    tape.door(1000, 1)
    tape.output(dead_at, False)
    verdict = judged(pack, tape.end(5000))
    assert outcome(verdict) == expected
    assert len(verdict.instances) == 1
    assert verdict.instances[0].measured is not None
    assert verdict.instances[0].measured.lo == pytest.approx(dead_at - 1000)
    assert verdict.instances[0].evidence[0].id == "lab#4"


def test_a_condition_on_it_is_a_response(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "respond = 'output -> dead => lab.temp <= 40 degC'", within="500 ms"))
    for last, expected in ((1500, "PASS"), (1600, "INCONCLUSIVE(MEASUREMENT)"), (1700, "FAIL")):
        tape = Tape()
        tape.output(0, True)
        tape.output(1000, False)
        # the slew says: 40 degC were passed 10 degC (100 ms) after the sample before, and 10 ms before the last one
        tape.climate((900, 50), (last - 200, 50), (last, 39), (last + 500, 39))
        assert outcome(judged(pack, tape.end(5000))) == expected, last


def test_a_condition_on_it_is_a_scope(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "absent = 'output dead -> live while lab.hot hot'"))
    for live_at, expected in ((550, "INCONCLUSIVE(CLOCK)"), (800, "FAIL"), (1500, "PASS")):
        tape = Tape()
        tape.output(0, False)
        tape.climate((100, 20), (500, 50), (600, 61), (700, 58), (900, 56), (1000, 55), (1800, 20))
        tape.output(live_at, True)
        assert outcome(judged(pack, tape.end(2500))) == expected, live_at


def test_a_scope_ends_where_the_readings_cease(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "absent = 'output dead -> live while lab.hot hot'"))
    tape = Tape()
    tape.output(0, False)
    tape.climate((100, 20), (500, 61), (1000, 61))
    tape.output(60_000, True)  # whether the plug is still hot nobody knows
    assert outcome(judged(pack, tape.end(70_000))) == "PASS"


def test_samples_of_it_are_judged_one_by_one(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "invariant = 'lab.temp <= 60 degC while output live'"))
    for peak, gap, expected in ((60.0, 500, "PASS"), (60.1, 500, "FAIL"), (60.0, 1200, "INCONCLUSIVE(GAP)")):
        tape = Tape()
        tape.output(0, True)
        tape.climate((100, 20), (600, peak), (600 + gap, 20))
        tape.output(700 + gap, False)
        assert outcome(judged(pack, tape.end(5000))) == expected


def test_a_word_of_it_holds_all_through_a_scope(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "invariant = 'lab.door closed while output live'"))
    for opened, expected in ((None, "PASS"), (1000, "FAIL"), (1980, "INCONCLUSIVE(CLOCK)")):
        tape = Tape()
        tape.door(0, 0)
        tape.output(500, True)
        if opened is not None:
            tape.door(opened, 1)
        tape.output(2000, False)
        if opened == 1980:
            tape.events[-2] = Event(
                "lab.cabinet", "lab", 2, Stamp(1980 * MS, 1980 * MS, 2010 * MS), {"door": {"state": 1}}
            )
        assert outcome(judged(pack, tape.end(5000))) == expected


def test_when_and_unless_ask_it(tmp_path: Path) -> None:
    pack = packed(
        tmp_path,
        rule("r", "respond = 'output -> live => cp.state C'", within="100 ms", when="lab.hot cool"),
        rule("u", "respond = 'output -> live => cp.state C'", within="500 ms", unless="lab.hot hot"),
    )
    for second, expected in ((20, ("FAIL", "FAIL")), (70, ("NOT_APPLICABLE", "NOT_APPLICABLE"))):
        tape = Tape()
        tape.output(0, False)
        tape.add("cp.state", 10, {"state": "B", "pwm": True}, source="pilot")
        tape.climate((100, second), (900, second), (1100, second), (1900, second))
        tape.output(1000, True)
        events = tape.end(5000)
        assert tuple(outcome(judged(pack, events, each)) for each in "ru") == expected


def test_what_a_register_grew_by_has_a_limit(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "invariant = 'lab.cycles <= 5 Wh while output live'"))
    for rows, expected in (([100, 104, 105], "PASS"), ([100, 104, 106], "FAIL")):
        tape = Tape()
        tape.output(0, True)
        for i, value in enumerate(rows):
            tape.add("lab.counter", 100 + i * 1000, {"n": value}, source="counter")
        tape.output(4000, False)
        assert outcome(judged(pack, tape.end(9000))) == expected


def test_a_register_that_decreases_is_told_in_the_report(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "invariant = 'lab.cycles <= 5 Wh while output live'"))
    tape = Tape()
    tape.output(0, True)
    for i, value in enumerate((100, 104, 3)):
        tape.add("lab.counter", 100 + i * 1000, {"n": value}, source="counter")
    tape.output(4000, False)
    report = evaluate(tape.end(9000), pack, Facts())
    assert report.violations == ("counter#3: counter: the register went from 104 to 3; it never decreases",)


def test_a_rule_waits_for_an_edge_that_has_to_last(tmp_path: Path) -> None:
    slow = SIGNALS.replace('debounce = "50 ms"', 'debounce = "3 s"')
    pack = packed(tmp_path, rule("r", "respond = 'output -> dead => lab.door open'", within="1 s"), signals=slow)
    tape = Tape()
    tape.output(0, True)
    tape.door(0, 0)
    tape.output(4000, False)
    tape.door(4900, 1)
    tape.output(7000, True)
    assert outcome(judged(pack, tape.end(20_000))) == "PASS"


# ---- what a rule reads, and its digest


def test_a_rule_reads_the_topics_of_its_signals(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("r", "invariant = 'lab.door closed while lab.hot hot'"))
    (named,) = pack.rules
    assert reads(named.rule, named.signals) == {"lab.cabinet", "lab.climate"}
    assert set(named.signals) == {"lab.door", "lab.hot"}
    assert set(Engine(pack, Facts()).groups[0].topics) >= {"lab.cabinet", "lab.climate"}


def test_a_definition_is_part_of_the_digest_of_the_rules_that_use_it(tmp_path: Path) -> None:
    rules = [
        rule("d", "respond = 'lab.door -> open => output dead'"),
        rule("o", "respond = 'output -> dead => pwm off'"),
    ]

    def digests(signals: str) -> list[str]:
        return [named.digest for named in packed(tmp_path, *rules, signals=signals).rules]

    door, other = digests(SIGNALS)
    assert digests(SIGNALS.replace('"50 ms"', '"60 ms"')) != [door, other]
    assert digests(SIGNALS.replace('"50 ms"', '"60 ms"'))[1] == other
    assert digests(SIGNALS.replace("the cabinet's door, as its switch says", "a door")) == [door, other]
    assert digests(SIGNALS.replace("60 degC", "61 degC")) == [door, other]


def test_the_fluent_form_names_the_signals_of_a_pack(tmp_path: Path) -> None:
    pack = packed(tmp_path, rule("d", "respond = 'lab.door closed -> open => output dead'", within="1 s"))
    made = when(name("lab.door").turns("closed", "open")).then(name("output").is_("dead")).within("1 s")
    built = made.text("t").ref("r").named("d").build(signals=pack.signals)
    assert built.digest == pack.rules[0].digest
    with pytest.raises(RuleError, match="'closed'"):
        made.text("t").ref("r").named("d").build()


def test_arrivals_in_any_order_give_one_digest(tmp_path: Path) -> None:
    pack = packed(
        tmp_path,
        rule("a", "absent = 'output dead -> live while lab.hot hot'"),
        rule("b", "respond = 'lab.door closed -> open => output dead'", within="100 ms"),
    )
    tape = Tape()
    tape.output(0, False)
    tape.climate((100, 20), (600, 61), (1100, 20))
    tape.door(0, 0)
    tape.door(700, 1)
    tape.output(900, True)
    events = tape.end(5000)
    assert len({evaluate(order, pack, Facts()).digest for order in (events, events[::-1])}) == 1


def test_two_packs_may_not_mean_two_signals_by_one_name(tmp_path: Path) -> None:
    paths = [tmp_path / "one.toml", tmp_path / "two.toml"]
    for path, debounce in zip(paths, ("50 ms", "60 ms"), strict=True):
        text = SIGNALS.replace("50 ms", debounce) + rule(path.stem, "respond = 'lab.door -> open => output dead'")
        path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=r"another pack defines the signal 'lab\.door' otherwise") as caught:
        load_pack(paths, [])
    assert "two.toml:4" in str(caught.value)


def test_the_page_has_every_key_of_a_definition() -> None:
    section = (CONFIGS.parent / "docs" / "rules.md").read_text(encoding="utf-8").partition("## Signals")[2]
    rows = re.findall(r"^\| (`.*?) \|", section.partition("## Options")[0], re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(KEYS)


# ---- errors

DOOR = '[signal."lab.door"]\ntext = "t"\ntopic = "lab.x"\nkey = "v"\nvalues = ["open", "closed"]\n'
TEMP = '[signal."t"]\ntext = "t"\ntopic = "lab.x"\nkey = "v"\nunit = "degC"\nkind = "sampled"\nmax_gap = "1 s"\n'
PWM = '[signal."p"]\ntext = "t"\ntopic = "cp.pwm"\nkey = "duty_pct"\nunit = "%"\nkind = "pwm"\n'
BAD = [
    (DOOR.replace("values", "value"), "pack.toml:7", "unknown key 'value' (did you mean 'values'?)"),
    (DOOR + 'kind = "stepp"\n', "pack.toml:8", "kind = 'stepp' (did you mean 'step'?)"),
    (DOOR.replace('["open", "closed"]', '["open"]'), "pack.toml:7", "two words at least"),
    (DOOR.replace('["open", "closed"]', "{ open = [1, 2], closed = 2 }"), "pack.toml:7", "stands for one of them"),
    (DOOR.replace('["open", "closed"]', '{ "o p" = 1, closed = 2 }'), "pack.toml:7", "'o p' is no word"),
    (DOOR.replace('"lab.x"', '"cp.stat"'), "pack.toml:5", "did you mean 'cp.state'?"),
    (DOOR.replace('"lab.x"', '"cp.state"'), "pack.toml:6", "cp.state has no key 'v'"),
    (DOOR.replace('"lab.x"', '"lab.x[a=]"'), "pack.toml:5", "lab.x[a=]"),
    (DOOR.replace('"v"', '"max(v"'), "pack.toml:6", "key = 'max(v' is none"),
    (DOOR.replace("lab.door", "cp.state"), "pack.toml:3", "'cp.state' means something already"),
    (DOOR.replace("lab.door", "lab door"), "pack.toml:3", "is no name"),
    (DOOR + 'accuracy = "1 degC"\n', "pack.toml:8", "goes with a number"),
    (DOOR + 'slew = "1 degC/s"\n', "pack.toml:8", "`slew` goes with kind = 'sampled'"),
    (DOOR + 'debounce = "50"\n', "pack.toml:8", "'50' is not a time with its unit"),
    (DOOR + "evse = 0\n", "pack.toml:8", "evse = 0 is no outlet"),
    (DOOR.replace('text = "t"\n', ""), "pack.toml:3", "needs `text`"),
    (DOOR.replace('values = ["open", "closed"]\n', ""), "pack.toml:3", "has neither `values`"),
    (TEMP.replace('"degC"', '"degF"'), "pack.toml:7", "unknown unit 'degF' (did you mean 'degC'?)"),
    (TEMP.replace('max_gap = "1 s"\n', ""), "pack.toml:8", "needs `max_gap`"),
    (TEMP.replace('"1 s"', '"1 A"'), "pack.toml:9", "'A' is a unit of current"),
    (TEMP + 'slew = "1 degC/s"\n', "pack.toml:10", "between = 'linear'"),
    (TEMP + 'between = "linear"\nslew = "1 degC"\n', "pack.toml:11", "is no rate; write e.g. '2 degC/s'"),
    (TEMP + 'debounce = "1 s"\n', "pack.toml:10", "goes with a value that holds"),
    (TEMP + 'values = ["cold", "hot"]\n', "pack.toml:10", "needs `hysteresis` too"),
    (TEMP + 'hysteresis = "60 degC"\n', "pack.toml:10", "needs `values` too"),
    (
        TEMP + 'values = ["a", "b"]\nhysteresis = ["2 degC", "1 degC"]\n',
        "pack.toml:11",
        "the lower threshold comes first",
    ),
    (
        TEMP.replace("sampled", "register") + 'values = ["a", "b"]\nhysteresis = "1 degC"\n',
        "pack.toml:8",
        "a register is",
    ),
    (PWM + 'frequency = "freq_hz"\n', "pack.toml:8", "needs `cycles`"),
    (PWM.replace('"%"', '"A"') + 'frequency = "freq_hz"\ncycles = 3\n', "pack.toml:8", "unit = '%'"),
    ("[signal]\ndoor = 1\n", "pack.toml", "'door' is no table"),
]


@pytest.mark.parametrize(("table", "where", "what"), BAD, ids=[item[2] for item in BAD])
def test_a_definition_that_is_wrong_is_told_with_its_line(tmp_path: Path, table: str, where: str, what: str) -> None:
    path = tmp_path / "pack.toml"
    path.write_text(
        f"schema = 2\n\n{table}\n{rule('r', 'respond = ' + repr('output -> dead => pwm off'))}", encoding="utf-8"
    )
    with pytest.raises(RuleError) as caught:
        load_pack([path], [])
    assert where in str(caught.value)
    assert what in str(caught.value)


def test_a_sentence_that_asks_a_signal_for_a_word_it_has_not(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"lab\.door is never 'opened' \(did you mean 'open'\?\); it is open, closed"):
        packed(tmp_path, rule("r", "respond = 'lab.door -> opened => output dead'"))
    with pytest.raises(RuleError, match=r"unknown signal 'doors' \(did you mean 'door'\?\)"):
        packed(
            tmp_path, rule("r", "respond = 'output -> dead => doors open'"), signals=SIGNALS.replace("lab.door", "door")
        )
    with pytest.raises(RuleError, match="a temperature with its unit"):
        packed(tmp_path, rule("r", "invariant = 'lab.temp <= 5 A while output live'"))
