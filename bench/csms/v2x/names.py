"""Names of variables as text, taken apart again: the inverse of `variables.variable_name`."""

from __future__ import annotations

import re
from typing import Any

from ....errors import CsmsError
from ..dialect import Payload

__all__ = ["variable_entry"]

_NAME = re.compile(
    r"(?P<component>[^\[\]@#]+?)(?:\[(?P<instance>[^\[\]]+)\])?"
    r"(?:@(?P<evse>[0-9]+)(?::(?P<connector>[0-9]+))?)?"
    r"\.(?P<variable>[^\[\]@#.]+)(?:\[(?P<which>[^\[\]]+)\])?"
    r"(?:#(?P<attribute>Actual|Target|MinSet|MaxSet))?\Z"
)


def variable_entry(name: str) -> dict[str, Any]:
    """`component`, `variable` and, for another attribute than Actual, `attributeType` of a name.

    >>> variable_entry("Connector@1:2.AvailabilityState")["component"]["evse"]
    {'id': 1, 'connectorId': 2}

    Raises:
        CsmsError: it is no such name.
    """
    match = _NAME.match(name)
    if match is None:
        raise CsmsError(
            f"{name!r} names no variable; it is Component[instance]@evse:connector.Variable[instance]#Attribute, "
            "e.g. OCPPCommCtrlr.MessageAttempts[TransactionEvent]; the instances, the place and the attribute only "
            "where there are any."
        )
    component: Payload = {"name": match["component"]}
    if match["instance"]:
        component["instance"] = match["instance"]
    if match["evse"]:
        component["evse"] = {"id": int(match["evse"])}
        if match["connector"]:
            component["evse"]["connectorId"] = int(match["connector"])
    variable: Payload = {"name": match["variable"]}
    if match["which"]:
        variable["instance"] = match["which"]
    entry: Payload = {"component": component, "variable": variable}
    if match["attribute"] and match["attribute"] != "Actual":
        entry["attributeType"] = match["attribute"]
    return entry
