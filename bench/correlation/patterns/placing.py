"""When an event was, for a rule: as it was received, or as it claims (`at`)."""

from __future__ import annotations

from ...timeline import Event, Stamp
from ..language.rule import RuleHead
from ..world.mark import Mark
from ..world.world import World

_LINK = frozenset({"ocpp.connected", "ocpp.disconnected", "ocpp.refused", "ocpp.attached"})
"""What the bench itself sees of the connection: no message of the station claims a time for it."""

__all__ = ["EVER_NS", "placed"]

EVER_NS = 1 << 62
"""Stands for "without bound" in a stamp (ns)."""


def placed(rule: RuleHead, world: World, event: Event) -> Mark | None:
    """The place of an event in time; None for an OCPP event of a rule `at = "claim"` that cannot be placed.

    A claim is mapped with what is known of the station's clock when this is asked.
    """
    if rule.at == "rx" or event.topic in _LINK or not event.topic.startswith("ocpp."):
        return Mark.of(event)
    when = world.claims.when(event)
    if when is None:
        return None
    lo, hi = max(when.lo, -EVER_NS), min(when.hi, EVER_NS)
    return Mark(Stamp(event.stamp.order_ns, int(lo), int(hi)), event.source, event.seq)
