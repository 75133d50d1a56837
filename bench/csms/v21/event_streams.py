"""Periodic event streams of OCPP 2.1 (N11-N15): opened and closed by the station, values in messages without answer."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ...timeline import Stamp
from ..checks import breach
from ..dialect import Payload
from ..fields import integer, member, objects
from ..measured import decimal_text
from ..service import Answers, Asked, Service
from ..settings import Desk

__all__ = ["EventStream", "EventStreams"]

MESSAGE = "NotifyPeriodicEventStream"


class EventStream(msgspec.Struct):
    """One stream. `interval_s`, `values_each`: its parameters, None where not given.

    - `messages`, `values`: how many came. `pending`: what its last message left waiting in the station.
    - `rising`: messages in a row after which more waited than before (N15.FR.05).
    - `unordered`: messages whose values are not in the order of their times, which nothing forbids.
    """

    number: int
    monitor: int | None
    interval_s: int | None
    values_each: int | None
    open: bool = True
    messages: int = 0
    values: int = 0
    pending: int = 0
    rising: int = 0
    unordered: int = 0


class EventStreams(Service):
    """The streams of one station, by their id. `unknown`: messages of streams that were never opened here."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.streams: dict[int, EventStream] = {}
        self.unknown = 0

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"OpenPeriodicEventStream": self._opened, "ClosePeriodicEventStream": lambda _, __: {}}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """A stream that was accepted (N11.FR.06), or that is no longer used (N13.FR.02)."""
        if action == "OpenPeriodicEventStream" and reply.get("status") == "Accepted":
            stream = member(payload, "constantStreamData")
            number = integer(stream.get("id"))
            if number is not None:
                monitor, wanted = integer(stream.get("variableMonitoringId")), member(stream, "params")
                rate = integer(wanted.get("interval")), integer(wanted.get("values"))
                self.streams[number] = EventStream(number, monitor, *rate)
        elif action == "ClosePeriodicEventStream":
            known = self.streams.get(integer(payload.get("id")) or 0)
            if known is not None:
                known.open = False
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Take parameters that the station has agreed to, and streams that it lists."""
        if action == "AdjustPeriodicEventStream" and answer.get("status") == "Accepted":
            self._adjusted(integer(payload.get("id")), member(payload, "params"))
        elif action == "GetPeriodicEventStream":
            for stream in objects(answer.get("constantStreamData")):
                self._adjusted(integer(stream.get("id")), member(stream, "params"))

    def heard(self, action: str, payload: Payload, stamp: Stamp) -> None:
        """Values of a stream. Nothing is answered (N15.FR.02), so what is wrong is recorded and no more."""
        if action != MESSAGE:
            return
        number = integer(payload.get("id"))
        known = None if number is None else self.streams.get(number)
        if known is None:
            # It may have been opened while another back end listened.
            self.unknown += 1
            return
        if not known.open:
            self._breach("ClosedStream", f"values of stream {number}, which the station has closed", "N13.FR.01", stamp)
        self._count(known, payload, stamp)

    def booted(self) -> None:
        """Streams are opened anew after a boot (N11.FR.03)."""
        self.streams.clear()

    def _opened(self, payload: Payload, how: Asked) -> Payload:
        # N11.FR.05, .06.
        return {"status": "Accepted" if self.desk.settings.policy.event_streams else "Rejected"}

    def _adjusted(self, number: int | None, wanted: Payload) -> None:
        known = None if number is None else self.streams.get(number)
        if known is not None:
            known.interval_s = integer(wanted.get("interval"))
            known.values_each = integer(wanted.get("values"))

    def _count(self, known: EventStream, payload: Payload, stamp: Stamp) -> None:
        offsets = [decimal_text(element.get("t")) for element in objects(payload.get("data"))]
        times = [Decimal(text) for text in offsets if text is not None]
        if times and times[0] != 0:
            why = f"the first value of stream {known.number} is {times[0]} s from the message's own time, and not at it"
            self._breach("StreamOffset", why, "N15.FR.09", stamp)
        if known.interval_s and known.values_each and len(offsets) > known.values_each:
            why = f"{len(offsets)} values of stream {known.number} at once, agreed are {known.values_each}"
            self._breach("StreamTooLong", why, "N15.FR.07", stamp)
        pending = integer(payload.get("pending")) or 0
        known.rising = known.rising + 1 if pending > known.pending else 0
        known.pending = pending
        known.messages += 1
        known.values += len(offsets)
        known.unordered += times != sorted(times)

    def _breach(self, code: str, why: str, ref: str, stamp: Stamp) -> None:
        breach(self.desk, self.station, MESSAGE, code, why, ref, stamp)
