"""Rules as data: one tree for the seven patterns, frozen, with one canonical form.

A sentence of a pack and the fluent form in Python both become these structures; their JSON is what the digest of a
rule is made from. Quantities stay as they were written: a named limit (`limit.…`), a number with its unit (`2 s`),
a key of the trigger's data (`$limit_a`) or of the station's configuration (`station.…`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "Absent",
    "Agree",
    "Amount",
    "AnyRule",
    "Cadence",
    "Condition",
    "Count",
    "Extension",
    "Invariant",
    "Occurrence",
    "Order",
    "Respond",
    "RuleHead",
    "Scalar",
    "Test",
    "Trigger",
    "Turn",
]

Scalar = bool | int | float | str
Op = Literal["=", "!=", "<", "<=", ">", ">=", "?", "!?"]
Law = Literal["contiguous", "increasing", "unique", "constant"]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A number: `of` something, or the duty cycle of a current (`by`), or the reverse, plus or minus a limit."""

    of: str
    by: Literal["", "duty_of", "amps_of"] = ""
    plus: str = ""
    minus: str = ""


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"among": "is"}):
    """A signal compared: `is` (one of), `is_not` (none of), `at_most`, `at_least`, `below` or `above`; one of them.

    `unsure`: values that settle nothing.
    """

    signal: str
    among: tuple[Scalar, ...] | None = None
    is_not: tuple[Scalar, ...] | None = None
    unsure: tuple[Scalar, ...] = ()
    at_most: Amount | None = None
    at_least: Amount | None = None
    below: Amount | None = None
    above: Amount | None = None

    @property
    def bound(self) -> Amount | None:
        """The number it is compared with; None for a comparison with values."""
        return self.at_most or self.at_least or self.below or self.above


class Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key of an event's data compared with values; `?` says that it is there (and not null), `!?` that it is not.

    A key may be a path (`payload.reason`). A value `$key` is that key of the trigger's data.
    """

    key: str
    op: Op
    values: tuple[Scalar, ...] = ()


class Occurrence(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="a", tag="event"
):
    """An event of one of these topics that satisfies every test."""

    topics: tuple[str, ...]
    tests: tuple[Test, ...] = ()


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="a", tag="turn"):
    """A signal goes from one of these values (empty: any) to one of those (empty: any)."""

    signal: str
    leaves: tuple[Scalar, ...] = msgspec.field(default=(), name="from")
    to: tuple[Scalar, ...] = ()


Happening = Occurrence | Turn


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What opens a rule, if all of `given` is true then."""

    on: Happening
    given: tuple[Condition, ...] = ()


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A limit is longer `by` so much when `signal` had changed less than `within` before the trigger."""

    by: str
    signal: str
    within: str


class RuleHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What every rule has.

    - `text`: the rule in one line. `ref`: clause or requirement; `cases`: test cases that ask the same.
    - `ocpp`: versions it is about (empty: all); a station that speaks another one never triggers it.
    - `per`: what keeps instances apart: `evse`, `station`, `tx`, or keys of the events' data.
    - `at`: the time of an OCPP message is its receipt (`rx`) or the time that it claims.
    - `subject`: whom it blames. `severity`: safety, error or advice. `force`: only `shall` can fail a run.
    - `decision`: `simple` lets the middle of an undecided interval decide (shared risk), and says so.
    - `when`: else not triggered. `arm`, `disarm`: it watches only between these.
    """

    text: str
    ref: str
    cases: tuple[str, ...] = ()
    ocpp: tuple[str, ...] = ()
    per: tuple[str, ...] = ("evse",)
    at: Literal["rx", "claim"] = "rx"
    subject: Literal["station", "bench", "vehicle"] = "station"
    severity: Literal["safety", "error", "advice"] = "error"
    force: Literal["shall", "should", "tolerance", "advice"] = "shall"
    decision: Literal["guarded", "simple"] = "guarded"
    when: tuple[Condition, ...] = ()
    arm: tuple[Occurrence, ...] = ()
    disarm: tuple[Occurrence, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether a verdict takes part in the exit code; a fault of the bench itself always does."""
        return self.force == "shall" and self.severity != "advice"


class Respond(RuleHead, frozen=True, tag_field="pattern", tag="respond"):
    """After a trigger, `response` is true, or one of `answers` comes, not before `after` and within the limit.

    - `already`: `accept` a response that is true when the trigger comes, or want a `new` one.
    - `hold`: a response must last so long. `proven`: one that is withdrawn before that proves nothing.
    - `unless`: when one of these becomes true before the limit, nothing is owed any more.
    - `until`: events that withdraw what is owed.
    - Without `within` the time is measured and nothing else.
    """

    trigger: tuple[Trigger, ...]
    response: Condition | None = None
    answers: tuple[Occurrence, ...] = ()
    after: Amount | None = None
    within: Amount | None = None
    extend: Extension | None = None
    already: Literal["accept", "new"] = "accept"
    hold: str = ""
    proven: bool = False
    unless: tuple[Condition, ...] = ()
    until: tuple[Occurrence, ...] = ()


class Absent(RuleHead, frozen=True, tag_field="pattern", tag="absent"):
    """`never` does not happen: while `scope` is true, or after a `trigger` for `within` (or until `until`).

    `settle`: for so long after the scope began the cause may lie before it; what happens then settles nothing.
    With `settle_from` only when the scope was entered from one of these values.
    """

    never: Happening
    scope: Condition | None = None
    trigger: tuple[Trigger, ...] = ()
    within: Amount | None = None
    until: tuple[Occurrence, ...] = ()
    settle: str = ""
    settle_from: tuple[Scalar, ...] = ()


class Invariant(RuleHead, frozen=True, tag_field="pattern", tag="invariant"):
    """While `scope` is true, and after `settle`, `holds` is true (every sample of a sampled signal satisfies it)."""

    holds: Condition
    scope: Condition
    settle: str = ""


class Order(RuleHead, frozen=True, tag_field="pattern", tag="order"):
    """One of three orders.

    - At `anchor`, every condition of `before` is already true; `not_before` was not true earlier (it is the same
      fact seen by another source: a contradiction is an ERROR of the bench).
    - In each entity, every `then` was preceded by a `first`.
    - In each entity, the values of `key` of the events `sequence` obey `law`: contiguous (each one more than the one
      before), increasing, unique, or constant.
    """

    anchor: Happening | None = None
    before: tuple[Condition, ...] = ()
    not_before: Condition | None = None
    settle: str = ""
    first: tuple[Occurrence, ...] = ()
    then: tuple[Occurrence, ...] = ()
    sequence: Occurrence | None = None
    key: str = ""
    law: Law = "contiguous"


class Cadence(RuleHead, frozen=True, tag_field="pattern", tag="cadence"):
    """While `scope` is true, `event` comes at least `every` so often, or two of them are at least so far `apart`.

    `tolerance`: a share by which a pause may exceed `every`, or fall short of `apart`.
    """

    event: Happening
    every: str = ""
    apart: str = ""
    scope: Condition | None = None
    tolerance: str = ""


class Count(RuleHead, frozen=True, tag_field="pattern", tag="count"):
    """How often `event` happens in each stay in the scope, each entity, or any window of `within`."""

    event: Happening
    at_most: int | None = None
    at_least: int | None = None
    scope: Condition | None = None
    within: str = ""


class Agree(RuleHead, frozen=True, tag_field="pattern", tag="agree"):
    """Two aggregates differ by no more than `tolerance`.

    - `left`, `right`: names of `AGGREGATES`.
    - `kind`: `agree` (limit = tolerance + uncertainty of the reference: one of the two is out of class), `conform`
      (limit = tolerance of the station, wants a reference four times better) or `exact` (no reference's uncertainty).
    - `minimum`: `auto` = undecided unless the uncertainty is at most a third of the limit.
    """

    left: str
    right: str
    tolerance: str
    kind: Literal["agree", "conform", "exact"] = "agree"
    minimum: Literal["auto", ""] = ""


AnyRule = Respond | Absent | Invariant | Order | Cadence | Count | Agree
