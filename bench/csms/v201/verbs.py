"""Requests to a station of OCPP 2.0.1: what both 2.x versions have, and words of 2.1 that say so."""

from __future__ import annotations

from ..v2x.verbs import Verbs2x
from ..verbs.absent import absent

__all__ = ["Verbs201"]

VENDOR = "a DataTransfer of a vendor may do it (data_transfer)"
TARIFFS = "the back end tells the cost (update_cost)"


class Verbs201(Verbs2x):
    """See `verbs.Verbs`."""

    OCPP_VERSION = "OCPP20"
    """What 2.0.1 calls itself in a network profile (OCPPVersionEnumType)."""

    dynamic_profile = absent("dynamic_profile", "2.0.1", "set another limit (set_limit) when it shall change")
    dynamic_limit = absent("dynamic_limit", "2.0.1", "set another limit (set_limit) with the same profile_id")
    set_point = absent("set_point", "2.0.1", "a limit for charging is all there is (set_limit)")
    priority_charging = absent("priority_charging", "2.0.1", "set a profile with a higher stack level (set_limit)")
    allow_energy_transfer = absent("allow_energy_transfer", "2.0.1", "the vehicle and the station agree on it")
    adjust_stream = absent("adjust_stream", "2.0.1", "use a Periodic monitor (set_monitor)")
    get_streams = absent("get_streams", "2.0.1", "monitors are all there is (get_monitors)")
    set_default_tariff = absent("set_default_tariff", "2.0.1", TARIFFS)
    get_tariffs = absent("get_tariffs", "2.0.1", TARIFFS)
    clear_tariffs = absent("clear_tariffs", "2.0.1", TARIFFS)
    change_tariff = absent("change_tariff", "2.0.1", TARIFFS)
    set_der_control = absent("set_der_control", "2.0.1", VENDOR)
    get_der_controls = absent("get_der_controls", "2.0.1", VENDOR)
    clear_der_control = absent("clear_der_control", "2.0.1", VENDOR)
    afrr_signal = absent("afrr_signal", "2.0.1", VENDOR)
    request_battery_swap = absent("request_battery_swap", "2.0.1", VENDOR)
    web_payment_started = absent("web_payment_started", "2.0.1", VENDOR)
