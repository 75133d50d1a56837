"""The `ocpp` package behind types: the one place that knows that it has none."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingParameterType=false, reportUnknownParameterType=false

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast

import ocpp.messages
from ocpp.charge_point import remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.exceptions import NotImplementedError as NotImplementedByUs
from ocpp.exceptions import NotSupportedError, OCPPError
from ocpp.routing import after as _after
from ocpp.routing import on as _on
from ocpp.v16 import ChargePoint as _ChargePoint
from ocpp.v16 import call as _call
from ocpp.v16 import call_result as _call_result
from ocpp.v16.enums import Action

__all__ = ["Action", "OCPPError", "Peer16", "after", "call", "call_result", "on"]

# payload classes; as Any, because they declare enums where plain text goes over the wire
call: Any = _call
call_result: Any = _call_result

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def on(action: Action) -> Callable[[_Handler], _Handler]:
    """The method answers this action; it takes the payload's keys in snake_case and returns a `call_result`."""
    return cast("Callable[[_Handler], _Handler]", _on(action))


def after(action: Action) -> Callable[[_Handler], _Handler]:
    """The method runs once the answer to this action has been sent."""
    return cast("Callable[[_Handler], _Handler]", _after(action))


class Peer16(_ChargePoint):
    """`ocpp.v16.ChargePoint` with typed doors."""

    def __init__(self, station_id: str, connection: Any) -> None:
        # validation in place: the hop to a thread takes longer than the check, and shows as a stall
        ocpp.messages.ASYNC_VALIDATION = False
        super().__init__(station_id, connection, response_timeout=30)

    async def request(self, payload: Any) -> Any:
        """Send a CALL and return its answer.

        Raises:
            OCPPError: the answer is a CALLERROR or invalid.
            websockets.ConnectionClosed: the connection is gone.
        """
        return await self.call(payload, suppress=False)

    async def slip_in(self, payload: Any) -> None:
        """Send a CALL without waiting for its turn or its answer, as no station may."""
        values = snake_to_camel_case(remove_nones(serialize_as_dict(payload)))
        await self._send(ocpp.messages.Call(str(uuid.uuid4()), type(payload).__name__, values).to_json())

    async def route(self, raw: str | bytes) -> None:
        """Handle one frame."""
        await self.route_message(raw)

    async def _handle_call(self, msg: Any) -> Any:
        if msg.action in self.route_map:
            return await super()._handle_call(msg)
        # the library imports its OCPP 2.0.1 tables for this; a tenth of a second
        error = NotImplementedByUs if msg.action in {action.value for action in Action} else NotSupportedError
        raise error(details={"cause": f"no handler for {msg.action}"})
