"""What is known of a connection's security when a station is let in."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = ["Admission", "Remark"]


class Remark(msgspec.Struct, frozen=True):
    """Something the specification does not allow, and that was let in all the same."""

    code: str
    text: str


class Admission(msgspec.Struct, frozen=True):
    """How a station came in.

    - `profile`: the security profile it used, 0 to 3. `tls`: version; None on a plain connection.
    - `subject`: of its certificate. `user`: of its Basic credentials; None: it sent none.
    - `form`: how it wrote the password; None: it was not checked. `exact`: it was the password's very text.
    - `remarks`: what was wrong and let pass.
    """

    profile: int = 0
    tls: str | None = None
    subject: str | None = None
    user: str | None = None
    form: Literal["text", "hex", "raw bytes"] | None = None
    exact: bool = False
    remarks: tuple[Remark, ...] = ()

    def told(self, version: str) -> dict[str, Any]:
        """The keys of `ocpp.connected` that say how it came in."""
        return {"auth": self.auth(version), "profile": self.profile, "tls": self.tls, "subject": self.subject}

    def auth(self, version: str) -> str:
        """Its credentials in words: `none`, or `basic, user CP1, password as text`."""
        if self.user is None:
            return "none"
        form = self._form(version)
        return f"basic, user {self.user}" + (", not checked" if form is None else f", password as {form}")

    def complaints(self, version: str) -> tuple[Remark, ...]:
        """The remarks, with what this version has against the form of the password.

        1.6: hexadecimal digits (whitepaper A00.FR.205) and raw bytes (OCPP-J section 6.2.2) are both right, other
        text is not. 2.x: the text, not encoded (part 2, A00.FR.205).
        """
        form = self._form(version)
        if version == "1.6" and form == "text":
            why = "the password is no hexadecimal AuthorizationKey and was sent as text (A00.FR.205)"
        elif version != "1.6" and form in ("hex", "raw bytes"):
            why = f"the password was sent as {form}; OCPP {version} sends the text itself (A00.FR.205)"
        else:
            return self.remarks
        return (*self.remarks, Remark("PasswordForm", why))

    def _form(self, version: str) -> str | None:
        return "text" if self.exact and version != "1.6" else self.form
