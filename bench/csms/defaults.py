"""Answers to actions for which the back end has no behaviour: the least that the response's schema asks for.

A status is the most obliging word of its enumeration, because a station under test shall go on with its course;
`REFUSED` names the actions where a yes would be a lie that the station acts upon.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from .dialect import Payload

__all__ = ["default_of", "now_text"]

OBLIGING = ("Accepted", "Processing", "NoChargingProfile", "Unknown")
"""Words of agreement, the first that an enumeration has."""

REFUSED = {
    "DataTransfer": "UnknownVendorId",
    "SignCertificate": "Rejected",
    "Get15118EVCertificate": "Failed",
    "GetCertificateStatus": "Failed",
    "GetCertificateChainStatus": "Failed",
    "VatNumberValidation": "Rejected",
    "PullDynamicScheduleUpdate": "Rejected",
}
"""Action -> the word of refusal: there is nothing here that could do what is asked."""


def default_of(action: str, schema: Payload) -> Payload:
    """The least answer that fits `schema` (the parsed JSON schema of the action's response)."""
    answer = _least(schema, schema)
    if action in REFUSED and "status" in answer:
        answer["status"] = REFUSED[action]
    return answer


def now_text() -> str:
    """The wall clock as OCPP writes it, in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _least(part: Payload, root: Payload) -> Any:
    part = _resolved(part, root)
    if "enum" in part:
        words = cast("list[Any]", part["enum"])
        return next((word for word in OBLIGING if word in words), words[0])
    kind = part.get("type")
    if kind == "object":
        members = cast("dict[str, Payload]", part.get("properties", {}))
        return {name: _least(members[name], root) for name in cast("list[str]", part.get("required", []))}
    if kind == "array":
        return [_least(cast("Payload", part.get("items", {})), root) for _ in range(int(part.get("minItems", 0)))]
    if kind in ("integer", "number"):
        return part.get("minimum", 0)
    if kind == "boolean":
        return False
    return now_text() if part.get("format") == "date-time" else ""


def _resolved(part: Payload, root: Payload) -> Payload:
    """A part with its `$ref` into the definitions of the same file followed."""
    while "$ref" in part:
        found: Any = root
        for step in str(part["$ref"]).removeprefix("#/").split("/"):
            found = found[step]
        part = cast("Payload", found)
    return part
