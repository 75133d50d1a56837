"""The schemas of the public `ocpp` package, and the errors that OCPP has for what does not fit them.

They are checked by `jsonschema_rs`, because the library's own check takes 2 to 10 ms for a message of 2.x, and that
long the station would not look at its outlet.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp
from ocpp.exceptions import (
    FormationViolationError,
    FormatViolationError,
    OccurenceConstraintViolationError,
    OccurrenceConstraintViolationError,
    OCPPError,
    PropertyConstraintViolationError,
    TypeConstraintViolationError,
)

__all__ = ["Schemas"]

_OCCURRENCE = frozenset({"required", "minItems", "maxItems"})


class Schemas:
    """The schemas of one version, read when they are first needed."""

    def __init__(self, version: str) -> None:
        self._old = version == "1.6"
        self._folder = Path(str(ocpp.__file__)).parent / f"v{version.replace('.', '')}" / "schemas"
        self._known: dict[str, Any] = {}

    def has(self, action: str) -> bool:
        """Whether the version knows this request."""
        return action.isidentifier() and (self._folder / f"{action}Response.json").is_file()

    def check(self, action: str, payload: object, *, response: bool) -> None:
        """Check a payload.

        Raises:
            OCPPError: it does not fit; the class is the error that OCPP has for it.
        """
        name = action + ("Response" if response else "" if self._old else "Request")
        validator = self._known.get(name)
        if validator is None:
            text = (self._folder / f"{name}.json").read_text("utf-8-sig")
            validator = self._known[name] = jsonschema_rs.validator_for(json.loads(text))
        fault = next(iter(validator.iter_errors(payload)), None)
        if fault is not None:
            path = ".".join(str(part) for part in fault.instance_path)
            raise self._error(str(fault.kind.name))(details={"cause": f"{path or action}: {fault.message[:200]}"})

    def _error(self, keyword: str) -> type[OCPPError]:
        if keyword == "type":
            return TypeConstraintViolationError
        if keyword in _OCCURRENCE:
            return OccurenceConstraintViolationError if self._old else OccurrenceConstraintViolationError
        if keyword == "additionalProperties":
            return FormationViolationError if self._old else FormatViolationError
        return PropertyConstraintViolationError
