"""The link to one station: takes its messages apart, answers them, and sends the back end's requests.

It outlives connections. No version of OCPP is named here; what differs stands in the `Dialect`.
Reading never waits for an answer: texts are handed over in a callback of their own, a handler that
takes time runs as a task, and answers to our own requests are taken in between.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from ...errors import BenchError, CsmsError
from ..timeline import Stamp
from . import rpc
from .asked import AskedFor
from .calls import Calls
from .connection import Received, StationConnection
from .dialect import Adapter, Behaviour, Dialect, Fact, Payload
from .misbehave.deeds import Deeds
from .misbehave.faults import LinkFaults
from .misbehave.raw import stimuli_of
from .reception import Reception
from .registration import Registration
from .service import FollowUp, Service
from .settings import Desk
from .station_clock import StationClock
from .verbs import Answer, Verbs

__all__ = ["StationLink"]

T = TypeVar("T")
S = TypeVar("S", bound=Service)

BATCH = 32
"""Messages worked on before the loop gets its turn again."""


class _Heard(msgspec.Struct, frozen=True, gc=False):
    """A text that was told and waits to be worked on."""

    received: Received
    parsed: rpc.Parsed
    shown: Payload
    asked: bool


class StationLink:
    """One station as the back end sees it.

    `verbs` are the requests it can be asked; `registration` says whether it is served;
    `identity` what it said of itself (vendor, model, serial, firmware).
    """

    def __init__(self, station: str, desk: Desk) -> None:
        self.station = station
        self.identity: dict[str, Any] = desk.state.identity(station)
        self._registration = Registration(self, desk)
        self.dialect: Dialect | None = None
        self._desk = desk
        self._asked = AskedFor()
        self._clock = StationClock()
        self._connection: StationConnection | None = None
        self._calls: Calls | None = None
        self._verbs: Verbs | None = None
        self._adapter: Adapter | None = None
        self._behaviour: Behaviour | None = None
        self._reception: Reception | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._prefix = secrets.token_hex(4)
        self._count = itertools.count(1)
        self._awake = False
        self._heard: list[_Heard] = []
        self._faults = LinkFaults(Deeds(station, desk.source), lambda: self._connection, self.detach)

    # for users

    @property
    def faults(self) -> LinkFaults:
        """Faults of the connection on purpose: reset, silence, half-open, bandwidth, latency."""
        return self._faults

    @property
    def registration(self) -> Registration:
        """Whether the station is served."""
        return self._registration

    @property
    def connected(self) -> bool:
        """Whether a connection is open now."""
        return self._connection is not None and self._connection.is_open

    @property
    def version(self) -> str | None:
        """OCPP version of the last connection; None before the first."""
        return self.dialect.version if self.dialect else None

    @property
    def verbs(self) -> Verbs:
        """Requests to this station.

        Raises:
            CsmsError: it has not connected yet, so its version is not known.
        """
        if self._verbs is None:
            raise CsmsError(f"{self.station} has not connected yet; wait for it (wait_ready) before asking anything.")
        return self._verbs

    async def ask(
        self, action: str, payload: Payload, *, timeout_s: float | None = None, validate: bool = True
    ) -> Answer:
        """Send a request, see `verbs.Caller.ask`."""
        if self._calls is None:
            raise CsmsError(f"{action} was not sent: {self.station} is not connected. Wait for it (wait_ready).")
        return await self._calls.ask(action, payload, timeout_s=timeout_s, validate=validate)

    async def call(self, action: str, payload: Payload, *, timeout_s: float | None = None) -> Payload:
        """Send any request; returns the payload of the answer. See `verbs.Caller.ask` for what it raises."""
        return (await self.ask(action, payload, timeout_s=timeout_s)).payload

    def send_raw(
        self, text: str, *, action: str | None = None, message_id: rpc.MessageId | None = None
    ) -> Stamp | None:
        """Send a text that need not be a message; `action`, `message_id`: in place of the answer to this request.

        The gate is asked for every request that the text may be read as. What the station answers answers nothing.

        Raises:
            SafetyError: the gate refuses it.
            CsmsError: the station is not connected.
        """
        dialect, adapter = self.dialect, self._adapter
        if dialect is None or adapter is None or not self.connected:
            raise CsmsError(f"no raw text was sent: {self.station} is not connected. Wait for it (wait_ready).")
        for stimulus in stimuli_of(text, dialect, adapter.describe):
            self._desk.gate.permit(stimulus)
        shown = self._desk.redactor.text(text)
        self.faults.deeds.tell(
            "malformed", shown[:200], action=action, message_id=message_id, only_action=action is not None
        )
        return self._write(text)

    def hang_up(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        if self._connection is not None:
            self._connection.close_soon(code, reason)

    def service(self, kind: type[S]) -> S:
        """What the back end knows of one subject of this station, e.g. `link.service(DeviceModel)`.

        Raises:
            CsmsError: the station has not connected yet, or its version has no such subject.
        """
        found = self._behaviour.service(kind) if self._behaviour else None
        if found is None:
            why = "has not connected yet" if self.dialect is None else f"speaks OCPP {self.version}, which has none"
            raise CsmsError(f"there is no {kind.__name__} of {self.station}: it {why}.")
        return found

    # for the server

    def attach(self, connection: StationConnection, dialect: Dialect) -> None:
        """Take over a connection; an older one is closed (the newer wins, as the older may be half-open)."""
        old = self._connection
        if old is not None:
            self.violation(
                rpc.Fault("sequencing", rpc.Kind.GENERIC, f"a second connection, from {connection.peer}; it wins"),
                connection.last_stamp,
                code="DuplicateConnection",
            )
            self.detach(old, "replaced by a newer connection")
            old.close_soon(1008, "replaced by a newer connection")
        if self.dialect is None or self.dialect.subprotocol != dialect.subprotocol or self._adapter is None:
            self.dialect, self._adapter = dialect, dialect.adapter(self.station)
            self._behaviour = behaviour = dialect.behaviour(self.station, self._desk)
            self._reception = Reception(
                self, self.registration, self._desk, dialect, self._adapter, behaviour, self._asked, self._write
            )
            self._verbs = dialect.verbs(self)
        self._connection = connection
        assert self._behaviour is not None
        self._calls = Calls(
            self, self._desk, dialect, self._adapter, self._behaviour, self._asked, connection, self._new_id
        )
        assert self._reception is not None
        self._reception.begin()
        self._desk.source.emit(
            "ocpp.connected",
            connection.last_stamp,
            {
                "station": self.station,
                "version": dialect.version,
                "subprotocols": connection.offered,
                "remote": connection.peer,
                **connection.admission.told(dialect.version),
            },
        )
        self._behaviour.connected()
        self.registration.connected()
        self.faults.attached(connection)
        connection.on_text = self._wake
        connection.on_lost = self._lost
        self._wake()

    def detach(self, connection: StationConnection, why: str | None) -> None:
        """The connection is gone, or no longer counts."""
        if connection is not self._connection:
            return
        self._drain(connection)
        if connection is not self._connection:
            return  # a script on one of the last messages has let it go
        self._connection, calls, self._calls = None, self._calls, None
        connection.on_text = None
        reason = why or connection.close_reason or _ended(connection)
        if calls is not None:
            calls.lost(f"the connection ended ({reason})")
        self._asked.forget()
        self.registration.disconnected()
        data = {"station": self.station, "code": connection.close_code, "reason": reason}
        self._desk.source.emit("ocpp.disconnected", Stamp.host(time.monotonic_ns()), data)

    def _lost(self, connection: StationConnection) -> None:
        self.detach(connection, None)

    def end(self) -> None:
        """The back end closes: no task stays behind."""
        self.registration.disconnected()
        for task in tuple(self._tasks):
            task.cancel()

    # for its parts

    @property
    def oldest_waiting_ns(self) -> int | None:
        """Receipt of the oldest text that was not worked on yet."""
        if self._heard:
            return self._heard[0].received.stamp.order_ns
        inbox = self._connection.inbox if self._connection else None
        return inbox[0].stamp.order_ns if inbox else None

    def publish(self, fact: Fact, stamp: Stamp) -> None:
        """Put a fact onto the timeline."""
        self._desk.source.emit(fact.topic, stamp, fact.data, evse=fact.evse)

    def violation(
        self,
        fault: rpc.Fault,
        stamp: Stamp,
        *,
        action: str | None = None,
        code: str | None = None,
        direction: str = "rx",
    ) -> None:
        """Record what is wrong with a message; `direction` tx: with one of our own."""
        names = self.dialect.rules.codes if self.dialect else rpc.CODES_2X
        data = {
            "station": self.station,
            "layer": fault.layer,
            "code": code or names[fault.kind],
            "text": self._desk.redactor.text(fault.text),
            "action": action,
            "dir": direction,
        }
        self._desk.source.emit("ocpp.violation", stamp, data)

    def task(self, work: Awaitable[None], name: str) -> None:
        """Run something beside the reading; its failure is an event."""

        async def guarded() -> None:
            try:
                await work
            except Exception as exc:  # noqa: BLE001 - nobody awaits this task: the timeline is told instead
                self.trouble(name, exc)

        task = asyncio.get_running_loop().create_task(guarded(), name=f"csms {self.station} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def follow_up(self, work: FollowUp, action: str) -> None:
        """Do beside the reading what follows from an answer; a refusal of the station or the gate is an event."""

        async def done() -> None:
            try:
                await work(self)
            except BenchError as exc:
                why = f"{self.station}: what follows {action} was not done: {exc}"
                self._desk.source.note("device.state", {"device": "csms", "state": "ACTIVE", "why": why})

        self.task(done(), f"after {action}")

    def trouble(self, what: str, exc: Exception) -> None:
        """Say that the back end itself failed at something."""
        why = self._desk.redactor.text(f"{self.station}: {what} failed: {type(exc).__name__}: {exc}")
        self._desk.source.note("device.state", {"device": "csms", "state": "DEGRADED", "why": why})

    def identified(self, identity: dict[str, Any]) -> None:
        """The station said who it is."""
        self.identity = identity
        self._desk.state.seen(self.station, identity)

    def clock_claim(self, action: str, payload: Payload, stamp: Stamp) -> None:
        """Compare the time a message claims with its arrival."""
        claim = self._adapter.claim(action, payload) if self._adapter else None
        if claim is None:
            return
        wall_ns = time.time_ns() - time.monotonic_ns()
        before = self._clock.steps
        if self._clock.claim(claim[0], action, stamp.lo_ns, stamp.hi_ns, wall_ns, queued=claim[1]):
            offset = self._clock.offset_s(stamp.hi_ns, wall_ns)
            assert offset is not None
            data = {"station": self.station, "offset_lo_s": round(offset.lo, 4), "offset_hi_s": round(offset.hi, 4)}
            self._desk.source.emit("ocpp.clock", stamp, {**data, "step": self._clock.steps > before})

    def _write(self, text: str) -> Stamp | None:
        """Write a text; None when there is no open connection. Nobody gets this who does not ask the gate himself."""
        return None if self._connection is None else self._connection.send_now(text)

    def _new_id(self) -> str:
        # Unique over every connection of this station, at most 36 characters (OCPP-J 1.6 errata sheet 3.1).
        return f"{self._prefix}-{next(self._count)}"

    def _wake(self) -> None:
        connection = self._connection
        if not self._awake and connection is not None and (connection.inbox or self._heard):
            self._awake = True
            asyncio.get_running_loop().call_soon(self._work, connection)

    def _work(self, connection: StationConnection) -> None:
        self._awake = False
        if connection is self._connection:
            self._drain(connection, BATCH)
        self._wake()

    def _drain(self, connection: StationConnection, most: int | None = None) -> None:
        """Tell everything that has arrived, then work on it: what came before an answer was sent stands before it."""
        while (received := connection.take()) is not None:
            self._guarded(self._hear, received)
        done = 0
        while self._heard and (most is None or done < most):
            done += 1
            self._guarded(self._serve, self._heard.pop(0))

    def _guarded(self, act: Callable[[T], None], item: T) -> None:
        try:
            act(item)
        except Exception as exc:  # noqa: BLE001 - one message must not stop the link; the timeline is told
            self.trouble("a message", exc)

    def _hear(self, received: Received) -> None:
        dialect, reception = self.dialect, self._reception
        assert dialect is not None
        assert reception is not None
        parsed = rpc.parse(received.text, dialect.rules)
        message = parsed.message
        for fault in parsed.faults:
            self.violation(fault, received.stamp, action=parsed.action)
        if parsed.spoiled is not None and self._calls is not None:
            self._calls.spoiled(parsed.spoiled, parsed.faults[-1])
            return
        if isinstance(message, rpc.CallResultError):
            self._result_error(message, received.stamp)
            return
        shown: Payload = {} if message is None or isinstance(message, rpc.CallError) else message.payload
        if received.shown is not received.text:
            shown = self._desk.redactor.value(shown)
        if isinstance(message, (rpc.CallResult, rpc.CallError)):
            # An answer to us may be what makes the next request one that was asked for.
            self._answer(message, shown, received.stamp)
            return
        if isinstance(message, rpc.Send):
            reception.hear_send(message, shown, received.stamp)
            return
        asked = isinstance(message, rpc.Call) and reception.hear(message, shown, received.stamp)
        self._heard.append(_Heard(received, parsed, shown, asked))

    def _serve(self, heard: _Heard) -> None:
        reception = self._reception
        assert reception is not None
        parsed, stamp = heard.parsed, heard.received.stamp
        if isinstance(parsed.message, rpc.Call) and not (parsed.faults and self._desk.settings.is_strict(self.station)):
            reception.serve(parsed.message, heard.received.text, heard.shown, stamp, heard.asked)
            return
        reply_to = parsed.message.message_id if isinstance(parsed.message, rpc.Call) else parsed.reply_to
        if reply_to is not None:
            fault = parsed.faults[-1]
            reception.refuse(reply_to, parsed.action, fault.kind, fault.text, stamp)

    def _answer(self, message: rpc.CallResult | rpc.CallError, shown: Payload, stamp: Stamp) -> None:
        calls = self._calls
        assert calls is not None
        action = calls.action_of(message.message_id)
        if isinstance(message, rpc.CallResult):
            for fault in calls.check_answer(message, stamp):
                self.violation(fault, stamp, action=action)
        fault = calls.answer(message, shown, stamp)
        if fault is not None:
            self.violation(fault, stamp, action=action, code="LateAnswer" if action else "UnknownMessageId")

    def _result_error(self, message: rpc.CallResultError, stamp: Stamp) -> None:
        """The station could not take an answer of ours; this is never answered (2.1 part 4 section 4.2.3)."""
        action = self._reception.answered_action(message.message_id) if self._reception else None
        data = {"station": self.station, "dir": "rx", "action": action, "message_id": message.message_id}
        said = {"code": message.code, "description": self._desk.redactor.text(message.description)}
        self._desk.source.emit("ocpp.error", stamp, {**data, **said, "of": "result"})
        if action is None:
            why = f"an error for an answer to {message.message_id!r}, which was never given"
            self.violation(rpc.Fault("sequencing", rpc.Kind.GENERIC, why), stamp, code="UnknownMessageId")


def _ended(connection: StationConnection) -> str:
    code = connection.close_code
    return "lost without a close frame" if code in (None, 1006) else f"closed by code {code}, no reason given"
