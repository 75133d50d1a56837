"""Rules in Python: the sentences of `docs/rules.md`, built step by step.

::

    from pilotbench.bench.correlation.fluent import name, when

    cp, output = name("cp.state"), name("output")
    stop_open = (
        when(cp.turns("C|D", "A|B"))
        .then(output.is_("dead"))
        .given(output.is_("live"))
        .unless(cp.is_("C|D"))
        .within("limit.seq8_1")
        .severity("safety")
        .text("C or D -> B or A, then output dead")
        .ref("IEC 61851-1 Annex A, Table A.6 sequence 8.1")
        .named("stop.open")
    )

Every part may also be written as text (`when("cp.state C|D -> A|B")`). The parts are read by the same reader as a
pack's, so that a rule has one digest whichever way it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .language.limits import Limit
from .language.named import NamedRule
from .language.rule_reader import read_rule
from .language.signals import Signal

__all__ = ["Name", "Rule", "agree", "always", "before", "count", "every", "name", "never", "values", "when"]

Text = str


class Name:
    """A signal or a topic; its methods write the parts of a sentence."""

    def __init__(self, dotted: str) -> None:
        self._dotted = dotted

    def __getattr__(self, more: str) -> Name:
        if more.startswith("_"):
            raise AttributeError(more)
        return Name(f"{self._dotted}.{more}")

    def __str__(self) -> str:
        return self._dotted

    def turns(self, leaves: Text = "", to: Text = "") -> Text:
        """An edge: from one of `leaves` (empty: any) to one of `to`; both empty: any change."""
        if not to:
            return f"{self._dotted} changes"
        return f"{self._dotted} {leaves} -> {to}" if leaves else f"{self._dotted} -> {to}"

    def is_(self, values: Text, *, unsure: Text = "") -> Text:
        """A condition: the signal has one of these values (`A|B`); `unsure` ones settle nothing."""
        return f"{self._dotted} {values}" + (f" unsure {unsure}" if unsure else "")

    def is_not(self, values: Text) -> Text:
        """A condition: the signal has none of these values."""
        return f"{self._dotted} not {values}"

    def at_most(self, amount: Text) -> Text:
        """A condition: `signal <= amount`."""
        return f"{self._dotted} <= {amount}"

    def at_least(self, amount: Text) -> Text:
        """A condition: `signal >= amount`."""
        return f"{self._dotted} >= {amount}"

    def below(self, amount: Text) -> Text:
        """A condition: `signal < amount`."""
        return f"{self._dotted} < {amount}"

    def above(self, amount: Text) -> Text:
        """A condition: `signal > amount`."""
        return f"{self._dotted} > {amount}"

    def where(self, *tests: Text) -> Text:
        """An event whose data satisfies the tests, e.g. `where("accepted", "reason=Local|Remote")`."""
        return f"{self._dotted}[{', '.join(tests)}]"


def name(dotted: str) -> Name:
    """A signal or a topic by its name."""
    return Name(dotted)


class Rule:
    """A rule in the making. `named` ends it; `build` reads it."""

    def __init__(self, pattern: str, sentence: str) -> None:
        self.id = ""
        self._pattern = pattern
        self._table: dict[str, Any] = {pattern: sentence}

    # ---- more of the sentence

    def during(self, scope: Text) -> Rule:
        """While this condition is true (absent, invariant, cadence, count)."""
        return self._more(f" while {scope}")

    def in_any(self, time: Text) -> Rule:
        """Within any window of this length (count)."""
        return self._more(f" within {time}")

    def at_most(self, number: int) -> Rule:
        """So often at most (count)."""
        return self._more(f" <= {number}")

    def at_least(self, number: int) -> Rule:
        """So often at least (count)."""
        return self._more(f" >= {number}")

    def then_not_before(self, condition: Text) -> Rule:
        """The same fact as another source sees it: a contradiction is an ERROR of the bench (order)."""
        return self._more(f" < {condition}")

    # ---- options

    def text(self, value: str) -> Rule:
        """What it says, in one line."""
        return self._with("text", value)

    def ref(self, value: str) -> Rule:
        """Clause or requirement."""
        return self._with("ref", value)

    def cases(self, *values: str) -> Rule:
        """Test cases that ask the same."""
        return self._with("cases", list(values))

    def ocpp(self, *versions: str) -> Rule:
        """The OCPP versions it is about."""
        return self._with("ocpp", list(versions))

    def per(self, *keys: str) -> Rule:
        """What keeps instances apart."""
        return self._with("per", ", ".join(keys))

    def at(self, value: Literal["rx", "claim"]) -> Rule:
        """Which time of an OCPP message counts."""
        return self._with("at", value)

    def subject(self, value: Literal["station", "bench", "vehicle"]) -> Rule:
        """Whom it blames."""
        return self._with("subject", value)

    def severity(self, value: Literal["safety", "error", "advice"]) -> Rule:
        """How bad it is."""
        return self._with("severity", value)

    def force(self, value: Literal["shall", "should", "tolerance", "advice"]) -> Rule:
        """What the requirement's word is; only `shall` can fail a run."""
        return self._with("force", value)

    def decision(self, value: Literal["guarded", "simple"]) -> Rule:
        """Whether the middle of an undecided interval may decide."""
        return self._with("decision", value)

    def given(self, *conditions: Text) -> Rule:
        """Only under these conditions (`when` of a pack)."""
        return self._with("when", " and ".join(conditions))

    def arm(self, *events: Text) -> Rule:
        """It watches from one of these events on."""
        return self._with("arm", " or ".join(events))

    def disarm(self, *events: Text) -> Rule:
        """It stops watching at one of these events."""
        return self._with("disarm", " or ".join(events))

    def within(self, amount: Text) -> Rule:
        """The end of the window."""
        return self._with("within", amount)

    def after(self, amount: Text) -> Rule:
        """The begin of the window."""
        return self._with("after", amount)

    def extend(self, value: Text) -> Rule:
        """`TIME if SIGNAL changed within TIME`: when the limit is longer."""
        return self._with("extend", value)

    def already(self, value: Literal["accept", "new"]) -> Rule:
        """Whether a response that is true already counts."""
        return self._with("already", value)

    def hold(self, time: Text, *, proven: bool = False) -> Rule:
        """So long the response lasts; `proven`: one that was withdrawn before proves nothing."""
        held = self._with("hold", time)
        return held._with("proven", True) if proven else held

    def unless(self, *conditions: Text) -> Rule:
        """Once one of these is true, nothing is owed any more."""
        return self._with("unless", " or ".join(conditions))

    def until(self, *events: Text) -> Rule:
        """Events that end what is owed, or forbidden."""
        return self._with("until", " or ".join(events))

    def settle(self, time: Text, *, only_from: Text = "") -> Rule:
        """So long after the scope began nothing is judged (only when it was entered from these values)."""
        settled = self._with("settle", time)
        return settled._with("settle_from", only_from) if only_from else settled

    def tolerance(self, amount: Text) -> Rule:
        """A share of the time, or the limit of a difference."""
        return self._with("tolerance", amount)

    def kind(self, value: Literal["agree", "conform", "exact"]) -> Rule:
        """Whose uncertainty the limit contains (agree)."""
        return self._with("kind", value)

    def min(self, value: Literal["auto"]) -> Rule:
        """Undecided unless the uncertainty is a third of the limit at most (agree)."""
        return self._with("min", value)

    def named(self, rule_id: str) -> Rule:
        """The rule with its name."""
        made = Rule(self._pattern, "")
        made.id, made._table = rule_id, dict(self._table)
        return made

    def build(
        self,
        limits: Mapping[str, Limit] | None = None,
        pack: str = "python",
        signals: Mapping[str, Signal] | None = None,
    ) -> NamedRule:
        """The rule as the engine takes it; `signals`: those that a pack defines (`Pack.signals`).

        Raises:
            RuleError: a part cannot be read; says which and points at the place. Or it has no name.
        """
        return read_rule(self.id, self._table, limits or {}, pack, signals=signals)

    def _with(self, key: str, value: object) -> Rule:
        made = Rule(self._pattern, "")
        made.id, made._table = self.id, {**self._table, key: value}
        return made

    def _more(self, text: str) -> Rule:
        return self._with(self._pattern, self._table[self._pattern] + text)


