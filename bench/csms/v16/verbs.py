"""Requests to a station of OCPP 1.6 (chapter 5, and the security whitepaper)."""

from __future__ import annotations

from typing import Any

from ..dialect import Payload
from ..verbs import Answer, Caller
from ..verbs.absent import absent
from ..verbs.wire import given, request_ids
from .verbs_access import Access16
from .verbs_charging import Charging16
from .verbs_operating import Operating16
from .verbs_settings import Settings16
from .verbs_upkeep import Upkeep16

__all__ = ["Verbs16"]

MONITORS = "read the value now and then (get_variable), or take what MeterValues and StatusNotification say"
PROFILES = "composite_schedule says what all profiles together come to"
VENDOR = "a DataTransfer of a vendor may do it (data_transfer)"


class _Absent:
    """What came with 2.0.1 or 2.1."""

    get_profiles = absent("get_profiles", "1.6", PROFILES)
    dynamic_profile = absent("dynamic_profile", "1.6", "set another limit (set_limit) when it shall change")
    dynamic_limit = absent("dynamic_limit", "1.6", "set another limit (set_limit) with the same profile_id")
    set_point = absent("set_point", "1.6", "a limit for charging is all there is (set_limit)")
    priority_charging = absent("priority_charging", "1.6", "set a profile with a higher stack level (set_limit)")
    allow_energy_transfer = absent("allow_energy_transfer", "1.6", "it has no ISO 15118 modes")
    get_report = absent("get_report", "1.6", "get_variables() reads all keys")
    publish_firmware = absent("publish_firmware", "1.6", "use update_firmware for each station")
    unpublish_firmware = absent("unpublish_firmware", "1.6", "nothing was published")
    set_network_profile = absent("set_network_profile", "1.6", "a key of the vendor may do it (set_variable)")
    set_monitor = absent("set_monitor", "1.6", MONITORS)
    clear_monitor = absent("clear_monitor", "1.6", "there are no monitors")
    get_monitors = absent("get_monitors", "1.6", "there are no monitors")
    set_monitoring_base = absent("set_monitoring_base", "1.6", "there are no monitors")
    set_monitoring_level = absent("set_monitoring_level", "1.6", "there are no monitors")
    transaction_status = absent("transaction_status", "1.6", 'trigger("StatusNotification") tells of the outlet')
    customer_information = absent("customer_information", "1.6", "take a token off by send_local_list or clear_cache")
    update_cost = absent("update_cost", "1.6", VENDOR)
    show_message = absent("show_message", "1.6", VENDOR)
    get_messages = absent("get_messages", "1.6", VENDOR)
    clear_message = absent("clear_message", "1.6", VENDOR)
    adjust_stream = absent("adjust_stream", "1.6", "set MeterValueSampleInterval (set_variable)")
    get_streams = absent("get_streams", "1.6", "there are no event streams")
    set_default_tariff = absent("set_default_tariff", "1.6", VENDOR)
    get_tariffs = absent("get_tariffs", "1.6", VENDOR)
    clear_tariffs = absent("clear_tariffs", "1.6", VENDOR)
    change_tariff = absent("change_tariff", "1.6", VENDOR)
    set_der_control = absent("set_der_control", "1.6", VENDOR)
    get_der_controls = absent("get_der_controls", "1.6", VENDOR)
    clear_der_control = absent("clear_der_control", "1.6", VENDOR)
    afrr_signal = absent("afrr_signal", "1.6", VENDOR)
    request_battery_swap = absent("request_battery_swap", "1.6", VENDOR)
    web_payment_started = absent("web_payment_started", "1.6", VENDOR)


class Verbs16(Charging16, Operating16, Settings16, Upkeep16, Access16, _Absent):
    """See `verbs.Verbs`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._ids = request_ids()
        self._most_keys: int | None = None

    async def data_transfer(self, vendor: str, message: str | None = None, data: Any = None) -> Answer:
        """DataTransfer (section 5.6); `data` is text."""
        return await self._caller.ask("DataTransfer", given({"vendorId": vendor, "messageId": message, "data": data}))

    async def call(
        self, action: str, payload: Payload, *, timeout_s: float | None = None, validate: bool = True
    ) -> Payload:
        """Any request as it is."""
        return (await self._caller.ask(action, payload, timeout_s=timeout_s, validate=validate)).payload

    async def identify(self) -> None:
        """A triggered BootNotification tells vendor and model (section 5.17)."""
        await self.trigger("BootNotification")

    async def read_back(self) -> None:
        """All keys at once (section 5.8: an empty list means all)."""
        await self.get_variables()
