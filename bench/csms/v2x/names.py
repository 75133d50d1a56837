"""Reads the names of variables as people write them; `variables.variable_name` writes them.

    Component[instance]@evse:connector.Variable[instance]#Attribute

Every part but the component and the variable may be left out. A component's name ends at the first dot outside of
brackets.
"""

from __future__ import annotations

import re

from ....errors import CsmsError
from ..dialect import Payload

__all__ = ["component_entry", "variable_entry"]

_COMPONENT = r"(?P<component>[^\[\]@.#]+)(\[(?P<component_in>[^\]]*)\])?(@(?P<evse>\d+)(:(?P<connector>\d+))?)?"
_VARIABLE = r"(?P<variable>[^\[\]#]+)(\[(?P<variable_in>[^\]]*)\])?"
WHOLE = re.compile(rf"{_COMPONENT}\.{_VARIABLE}(#(?P<attribute>Actual|Target|MinSet|MaxSet))?")
COMPONENT = re.compile(_COMPONENT)


def variable_entry(name: str) -> Payload:
    """The `component`, `variable` and `attributeType` (unless it is Actual) of a name.

    Raises:
        CsmsError: it is no name of a variable.
    """
    found = WHOLE.fullmatch(name)
    if found is None:
        raise CsmsError(
            f"{name!r} is no name of a variable in OCPP 2.x. Write Component.Variable, as in "
            '"OCPPCommCtrlr.HeartbeatInterval", "OCPPCommCtrlr.MessageAttempts[TransactionEvent]" or '
            '"EVSE@1.AvailabilityState"; another attribute after #: Actual, Target, MinSet, MaxSet.'
        )
    variable: Payload = {"name": found["variable"]}
    if found["variable_in"]:
        variable["instance"] = found["variable_in"]
    entry: Payload = {"component": _component(found), "variable": variable}
    if found["attribute"] not in (None, "Actual"):
        entry["attributeType"] = found["attribute"]
    return entry


def component_entry(name: str) -> Payload:
    """The `component`, and the `variable` if there is one, of a name in a request for a report.

    Raises:
        CsmsError: it is no name of either.
    """
    found = COMPONENT.fullmatch(name)
    if found is not None:
        return {"component": _component(found)}
    entry = variable_entry(name)
    if "attributeType" in entry:
        raise CsmsError(f"a report lists all attributes of a variable; write {name.partition('#')[0]!r}.")
    return entry


def _component(found: re.Match[str]) -> Payload:
    component: Payload = {"name": found["component"]}
    if found["component_in"]:
        component["instance"] = found["component_in"]
    if found["evse"] is not None:
        component["evse"] = {"id": int(found["evse"])}
        if found["connector"] is not None:
            component["evse"]["connectorId"] = int(found["connector"])
    return component
