"""The timeline: where every observation is published, in order, to whoever subscribed.

All of it happens on the loop of one bench. Reader threads hand over what they stamped with
`call_soon_threadsafe`, a whole block at a time, and never call in here themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from .event import Event
from .stamp import Stamp
from .topics import check_topic

__all__ = ["Source", "Timeline"]

Subscriber = Callable[[Event], None]

_ANYBODY = ("tick", "gap", "source", "stimulus", "device.state", "clock.model", "estop")
"""What every source may say beside what it declares."""

KEEP_NS = 600 * 10**9
KEEP_EVENTS = 1_000_000
LOOK_BACK_NS = 1_000_000_000
"""Sources publish up to so much out of the order of receipt among each other."""


class Source:
    """One origin of events: an instrument, the back end, or the bench itself.

    It keeps its own sequence, refuses to go back in time, and declares how far it has told
    everything it knows (`tick`), or that it may have missed something (`gap`).
    """

    def __init__(self, timeline: Timeline, name: str, rank: int) -> None:
        self.name = name
        self.rank = rank
        self.watermark_ns = 0
        self._timeline = timeline
        self._seq = 0
        self._last_order_ns = 0
        self._promised_ns = 0
        self._lifted_from = self._lifted = Stamp.host(0)
        self._speaks: tuple[str, ...] = ()
        self._allowed: set[str] = set()

    def declare(self, topics: Sequence[str], delay_ns: int) -> None:
        """Say what this source speaks of (beginnings of topics), and how long after a fact it is received at most.

        Whoever reads none of these topics does not wait for this source. What is received later than `delay_ns`
        after it can have happened counts as late. Undeclared, a source may speak of anything, up to a second late.

        Raises:
            ValueError: no topic is named, or the delay is negative.
        """
        if not topics or delay_ns < 0:
            raise ValueError(f"{self.name} declares {list(topics)!r} with a delay of {delay_ns} ns; both must be said")
        self.note("source", {"name": self.name, "rank": self.rank, "topics": list(topics), "delay_ns": delay_ns})
        self._speaks = (*topics, *_ANYBODY)
        self._allowed.clear()

    def emit(
        self,
        topic: str,
        stamp: Stamp,
        data: dict[str, Any],
        *,
        evse: int | None = None,
        raw: str | None = None,
    ) -> Event:
        """Publish one event. Its `order_ns` is raised to the source's last one if it lies before it.

        Raises:
            ValueError: the topic is not in the vocabulary, or none of those that the source declared.
        """
        if topic not in self._allowed:
            self._allow(topic)
        late = stamp.order_ns < self._promised_ns
        last_ns = self._last_order_ns
        if stamp.order_ns < last_ns:
            # One message becomes several events of the same stamp.
            if stamp is not self._lifted_from or self._lifted.order_ns != last_ns:
                self._lifted_from, self._lifted = stamp, _with_order(stamp, last_ns)
            stamp = self._lifted
        else:
            self._last_order_ns = stamp.order_ns
        self._seq += 1
        event = Event(topic, self.name, self._seq, stamp, data, evse, raw, self.rank, late)
        self._timeline.publish(event)
        return event

    def _allow(self, topic: str) -> None:
        """Look at a topic once."""
        check_topic(topic)
        if self._speaks and not topic.startswith(self._speaks):
            raise ValueError(
                f"{self.name} declared that it speaks of {', '.join(self._speaks)}; {topic} is none of them"
            )
        self._allowed.add(topic)

    def note(self, topic: str, data: dict[str, Any], *, evse: int | None = None, raw: str | None = None) -> Event:
        """Publish one event stamped here and now by the host."""
        return self.emit(topic, Stamp.host(time.monotonic_ns()), data, evse=evse, raw=raw)

    def tick(self, upto_ns: int) -> None:
        """Promise that nothing older than `upto_ns` will come from this source.

        The watermark goes up to its last event, if that is later: what is received before that, and told after it, is
        ordered behind it. It breaks no promise, and is not late.
        """
        if upto_ns <= self.watermark_ns:
            return
        self._promised_ns = upto_ns
        upto_ns = max(upto_ns, self._last_order_ns)
        self.emit("tick", Stamp.host(upto_ns), {"upto_ns": upto_ns})
        self.watermark_ns = upto_ns

    def gap(self, from_ns: int, to_ns: int, why: str) -> Event:
        """Say that events between the two instants may be missing, and why."""
        order_ns = max(to_ns, self._last_order_ns)
        return self.emit(
            "gap", Stamp(order_ns, min(from_ns, order_ns), order_ns), {"from_ns": from_ns, "to_ns": to_ns, "why": why}
        )


class Timeline:
    """Ordered record of a bench's events: the last 10 minutes or 10^6 of them in memory.

    Publishing calls every subscriber synchronously; a subscriber that is slow keeps a bounded
    queue of its own.
    """

    def __init__(self, keep_events: int = KEEP_EVENTS) -> None:
        self._events: deque[Event] = deque(maxlen=keep_events)
        self._subscribers: list[Subscriber] = []
        self._sources: dict[str, Source] = {}
        self.dropped = 0
        self.bench = self.source("bench")

    def source(self, name: str) -> Source:
        """The source called `name`, made on first use. Ranks follow the order of birth."""
        known = self._sources.get(name)
        if known is None:
            known = Source(self, name, len(self._sources))
            self._sources[name] = known
            known.note("source", {"name": name, "rank": known.rank})
        return known

    @property
    def sources(self) -> Mapping[str, Source]:
        return self._sources

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call `callback` with every event from now on; returns what ends that."""
        # Never changed in place: an event that is being handed round goes to those who were there when it came.
        self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            left = list(self._subscribers)
            if callback in left:
                left.remove(callback)
                self._subscribers = left

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Take one event and hand it to every subscriber."""
        events = self._events
        if len(events) == events.maxlen:
            self.dropped += 1
        events.append(event)
        horizon = event.stamp.order_ns - KEEP_NS
        while events and events[0].stamp.order_ns < horizon:
            events.popleft()
            self.dropped += 1
        for subscriber in self._subscribers:
            subscriber(event)

    def events(self, topic: str | None = None) -> list[Event]:
        """What is in memory, oldest first, optionally of one topic only."""
        return [event for event in self._events if topic is None or event.topic == topic]

    def around(self, from_ns: int, to_ns: int) -> list[Event]:
        """What is in memory of the time between two receipts, oldest first; looks back from the newest."""
        found: list[Event] = []
        for event in reversed(self._events):
            if event.stamp.order_ns < from_ns - LOOK_BACK_NS:
                break
            if from_ns <= event.stamp.order_ns <= to_ns:
                found.append(event)
        return found[::-1]

    def last(self, topic: str, where: Callable[[Event], bool] | None = None) -> Event | None:
        """The newest event of a topic that satisfies `where`."""
        for event in reversed(self._events):
            if event.topic == topic and (where is None or where(event)):
                return event
        return None

    async def wait_for(
        self,
        topic: str,
        where: Callable[[Event], bool] | None = None,
        *,
        timeout_s: float,
        since_ns: int | None = None,
    ) -> Event:
        """The next event of a topic that satisfies `where`; with `since_ns` also one already there.

        Raises:
            TimeoutError: none came within `timeout_s` seconds.
        """
        check_topic(topic)

        def fits(event: Event) -> bool:
            return event.topic == topic and (where is None or where(event))

        if since_ns is not None:
            for event in self._events:
                if event.stamp.order_ns >= since_ns and fits(event):
                    return event
        found: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

        def look(event: Event) -> None:
            if not found.done() and fits(event):
                found.set_result(event)

        unsubscribe = self.subscribe(look)
        try:
            async with asyncio.timeout(timeout_s):
                return await found
        finally:
            unsubscribe()


def _with_order(stamp: Stamp, order_ns: int) -> Stamp:
    return msgspec.structs.replace(stamp, order_ns=order_ns)
