"""The grammar: what is written reads back to the same tree; an error points at its place and says what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.correlation import Limit, load_pack
from pilotbench.bench.correlation.language.aggregates import AGGREGATES
from pilotbench.bench.correlation.language.grammar import (
    PATTERNS,
    Names,
    SentenceError,
    parse_sentence,
    tokens,
    write_sentence,
)
from pilotbench.bench.correlation.language.rule import (
    Absent,
    Agree,
    Amount,
    AnyRule,
    Cadence,
    Condition,
    Count,
    Invariant,
    Occurrence,
    Order,
    Respond,
    Trigger,
    Turn,
)
from pilotbench.bench.correlation.language.rule import Test as KeyTest
from pilotbench.bench.correlation.language.signals import SIGNALS
from pilotbench.bench.timeline import TOPICS, UNITS, keys_of
from pilotbench.errors import RuleError

from traces import CONFIGS

LIMIT = {
    name: Limit(name, 2.0, unit, "c", "s", True)
    for name, unit in (("limit.t", "s"), ("limit.a", "A"), ("limit.pp", "pp"), ("limit.hz", "Hz"), ("limit.wh", "Wh"))
}
OF = {
    "time": ["limit.t", "5 s", "1.5 min", "$wait_s", "config.Some.Key[Other]"],
    "current": ["limit.a", "16 A", "-500 mA", "$limit_a", "config.MaxAmps"],
    "share": ["limit.pp", "5 %", "0.5 pp", "$duty_pct"],
}
for _dimension, _units in UNITS.items():  # whatever else a signal measures
    OF.setdefault(_dimension, [f"3 {_unit}" for _unit in _units])
FIXED = {dimension: [text for text in texts if not text.startswith("$")] for dimension, texts in OF.items()}
WORDED = sorted(name for name, signal in SIGNALS.items() if signal.words)
NUMBERS = sorted(name for name, signal in SIGNALS.items() if signal.dimension)
HEAD: dict[str, Any] = {"text": "", "ref": ""}


@st.composite
def amounts(draw: st.DrawFn, dimension: str) -> Amount:
    by = draw(st.booleans()) and dimension in ("share", "current")
    inner = {"share": "current", "current": "share"}[dimension] if by else dimension
    name: Any = ("duty_of" if dimension == "share" else "amps_of") if by else ""
    extra = st.sampled_from(["", *FIXED[dimension]])
    return Amount(draw(st.sampled_from(OF[inner])), name, draw(extra), draw(extra))


words = st.one_of(
    st.sampled_from(
        ["Accepted", "and", "or", "not", "while", "true", "5", "", "a b", "config", "A->B", "x-y", "é", "*"]
    ),
    st.text(st.characters(blacklist_characters='"', blacklist_categories=("Cs", "Cc")), max_size=6),
).filter(lambda word: not word.startswith("$"))


@st.composite
def values(draw: st.DrawFn, signal: str) -> tuple[Any, ...]:
    known = list(SIGNALS[signal].words.values()) if signal in SIGNALS else None
    one = words if known is None else st.sampled_from(known)
    return tuple(draw(st.lists(one, min_size=1, max_size=3)))


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from(["number", "words", "config", "setting"]))
    if kind in ("number", "setting"):
        signal = draw(st.sampled_from(NUMBERS)) if kind == "number" else "config.Some.Number"
        dimension = SIGNALS[signal].dimension if kind == "number" else "time"
        field = draw(st.sampled_from(["at_most", "at_least", "below", "above"]))
        amount = draw(amounts(dimension)) if kind == "number" else Amount(draw(st.sampled_from(["5 s", "limit.t"])))
        return Condition(signal, **{field: amount})
    signal = draw(st.sampled_from(WORDED)) if kind == "words" else "config.AuthCtrlr.Enabled"
    among = draw(values(signal))
    unsure = draw(st.one_of(st.just(()), values(signal)))
    return Condition(signal, None, among, unsure) if draw(st.booleans()) else Condition(signal, among, None, unsure)


numbers = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6, allow_nan=False), st.booleans())
scalars = st.one_of(words, numbers, st.sampled_from(["$tx", "$payload.reason"]))


@st.composite
def key_tests(draw: st.DrawFn, topic: str) -> KeyTest:
    key = draw(st.sampled_from(list(keys_of(topic) or ())))
    op: Any = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "?", "!?"]))
    if op in ("?", "!?"):
        return KeyTest(key, op)
    many = 3 if op in ("=", "!=") else 1
    return KeyTest(key, op, tuple(draw(st.lists(scalars, min_size=1, max_size=many))))


@st.composite
def occurrences(draw: st.DrawFn) -> Occurrence:
    topic = draw(st.sampled_from(sorted(TOPICS)))
    more = draw(st.sampled_from([(), ("ocpp.boot",), ("ocpp.boot", "ocpp.heartbeat")]))
    topics = tuple(dict.fromkeys((topic, *more)))
    asked = draw(st.lists(key_tests(topic), max_size=2)) if len(topics) == 1 else []
    return Occurrence(topics, tuple(asked))


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    signal = draw(st.sampled_from(WORDED))
    if draw(st.booleans()):
        return Turn(signal)
    return Turn(signal, draw(st.one_of(st.just(()), values(signal))), draw(values(signal)))


happenings = st.one_of(occurrences(), turns())
triggers = st.builds(Trigger, happenings, st.lists(conditions(), max_size=2).map(tuple))


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=1, max_size=most).map(tuple)


TIMES = [text for text in OF["time"] if not text.startswith("$")]
scopes = st.one_of(st.none(), conditions())
RULES: dict[str, st.SearchStrategy[AnyRule]] = {
    "respond": st.one_of(
        st.builds(lambda t, r: Respond(**HEAD, trigger=t, response=r), some(triggers), conditions()),
        st.builds(lambda t, a: Respond(**HEAD, trigger=t, answers=a), some(triggers), some(occurrences())),
    ),
    "absent": st.one_of(
        st.builds(lambda n, s: Absent(**HEAD, never=n, scope=s), happenings, conditions()),
        st.builds(lambda n, t: Absent(**HEAD, never=n, trigger=t), happenings, some(triggers)),
    ),
    "invariant": st.builds(lambda h, s: Invariant(**HEAD, holds=h, scope=s), conditions(), conditions()),
    "order": st.one_of(
        st.builds(
            lambda b, a, n: Order(**HEAD, before=b, anchor=a, not_before=n), some(conditions()), happenings, scopes
        ),
        st.builds(lambda f, t: Order(**HEAD, first=f, then=t), some(occurrences()), some(occurrences())),
        st.builds(
            lambda tests, law: Order(
                **HEAD, sequence=Occurrence(("ocpp.tx.updated",), tuple(tests)), key="seq_no", law=law
            ),
            st.lists(key_tests("ocpp.tx.updated"), max_size=2),
            st.sampled_from(["contiguous", "increasing", "unique", "constant"]),
        ),
    ),
    "cadence": st.builds(
        lambda e, t, apart, s: Cadence(**HEAD, event=e, **{"apart" if apart else "every": t}, scope=s),
        happenings,
        st.sampled_from(["heartbeat.interval", *TIMES]),
        st.booleans(),
        scopes,
    ),
    "count": st.one_of(
        st.builds(lambda e, n, s: Count(**HEAD, event=e, at_most=n, scope=s), happenings, st.integers(0, 99), scopes),
        st.builds(
            lambda e, n, t: Count(**HEAD, event=e, at_least=n, at_most=n + 1, within=t),
            happenings,
            st.integers(0, 99),
            st.sampled_from(["10 s", "limit.t"]),
        ),
    ),
    "agree": st.builds(
        lambda a, b: Agree(**HEAD, left=a, right=b, tolerance=""),
        st.sampled_from(sorted(AGGREGATES)),
        st.sampled_from(sorted(AGGREGATES)),
    ),
}


@given(st.one_of(*RULES.values()))
def test_what_is_written_reads_back_to_the_same_tree(rule: AnyRule) -> None:
    pattern = next(name for name, kind in PATTERNS.items() if type(rule) is kind)
    sentence = write_sentence(rule)
    fields = {**HEAD, **parse_sentence(pattern, sentence, Names(LIMIT))}
    if pattern == "agree":
        fields["tolerance"] = ""
    assert msgspec.convert(fields, type(rule), from_attributes=True) == rule, sentence


def test_every_pattern_is_tried() -> None:
    assert set(RULES) == set(PATTERNS)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("A->B", "name symbol name"),
        ("A|B not x-y.z", "name symbol name name name"),
        ("10 ms -1.5 A 7 5%", "quantity quantity number quantity"),
        ('$a.b config.X.Y[Z] "a | b" ocpp.*', "param name text name"),
        ("a!?b!=c", "name symbol name symbol name"),
    ],
)
def test_tokens(text: str, kinds: str) -> None:
    found = list(tokens(text))
    assert [token.kind for token in found] == [*kinds.split(), "end"]
    assert all(text[token.start : token.end] == token.text for token in found[:-1])


# ---- errors: (pattern, sentence, options, the key at whose line it is told, what is pointed at, what is said)

Wrong = tuple[str, str, str, str, str, str]
WRONG: list[Wrong] = [
    ("respond", "cp.stat A -> B => output dead", "", "respond", "cp.stat", "did you mean 'cp.state'"),
    ("respond", "cp.state A -> G => output dead", "", "respond", "G", "cp.state is never 'G'; it is A, B, C"),
    ("respond", "cp.state A -> B => status ocupied", "", "respond", "ocupied", "did you mean 'occupied'"),
    ("respond", "ocpp.bot => output dead", "", "respond", "ocpp.bot", "did you mean 'ocpp.boot'"),
    ("respond", "ocpp.status[conector=1] => output dead", "", "respond", "conector", "did you mean 'connector'"),
    ("respond", "ocpp.status[list=1] => output dead", "", "respond", "list", "ocpp.status has no key 'list'"),
    ("respond", "ocpp.boot output dead", "", "respond", "output", "expected is '=>'"),
    ("respond", "ocpp.boot => output -> dead", "", "respond", "output", "a response is a state"),
    ("respond", "ocpp.boot => output dead dead", "", "respond", "dead", "'dead' is too much here"),
    ("respond", "ocpp.boot => current <= 5", "", "respond", "5", "a current with its unit (mA, A)"),
    ("respond", "ocpp.boot => current <= 5 s", "", "respond", "5 s", "'s' is a unit of time"),
    ("respond", "ocpp.boot => current <= limit.t", "", "respond", "limit.t", "limit.t is in s; a current is needed"),
    ("respond", "ocpp.boot => current <= duty_of(5 A)", "", "respond", "duty_of", "duty_of gives no current"),
    ("respond", "ocpp.boot => current = 5 A", "", "respond", "=", "a signal is compared with"),
    ("respond", "ocpp.boot => output <= 5 A", "", "respond", "<=", "output is no number; it is live, dead"),
    ("respond", "ocpp.boot => output dead", "within = '100'", "within", "100", "a time with its unit"),
    ("respond", "ocpp.boot => output dead", "within = '100ms'", "within", "100ms", "write '100 ms'"),
    ("respond", "ocpp.boot => output dead", "within = 'limit.tt'", "within", "limit.tt", "did you mean 'limit.t'"),
    ("respond", "ocpp.boot => output dead", "within = '1 s'\nafter = '2 s'", "after", "", "the window is empty"),
    ("respond", "ocpp.boot => output dead", "after = '2 s'", "after", "", "a window that begins needs an end"),
    ("respond", "ocpp.boot => output dead", "proven = true", "proven", "", "give one"),
    ("respond", "ocpp.boot => output dead", "when = 'auth yes or pwm on'", "when", "or", "joined by 'and' here"),
    ("respond", "ocpp.boot => output dead", "until = 'cp.state A -> B'", "until", "cp.state A -> B", "no edges"),
    ("respond", "ocpp.boot => output dead", "extend = '5 s'", "extend", "", "TIME if SIGNAL changed within TIME"),
    ("respond", "ocpp.boot => output dead", "wihin = '5 s'", "wihin", "", "did you mean 'within'"),
    ("respond", "ocpp.boot => output dead", "tolerance = '5 s'", "tolerance", "", "a respond rule has"),
    ("respond", "ocpp.boot => output dead", "severity = 'grave'", "severity", "", "'grave'"),
    ("respond", "ocpp.boot => output dead", "ocpp = '1.7'", "ocpp", "", "unknown OCPP version '1.7'"),
    ("absent", "ocpp.boot => ocpp.boot", "", "absent", "", "give `within` or `until`"),
    ("absent", "ocpp.boot while online yes", "within = '5 s'", "within", "", "a scope has its own end"),
    ("absent", "ocpp.boot", "", "absent", "", "expected is 'while' and a condition"),
    ("absent", "ocpp.boot while online yes", "settle_from = 'yse'", "settle_from", "yse", "did you mean 'yes'"),
    ("absent", "ocpp.boot while online yes", "settle_from = 'no'", "settle_from", "", "give one"),
    ("invariant", "output dead", "", "invariant", "", "expected is 'while' and a condition"),
    ("invariant", "output dead while cp.state 5", "", "invariant", "5", "expected is a value of cp.state"),
    ("order", "ocpp.boot seq_no risng", "", "order", "seq_no", "has no key 'seq_no'"),
    ("order", "ocpp.tx.ended seq_no risng", "", "order", "risng", "contiguous, increasing, unique or constant"),
    ("order", "ocpp.boot or ocpp.heartbeat claim unique", "", "order", "ocpp.boot", "join topics by |"),
    ("cadence", "ocpp.heartbeat 5 s", "", "cadence", "5 s", "'every' or 'apart'"),
    ("cadence", "ocpp.heartbeat every 5 s", "", "cadence", "", "`every` needs a scope"),
    ("cadence", "ocpp.heartbeat apart 5 s + 1 s", "", "cadence", "5 s", "a cadence is one time"),
    ("count", "ocpp.boot while online yes", "", "count", "while", "expected is <= or >= and a whole number"),
    ("count", "ocpp.boot <= 1.5", "", "count", "1.5", "a count is a whole number"),
    ("count", "ocpp.boot >= 3 <= 2", "", "count", "", "cannot both be"),
    ("agree", "register ~ e_bnch", "", "agree", "e_bnch", "did you mean 'e_bench'"),
    ("agree", "register ~ bench_clock", "tolerance = '1 s'", "agree", "", "not two measurements of one quantity"),
    ("agree", "register ~ e_bench", "tolerance = '1 s'", "tolerance", "", "a share or energy is needed"),
    ("agree", "register ~ e_bench", "tolerance = '1 s'\nkind = 'alike'", "kind", "", "'alike'"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}-{wrong[5][:24]}")
def test_an_error_names_file_and_line_points_and_says_what_was_meant(wrong: Wrong, tmp_path: Path) -> None:
    pattern, sentence, options, key, pointed, says = wrong
    limits = tmp_path / "limits.toml"
    limits.write_text(
        'schema = 1\n[limit.t]\nvalue = 2\nunit = "s"\nclause = "c"\nsource = "s"\nverified = true\n', encoding="utf-8"
    )
    path = tmp_path / "mine.toml"
    head = 'schema = 2\n\n[rule."first"]\nabsent = "ocpp.boot while online yes"\ntext = "t"\nref = "r"\n\n[rule."it"]\n'
    path.write_text(f'{head}{pattern} = "{sentence}"\ntext = "t"\nref = "r"\n{options}\n', encoding="utf-8")
    begins = head.count("\n")
    line = next(
        number
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if number > begins and text.startswith(f"{key} =")
    )
    with pytest.raises(RuleError) as caught:
        load_pack([path], [limits])
    said = str(caught.value)
    assert said.startswith(f"{path}:{line} rule 'it': "), said
    assert says in said
    if pointed:
        first, shown, marks = said.splitlines()
        assert shown[marks.index("^") : marks.rindex("^") + 1] == pointed
        assert "rule 'it'" in first


def test_an_error_at_the_end_points_behind_the_sentence() -> None:
    with pytest.raises(SentenceError) as caught:
        parse_sentence("respond", "ocpp.boot", Names({}))
    assert "nothing more" in caught.value.message
    assert caught.value.caret("").splitlines()[1] == " " * 9 + "^"


@pytest.mark.parametrize("what", ["rules", "limits"])
def test_what_is_wrong_with_a_whole_file_names_its_line(what: str, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    good = (CONFIGS / what / ("safety.toml" if what == "rules" else "lab.toml")).read_text(encoding="utf-8")
    packs, limits = (
        ([path], sorted((CONFIGS / "limits").glob("*.toml")))
        if what == "rules"
        else ([CONFIGS / "rules/x.toml"], [path])
    )
    for text, says in (
        (good.replace("title =", "titel ="), "did you mean 'title'"),
        (good.replace("title =", "title"), "no TOML"),
        (good.replace("schema = ", "schema = 9"), "this program reads schema"),
    ):
        path.write_text(text, encoding="utf-8")
        line = next(
            n for n, row in enumerate(text.splitlines(), 1) if row.startswith(("titel", 'title "', "schema = 9"))
        )
        with pytest.raises(RuleError) as caught:
            load_pack(packs, limits)
        assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
        assert says in str(caught.value)
