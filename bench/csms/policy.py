"""What the back end does of its own accord, and what it tells a driver; the bench file sets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

__all__ = ["Policy", "TransactionLimit"]


class TransactionLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits of one transaction (2.1 E16), each None for no limit.

    - `max_cost`: in the currency of the tariff, taxes included. `max_energy_wh`, `max_time_s`: since its start.
    - `max_soc_pct`: state of charge, 0 to 100.
    """

    max_cost: float | None = None
    max_energy_wh: float | None = None
    max_time_s: int | None = None
    max_soc_pct: int | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Manners of the back end towards every station.

    - `pending_settings`: settings (name -> value) that are written while a boot is pending (1.6 4.2, B02.FR.01).
    - `pending_trigger`: ask for a new BootNotification once they are written, instead of waiting for the interval.
    - `transaction_limit`: given to each transaction whose token has none of its own (2.1).
    - `price_per_kwh`: with it, the running and the final cost are told (I02, I03); None: no cost is told.
    - `ev_limit_a`: limit of the schedule that is sent when a vehicle tells its needs (K15); None: none is sent.
    - `message`: text for the driver in answers to events of a running transaction (I06); None: none.
    - `resend_profiles`: send profiles of a resumed transaction again (2.1 E17.FR.15).
    - `event_streams`: accept periodic event streams (2.1 N11).
    - `vendors`: vendor -> messages that DataTransfer accepts of it; an empty list accepts every message of the vendor.
    - `vat_companies`: VAT number -> company (fields of AddressType); any other number is refused (2.1 C18).
    - `receipt_url`: `{receipt}` in it stands for the PSP's reference; None: no receipt is offered (2.1 C21.FR.03).
    """

    pending_settings: Mapping[str, str] = {}
    pending_trigger: bool = False
    transaction_limit: TransactionLimit | None = None
    price_per_kwh: float | None = None
    ev_limit_a: float | None = None
    message: str | None = None
    resend_profiles: bool = True
    event_streams: bool = True
    vendors: Mapping[str, Sequence[str]] = {}
    vat_companies: Mapping[str, Mapping[str, str]] = {}
    receipt_url: str | None = None
