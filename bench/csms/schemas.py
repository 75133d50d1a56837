"""The JSON schemas of one OCPP version, and the error codes of what does not fit them.

The schema files are read as data out of the installed `ocpp` package, which is located but not
imported. Each is compiled when it is first needed (0.5 ms) and then costs some microseconds a
payload. `multipleOf 0.1` of the charging limits is decided on the decimal text, so 0.3 fits.
"""

from __future__ import annotations

import difflib
import functools
import importlib.util
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import msgspec

from ...errors import CsmsError
from .redact import Redactor
from .rpc import Fault, Kind

__all__ = ["SchemaFault", "Schemas", "Side"]

Side = Literal["request", "response", "send"]
"""`send`: a message that is never answered (2.1)."""

VERSION_NAMES = {"v16": "OCPP 1.6", "v201": "OCPP 2.0.1", "v21": "OCPP 2.1"}

MOST_FAULTS = 10
"""Faults kept of one payload; a payload of rubbish shall not flood the timeline."""

_KINDS: dict[str, Kind] = {
    "required": Kind.OCCURRENCE,
    "minItems": Kind.OCCURRENCE,
    "maxItems": Kind.OCCURRENCE,
    "minProperties": Kind.OCCURRENCE,
    "maxProperties": Kind.OCCURRENCE,
    "uniqueItems": Kind.OCCURRENCE,
    "type": Kind.TYPE,
    "additionalProperties": Kind.FORMATION,
    "additionalItems": Kind.FORMATION,
    "falseSchema": Kind.FORMATION,
}
"""Schema keyword -> kind; every other keyword (enum, maxLength, format, multipleOf ...) is a value out of bounds."""

_GRAVITY = (Kind.TYPE, Kind.OCCURRENCE, Kind.FORMATION, Kind.PROPERTY)
"""Which kind names a CALLERROR when a payload has several faults."""

_BLOCKING = frozenset({"required", "type", "minItems"})
"""Keywords after which a lenient receiver has nothing to work with."""

_NAMES_ONLY = frozenset({"required", "additionalProperties"})
"""Keywords whose message quotes no value."""


class SchemaFault(msgspec.Struct, frozen=True):
    """One place where a payload does not fit its schema.

    `path` is the place as in `meterValue.0.sampledValue`, "" for the payload itself. `blocking`:
    a value is missing or of another type, so that the message cannot be acted upon. `missing`: members that are not
    there, of the keyword `required`.
    """

    kind: Kind
    path: str
    keyword: str
    text: str
    blocking: bool
    missing: tuple[str, ...] = ()

    def fault(self) -> Fault:
        """The same as a fault of the frame."""
        return Fault("schema", self.kind, f"{self.path or 'payload'}: {self.text}")


class Schemas:
    """Validators of one version, both directions.

    `folder` is the version's folder in the `ocpp` package (`v16`, `v201`, `v21`); `request_suffix`
    ends the names of its request files ("" in 1.6, "Request" in 2.x).

    Raises:
        CsmsError: the package or its schema files are not there.
    """

    def __init__(self, folder: str, request_suffix: str = "") -> None:
        self._root = _schema_root(folder)
        self._suffixes: dict[Side, str] = {"request": request_suffix, "response": "Response", "send": ""}
        self._compiled: dict[tuple[str, Side], jsonschema_rs.Draft4Validator | Any] = {}
        self._parsed: dict[tuple[str, Side], dict[str, Any]] = {}
        self._redactor = Redactor()

    @functools.cached_property
    def actions(self) -> frozenset[str]:
        """Every action that has a response schema."""
        return frozenset(path.stem.removesuffix("Response") for path in self._root.glob("*Response.json"))

    @functools.cached_property
    def sends(self) -> frozenset[str]:
        """Every message that is never answered: its name ends neither in Request nor in Response."""
        if not self._suffixes["request"]:
            return frozenset()
        names = (path.stem for path in self._root.glob("*.json"))
        return frozenset(name for name in names if not name.endswith(("Request", "Response")))

    def schema(self, action: str, side: Side) -> dict[str, Any]:
        """The JSON schema of a message.

        Raises:
            CsmsError: the version has no such action, or its file is not readable.
        """
        found = self._parsed.get((action, side))
        if found is not None:
            return found
        if action not in (self.sends if side == "send" else self.actions):
            known = self.sends if side == "send" else self.actions
            near = difflib.get_close_matches(action, sorted(known), n=1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            version = VERSION_NAMES.get(self._root.parent.name, self._root.parent.name)
            raise CsmsError(f"{version} has no action {action!r}{meant}; check the name, capitals count.")
        path = self._root / f"{action}{self._suffixes[side]}.json"
        try:
            schema: dict[str, Any] = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        except (OSError, msgspec.MsgspecError) as exc:
            raise CsmsError(f"the schema {path.name} cannot be used: {exc}. Reinstall the package `ocpp`.") from exc
        return self._parsed.setdefault((action, side), schema)

    def check(self, action: str, side: Side, payload: object) -> list[SchemaFault]:
        """Every fault of a payload (at most ten); empty when it fits. Never raises on a payload.

        Raises:
            CsmsError: the version has no such action.
        """
        validator = self._compiled.get((action, side)) or self._compile(action, side)
        try:
            if validator.is_valid(payload):
                return []
            faults: list[SchemaFault] = []
            for error in validator.iter_errors(payload):
                keyword = error.kind.name
                path = ".".join(str(part) for part in error.instance_path)
                kind = _KINDS.get(keyword, Kind.PROPERTY)
                missing = (_missing(error.kind),) if keyword == "required" else ()
                text = error.message[:300]
                if keyword not in _NAMES_ONLY and self._holds_credentials(payload):
                    text = f"does not fit {keyword!r}; it is not shown, as the message holds credentials"
                faults.append(SchemaFault(kind, path, keyword, text, keyword in _BLOCKING, missing))
                if len(faults) == MOST_FAULTS:
                    break
            return faults
        except (ValueError, OverflowError, RecursionError) as exc:
            return [SchemaFault(Kind.TYPE, "", "unreadable", f"cannot be checked: {exc}", True)]

    def _holds_credentials(self, payload: object) -> bool:
        try:
            return self._redactor.value(payload) != payload
        except RecursionError:
            return True

    def compile_all(self) -> int:
        """Compile every schema now; returns how many there are."""
        for action in sorted(self.actions):
            self._compile(action, "request")
            self._compile(action, "response")
        for action in sorted(self.sends):
            self._compile(action, "send")
        return len(self._compiled)

    def _compile(self, action: str, side: Side) -> Any:
        try:
            validator = jsonschema_rs.validator_for(self.schema(action, side), validate_formats=True)
        except ValueError as exc:
            why = f"the schema of {action} ({side}) cannot be used: {exc}. Reinstall the package `ocpp`."
            raise CsmsError(why) from exc
        self._compiled[action, side] = validator
        return validator


def _missing(kind: Any) -> str:
    """The member that the keyword `required` misses; the library's stubs do not know where it tells it."""
    return str(kind.property)


def worst(faults: list[SchemaFault]) -> Kind:
    """The kind that names the CALLERROR of these faults."""
    return min((fault.kind for fault in faults), key=_GRAVITY.index)


def _schema_root(folder: str) -> Path:
    spec = importlib.util.find_spec("ocpp")
    for place in (spec.submodule_search_locations or []) if spec else []:
        root = Path(place) / folder / "schemas"
        if root.is_dir():
            return root
    raise CsmsError(
        f"the schema files ocpp/{folder}/schemas were looked for and are not installed; `pip install ocpp` brings them."
    )
