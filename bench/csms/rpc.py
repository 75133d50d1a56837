"""OCPP-J frames: text to message and back, and what is wrong with a text that is none.

Pure: no input or output, no state. Sources: OCPP-J 1.6 sections 4.1-4.2 and its errata sheet,
OCPP-J 2.0.1 / 2.1 part 4 section 4. Nothing here raises on what a station sends: a text is
either a message, perhaps with faults that a lenient receiver can live with, or it is faults only.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

__all__ = [
    "CODES_2X",
    "CODES_16",
    "RULES_16",
    "RULES_21",
    "RULES_201",
    "Call",
    "CallError",
    "CallResult",
    "CallResultError",
    "Fault",
    "Kind",
    "Layer",
    "MessageId",
    "Parsed",
    "RpcRules",
    "Send",
    "call_text",
    "error_text",
    "parse",
    "result_error_text",
    "result_text",
    "send_text",
]

Layer = Literal["frame", "rpc", "schema", "sequencing"]
"""Where a violation lies: the WebSocket frame, the OCPP-J wrapper, the payload's schema, the order of messages."""

MessageId = str | int
"""A message id as it was read. OCPP wants a string; a number is a fault, and is echoed unchanged."""

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6


class Kind(enum.Enum):
    """What is wrong, in words of no particular version."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL = "InternalError"
    PROTOCOL = "ProtocolError"
    SECURITY = "SecurityError"
    FORMATION = "FormatViolation"
    PROPERTY = "PropertyConstraintViolation"
    OCCURRENCE = "OccurrenceConstraintViolation"
    TYPE = "TypeConstraintViolation"
    GENERIC = "GenericError"
    FRAMEWORK = "RpcFrameworkError"
    MESSAGE_TYPE = "MessageTypeNotSupported"


CODES_2X: Mapping[Kind, str] = {kind: kind.value for kind in Kind}
"""Error codes of OCPP 2.0.1 and 2.1 (part 4, table of RPC framework error codes)."""

CODES_16: Mapping[Kind, str] = {
    **CODES_2X,
    Kind.FORMATION: "FormationViolation",
    Kind.OCCURRENCE: "OccurenceConstraintViolation",
    Kind.FRAMEWORK: "FormationViolation",
    Kind.MESSAGE_TYPE: "NotSupported",
}
"""Error codes of OCPP-J 1.6 table 7. Its two odd spellings stand on purpose (errata sheet 5.1 and 5.2: not to be
fixed). 1.6 has no codes for the RPC framework itself; the nearest ones of its table are used."""


class RpcRules(msgspec.Struct, frozen=True):
    """What differs between the OCPP-J versions.

    - `codes`: error name of each kind.
    - `message_types`: the message type numbers this version knows.
    - `unreadable_id`: what stands for an id that could not be read ("-1" in 2.x); None: such a frame is not answered.
    - `max_id_chars`: longest message id (36 in every version).
    - `null_payload`: null may stand for an empty payload (1.6 section 4.2.1).
    """

    codes: Mapping[Kind, str]
    message_types: frozenset[int]
    unreadable_id: str | None = None
    max_id_chars: int = 36
    null_payload: bool = False


RULES_16 = RpcRules(CODES_16, frozenset({CALL, CALLRESULT, CALLERROR}), null_payload=True)


RULES_201 = RpcRules(CODES_2X, frozenset({CALL, CALLRESULT, CALLERROR}), unreadable_id="-1")
"""OCPP-J 2.0.1 (part 4 sections 4.1 and 4.2): message types 5 and 6 are answered MessageTypeNotSupported."""

RULES_21 = RpcRules(CODES_2X, frozenset({CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND}), unreadable_id="-1")
"""OCPP-J 2.1 (part 4 section 4.2) adds the error for an answer, and the message that is never answered."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """A request."""

    message_id: MessageId
    action: str
    payload: dict[str, Any]


class CallResult(msgspec.Struct, frozen=True, gc=False):
    """The answer to a request."""

    message_id: MessageId
    payload: dict[str, Any]


class CallError(msgspec.Struct, frozen=True):
    """A request could not be handled."""

    message_id: MessageId
    code: str
    description: str
    details: dict[str, Any]


class CallResultError(msgspec.Struct, frozen=True):
    """An answer could not be taken (2.1, type 5); it is never answered itself."""

    message_id: MessageId
    code: str
    description: str
    details: dict[str, Any]


class Send(msgspec.Struct, frozen=True, gc=False):
    """A message that is never answered (2.1, type 6)."""

    message_id: MessageId
    action: str
    payload: dict[str, Any]


Message = Call | CallResult | CallError | CallResultError | Send


class Fault(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong with a frame."""

    layer: Layer
    kind: Kind
    text: str


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """What became of a text: a message, or none; and every fault seen on the way.

    `reply_to` is the id under which a CALLERROR may go back when there is no message; None when
    nothing may be answered (the id is unreadable, or the text is an answer itself). `spoiled` is the id of
    a CALLRESULT that could not be taken: its request has been answered, and by nothing.
    """

    message: Message | None
    faults: tuple[Fault, ...] = ()
    reply_to: MessageId | None = None
    action: str | None = None
    spoiled: MessageId | None = None


