"""What a station has said of itself that bounds the signing of its certificates.

2.x: MaxCertificateChainSize, CertSigningWaitMinimum, CertSigningRepeatTimes of SecurityCtrlr (part 2, 2.2.7-2.2.9);
1.6: CertificateSignedMaxChainSize (security whitepaper 7.3). Taken from whatever was read or written for other ends.
"""

from __future__ import annotations

from typing import Any

from ..fields import Payload, member, objects, text

__all__ = ["StationLimits"]

CHAIN_SIZES = ("maxcertificatechainsize", "certificatesignedmaxchainsize")
WAIT = "certsigningwaitminimum"
REPEATS = "certsigningrepeattimes"


class StationLimits:
    """Whole numbers by name; None: the station has not said."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}

    @property
    def chain_size(self) -> int | None:
        """Longest `certificateChain` in characters."""
        return next((self._values[name] for name in CHAIN_SIZES if name in self._values), None)

    @property
    def wait_s(self) -> int | None:
        """Seconds before a request is repeated the first time; each further wait is twice as long (A02.FR.18)."""
        return self._values.get(WAIT)

    @property
    def repeats(self) -> int | None:
        """How often that wait is doubled before the station gives up (A02.FR.19)."""
        return self._values.get(REPEATS)

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """The station answered a request that reads or writes settings."""
        if action == "GetVariables":
            for entry in objects(answer.get("getVariableResult")):
                if entry.get("attributeStatus") == "Accepted":
                    self._variable(entry, entry.get("attributeValue"))
        elif action == "SetVariables":
            wanted = objects(payload.get("setVariableData"))
            for result in objects(answer.get("setVariableResult")):
                same = next((entry for entry in wanted if _place(entry) == _place(result)), None)
                if same is not None and result.get("attributeStatus") == "Accepted":
                    self._variable(same, same.get("attributeValue"))
        elif action == "GetConfiguration":
            for entry in objects(answer.get("configurationKey")):
                self._take(entry.get("key"), entry.get("value"))
        elif action == "ChangeConfiguration" and answer.get("status") == "Accepted":
            self._take(payload.get("key"), payload.get("value"))

    def reported(self, payload: Payload) -> None:
        """A NotifyReport."""
        for entry in objects(payload.get("reportData")):
            for attribute in objects(entry.get("variableAttribute")):
                if attribute.get("type", "Actual") == "Actual":
                    self._variable(entry, attribute.get("value"))

    def _variable(self, entry: Payload, value: Any) -> None:
        component, variable = _place(entry)
        if component == "securityctrlr" and entry.get("attributeType", "Actual") == "Actual":
            self._take(variable, value)

    def _take(self, name: Any, value: Any) -> None:
        name = text(name).casefold()
        if name in (*CHAIN_SIZES, WAIT, REPEATS) and text(value).strip().isdecimal():
            self._values[name] = int(text(value))


def _place(entry: Payload) -> tuple[str, str]:
    names = text(member(entry, "component").get("name")), text(member(entry, "variable").get("name"))
    return names[0].casefold(), names[1].casefold()
