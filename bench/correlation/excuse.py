"""What the back end did wrong on purpose excuses the station, for as long as it may be the consequence of that.

Excused is a FAIL of a rule that blames the station and reads what the two say to each other. A rule that reads
instruments only is not: whatever the back end says, a contactor has to open. A safety rule is excused only where the
bench itself could not know in time what the station had said or been told. A rule that reads `csms.misbehaviour`
itself is about the reaction: it is not excused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from ..timeline import Event
from .language.named import NamedRule
from .qualify import doubt
from .reads import reads
from .verdict import Instance, Outcome, Reason

__all__ = ["MISBEHAVIOUR", "Excuses", "is_excusable"]

MISBEHAVIOUR = "csms.misbehaviour"
_BLINDING = frozenset({"blackhole", "bandwidth", "latency", "half-open", "malformed"})
"""What keeps from the bench, for a time, what station and back end say to each other."""
_SAID = ("ocpp.", "csms.", "station.")
REMEMBERED = 10_000


def is_excusable(named: NamedRule) -> bool:
    """Whether what the back end does wrong on purpose takes a FAIL of this rule back."""
    if named.rule.subject != "station":
        return False
    read = reads(named.rule, named.signals)
    return MISBEHAVIOUR not in read and any(topic.startswith(_SAID) for topic in read)


class _Deed(msgspec.Struct):
    from_ns: int
    until_ns: int
    blinding: bool
    text: str


class Excuses:
    """The deeds of the back end as spans of the bench clock, in canonical order of their events."""

    def __init__(self) -> None:
        self._deeds: OrderedDict[str, _Deed] = OrderedDict()

    def take(self, event: Event) -> None:
        """A deed, or the end of some."""
        for id_ in event.data.get("of") or ():
            deed = self._deeds.get(str(id_))
            if deed is not None:
                deed.until_ns = min(deed.until_ns, event.stamp.hi_ns)
        until_ns = event.data.get("until_ns")
        if until_ns is None:
            return
        on = f" on {event.data['action']}" if event.data.get("action") else ""
        text = f"{MISBEHAVIOUR} {event.id}: {event.data['what']}{on}"
        blinding = event.data["what"] in _BLINDING
        self._deeds[event.id] = _Deed(event.stamp.lo_ns, int(until_ns), blinding, text)
        if len(self._deeds) > REMEMBERED:
            self._deeds.popitem(last=False)

    def apply(self, instance: Instance, *, safety: bool) -> Instance:
        """The instance; undecided, if it is a FAIL and a deed touches one of the spans that it rests on.

        `safety`: of a safety rule.
        """
        if instance.outcome is not Outcome.FAIL or not self._deeds:
            return instance
        windows = instance.windows or ((instance.opened_ns, instance.decided_ns),)
        deeds = [deed for deed in self._deeds.values() if deed.blinding or not safety]
        found = [deed.text for deed in deeds if _touches(deed, windows)]
        if not found:
            return instance
        others = f", and {len(found) - 1} more" if len(found) > 1 else ""
        why = f"the back end misbehaved on purpose meanwhile ({found[0]}{others})"
        return doubt(instance, Reason.PRECONDITION, why)


def _touches(deed: _Deed, windows: Sequence[tuple[int, int]]) -> bool:
    return any(deed.from_ns <= hi and lo <= deed.until_ns for lo, hi in windows)