class _Opened:
    """`when(…)`: a trigger that waits for what has to follow, or must not."""

    def __init__(self, triggers: tuple[Text, ...]) -> None:
        self._text = " or ".join(triggers)

    def then(self, *goals: Text) -> Rule:
        """A state, or one of these events, follows (respond)."""
        return Rule("respond", f"{self._text} => {' or '.join(goals)}")

    def never(self, happening: Text) -> Rule:
        """This does not follow (absent)."""
        return Rule("absent", f"{self._text} => {happening}")


class _Anchor:
    """`before(…)`: what has to come first."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def holds(self, *conditions: Text) -> Rule:
        """Every one of these conditions is true by then (order)."""
        return Rule("order", f"{' and '.join(conditions)} < {self._text}")

    def comes(self, *events: Text) -> Rule:
        """One of these events came (order)."""
        return Rule("order", f"{' or '.join(events)} < {self._text}")


def when(*triggers: Text) -> _Opened:
    """After one of these triggers …"""
    return _Opened(triggers)


def never(happening: Text) -> Rule:
    """This does not happen (absent); go on with `during`."""
    return Rule("absent", happening)


def always(condition: Text) -> Rule:
    """This is true (invariant); go on with `during`."""
    return Rule("invariant", condition)


def before(*happenings: Text) -> _Anchor:
    """Before this (or one of these) happens …"""
    return _Anchor(" or ".join(happenings))


def values(events: Text, key: str, law: Literal["contiguous", "increasing", "unique", "constant"]) -> Rule:
    """The values of a key of these events obey a law (order)."""
    return Rule("order", f"{events} {key} {law}")


def every(time: Text, happening: Text, *, apart: bool = False) -> Rule:
    """This happens at least so often, or (`apart`) no sooner after the last than that (cadence)."""
    return Rule("cadence", f"{happening} {'apart' if apart else 'every'} {time}")


def count(happening: Text) -> Rule:
    """How often this happens (count); go on with `at_most`, `at_least`, `during`, `in_any`."""
    return Rule("count", happening)


def agree(left: str, right: str) -> Rule:
    """Two aggregates agree (agree)."""
    return Rule("agree", f"{left} ~ {right}")
