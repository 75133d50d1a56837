"""Operate a station: outlets, restarts, messages on request, its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .answer import Answer

__all__ = ["Operating", "Raw", "Reports", "Settings"]


class Operating(Protocol):
    """Every version. `evse` counts from 1; 0 is the station as a whole."""

    async def unlock(self, evse: int, connector: int = 1) -> Answer:
        """Release the plug. `connector` is of 2.x: 1.6 counts its connectors like outlets."""
        ...

    async def reset(self, kind: str = "Soft", *, evse: int | None = None) -> Answer:
        """Restart the station ("Soft" or "Hard"), in 2.x also one EVSE of it.

        Soft lets a 1.6 station end its transactions in order. 2.x has no such words: Soft becomes OnIdle (it waits
        until no transaction runs), Hard becomes Immediate (transactions are ended in order, then it restarts). 2.x
        also takes its own words "OnIdle", "Immediate", and 2.1 "ImmediateAndResume".
        """
        ...

    async def set_availability(self, evse: int, operative: bool, *, connector: int | None = None) -> Answer:
        """Take an outlet (0: the station) into or out of service; "Scheduled" (after a transaction) is accepted."""
        ...

    async def trigger(self, message: str, evse: int | None = None, *, connector: int | None = None) -> Answer:
        """Ask the station to send a message now.

        `message` is the action's name. A message that goes by another name in another version is found:
        SignCertificate, SignChargePointCertificate and SignChargingStationCertificate are the same wish, as are
        DiagnosticsStatusNotification and LogStatusNotification. 2.1 takes any other word as a custom trigger.
        """
        ...


class Settings(Protocol):
    """Every version: keys of 1.6, variables of 2.x.

    2.x names are written `Component.Variable`, `Component[instance].Variable[instance]`, with an outlet
    `EVSE@1.AvailabilityState`, `Connector@1:2.AvailabilityState`, and with another attribute than Actual
    `EVSE@1.Power#MaxSet`: the spelling of `station.config` and `csms.setting`.
    """

    async def get_variable(self, name: str) -> str:
        """Read one setting; "" when it has no value.

        Raises:
            CsmsError: the station does not have it, or does not give it away.
        """
        ...

    async def get_variables(self, names: Sequence[str] | None = None) -> dict[str, str]:
        """Read settings; None reads all (2.x: a full report, waited for). What the station has not is left out."""
        ...

    async def set_variable(self, name: str, value: str) -> Answer:
        """Write a setting, and read it back when the station accepts it."""
        ...

    async def set_variables(self, values: Mapping[str, str]) -> dict[str, Answer]:
        """Write several settings; the answer to each. They go in as few requests as the version and station allow."""
        ...

    async def set_password(self, password: str) -> Answer:
        """Give the station a new password for HTTP Basic authentication (16 to 40 characters; 1.6: 20 bytes as hex).

        1.6 takes the text's bytes as hex digits (the whitepaper's AuthorizationKey) unless it is hex already. Once
        the station accepts it, the back end takes it in place of the old one.
        """
        ...


class Reports(Protocol):
    """2.x: the device model as reports."""

    async def get_report(
        self,
        names: Sequence[str] = (),
        *,
        criteria: Sequence[str] = (),
        base: str | None = None,
    ) -> dict[str, str]:
        """Values of the variables that a report lists, waited for.

        With `base` ("FullInventory", "ConfigurationInventory", "SummaryInventory") the whole; else the components or
        variables in `names` ("EVSE@1", "OCPPCommCtrlr.HeartbeatInterval") that meet one of `criteria` ("Active",
        "Available", "Enabled", "Problem").
        """
        ...


class Raw(Protocol):
    """Every version: whatever has no verb."""

    async def data_transfer(self, vendor: str, message: str | None = None, data: Any = None) -> Answer:
        """Send a vendor's own message; `data` is text in 1.6, any JSON in 2.x."""
        ...

    async def call(
        self, action: str, payload: dict[str, Any], *, timeout_s: float | None = None, validate: bool = True
    ) -> dict[str, Any]:
        """Send any request as it is; `validate=False` also one that breaks its schema. Returns the answer's payload."""
        ...

    async def identify(self) -> None:
        """Ask a station that has not booted who it is."""
        ...

    async def read_back(self) -> None:
        """Read the whole configuration; it goes onto the timeline."""
        ...
