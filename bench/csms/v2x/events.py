"""What the device model of a 2.x station reports of itself: availability, problems, and any other variable.

A connector's state comes by StatusNotification or by NotifyEvent with AvailabilityState; either is allowed in both
versions (2.0.1 and 2.1 G01.FR.03, G01.FR.07), and 2.1 prefers the second (B01.FR.05, B04.FR.01). They are one event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialect import Fact, Payload
from ..fields import boolean, instance_id, member, objects, string, text
from .variables import component_name, place_of, variable_name

__all__ = ["notified", "status_notified", "variable_facts"]

LOGICAL = frozenset({"Available", "Occupied", "Reserved", "Unavailable", "Faulted"})
"""ConnectorStatusEnumType; the word that every version has is the same in small letters."""

TIERS = {"connector": "Connector", "evse": "EVSE", "chargingstation": "ChargingStation"}
"""Components that have an AvailabilityState (part 2 appendices, table of components and variables)."""

FAULTS = frozenset({"problem", "tripped"})
"""Variables that say that their component does not work, or has to be re-armed by hand (appendices)."""

WORDS = {
    "chademoctrlr": "ev",
    "chargingstation": "internal",
    "connectedev": "ev",
    "connectorplugretentionlock": "lock",
    "controller": "internal",
    "controlmetering": "meter",
    "cppwmcontroller": "ev",
    "datalink": "signal",
    "electricalfeed": "supply",
    "emergencystopsensor": "emergency-stop",
    "fiscalmetering": "meter",
    "groundisolationprotection": "ground",
    "iso15118ctrlr": "ev",
    "overcurrentprotection": "over-current",
    "overcurrentprotectionrecloser": "over-current",
    "powercontactor": "power-switch",
    "rcd": "ground",
    "rcdrecloser": "ground",
    "tokenreader": "reader",
}
"""Component -> the word that every version has for its failure; any other component is "other"."""


def status_notified(station: str, payload: Payload) -> Iterator[Fact]:
    """The connector of a StatusNotification."""
    place = instance_id(payload.get("evseId")), instance_id(payload.get("connectorId"))
    status, claim = payload.get("connectorStatus"), payload.get("timestamp")
    yield _status(station, "Connector", place, status, claim, "StatusNotification")


def notified(station: str, payload: Payload) -> Iterator[Fact]:
    """Every element of a NotifyEvent."""
    for entry in objects(payload.get("eventData")):
        yield from variable_facts(station, entry, "NotifyEvent")


def variable_facts(station: str, entry: Payload, via: str, after_s: str | None = None) -> Iterator[Fact]:
    """The event of one variable, in the form of EventDataType. `after_s`: seconds to add to its timestamp."""
    component = member(entry, "component")
    kind, variable = text(component.get("name")).casefold(), text(member(entry, "variable").get("name")).casefold()
    if variable == "availabilitystate" and kind in TIERS:
        yield _status(station, TIERS[kind], place_of(component), entry.get("actualValue"), entry.get("timestamp"), via)
    elif variable in FAULTS:
        yield _problem(station, entry, WORDS.get(kind, "other"), via)
    else:
        data: dict[str, Any] = {
            "station": station,
            "name": variable_name(entry),
            "value": text(entry.get("actualValue")),
            "trigger": string(entry.get("trigger")),
            "cleared": boolean(entry.get("cleared")),
            "tx": string(entry.get("transactionId")),
            "claim": string(entry.get("timestamp")),
            "after_s": after_s,
            "via": via,
        }
        yield Fact("ocpp.variable", data, place_of(component)[0])


def _status(station: str, tier: str, place: tuple[int | None, int | None], status: Any, claim: Any, via: str) -> Fact:
    evse, connector = place
    data: dict[str, Any] = {
        "station": station,
        # As everywhere: 0 is the station itself, and a connector that is not named is not known.
        "connector": 0 if tier == "ChargingStation" else connector,
        "component": tier,
        "status": text(status),
        "logical": text(status).lower() if text(status) in LOGICAL else "unknown",
        "error": None,
        "claim": string(claim),
        "via": via,
    }
    return Fact("ocpp.status", data, evse)


def _problem(station: str, entry: Payload, problem: str, via: str) -> Fact:
    component = member(entry, "component")
    evse, connector = place_of(component)
    value = {"true": True, "false": False}.get(text(entry.get("actualValue")).strip().lower())
    data: dict[str, Any] = {
        "station": station,
        "connector": connector,
        "component": component_name(component),
        "variable": text(member(entry, "variable").get("name")),
        "problem": problem,
        # `cleared` reports the return to normal (EventDataType), whatever the value says.
        "active": False if entry.get("cleared") is True else value,
        "code": string(entry.get("techCode")),
        "vendor_code": None,
        "info": string(entry.get("techInfo")),
        "claim": string(entry.get("timestamp")),
        "via": via,
    }
    return Fact("ocpp.problem", data, evse)
