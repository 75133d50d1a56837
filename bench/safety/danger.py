"""What a stimulus does: does it lead to the safe state, does it need a person's permission, and which.

A driver claims `to_safe` for its own step. For every verb of the bench's own vocabulary the claim is looked
into here; a third-party driver's own verb has to be believed.
"""

from __future__ import annotations

from typing import Any

from ..timeline import Stimulus
from .csms_actions import group_of
from .listening import only_reads

__all__ = ["PLAIN", "RISKY_DUTIES", "Needs", "fault_of_relay", "needs_of", "really_safe"]

Needs = tuple[frozenset[str], frozenset[str]]
"""Faults, and groups of OCPP actions, that a person must have named when arming."""

RISKY_DUTIES = frozenset({"pe", "rcd", "dc-leak"})
"""Relays that inject a fault: protective earth open, residual currents."""

_NONE: frozenset[str] = frozenset()

PLAIN: Needs = (_NONE, _NONE)
"""What a plain charging session needs."""


def really_safe(stimulus: Stimulus, cp_state: str | None, duty: str | None) -> bool:
    """Is this a step towards the safe state? `cp_state` is what the pilot shows as far as known.

    The back end's requests are described by the adapter of their OCPP version, not by a caller.
    """
    if not stimulus.to_safe:
        return False
    args = stimulus.args
    match stimulus.verb if stimulus.device != "csms" else "":
        case "resistor":
            return args.get("state") == "A" or (args.get("state") == "B" and cp_state != "A")
        case "faults":
            return not args.get("flags")
        case "pp":
            return args.get("ohm") is None
        case "ev.command":
            return not any(args.values())
        case "supply.output" | "load.input":
            return args.get("on") is False
        case "supply.set" | "load.set":
            return all(value == 0 for value in args.values())
        case "relay":
            return args.get("on") is (duty == "pe")
        case "token":
            return False
        case _:
            return True


def fault_of_relay(duty: str | None, on: bool) -> bool:
    """True when this position of a relay is an injected fault. A `pe` relay that is on connects PE."""
    return duty in RISKY_DUTIES and on is (duty != "pe")


def needs_of(stimulus: Stimulus, duty: str | None) -> Needs | None:
    """What must have been armed for this stimulus on real hardware; None: nothing, it moves nothing."""
    args: dict[str, Any] = stimulus.args
    if stimulus.device == "csms":
        if only_reads(stimulus.verb):
            return None
        group = group_of(stimulus.verb, args)
        return _NONE, frozenset({group}) if group else _NONE
    faults: frozenset[str] = _NONE
    if stimulus.verb == "faults":
        faults = frozenset(str(flag) for flag in args.get("flags", ()))
    elif stimulus.verb == "relay" and duty in RISKY_DUTIES:
        faults = frozenset({duty})
    elif stimulus.verb == "rapi" and args.get("group") != "plain":
        faults = frozenset({f"rapi-{args.get('group')}"})
    return faults, _NONE
