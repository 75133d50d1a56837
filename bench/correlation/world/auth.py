"""May current flow? What the bench can tell of authorisation from outside the station.

Yes: the back end accepted a token or the station accepted a remote start (or the station is free).
Ending: within 6 s of a stop, a refused start or the unplug, when IEC 61851-1 sequence 10.2 still lets the
contactor stay closed. No: otherwise, if the configuration was read back and leaves no way to charge without
the back end. Unknown: the configuration was not read, or allows local or offline authorisation and a token
was presented.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

__all__ = ["ENDING_NS", "LOCAL_KEYS", "is_free", "may_authorise_locally", "with_names_of_16"]

ENDING_NS = 6_000_000_000
"""IEC 61851-1:2017 sequence 10.2: the station waits 6 s for the vehicle before it opens under load."""

LOCAL_KEYS = ("LocalPreAuthorize", "LocalAuthorizeOffline", "AllowOfflineTxForUnknownId")
"""OCPP 1.6 section 9 keys that let a station accept a token by itself (the first also while online)."""

NAMES_2X = {
    "AuthCtrlr.LocalPreAuthorize": "LocalPreAuthorize",
    "AuthCtrlr.LocalAuthorizeOffline": "LocalAuthorizeOffline",
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": "AllowOfflineTxForUnknownId",
    "AuthCtrlr.Enabled": "AuthEnabled",
    "AuthCtrlr.DisableRemoteAuthorization": "DisableRemoteAuthorization",
    "TxCtrlr.EVConnectionTimeOut": "ConnectionTimeOut",
    "TxCtrlr.StopTxOnEVSideDisconnect": "StopTransactionOnEVSideDisconnect",
    "TxCtrlr.StopTxOnInvalidId": "StopTransactionOnInvalidId",
    "TxCtrlr.MaxEnergyOnInvalidId": "MaxEnergyOnInvalidId",
}
"""Variable of OCPP 2.x (part 2, referenced components and variables) -> the key of 1.6 that means the same."""

_ASKS_NOBODY = ("DisableRemoteAuthorization",)
_FREE_KEYS = {"freevend", "freevendenabled", "freemode", "freecharging", "freechargemode", "autostart"}
_NEEDED_KEYS = {"authorizationrequired", "authenabled", "requireauthorization"}


def with_names_of_16(values: Mapping[str, str]) -> dict[str, str]:
    """The settings, and those of 2.x under their name in 1.6 too."""
    return {**{NAMES_2X[name]: value for name, value in values.items() if name in NAMES_2X}, **values}


def _true(values: Mapping[str, str], key: str) -> bool:
    return str(values.get(key, "")).strip().lower() in ("true", "1", "yes", "on")


def is_free(values: Mapping[str, str]) -> bool:
    """The configuration says that anybody may charge (vendor keys, by their usual names)."""
    for key, value in values.items():
        text = str(value).strip().lower()
        if key.lower() in _FREE_KEYS and text in ("true", "1", "yes", "on"):
            return True
        if key.lower() in _NEEDED_KEYS and text in ("false", "0", "no", "off"):
            return True
    return False


def may_authorise_locally(values: Mapping[str, str], *, connected: bool, unread: Collection[str] = frozenset()) -> bool:
    """Whether a station with this configuration may accept a presented token without asking.

    While connected: with LocalPreAuthorize, from its list or cache, or if it never asks (2.x:
    DisableRemoteAuthorization). While not: also by the offline keys. A key in `unread`, of which nobody knows
    whether it is set, may be.
    """
    keys = (*LOCAL_KEYS[:1], *_ASKS_NOBODY) if connected else (*LOCAL_KEYS, *_ASKS_NOBODY)
    return any(_true(values, key) or key in unread for key in keys)
