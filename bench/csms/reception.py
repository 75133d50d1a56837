"""The incoming half of a link: requests of the station, checked, answered and told to the timeline."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import SafetyError
from ..timeline import Stamp, Stimulus
from . import rpc
from .asked import AskedFor
from .dialect import Adapter, Behaviour, Dialect, Payload, Request
from .limits import bounds
from .misbehave.conduct import Case, carry_out
from .parts import Parent
from .registration import Registration
from .schemas import SchemaFault, worst
from .service import Asked
from .settings import Desk

__all__ = ["Reception"]

KEEP_IDS = 1000
LONGEST_ID = 255
LEAST_TIMEOUT_NS = 1_000_000_000
"""No station takes a request for timed out sooner."""


class Reception:
    """Answers requests of one station.

    A violation is always recorded. Leniently, a request is still served when nothing it needs is
    missing or of a wrong type; otherwise, or when `strict`, it is answered by a CALLERROR.
    `write` puts a text on the wire and asks no gate; it returns None when there is no connection.
    """

    def __init__(
        self,
        link: Parent,
        registration: Registration,
        desk: Desk,
        dialect: Dialect,
        adapter: Adapter,
        behaviour: Behaviour,
        asked: AskedFor,
        write: Callable[[str], Stamp | None],
    ) -> None:
        self._link = link
        self._write = write
        self._registration = registration
        self._desk = desk
        self._dialect = dialect
        self._adapter = adapter
        self._behaviour = behaviour
        self._asked = asked
        self._ids: dict[rpc.MessageId, int] = {}
        self._in_work: set[rpc.MessageId] = set()
        self._answers: dict[rpc.MessageId, str] = {}
        self._answered_ns = 0
        self._called_ns = 0
        self._round = 0

    def begin(self) -> None:
        """A new connection: message ids start anew, where the version allows that."""
        if not self._dialect.ids_for_ever:
            self._ids.clear()
        self._in_work.clear()
        self._answered_ns = 0
        self._round += 1

    def hear(self, message: rpc.Call, shown: Payload, stamp: Stamp) -> bool:
        """Tell the timeline of a request, before anything is answered; returns whether it was asked for.

        `shown` is its payload without credentials.
        """
        action = message.action
        asked = self._asked.take(action, self._adapter.connector(action, message.payload), stamp.hi_ns)
        data = {
            "station": self._link.station,
            "dir": "rx",
            "action": action,
            "message_id": message.message_id,
            "payload": shown,
            "asked": asked,
            "send": False,
        }
        self._desk.source.emit("ocpp.call", stamp, data)
        return asked

    def hear_send(self, message: rpc.Send, shown: Payload, stamp: Stamp) -> None:
        """Take a message that is never answered, not even when it is unknown or malformed (2.1 part 4, 4.2.4)."""
        action, link = message.action, self._link
        data = {"station": link.station, "dir": "rx", "action": action, "message_id": message.message_id}
        self._desk.source.emit("ocpp.call", stamp, {**data, "payload": shown, "asked": False, "send": True})
        self._new_id(message.message_id, shown, action, stamp)
        if action not in self._dialect.sends:
            known = action in self._dialect.schemas.actions
            kind = rpc.Kind.NOT_SUPPORTED if known else rpc.Kind.NOT_IMPLEMENTED
            why = "wants an answer and cannot come as a SEND" if known else "is not known"
            fault = rpc.Fault("rpc", kind, f"{action[:60]} {why} in OCPP {self._dialect.version}")
            link.violation(fault, stamp, action=action)
            return
        faults = self._dialect.schemas.check(action, "send", message.payload)
        for found in faults:
            link.violation(found.fault(), stamp, action=action)
        if any(found.blocking for found in faults) or (faults and self._strict):
            return
        if self._registration.waiting:
            why = f"{action} before the boot is accepted (it is {self._registration.status})"
            link.violation(rpc.Fault("sequencing", rpc.Kind.SECURITY, why), stamp, action=action)
            return
        for fact in self._adapter.heard(action, shown):
            link.publish(fact, stamp)
        self._behaviour.heard(action, shown, stamp)

    def serve(self, message: rpc.Call, text: str, shown: Payload, stamp: Stamp, asked: bool) -> None:
        """Check a request that was heard, and answer it; `text` is the frame it came in."""
        action, payload, link = message.action, message.payload, self._link
        self._sequence(message, text, shown, stamp)
        refusal = self._refusal(message, stamp, asked=asked)
        if refusal is not None:
            self.refuse(message.message_id, action, refusal.kind, refusal.text, stamp)
            return
        self._registration.heard(action, boot=action == self._dialect.boot, asked=asked, stamp=stamp)
        if action == self._dialect.boot:
            link.identified(self._adapter.identity(payload))
            if not asked:
                self._behaviour.booted()
                for fact in self._adapter.boot_facts(payload):
                    link.publish(fact, stamp)
        for fact in self._adapter.heard(action, shown):
            link.publish(fact, stamp)
        link.clock_claim(action, payload, stamp)
        how = Asked(asked=asked, registered=self._registration.served, stamp=stamp)
        proposal = self._behaviour.propose(action, payload, how)
        plan = self._desk.scripts.take(link.station, action)
        if plan is None:
            self._finish(message, shown, proposal.reply, stamp, asked, by=proposal.by)
            return
        self._in_work.add(message.message_id)
        by = proposal.by if plan.reply is None else "script"
        carry_out(plan, self._case(message, shown, proposal.reply, stamp, asked, by), link)

    def answered_action(self, message_id: rpc.MessageId) -> str | None:
        """The action of a request that was answered under this id; None when there was none of late.

        Kept where an answer can be answered by an error (2.1).
        """
        return self._answers.get(_kept(message_id))

    def refuse(self, message_id: rpc.MessageId, action: str | None, kind: rpc.Kind, text: str, stamp: Stamp) -> None:
        """Answer a request by an error."""
        self._error(message_id, action, self._dialect.rules.codes[kind], text)

    def _error(self, message_id: rpc.MessageId, action: str | None, code: str, text: str) -> None:
        sent = self._write(rpc.error_text(message_id, code, text))
        if sent is None:
            return
        self._answered(message_id, sent)
        data = {"station": self._link.station, "dir": "tx", "action": action, "message_id": message_id}
        said = self._desk.redactor.text(text[:255])
        self._desk.source.emit("ocpp.error", sent, {**data, "code": code, "description": said, "of": "call"})

    @property
    def _strict(self) -> bool:
        return self._desk.settings.is_strict(self._link.station)

    def _sequence(self, message: rpc.Call, text: str, shown: Payload, stamp: Stamp) -> None:
        """Order of requests: one at a time (OCPP-J 1.6 section 4.1.1), each with a new id (4.1.4).

        When a request has timed out is the station's own choice, so only one that comes soon is out of order.
        """
        soon = stamp.lo_ns - self._called_ns < LEAST_TIMEOUT_NS
        if soon and (self._in_work or stamp.hi_ns < self._answered_ns):
            early = rpc.Fault("sequencing", rpc.Kind.GENERIC, "a CALL while the one before it is not answered yet")
            self._link.violation(early, stamp, action=message.action, code="SecondCall")
        if not soon:
            self._in_work.clear()  # they may have timed out, and nothing that follows comes before their answers
        self._called_ns = stamp.hi_ns
        self._new_id(message.message_id, text, message.action, stamp)

    def _new_id(self, message_id: rpc.MessageId, content: object, action: str, stamp: Stamp) -> None:
        """A repeated message may keep its id (1.6 errata sheet 3.1, 2.x part 4 section 4.1.4); another one may not.

        In 2.x an id is used up on every connection of the station, in 1.6 on this one.
        """
        fingerprint = hash(str(content))
        kept = _kept(message_id)
        if self._ids.setdefault(kept, fingerprint) != fingerprint:
            where = "by this station" if self._dialect.ids_for_ever else "on this connection"
            reused = rpc.Fault("sequencing", rpc.Kind.GENERIC, f"message id {message_id!r} was used before {where}")
            self._link.violation(reused, stamp, action=action, code="MessageIdReused")
        if len(self._ids) > KEEP_IDS:
            self._ids.pop(next(iter(self._ids)))

    def _refusal(self, message: rpc.Call, stamp: Stamp, *, asked: bool) -> rpc.Fault | None:
        """Record what is wrong with a request; returns the fault by which it is refused, if it is."""
        action, dialect = message.action, self._dialect
        if action not in dialect.inbound:
            known = action in dialect.schemas.actions
            kind = rpc.Kind.NOT_SUPPORTED if known else rpc.Kind.NOT_IMPLEMENTED
            why = "is not for a station to ask" if known else "is not known"
            fault = rpc.Fault("rpc", kind, f"{action[:60]} {why} in OCPP {dialect.version}")
            self._link.violation(fault, stamp, action=action)
            return fault
        faults = dialect.schemas.check(action, "request", message.payload)
        for found in faults:
            self._link.violation(found.fault(), stamp, action=action)
        if faults and (self._strict or any(self._blocks(action, found) for found in faults)):
            listed = "; ".join(found.fault().text for found in faults)
            return rpc.Fault("schema", worst(faults), listed)
        if self._registration.waiting and action != dialect.boot:
            return self._too_early(action, stamp, asked=asked)
        return None

    def _blocks(self, action: str, found: SchemaFault) -> bool:
        """Whether a lenient back end, too, cannot work with a payload that has this fault."""
        if not found.blocking:
            return False
        return not (found.keyword == "required" and self._dialect.tolerates(action, found))

    def _too_early(self, action: str, stamp: Stamp, *, asked: bool) -> rpc.Fault | None:
        """A request of a station that was told to wait (B02.FR.09: what was asked for is fine; B03.FR.07: it is not).

        1.6 (section 4.2) asks for no refusal; a message of a transaction is answered whatever happens (3.7.1, 4.8).
        """
        status = self._registration.status
        if asked and status == "Pending":
            return None
        fault = rpc.Fault("sequencing", rpc.Kind.SECURITY, f"{action} before the boot is accepted (it is {status})")
        self._link.violation(fault, stamp, action=action)
        if action in self._dialect.always_answered:
            return None
        return fault if self._dialect.waits or self._strict else None

    def _case(self, message: rpc.Call, shown: Payload, proposed: Payload, stamp: Stamp, asked: bool, by: str) -> Case:
        """The request, for a script that shall treat it."""
        action, message_id, begun = message.action, message.message_id, self._round
        return Case(
            action=action,
            message_id=message_id,
            payload=message.payload,
            proposed=proposed,
            fits=lambda reply: not self._dialect.schemas.check(action, "response", reply),
            answer=lambda reply: self._finish(message, shown, reply, stamp, asked, by=by),
            permitted=lambda reply: self._permitted(message, reply, stamp, by),
            refuse=lambda code, text: self._error(message_id, action, code, text),
            failed=lambda exc: self._failed(message, exc, stamp),
            dropped=lambda: self._in_work.discard(message_id),
            lost=lambda: self._not_answered(message, stamp),
            current=lambda: self._round == begun and self._link.connected,
            write=self._write,
        )

    def _finish(self, message: rpc.Call, shown: Payload, reply: Payload, stamp: Stamp, asked: bool, *, by: str) -> bool:
        """Answer; returns whether the gate let it."""
        action, link = message.action, self._link
        if not self._permitted(message, reply, stamp, by):
            return False
        for fault in self._dialect.schemas.check(action, "response", reply):
            link.violation(fault.fault(), stamp, action=action, direction="tx")
        notes = self._behaviour.settle(action, message.payload, reply)
        facts = list(self._adapter.replied(action, shown, reply, notes))
        for fact in facts:
            if not fact.own:
                link.publish(fact, stamp)
        sent = self._write(rpc.result_text(message.message_id, reply))
        if sent is None:
            self._not_answered(message, stamp)
            return True
        self._answered(message.message_id, sent)
        link.faults.deeds.exchanged(action, stamp.hi_ns)
        if rpc.CALLRESULTERROR in self._dialect.rules.message_types:
            self._answers[_kept(message.message_id)] = action
            if len(self._answers) > KEEP_IDS:
                self._answers.pop(next(iter(self._answers)))
        data = {
            "station": link.station,
            "dir": "tx",
            "action": action,
            "message_id": message.message_id,
            "payload": self._desk.redactor.value(reply) if by == "script" else reply,
            "latency_ms": round((sent.hi_ns - stamp.hi_ns) / 1e6, 3),
            "by": by,
        }
        self._desk.source.emit("ocpp.result", sent, data)
        for fact in facts:
            if fact.own:
                link.publish(fact, sent)
        if action == self._dialect.boot:
            self._registration.answered(str(reply.get("status")), asked=asked)
        for work in self._behaviour.follow(action, message.payload, reply):
            link.follow_up(work, action)
        return True

    def _permitted(self, message: rpc.Call, reply: Payload, stamp: Stamp, by: str) -> bool:
        """Whether the gate lets an answer pass; what it refuses is answered by an error.

        A script may put a limit into any answer, whatever its schema says.
        """
        action = message.action
        offered = self._adapter.offers(action, message.payload, reply)
        if offered is None and by == "script" and (found := bounds(reply)):
            offered = Request({}, bounds=found)
        if offered is None:
            return True
        try:
            self._desk.gate.permit(Stimulus("csms", action, {**offered.args, **offered.bounds}, offered.to_safe))
        except SafetyError as exc:
            self._link.trouble(f"the answer to {action}", exc)
            self.refuse(
                message.message_id, action, rpc.Kind.INTERNAL, "the gate of the bench refused the answer", stamp
            )
            return False
        return True

    def _failed(self, message: rpc.Call, exc: Exception, stamp: Stamp) -> None:
        self._link.trouble(f"the handler of {message.action}", exc)
        text = f"the handler failed: {type(exc).__name__}"
        self.refuse(message.message_id, message.action, rpc.Kind.INTERNAL, text, stamp)

    def _not_answered(self, message: rpc.Call, stamp: Stamp) -> None:
        why = rpc.Fault("sequencing", rpc.Kind.GENERIC, "the connection ended before the answer")
        self._link.violation(why, stamp, action=message.action, code="NotAnswered")
        self._in_work.discard(message.message_id)

    def _answered(self, message_id: rpc.MessageId, sent: Stamp) -> None:
        self._in_work.discard(message_id)
        self._answered_ns = sent.lo_ns


def _kept(message_id: rpc.MessageId) -> rpc.MessageId:
    """An id to remember: of one that is far too long its beginning, so that no station fills the memory."""
    return message_id[:LONGEST_ID] if isinstance(message_id, str) else message_id
