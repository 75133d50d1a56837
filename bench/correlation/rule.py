"""Rules as data: what a pack says, frozen, with one canonical form.

Seven patterns are planned; `count` has no rule yet. Every structure is strict: an unknown key is refused.
Quantities are named limits (`limit.…`) or numbers with a unit (`"2 s"`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "Absent",
    "Agree",
    "AnyRule",
    "Bound",
    "Cadence",
    "Condition",
    "Invariant",
    "Occurrence",
    "Order",
    "Respond",
    "RuleHead",
    "Trigger",
]


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A number to compare with: `of` something, or the `duty_of` it, plus or minus a limit.

    `of` and `duty_of` name a key of the trigger's data (`value`: the signal's value at the trigger) or a limit.
    """

    of: str = ""
    duty_of: str = ""
    plus: str = ""
    minus: str = ""


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"among": "is"}):
    """A signal compared: `is` (one of), `is_not` (none of), `at_most`, `at_least`.

    `unsure`: values that settle nothing. `present`: an unknown value makes the rule not applicable when False.
    """

    signal: str
    among: tuple[Any, ...] | None = None
    is_not: tuple[Any, ...] | None = None
    unsure: tuple[Any, ...] = ()
    at_most: Bound | None = None
    at_least: Bound | None = None


class Occurrence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event of a topic whose data has these values, and none of those of `unless`."""

    topic: str
    where: dict[str, Any] = {}
    unless: dict[str, Any] = {}


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What opens a rule: an event (`topic`, `where`) or an edge (`signal`, `from`, `to`).

    `from` left out: from any known value; `to` left out: to any value. `given`: only under these conditions.
    """

    topic: str = ""
    where: dict[str, Any] = {}
    signal: str = ""
    leaves: tuple[Any, ...] = msgspec.field(default=(), name="from")
    to: tuple[Any, ...] = ()
    given: tuple[Condition, ...] = ()


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A longer limit: by the station's own `config` key (seconds), or `by` a limit when `signal` changed `within`."""

    config: str = ""
    signal: str = ""
    within: str = ""
    by: str = ""


class RuleHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What every rule has.

    - `text`: the rule in one line. `ref`: clause or requirement.
    - `subject`: whom it blames. `severity`: safety, error or advice. `force`: only `shall` can fail a run.
    """

    text: str
    ref: str
    per: Literal["evse", "station", "tx"] = "evse"
    subject: Literal["station", "bench", "vehicle"] = "station"
    severity: Literal["safety", "error", "advice"] = "error"
    force: Literal["shall", "should", "tolerance", "advice"] = "shall"
    decision: Literal["guarded", "simple"] = "guarded"

    @property
    def counts(self) -> bool:
        """Whether a verdict takes part in the exit code; a fault of the bench itself always does."""
        return self.force == "shall" and self.severity != "advice"


class Respond(RuleHead, frozen=True, tag_field="pattern", tag="respond"):
    """After the trigger, `response` is true within the limit, and for `hold`.

    A response that is already true counts. `given`: else not triggered. `during`: when one of these ends
    before the limit, nothing was owed. `until`: a later event that ends the obligation.
    `proven`: a response that the withdrawal cut off before its hold was over proves nothing (PWM that ends with
    the session obeys no profile).
    Without `within` the time is measured and nothing else.
    """

    trigger: tuple[Trigger, ...]
    response: Condition
    within: str = ""
    hold: str = ""
    proven: bool = False
    given: tuple[Condition, ...] = ()
    during: tuple[Condition, ...] = ()
    until: tuple[Occurrence, ...] = ()
    extend: Extension | None = None


class Absent(RuleHead, frozen=True, tag_field="pattern", tag="absent"):
    """While `scope` is true, neither the edge nor the event of `never` happens.

    `settle`: for so long after the scope began the cause may lie before it; what happens then settles nothing.
    With `settle_from` only when the scope was entered from one of these values.
    """

    scope: Condition
    never: Trigger | None = None
    never_event: Occurrence | None = None
    settle: str = ""
    settle_from: tuple[Any, ...] = ()


class Invariant(RuleHead, frozen=True, tag_field="pattern", tag="invariant"):
    """While `scope` is true, and after `settle`, every sample satisfies `holds`."""

    scope: Condition
    holds: Condition
    settle: str = ""


class Order(RuleHead, frozen=True, tag_field="pattern", tag="order"):
    """At `anchor`, every condition of `before` is already true; `not_before` was not true earlier.

    `not_before` compares two sources that see the same fact: a contradiction is an ERROR of the bench.
    """

    anchor: Trigger
    before: tuple[Condition, ...]
    not_before: Condition | None = None
    settle: str = ""


class Cadence(RuleHead, frozen=True, tag_field="pattern", tag="cadence"):
    """While `scope` is true, `event` comes at least every `every` (a key of the station), plus `tolerance`."""

    scope: Condition
    event: Occurrence
    every: str
    tolerance: str


class Agree(RuleHead, frozen=True, tag_field="pattern", tag="agree"):
    """Two aggregates of one transaction agree within `tolerance`.

    - `left`: `register` (the station's sampled register, begin to end) or `tx_meter` (meterStart, meterStop).
    - `right`: `meter` (the bench's) or `register`.
    - `kind`: `agree` (limit = tolerance + uncertainty of the reference) or `exact`.
    - `minimum`: `auto` = undecided unless the uncertainty is at most a third of the limit.
    """

    left: Literal["register", "tx_meter"]
    right: Literal["meter", "register"]
    tolerance: str
    kind: Literal["agree", "exact"] = "agree"
    minimum: Literal["auto", ""] = ""


AnyRule = Respond | Absent | Invariant | Order | Cadence | Agree