_UNANSWERED = re.compile(r"\s*\[\s*([3456])\b")
"""The beginning of a message that is never answered, whatever follows."""
_SALVAGE = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\\x00-\x1f]{1,36})"')


def parse(text: str, rules: RpcRules) -> Parsed:
    """Take a text apart. Never raises."""
    try:
        document: Any = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        salvaged, answer = _SALVAGE.match(text), _UNANSWERED.match(text)
        reply_to = salvaged.group(1) if salvaged else rules.unreadable_id
        if answer is not None and int(answer.group(1)) in rules.message_types:
            reply_to = None
        return Parsed(None, (Fault("rpc", Kind.FRAMEWORK, f"not JSON: {exc}"),), reply_to)
    if type(document) is not list or not document:
        return _refused(rules, f"not a JSON array with elements but {_name(document)}")
    frame = cast("list[Any]", document)
    number = frame[0]
    if type(number) is not int or number not in rules.message_types:
        return _refused(rules, f"message type {_short(number)} is not known", Kind.MESSAGE_TYPE, frame)
    faults: list[Fault] = []
    message_id = _message_id(frame, rules, faults)
    if message_id is None:
        return Parsed(None, tuple(faults), rules.unreadable_id if number == CALL else None)
    if number in (CALL, SEND):
        return _call(frame, number, message_id, rules, faults)
    return _answer(frame, number, message_id, rules, faults)


def _message_id(frame: list[Any], rules: RpcRules, faults: list[Fault]) -> MessageId | None:
    """The id of a frame, with the faults of ids that can still be echoed."""
    if len(frame) < 2:
        faults.append(Fault("rpc", Kind.FRAMEWORK, "the frame has no message id"))
        return None
    raw = frame[1]
    if type(raw) is int:
        faults.append(Fault("rpc", Kind.FRAMEWORK, f"message id {_short(raw)} is a number; it must be a string"))
        return raw
    if type(raw) is not str:
        faults.append(Fault("rpc", Kind.FRAMEWORK, f"message id is {_name(raw)}; it must be a string"))
        return None
    if not 1 <= len(raw) <= rules.max_id_chars:
        bound = f"message id has {len(raw)} characters; allowed are 1 to {rules.max_id_chars}"
        faults.append(Fault("rpc", Kind.FRAMEWORK, bound))
    return raw


