"""Which requests of the back end need the bench file's leave: groups of actions, and settings that lock a station out.

A station that takes firmware, restarts, or gets other keys may not come back without a person at the device.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, cast, get_args

__all__ = ["GROUPS", "Group", "group_of"]

Group = Literal["firmware", "reset", "security"]
GROUPS: tuple[Group, ...] = get_args(Group)

ACTIONS: dict[str, Group] = {
    "publishfirmware": "firmware",
    "signedupdatefirmware": "firmware",
    "unpublishfirmware": "firmware",
    "updatefirmware": "firmware",
    "reset": "reset",
    "deletecertificate": "security",
    "installcertificate": "security",
    "setnetworkprofile": "security",
}
"""Action in lower case -> group. CertificateSigned is in none: it answers the station's own SignCertificate, and a
station that asked for a certificate and gets none is worse off."""

WRITES = frozenset({"changeconfiguration", "setvariables"})

SETTINGS = frozenset(
    {
        # OCPP 1.6, security whitepaper
        "authorizationkey",
        "additionalrootcertificatecheck",
        "certificatesignedmaxchainsize",
        "certificatestoremaxlength",
        "cponame",
        "securityprofile",
        # OCPP 2.x, components and variables that decide who the station trusts and where it connects
        "allowcsmstlswildcards",
        "allowsecurityprofiledowngrade",
        "basicauthpassword",
        "certificateentries",
        "identity",
        "maxcertificatechainsize",
        "networkconfiguration",
        "networkconfigurationpriority",
        "ocppcsmsurl",
        "organizationname",
        "securityctrlr",
    }
)
"""Keys, variables and components in lower case. Of the component SecurityCtrlr and of NetworkConfiguration (2.1)
every variable counts."""

WORD = re.compile(r"[^\[\]@.#:\s]+")


def group_of(action: str, args: dict[str, Any]) -> Group | None:
    """The group whose leave a request needs; None: none. Names are compared without case.

    A write counts as one of security when any of its settings does. `args["names"]` are the names in it; without them
    every text in `args` is taken for one. A vendor's message that is named like a request needs what that one needs:
    Plug and Charge comes to 1.6 that way (InstallCertificate inside of DataTransfer).
    """
    if action.casefold() == "datatransfer":
        action = str(args.get("messageId"))
    known = ACTIONS.get(action.casefold())
    if known is not None or action.casefold() not in WRITES:
        return known
    return "security" if _words(args.get("names", args)) & SETTINGS else None


def _words(args: object) -> set[str]:
    """Every name in the arguments, taken apart: "SecurityCtrlr.BasicAuthPassword" is two."""
    found: set[str] = set()
    todo = [args]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            found |= {word.casefold() for word in WORD.findall(node)}
        elif isinstance(node, dict):
            table = cast("dict[object, object]", node)
            todo += [*table.keys(), *table.values()]
        elif isinstance(node, (list, tuple)):
            todo += cast("Sequence[object]", node)
    return found
