"""Requests of the back end to one station: one at a time, each answered, refused, late or lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from ...errors import CsmsError, StationTimeout
from ..timeline import Stamp, Stimulus
from . import rpc
from .asked import AskedFor
from .connection import StationConnection
from .dialect import Adapter, Behaviour, Dialect, Fact, Payload
from .parts import Parent
from .schemas import worst
from .settings import Desk
from .verbs import Answer, CallRefused

__all__ = ["Calls"]

KEEP_LATE = 64


class _Pending(msgspec.Struct):
    message_id: str
    action: str
    payload: Payload
    shown: Payload
    sent: Stamp
    done: asyncio.Future[tuple[rpc.CallResult | rpc.CallError, Stamp]] | None


class Calls:
    """The outgoing half of a link, for one connection. `ask` is the only way to send a request."""

    def __init__(
        self,
        link: Parent,
        desk: Desk,
        dialect: Dialect,
        adapter: Adapter,
        behaviour: Behaviour,
        asked: AskedFor,
        connection: StationConnection,
        new_id: Callable[[], str],
    ) -> None:
        self._link = link
        self._station = link.station
        self._desk = desk
        self._dialect = dialect
        self._adapter = adapter
        self._behaviour = behaviour
        self._asked = asked
        self._connection = connection
        self._new_id = new_id
        self._turn = asyncio.Lock()
        self._pending: _Pending | None = None
        self._late: dict[str, _Pending] = {}

    async def ask(
        self, action: str, payload: Payload, *, timeout_s: float | None = None, validate: bool = True
    ) -> Answer:
        """See `verbs.Caller.ask`. Waits for its turn; the gate is asked directly before the write."""
        text_of = self._checked(action, payload, validate=validate)
        request = self._adapter.describe(action, payload)
        limit_s = self._desk.settings.timeout_s(action) if timeout_s is None else timeout_s
        async with self._turn:
            self._not_rejected(action)
            self._desk.gate.permit(Stimulus("csms", action, {**request.args, **request.bounds}, request.to_safe))
            pending = self._send(action, payload, text_of)
            assert pending.done is not None
            try:
                async with asyncio.timeout(limit_s):
                    message, stamp = await pending.done
            except TimeoutError as exc:
                if pending.done.done() and not pending.done.cancelled() and pending.done.exception() is None:
                    # The answer and the end of the patience came in one turn of the loop.
                    return self._outcome(pending, *pending.done.result())
                self._give_up(pending, f"no answer within {limit_s:g} s")
                raise StationTimeout(
                    f"{self._station} did not answer {action} within {limit_s:g} s; an answer that comes later is "
                    "recorded. See whether the station still sends, or allow more time for this action."
                ) from exc
            except asyncio.CancelledError:
                self._give_up(pending, "given up by the caller")
                raise
            except CsmsError as exc:
                self._told(pending, Stamp.host(time.monotonic_ns()), False, f"no answer: {exc}")
                raise
            finally:
                self._pending = None
        return self._outcome(pending, message, stamp)

    def answer(self, message: rpc.CallResult | rpc.CallError, shown: Payload, stamp: Stamp) -> rpc.Fault | None:
        """Take an answer of the station; returns the fault when it answers nothing that is open."""
        pending = self._pending
        if pending is None or pending.message_id != message.message_id:
            return self._unexpected(message, shown, stamp)
        self._record(pending, message, shown, stamp)
        if isinstance(message, rpc.CallResult):
            self._facts(pending, shown, stamp, late=False)
        if pending.done is not None and not pending.done.done():
            pending.done.set_result((message, stamp))
        return None

    def spoiled(self, message_id: rpc.MessageId, fault: rpc.Fault) -> None:
        """An answer came that cannot be taken: its request fails now and not by its timeout; 2.1 refuses it."""
        pending = self._pending
        if pending is None or pending.message_id != message_id:
            return
        if rpc.CALLRESULTERROR in self._dialect.rules.message_types:
            self._refuse_result(message_id, pending.action, fault.kind, fault.text)
        if pending.done is not None and not pending.done.done():
            why = f"{self._station} answered {pending.action} by what is no answer: {fault.text}."
            pending.done.set_exception(CsmsError(why))

    def lost(self, why: str) -> None:
        """The connection is gone: the open request fails."""
        pending = self._pending
        if pending is not None and pending.done is not None and not pending.done.done():
            pending.done.set_exception(CsmsError(f"{self._station} did not answer {pending.action}: {why}."))

    def check_answer(self, message: rpc.CallResult, stamp: Stamp) -> list[rpc.Fault]:
        """Faults of an answer's payload against the schema of its request; none when the request is not known.

        Where the version has an error for answers (2.1), it is sent.
        """
        pending = self._pending
        if pending is None or pending.message_id != message.message_id:
            pending = self._late.get(str(message.message_id))
        if pending is None or pending.action not in self._dialect.schemas.actions:
            return []
        found = self._dialect.schemas.check(pending.action, "response", message.payload)
        faults = [fault.fault() for fault in found]
        if faults and rpc.CALLRESULTERROR in self._dialect.rules.message_types:
            self._refuse_result(message.message_id, pending.action, worst(found), "; ".join(f.text for f in faults))
        return faults

    def _refuse_result(self, message_id: rpc.MessageId, action: str, kind: rpc.Kind, why: str) -> None:
        code = self._dialect.rules.codes[kind]
        sent = self._connection.send_now(rpc.result_error_text(message_id, code, why))
        if sent is not None:
            data = {"station": self._station, "dir": "tx", "action": action, "message_id": message_id}
            said = {"code": code, "description": self._desk.redactor.text(why[:255]), "of": "result"}
            self._desk.source.emit("ocpp.error", sent, {**data, **said})

    def _not_rejected(self, action: str) -> None:
        """Nothing is sent to a station that was rejected (1.6 section 4.2; 2.x B03.FR.03)."""
        if self._link.registration.status == "Rejected":
            raise CsmsError(
                f"{action} was not sent: the boot of {self._station} was rejected, and until it is accepted a back "
                "end sends nothing. Let it boot again, or write the frame yourself (send_raw)."
            )

    def action_of(self, message_id: rpc.MessageId) -> str | None:
        """The action of a request that is open or was given up."""
        pending = self._pending
        if pending is not None and pending.message_id == message_id:
            return pending.action
        late = self._late.get(str(message_id))
        return late.action if late else None

    def _checked(self, action: str, payload: Payload, *, validate: bool) -> str:
        """The CALL's text without its id, checked; encoding it twice is cheaper than failing half-way."""
        if validate:
            faults = self._dialect.schemas.check(action, "request", payload)
            if faults:
                listed = "; ".join(fault.fault().text for fault in faults)
                raise CsmsError(f"{action} was not sent to {self._station}: its payload does not fit: {listed}.")
        try:
            return rpc.call_text("", action, payload)
        except (TypeError, ValueError, OverflowError, RecursionError) as exc:
            raise CsmsError(f"{action} was not sent to {self._station}: its payload is not JSON: {exc}.") from exc

    def _send(self, action: str, payload: Payload, template: str) -> _Pending:
        message_id = self._new_id()
        text = template.replace('""', f'"{message_id}"', 1)
        sent = self._connection.send_now(text)
        if sent is None:
            raise CsmsError(f"{action} was not sent: {self._station} is not connected. Wait for it (wait_ready).")
        shown_text = self._desk.redactor.text(text)
        shown = payload if shown_text is text else self._desk.redactor.value(payload)
        done: asyncio.Future[tuple[rpc.CallResult | rpc.CallError, Stamp]] = asyncio.get_running_loop().create_future()
        pending = _Pending(message_id, action, payload, shown, sent, done)
        self._pending = pending
        self._behaviour.asks(action, payload)
        data = {"station": self._station, "dir": "tx", "action": action, "message_id": message_id, "payload": shown}
        self._desk.source.emit("ocpp.call", sent, {**data, "asked": False, "send": False})
        return pending

    def _give_up(self, pending: _Pending, why: str) -> None:
        self._late[pending.message_id] = pending
        while len(self._late) > KEEP_LATE:
            self._late.pop(next(iter(self._late)))
        self._told(pending, Stamp.host(time.monotonic_ns()), False, why)

    def _unexpected(self, message: rpc.CallResult | rpc.CallError, shown: Payload, stamp: Stamp) -> rpc.Fault:
        late = self._late.pop(str(message.message_id), None)
        if late is None:
            return rpc.Fault("sequencing", rpc.Kind.GENERIC, f"answer to {message.message_id!r}, which is not open")
        self._record(late, message, shown, stamp)
        if isinstance(message, rpc.CallResult):
            self._facts(late, shown, stamp, late=True)
        waited = f"{_ms(late.sent, stamp):.0f} ms"
        return rpc.Fault("sequencing", rpc.Kind.GENERIC, f"late answer to {late.action}, after {waited}")

    def _record(self, pending: _Pending, message: rpc.CallResult | rpc.CallError, shown: Payload, stamp: Stamp) -> None:
        data: dict[str, Any] = {
            "station": self._station,
            "dir": "rx",
            "action": pending.action,
            "message_id": message.message_id,
        }
        if isinstance(message, rpc.CallResult):
            latency_ms = _ms(pending.sent, stamp)
            self._desk.source.emit(
                "ocpp.result", stamp, {**data, "payload": shown, "latency_ms": latency_ms, "by": None}
            )
            accepted, status = self._adapter.verdict(pending.action, shown)
        else:
            said = {"code": message.code, "description": self._desk.redactor.text(message.description)}
            self._desk.source.emit("ocpp.error", stamp, {**data, **said, "of": "call"})
            self._behaviour.refused(pending.action, pending.payload)
            accepted, status = False, f"CALLERROR {message.code}"
        self._told(pending, stamp, accepted, status)

    def _facts(self, pending: _Pending, shown: Payload, stamp: Stamp, *, late: bool) -> None:
        self._behaviour.answered(pending.action, pending.payload, shown)
        for fact in self._adapter.answered(pending.action, pending.shown, shown):
            extra = {"sent_ns": pending.sent.hi_ns, **({"late": True} if late else {})}
            self._link.publish(Fact(fact.topic, {**fact.data, **extra}, fact.evse), stamp)
        trigger = self._adapter.triggered(pending.action, pending.payload, shown)
        if trigger is not None:
            self._asked.expect(trigger, stamp.hi_ns)

    def _told(self, pending: _Pending, stamp: Stamp, accepted: bool, status: str) -> None:
        request = self._adapter.describe(pending.action, pending.shown)
        data = {
            "station": self._station,
            "verb": pending.action,
            "args": request.args,
            "accepted": accepted,
            "status": status,
            "latency_ms": _ms(pending.sent, stamp),
            "sent_ns": pending.sent.hi_ns,
        }
        self._desk.source.emit("csms.request", stamp, data)

    def _outcome(self, pending: _Pending, message: rpc.CallResult | rpc.CallError, stamp: Stamp) -> Answer:
        if isinstance(message, rpc.CallError):
            raise CallRefused(
                f"{self._station} answered {pending.action} by the error {message.code}: "
                f"{message.description or 'no description'}.",
                code=message.code,
                description=message.description,
            )
        accepted, status = self._adapter.verdict(pending.action, message.payload)
        return Answer(accepted, status, message.payload, _ms(pending.sent, stamp))


def _ms(sent: Stamp, answered: Stamp) -> float:
    return round((answered.hi_ns - sent.lo_ns) / 1e6, 3)
