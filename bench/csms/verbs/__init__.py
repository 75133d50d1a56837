"""What a person or a test can ask of a station, in words that hold for every OCPP version.

The words stand in groups, one protocol each; `Verbs` is all of them. Every version implements every word: what it
does not have raises a CsmsError that says so and what to use instead.
"""

from __future__ import annotations

from typing import Protocol

from .access import Access, ListEntry
from .answer import Answer, Caller, CallRefused, Period, Schedule
from .charging import Charging, Dynamic, Purpose, Tx, Unit
from .grid import Grid, Payments
from .operating import Operating, Raw, Reports, Settings
from .upkeep import Certificates, CertificateUse, Files, LocalController, Networks
from .watching import Displays, Monitors, Streams, Tariffs, Transactions

__all__ = [
    "Answer",
    "CallRefused",
    "Caller",
    "CertificateUse",
    "ListEntry",
    "Period",
    "Purpose",
    "Schedule",
    "Tx",
    "Unit",
    "Verbs",
]


class Verbs(
    Charging,
    Dynamic,
    Operating,
    Settings,
    Reports,
    Files,
    LocalController,
    Certificates,
    Networks,
    Access,
    Monitors,
    Transactions,
    Displays,
    Streams,
    Tariffs,
    Grid,
    Payments,
    Raw,
    Protocol,
):
    """Requests to one station. Each raises as `Caller.ask`; CsmsError also for what the station's version has not."""
