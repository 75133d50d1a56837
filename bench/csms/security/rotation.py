"""What the back end itself changes of a station's security: its password (A01) and its security profile (A05).

Whatever sends the request (a verb, a raw call), these services see it go out and see the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dialect import Payload
from ..fields import member, objects, text
from ..service import Service
from .guard import Security

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["Rotation2x", "Rotation16", "rotation_2x", "rotation_16"]

TAKEN = {"Accepted", "RebootRequired"}


def rotation_16(station: str, desk: Desk) -> list[Service]:
    """For OCPP 1.6; nothing where the back end has no security to speak of."""
    return [] if desk.security is None else [Rotation16(station, desk, desk.security)]


def rotation_2x(station: str, desk: Desk) -> list[Service]:
    """For OCPP 2.0.1 and 2.1; nothing where the back end has no security to speak of."""
    return [] if desk.security is None else [Rotation2x(station, desk, desk.security)]


class _Rotation(Service):
    def __init__(self, station: str, desk: Desk, security: Security) -> None:
        super().__init__(station, desk)
        self._security = security

    def _proposed(self, password: str) -> None:
        if password:
            self.desk.redactor.learn(password)
            self._security.passwords.propose(self.station, password)

    def _outcome(self, status: str) -> None:
        """What becomes of the password proposed last: anything but an acceptance leaves the old one (A01.FR.04)."""
        if status in TAKEN:
            self._security.passwords.confirm(self.station)
        else:
            self._security.passwords.drop(self.station)

    def _least_profile(self) -> int | None:
        """The profile below which the station must not agree to go; None: it is not known."""
        profiles = self._security.profiles
        known = [each for each in (profiles.announced(self.station), profiles.now(self.station)) if each is not None]
        return max(known, default=None)

    def _agreed(self, profile: int, action: str, *, rule: str, may_fall_to: int | None = None) -> None:
        """The station agreed to a profile; one lower than it has is a violation."""
        least = self._least_profile()
        if least is not None and profile < least and profile != may_fall_to:
            why = f"the station agreed to security profile {profile} and has {least} ({rule})"
            data = {"station": self.station, "layer": "security", "code": "ProfileLowered", "text": why}
            self.desk.source.note("ocpp.violation", {**data, "action": action, "dir": "rx"})
            return
        self._security.profiles.announce(self.station, profile)


class Rotation16(_Rotation):
    """ChangeConfiguration of AuthorizationKey and SecurityProfile (security whitepaper A01, A05)."""

    def asks(self, action: str, payload: Payload) -> None:
        if action == "ChangeConfiguration" and _key(payload) == "authorizationkey":
            self._proposed(text(payload.get("value")))

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        if action != "ChangeConfiguration":
            return
        status = text(answer.get("status"))
        if _key(payload) == "authorizationkey":
            self._outcome(status)
        elif _key(payload) == "securityprofile" and status in TAKEN:
            profile = _profile(payload.get("value"))
            if profile is not None:
                self._agreed(profile, action, rule="A05.FR.01")

    def refused(self, action: str, payload: Payload) -> None:
        if action == "ChangeConfiguration" and _key(payload) == "authorizationkey":
            self._security.passwords.drop(self.station)


class Rotation2x(_Rotation):
    """SetVariables of SecurityCtrlr.BasicAuthPassword (A01), SetNetworkProfile and NetworkConfigurationPriority (A05).

    What profile a slot holds is known of slots that were set since the back end started. A password that belongs to a
    slot is valid until one is used: the station changes to it with the slot.
    """

    def __init__(self, station: str, desk: Desk, security: Security) -> None:
        super().__init__(station, desk, security)
        self._slots: dict[str, int] = {}

    def asks(self, action: str, payload: Payload) -> None:
        if action == "SetVariables":
            for entry in objects(payload.get("setVariableData")):
                if _name(entry)[1] == "basicauthpassword":
                    self._proposed(text(entry.get("attributeValue")))
        elif action == "SetNetworkProfile":
            self._proposed(_slot_password(payload))

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        if action == "SetVariables":
            results = objects(answer.get("setVariableResult"))
            for entry in objects(payload.get("setVariableData")):
                fitting = [result for result in results if _name(result) == _name(entry)]
                self._variable(entry, text(fitting[0].get("attributeStatus")) if fitting else "", action)
        elif action == "SetNetworkProfile":
            slot, profile = (
                text(payload.get("configurationSlot")),
                _profile(member(payload, "connectionData").get("securityProfile")),
            )
            if text(answer.get("status")) == "Accepted":
                if profile is not None:
                    self._slots[slot] = profile
            elif _slot_password(payload):
                self._security.passwords.drop(self.station)

    def refused(self, action: str, payload: Payload) -> None:
        if action == "SetVariables":
            for entry in objects(payload.get("setVariableData")):
                if _name(entry)[1] == "basicauthpassword":
                    self._security.passwords.drop(self.station)
        elif action == "SetNetworkProfile" and _slot_password(payload):
            self._security.passwords.drop(self.station)

    def _variable(self, entry: Payload, status: str, action: str) -> None:
        component, variable, instance = _name(entry)
        if variable == "basicauthpassword":
            if component != "networkconfiguration":
                self._outcome(status)
            elif status not in TAKEN:
                self._security.passwords.drop(self.station)
        elif status in TAKEN and (component, variable) == ("networkconfiguration", "securityprofile"):
            profile = _profile(entry.get("attributeValue"))
            if profile is not None:
                self._slots[instance] = profile
        elif status in TAKEN and variable == "networkconfigurationpriority":
            first = text(entry.get("attributeValue")).partition(",")[0].strip()
            profile = self._slots.get(first)
            if profile is not None:
                # From 3 to 2 is allowed with AllowSecurityProfileDowngrade (A05.FR.08); to 1 it never is.
                fall = 2 if self._least_profile() == 3 else None
                self._agreed(profile, action, rule="A05.FR.09, A05.FR.10", may_fall_to=fall)


def _key(payload: Payload) -> str:
    return text(payload.get("key")).casefold()


def _profile(value: object) -> int | None:
    written = str(value)
    return int(written) if written in ("0", "1", "2", "3") else None


def _slot_password(payload: Payload) -> str:
    return text(member(payload, "connectionData").get("basicAuthPassword"))


def _name(entry: Payload) -> tuple[str, str, str]:
    """Component, variable, and instance of the component; names are case-insensitive (identifierString)."""
    component, variable = member(entry, "component"), member(entry, "variable")
    return (
        text(component.get("name")).casefold(),
        text(variable.get("name")).casefold(),
        text(component.get("instance")),
    )