def _call(frame: list[Any], number: int, message_id: MessageId, rules: RpcRules, faults: list[Fault]) -> Parsed:
    """A CALL or a SEND; they look alike, and only the first is ever answered (2.1 part 4 section 4.2.4)."""
    name, reply_to = ("CALL", message_id) if number == CALL else ("SEND", None)
    action = frame[2] if len(frame) > 2 and type(frame[2]) is str else None
    payload = _payload(frame[3], rules) if len(frame) > 3 else None
    if len(frame) != 4:
        # 2.x part 4 section 4.3: what is no valid CALL at all is RpcFrameworkError; FormatViolation is of a payload.
        faults.append(Fault("rpc", Kind.FRAMEWORK, f"a {name} has 4 elements, this one has {len(frame)}"))
    elif action is None:
        faults.append(Fault("rpc", Kind.FRAMEWORK, f"the action is {_name(frame[2])}; it must be a string"))
    elif payload is None:
        faults.append(Fault("rpc", Kind.FORMATION, f"the payload is {_name(frame[3])}; it must be an object"))
    else:
        message = Call(message_id, action, payload) if number == CALL else Send(message_id, action, payload)
        return Parsed(message, tuple(faults), None, action)
    return Parsed(None, tuple(faults), reply_to, action)


def _answer(frame: list[Any], number: int, message_id: MessageId, rules: RpcRules, faults: list[Fault]) -> Parsed:
    """An answer, or an error; a wrong one is never answered, or two peers could answer each other for ever."""
    if number == CALLRESULT:
        payload = _payload(frame[2], rules) if len(frame) > 2 else None
        if len(frame) != 3:
            faults.append(Fault("rpc", Kind.FORMATION, f"a CALLRESULT has 3 elements, this one has {len(frame)}"))
        elif payload is None:
            faults.append(Fault("rpc", Kind.FORMATION, f"the payload is {_name(frame[2])}; it must be an object"))
        if payload is None:
            return Parsed(None, tuple(faults), spoiled=message_id)
        return Parsed(CallResult(message_id, payload), tuple(faults))
    name, made = ("CALLERROR", CallError) if number == CALLERROR else ("CALLRESULTERROR", CallResultError)
    if len(frame) != 5:
        faults.append(Fault("rpc", Kind.FORMATION, f"a {name} has 5 elements, this one has {len(frame)}"))
    code, description, details = [*frame[2:5], None, None, None][:3]
    if type(code) is not str or code not in rules.codes.values():
        faults.append(Fault("rpc", Kind.FORMATION, f"error code {_short(code)} is not one of this version"))
    shown = cast("dict[str, Any]", details) if type(details) is dict else {}
    return Parsed(made(message_id, str(code), str(description or ""), shown), tuple(faults))


def _payload(value: Any, rules: RpcRules) -> dict[str, Any] | None:
    if type(value) is dict:
        return cast("dict[str, Any]", value)
    return {} if value is None and rules.null_payload else None


def _refused(rules: RpcRules, why: str, kind: Kind = Kind.FRAMEWORK, frame: list[Any] | None = None) -> Parsed:
    """A document that is no message of this version.

    1.6 section 4.1.3: an unknown message type is ignored. 2.x answers it under its id, or "-1".
    """
    fault = Fault("rpc", kind, why)
    if rules.unreadable_id is None:
        return Parsed(None, (fault,))
    own = frame[1] if frame is not None and len(frame) > 1 else None
    return Parsed(None, (fault,), own if type(own) is str else rules.unreadable_id)


def _name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def call_text(message_id: MessageId, action: str, payload: Mapping[str, Any]) -> str:
    """The text of a CALL."""
    return msgspec.json.encode([CALL, message_id, action, payload]).decode()


def result_text(message_id: MessageId, payload: Mapping[str, Any]) -> str:
    """The text of a CALLRESULT."""
    return msgspec.json.encode([CALLRESULT, message_id, payload]).decode()


def error_text(message_id: MessageId, code: str, description: str) -> str:
    """The text of a CALLERROR; the description is cut to 255 characters (part 4 table, kept for 1.6 too)."""
    return msgspec.json.encode([CALLERROR, message_id, code, description[:255], {}]).decode()


def result_error_text(message_id: MessageId, code: str, description: str) -> str:
    """The text of a CALLRESULTERROR (2.1)."""
    return msgspec.json.encode([CALLRESULTERROR, message_id, code, description[:255], {}]).decode()


def send_text(message_id: MessageId, action: str, payload: Mapping[str, Any]) -> str:
    """The text of a SEND (2.1)."""
    return msgspec.json.encode([SEND, message_id, action, payload]).decode()
