"""Watch a 2.x station: monitors, event streams, transactions, customer data, displays, tariffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from .answer import Answer
from .charging import Tx

__all__ = ["Displays", "Monitors", "Streams", "Tariffs", "Transactions"]


class Monitors(Protocol):
    """2.x. Names of variables as in `Settings`."""

    async def set_monitor(
        self,
        name: str,
        kind: str,
        value: float,
        *,
        severity: int = 8,
        transaction: bool = False,
        monitor: int | None = None,
    ) -> Answer:
        """Monitor a variable; `monitor` replaces that one. The answer's `request_id` is the monitor's number.

        `kind`: "UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned" (`value` in seconds for
        the periodic ones), 2.1 also "TargetDelta", "TargetDeltaRelative". `severity` 0 (danger) to 9 (debug).
        `transaction`: only while a transaction runs.
        """
        ...

    async def clear_monitor(self, *monitors: int) -> Answer:
        """Remove monitors by their numbers."""
        ...

    async def get_monitors(self, names: Sequence[str] = (), *, criteria: Sequence[str] = ()) -> Answer:
        """Have monitors reported (NotifyMonitoringReport bears the answer's `request_id`); all without arguments.

        `criteria`: "ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring".
        """
        ...

    async def set_monitoring_base(self, base: Literal["All", "FactoryDefault", "HardWiredOnly"]) -> Answer:
        """Activate a set of monitors."""
        ...

    async def set_monitoring_level(self, severity: int) -> Answer:
        """Have only events of this severity or a graver (lower) one sent."""
        ...


class Transactions(Protocol):
    """2.x."""

    async def transaction_status(self, tx: Tx | None = None) -> Answer:
        """Whether a transaction runs and whether messages about it (or at all) wait in the station."""
        ...

    async def customer_information(
        self,
        *,
        report: bool = True,
        clear: bool = False,
        id_token: str | None = None,
        token_type: str = "ISO14443",
        customer: str | None = None,
        certificate: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Have the data of one customer reported (NotifyCustomerInformation), removed, or both.

        The customer is named by a token, an identifier, or the hash data of a certificate.
        """
        ...

    async def update_cost(self, tx: Tx, total: float) -> Answer:
        """Tell the station what a transaction has cost so far, in the currency of its tariff."""
        ...


class Displays(Protocol):
    """2.x."""

    async def show_message(
        self,
        message: int,
        text: str,
        *,
        priority: Literal["AlwaysFront", "InFront", "NormalCycle"] = "NormalCycle",
        state: str | None = None,
        tx: Tx | None = None,
        format: str = "UTF8",  # noqa: A002
        language: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> Answer:
        """Show a text on the station's display; `message` is its number, an existing one is replaced."""
        ...

    async def get_messages(
        self, messages: Sequence[int] = (), *, priority: str | None = None, state: str | None = None
    ) -> Answer:
        """Have the messages that fit reported (NotifyDisplayMessages bears the answer's `request_id`)."""
        ...

    async def clear_message(self, message: int) -> Answer:
        """Remove a message."""
        ...


class Streams(Protocol):
    """2.1: periodic event streams (N11-N15)."""

    async def adjust_stream(self, stream: int, *, interval_s: int | None = None, values: int | None = None) -> Answer:
        """Have a stream sent after so many seconds or so many values, whatever comes first."""
        ...

    async def get_streams(self) -> list[dict[str, Any]]:
        """The streams that are open: `id`, `variableMonitoringId`, `params`."""
        ...


class Tariffs(Protocol):
    """2.1 (I). `tariff` is a TariffType as it goes over the wire."""

    async def set_default_tariff(self, tariff: Mapping[str, Any], *, evse: int = 0) -> Answer:
        """Set the tariff for drivers without one of their own (0: on every EVSE)."""
        ...

    async def get_tariffs(self, evse: int = 0) -> list[dict[str, Any]]:
        """The tariffs a station has: `tariffId`, `tariffKind`, `evseIds`, `idTokens`, as far as given."""
        ...

    async def clear_tariffs(self, tariffs: Sequence[str] = (), *, evse: int | None = None) -> Answer:
        """Remove tariffs by their ids, or all."""
        ...

    async def change_tariff(self, tx: Tx, tariff: Mapping[str, Any]) -> Answer:
        """Give a running transaction another tariff."""
        ...
