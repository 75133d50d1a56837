"""The `ocpp` package behind types: the one place that knows that it has none.

Of the library come the frames, the errors, the order of calls and the schemas. Its handlers with renamed keys are not
used: a name like `limit_L2` or one of a vendor does not survive the way there and back.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingParameterType=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any, cast

from ocpp.charge_point import ChargePoint as _ChargePoint
from ocpp.exceptions import NotImplementedError as NotImplementedByUs
from ocpp.exceptions import NotSupportedError, OCPPError, SecurityError, UnknownCallErrorCodeError
from ocpp.messages import Call, CallError, CallResult, MessageType, unpack

from .messages import Answers, Message
from .schemas import Schemas
from .slips import Slips

__all__ = ["OCPPError", "Peer", "SecurityError"]

_ANSWER_S = 30
_SECRET = ("BasicAuthPassword", "AuthorizationKey")
_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


class Peer(_ChargePoint):
    """The OCPP end of one connection.

    Each CALL that comes runs in a task of its own, so that an answer may take its time without keeping others from
    being read.

    Args:
        version: "1.6", "2.0.1" or "2.1".
        answers: who answers what; the rest is answered NotImplemented or NotSupported.
        deaf: True while requests are to be left without an answer (a rejected station of 1.6).
        tell: gets a line for every message, for people.
        slips: changes what is said on its way out.
        answer_delay_s: time between a request and our answer.
    """

    def __init__(
        self,
        station_id: str,
        connection: Any,
        version: str,
        answers: Answers,
        deaf: Callable[[], bool],
        tell: Callable[[str], None] | None = None,
        *,
        slips: Slips | None = None,
        answer_delay_s: float = 0.0,
    ) -> None:
        super().__init__(station_id, connection, response_timeout=_ANSWER_S, logger=_LOG)
        self._schemas = Schemas(version)
        self._version = version
        self._answers = answers
        self._deaf = deaf
        self._tell = tell
        self._slips = slips or Slips()
        self._answer_delay_s = answer_delay_s
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Read until the connection ends.

        Raises:
            websockets.ConnectionClosed: it has ended.
        """
        while True:
            raw = await self._connection.recv()
            if self._version != "1.6" and _kind(raw) is None:
                await self._send(CallError("-1", "RpcFrameworkError", "not a frame of OCPP-J", {}).to_json())
                continue
            try:
                message = unpack(raw)
            except OCPPError as error:
                print(f"station: a frame was not understood: {error!r}"[:300], file=sys.stderr, flush=True)
                continue
            if message.message_type_id != MessageType.Call:
                self._response_queue.put_nowait(message)
            elif not self._deaf():
                task = asyncio.create_task(self._take(cast("Call", message)), name="station.request")
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def request(self, message: Message) -> dict[str, Any]:
        """Send a CALL and return the payload of its answer.

        Raises:
            OCPPError: the answer is a CALLERROR, or one of both payloads does not fit its schema.
            websockets.ConnectionClosed: the connection is gone.
            TimeoutError: no answer came.
        """
        answer: dict[str, Any] = {}
        for number, one in enumerate(self._slips.said(message)):
            if number:
                await asyncio.sleep(self._slips.between_s)
            said = await self._request(one)
            answer = said if one.action == message.action else answer
        return answer

    async def _request(self, message: Message) -> dict[str, Any]:
        call = Call(self._slips.message_id(), message.action, message.payload)
        self._schemas.check(call.action, call.payload, response=False)
        async with self._call_lock:
            self._line("->", call.action, call.payload)
            if self._slips.beside(call.action):
                await self._send_two(call, Call(self._slips.message_id(), "Heartbeat", {}))
            else:
                await self._send(call.to_json())
            answer = await self._get_specific_response(call.unique_id, _ANSWER_S)
        if answer.message_type_id == MessageType.CallError:
            self._line("   refused", call.action, [answer.error_code, answer.error_description])
            try:
                raise answer.to_exception()
            except UnknownCallErrorCodeError as error:
                raise OCPPError(str(answer.error_code), {"cause": str(answer.error_description)}) from error
        self._line("   answer", call.action, answer.payload)
        self._schemas.check(call.action, answer.payload, response=True)
        return cast("dict[str, Any]", answer.payload)

    async def slip_in(self, message: Message) -> None:
        """Send a CALL without waiting for its turn or its answer, as no station may."""
        await self._send(Call(self._slips.message_id(), message.action, message.payload).to_json())

    async def _send_two(self, call: Call, beside: Call) -> None:
        # held back in the kernel until both are written, so that they arrive together
        wire = self._connection.transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        await self._send(call.to_json())
        await self._send(beside.to_json())
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    async def _take(self, call: Call) -> None:
        then = None
        self._line("<-", str(call.action), call.payload)
        try:
            answer = self._answers.get(call.action)
            if answer is None:
                error = NotImplementedByUs if self._schemas.has(str(call.action)) else NotSupportedError
                raise error(details={"cause": f"no handler for {call.action}"})
            self._schemas.check(call.action, call.payload, response=False)
            payload = self._slips.instead(str(call.action))
            if payload is None:
                reply = answer(self._slips.heard(str(call.action), call.payload))
                payload, then = await reply if inspect.isawaitable(reply) else reply
            payload = self._slips.answered(str(call.action), call.payload, payload)
            self._schemas.check(call.action, payload, response=True)
            text = CallResult(call.unique_id, payload).to_json()
        except OCPPError as error:
            text = call.create_call_error(error).to_json()
        except Exception as error:  # noqa: BLE001 - an answer is due, whatever went wrong
            print(f"station: {call.action}: {error!r}", file=sys.stderr, flush=True)
            text = call.create_call_error(error).to_json()
        await asyncio.sleep(self._answer_delay_s)
        self._line("   answered", str(call.action), json.loads(text)[2:])
        await self._send(text)
        if then is not None:
            then()

    def _line(self, sign: str, action: str, payload: Any) -> None:
        if self._tell is not None:
            text = json.dumps(payload, ensure_ascii=False)
            if any(word.lower() in text.lower() for word in _SECRET):
                text = "(with a password, which is not shown)"
            self._tell(f"{sign} {action} {text}")


def _kind(raw: str | bytes) -> Any:
    """The message type of a frame, None when it is no frame."""
    try:
        message: Any = json.loads(raw)
    except ValueError:
        return None
    return cast("list[Any]", message)[0] if isinstance(message, list) and message else None
