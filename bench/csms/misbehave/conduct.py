"""Carries a plan out: what is done with one request of a station, beside or instead of answering it."""

from __future__ import annotations

import asyncio
import inspect
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from ....errors import BenchError
from ...timeline import Stamp
from .. import rpc
from .faults import LinkFaults
from .plan import Plan

__all__ = ["Case", "carry_out"]


class Line(Protocol):
    """What is needed of a station's link; `link.StationLink` documents each member."""

    @property
    def faults(self) -> LinkFaults: ...

    def send_raw(
        self, text: str, *, action: str | None = None, message_id: rpc.MessageId | None = None
    ) -> Stamp | None: ...

    def hang_up(self, code: int, reason: str) -> None: ...

    def task(self, work: Awaitable[None], name: str) -> None: ...


class Case(msgspec.Struct, frozen=True):
    """One request, and what the reception can do about it.

    - `proposed`: what the back end would answer.
    - `fits`: whether a payload fits the schema of the answer.
    - `answer`: answers it properly: taken note of, and told. `permitted`: whether the gate lets a payload pass.
      Both answer by a CALLERROR what it refuses, and return False.
    - `refuse`: answers it by a CALLERROR; `failed`: tells that a handler failed, and answers that.
    - `dropped`: no proper answer will be given. `lost`: nor can one be, tells that the connection is gone.
    - `current`: whether the connection is still the one it came by.
    - `write`: puts a text on the wire; no gate is asked.
    """

    action: str
    message_id: rpc.MessageId
    payload: dict[str, Any]
    proposed: dict[str, Any]
    fits: Callable[[dict[str, Any]], bool]
    answer: Callable[[dict[str, Any]], bool]
    permitted: Callable[[dict[str, Any]], bool]
    refuse: Callable[[str, str], None]
    failed: Callable[[Exception], None]
    dropped: Callable[[], None]
    lost: Callable[[], None]
    current: Callable[[], bool]
    write: Callable[[str], Stamp | None]


def carry_out(plan: Plan, case: Case, line: Line) -> None:
    """Do what the plan says; at once if nothing in it takes time, else in a task beside the reading."""
    if plan.delay_s:
        line.task(_later(plan, case, line), f"script on {case.action}")
        return
    reply = _reply(plan, case, line)
    if inspect.isawaitable(reply):
        line.task(_awaited(plan, case, line, reply), f"script on {case.action}")
    elif reply is not None:
        _act(plan, case, line, reply)


async def _later(plan: Plan, case: Case, line: Line) -> None:
    deeds = line.faults.deeds
    detail = f"for {plan.delay_s:g} s"
    lasting = deeds.tell("delay", detail, action=case.action, message_id=case.message_id, lasts_s=plan.delay_s)
    try:
        await asyncio.sleep(plan.delay_s)
    finally:
        deeds.over(lasting, "over")
    reply = _reply(plan, case, line)
    if inspect.isawaitable(reply):
        await _awaited(plan, case, line, reply)
    elif reply is not None:
        _act(plan, case, line, reply)


async def _awaited(plan: Plan, case: Case, line: Line, reply: Awaitable[dict[str, Any]]) -> None:
    try:
        answer = await reply
    except Exception as exc:  # noqa: BLE001 - a test's handler must not stop the link
        case.failed(exc)
        return
    _act(plan, case, line, answer)


def _reply(plan: Plan, case: Case, line: Line) -> dict[str, Any] | Awaitable[dict[str, Any]] | None:
    """The payload to answer; None when the handler failed, which is told."""
    if not callable(plan.reply):
        return case.proposed if plan.reply is None else plan.reply
    try:
        return plan.reply(line, case.payload, case.proposed)
    except Exception as exc:  # noqa: BLE001 - as above
        case.failed(exc)
        return None


def _act(plan: Plan, case: Case, line: Line, reply: dict[str, Any]) -> None:
    if not case.current():
        # Under its id nobody waits for an answer any more: it came by the connection before.
        case.lost()
        return
    if plan.answers:
        _answer(plan, case, line, reply)
    else:
        if plan.silence:
            _tell(case, line, "silence", "no answer is given")
        case.dropped()
    if plan.close is not None:
        after = "after the answer" if plan.answers else "in place of an answer"
        line.faults.deeds.tell("close", f"code {plan.close}, {after}", action=case.action, message_id=case.message_id)
        line.hang_up(plan.close, "closed by the back end on purpose")
    elif plan.half_open:
        line.faults.half_open()


def _answer(plan: Plan, case: Case, line: Line, reply: dict[str, Any]) -> None:
    if plan.reply is not None:
        # An answer that the schema allows is no misbehaviour, whatever it says.
        odd = not plan.error and not case.fits(reply)
        why = "a scripted answer that does not fit the schema" if odd else "a scripted answer"
        _tell(case, line, "reply", why, excuses=odd)
    if plan.wrong_id and not plan.error and not case.permitted(reply):
        return
    message_id = secrets.token_hex(8) if plan.wrong_id else case.message_id
    if plan.wrong_id:
        _tell(case, line, "wrong-id", f"the answer bears the id {message_id!r}")
    text = rpc.result_text(message_id, reply)
    if plan.error:
        _tell(case, line, "error", f"CALLERROR {plan.error[0]} {plan.error[1]}".rstrip())
        text = rpc.error_text(message_id, *plan.error)
    if plan.malformed is not None:
        text = _spoilt(plan.malformed, case, text)
        try:
            line.send_raw(text, action=case.action, message_id=case.message_id)
        except BenchError as exc:
            case.failed(exc)
            return
        case.dropped()
    elif plan.wrong_id:
        case.dropped()
        case.write(text)
    elif plan.error:
        case.refuse(*plan.error)
    elif not case.answer(reply):
        return
    if plan.duplicate:
        line.faults.deeds.tell("duplicate", "the answer goes out again", action=case.action, message_id=message_id)
        case.write(text)


def _spoilt(malformed: str | bool, case: Case, text: str) -> str:
    if isinstance(malformed, str):
        return malformed.replace("{id}", str(case.message_id))
    return text[: -2 - len(text) // 4]


def _tell(case: Case, line: Line, what: str, detail: str, *, excuses: bool = True) -> None:
    line.faults.deeds.tell(
        what, detail, action=case.action, message_id=case.message_id, only_action=True, excuses=excuses
    )
