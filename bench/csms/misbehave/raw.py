"""What a text that is no proper message may make a station do: a raw text passes the gate like every request."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...timeline import Stimulus
from .. import rpc
from ..dialect import Dialect, Payload, Request
from ..limits import bounds

__all__ = ["stimuli_of"]

_WORD = re.compile(r'"([A-Za-z]{3,60})"')
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_LIMIT = re.compile(
    r'"(?:limit|dischargeLimit|setpoint|setpointReactive)(?:_L[23])?"\s*:\s*"?(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)', re.I
)
_UNIT = re.compile(r'"chargingRateUnit"\s*:\s*"([AW])"')


def stimuli_of(text: str, dialect: Dialect, describe: Callable[[str, Payload], Request]) -> list[Stimulus]:
    """What the gate has to permit before this text is sent.

    A text that is a request is asked for as this request. Of any other the gate is asked for each action whose name
    stands in it (capitals do not matter), with every charging limit and every word in it: a station may read it more
    kindly than we do.
    """
    plain = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    limits = [{"limit": float(number)} for number in _LIMIT.findall(plain)]
    unit = "W" if set(_UNIT.findall(plain)) == {"W"} else "A"
    found: dict[str, Any] = {"chargingRateUnit": unit, "limits": limits} if limits else {}
    message = rpc.parse(text, dialect.rules).message
    if isinstance(message, rpc.Call):
        try:
            request = describe(message.action, message.payload)
        except (TypeError, ValueError, KeyError, AttributeError):
            request = Request(message.payload)
        return [Stimulus("csms", message.action, {**request.args, **found, **request.bounds}, request.to_safe)]
    if isinstance(message, (rpc.CallResult, rpc.Send)):
        found = {**found, **bounds(message.payload)}
    known = {action.casefold(): action for action in dialect.schemas.actions}
    words = list(dict.fromkeys(_WORD.findall(plain)))
    actions = dict.fromkeys(known[word.casefold()] for word in words if word.casefold() in known)
    if actions:
        return [Stimulus("csms", action, {**found, "names": words}) for action in actions]
    return [Stimulus("csms", "raw", found)]
