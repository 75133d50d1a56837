"""What can be wrong with the simulated station, and what is merely odd.

A fault breaks a requirement and some rule must say so; an oddity is unusual and conforming, and no rule may blame it.
Each is data: what it changes, the case in which it shows, and the rules that should see it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .asked import ASKED
from .deviation import VERSIONS, Deviation, Trips
from .knobs import Knobs
from .linked import LINKED
from .odd import ODD
from .outlet import OUTLET
from .told import TOLD

__all__ = ["DEVIATIONS", "FAULTS", "ODDITIES", "VERSIONS", "Deviation", "Knobs", "Trips", "knobs_of", "meaningless"]

DEVIATIONS: dict[str, Deviation] = {one.name: one for one in (*OUTLET, *TOLD, *LINKED, *ASKED, *ODD)}

FAULTS: dict[str, str] = {name: one.text for name, one in DEVIATIONS.items() if one.is_fault}
"""Name of a fault -> what it does, in one line."""

ODDITIES: dict[str, str] = {name: one.text for name, one in DEVIATIONS.items() if not one.is_fault}
"""Name of an oddity -> what it does, in one line."""


def meaningless(names: Iterable[str], version: str) -> str | None:
    """Why one of these faults and oddities has no meaning in a version of OCPP; None when all have one."""
    for name in names:
        known = DEVIATIONS[name].versions
        if version not in known:
            return f"{name} has no meaning in OCPP {version}, only in {', '.join(known)}"
    return None


def knobs_of(*names: str) -> Knobs:
    """The knobs of the faults and oddities named, clean for none.

    Raises:
        KeyError: a name is neither a fault nor an oddity.
    """
    knobs = Knobs()
    for name in names:
        knobs = replace(knobs, **DEVIATIONS[name].changes)
    return knobs
