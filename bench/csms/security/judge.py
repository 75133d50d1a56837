"""Whether a station may come in: its URL, its Authorization headers and its certificate against what is asked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ..admission import Admission, Remark
from .passwords import Which
from .secret import Match
from .tls import TlsFacts

if TYPE_CHECKING:
    from .guard import Security

__all__ = ["Basic", "Refusal", "basic_of", "judge"]


class Refusal(msgspec.Struct, frozen=True):
    """Not let in. `status`: of HTTP. `user`: as it called itself."""

    status: int
    reason: str
    user: str | None = None


class Basic(msgspec.Struct, frozen=True):
    """Credentials of an Authorization header (RFC 7617). `password` None: they cannot be read."""

    user: str
    password: bytes | None


class _Login(msgspec.Struct, frozen=True):
    """`problem` None: the credentials are right, and `match` and `which` say how and which."""

    problem: str | None
    match: Match | None = None
    which: Which | None = None


def basic_of(headers: Sequence[str], station: str) -> Basic | None:
    """The Basic credentials of a request; None without any.

    The user name must be the station's id (A00.FR.204), so an id with a colon can be told from the password.
    """
    for header in headers:
        scheme, _, coded = header.strip().partition(" ")
        if scheme.lower() != "basic":
            continue
        try:
            pair = base64.b64decode(coded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return Basic("unreadable", None)
        own = station.encode() + b":"
        if pair.startswith(own):
            return Basic(station, pair[len(own) :])
        user, colon, password = pair.partition(b":")
        # Without a colon it may be the password alone.
        return Basic(user.decode("utf-8", "replace"), password) if colon else Basic("unreadable", None)
    return None


def judge(
    security: Security | None,
    station: str,
    tls: TlsFacts | None,
    headers: Sequence[str],
    *,
    required: int = 0,
    serial: str | None = None,
    strict: bool = False,
) -> Admission | Refusal:
    """Let a station in, or say why not.

    - `required`: the least security profile of the port it came to. `serial`: the serial number it booted with before,
      which its certificate may bear as its CN. `strict`: refuse what is otherwise a remark.
    - `security` None: profile 0, nothing is checked.

    One port of a kind serves more than one profile: a plain one 0 and 1, a TLS one 2 and 3; the higher is welcome
    (A00.FR.006 lets a back end choose). A certificate that was shown must be right, whatever the profile.
    """
    basic = basic_of(headers, station)
    user = None if basic is None else basic.user
    version, subject = (None, None) if tls is None else (tls.version, tls.subject)
    if security is None:
        return Admission(tls=version, subject=subject, user=user)
    wrong = None if tls is None else _certificate(security, station, serial, tls)
    if wrong is not None:
        return Refusal(401, wrong, user)
    login = _login(security, station, basic)
    profile = 3 if subject is not None else (1 if tls is None else 2)
    if profile < 3 and login.problem is not None:
        if required > 0 or tls is not None:
            needing = f"security profile {max(required, profile)} needs Basic credentials"
            return Refusal(401, f"{needing}: {login.problem}", user)
        profile = 0
    if profile < required:
        return Refusal(401, f"it comes with security profile {profile}, and {required} is the least here", user)
    remarks = [] if tls is None or tls.weak is None else [Remark("TlsCipher", tls.weak)]
    if login.problem is not None and basic is not None and security.passwords.knows(station):
        remarks.append(Remark("WrongPassword", f"{login.problem}; security profile {profile} does not need it"))
    if login.which == "previous":
        why = "it still uses the password it agreed to change (A01.FR.03)"
        if strict:
            return Refusal(401, why, user)
        remarks.append(Remark("OldPassword", why))
    fallen = security.profiles.complaint(station, profile)
    if fallen is not None:
        if fallen[1] and strict:
            return Refusal(401, fallen[0], user)
        remarks.append(Remark("ProfileLowered", fallen[0]))
    if login.which is not None and basic is not None and basic.password is not None:
        security.passwords.used(station, login.which, basic.password)
    security.profiles.connected(station, profile)
    return Admission(
        profile=profile,
        tls=version,
        subject=subject,
        user=user,
        form=None if login.match is None else login.match.form,
        exact=login.match is not None and login.match.exact,
        remarks=tuple(remarks),
    )


def _certificate(security: Security, station: str, serial: str | None, tls: TlsFacts) -> str | None:
    """What is wrong with the subject of a certificate that was shown; None: nothing, or none was shown."""
    if tls.subject is None:
        return None
    names = security.names_of(station).union([serial] if serial else [])
    if tls.common_name not in names:
        wanted = " or ".join(repr(name) for name in sorted(names))
        return f"the CN of its certificate is {tls.common_name!r} and must be {wanted} (A00.FR.405)"
    owner = security.organisation
    if owner is not None and tls.organisation != owner:
        return f"the O of its certificate is {tls.organisation!r} and must be {owner!r} (A00.FR.404)"
    return None


def _login(security: Security, station: str, basic: Basic | None) -> _Login:
    """Whether the Basic credentials are right."""
    if basic is None:
        return _Login("it sent none")
    if basic.password is None:
        return _Login("its Authorization header cannot be read (Basic, then base64 of user:password)")
    if basic.user != station:
        return _Login(f"the user name is {basic.user!r} and must be the id in the URL, {station!r} (A00.FR.204)")
    if not security.passwords.knows(station):
        return _Login("no password of this station is known here; give it one (`password` in [csms], or --accept)")
    found = security.passwords.check(station, basic.password)
    if found is None:
        changed = security.passwords.is_changed(station)
        return _Login("the password is wrong" + ("; it was changed through OCPP" if changed else ""))
    return _Login(None, *found)
