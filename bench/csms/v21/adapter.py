"""Messages of OCPP 2.1 as events of the vocabulary: those of 2.x, event streams, and dynamic charging profiles."""

from __future__ import annotations

from collections.abc import Iterable

from ..dialect import Fact, Payload, Request
from ..v2x.adapter import Adapter2x
from .profiles import DynamicProfiles
from .streams import Streams

__all__ = ["Adapter21"]


class Adapter21(Adapter2x):
    """The adapter of one station of OCPP 2.1.

    It remembers beside the rest which variable each event stream carries, and the accepted charging profiles,
    because an update of one names no more than its number.
    """

    def __init__(self, station: str) -> None:
        super().__init__(station)
        self._streams = Streams(station)
        self._profiles = DynamicProfiles(station)

    def heard(self, action: str, payload: Payload) -> Iterable[Fact]:
        """Facts in a request, or in a message that is not answered (type SEND, N15.FR.01)."""
        yield from super().heard(action, payload)
        yield from self._streams.heard(action, payload)

    def replied(self, action: str, payload: Payload, reply: Payload, notes: Payload) -> Iterable[Fact]:
        """Facts that are in the back end's answer."""
        yield from super().replied(action, payload, reply, notes)
        self._streams.replied(action, payload, reply)
        yield from self._profiles.replied(action, payload, reply)

    def answered(self, action: str, payload: Payload, answer: Payload) -> Iterable[Fact]:
        """What the station's answer to a request of the back end says."""
        yield from super().answered(action, payload, answer)
        self._streams.answered(action, answer)
        accepted, status = self.verdict(action, answer)
        yield from self._profiles.answered(action, payload, accepted, status)

    def describe(self, action: str, payload: Payload) -> Request:
        """The plain arguments of a request; the limit of an update has the unit of the profile it updates."""
        return (
            self._profiles.describe(payload) if action == "UpdateDynamicSchedule" else super().describe(action, payload)
        )

    def offers(self, action: str, payload: Payload, reply: Payload) -> Request | None:
        """The answer to PullDynamicScheduleUpdate carries limits, which the station applies (K28.FR.08)."""
        return self._profiles.describe({**payload, **reply}) if action == "PullDynamicScheduleUpdate" else None

    def boot_facts(self, payload: Payload) -> Iterable[Fact]:
        """A boot: streams are opened anew after it (N11.FR.03)."""
        self._streams.clear()
        yield from super().boot_facts(payload)
