"""When did the station do what it reports later? Its own clock against the bench's, from events.

`StationTime` keeps the bounds; here stands which events carry a claim, and what certainly caused them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ...timeline import ClockStep, Event, Interval, StationTime

__all__ = ["ClaimClock"]

SENT_SLACK_NS = 10_000_000
"""`sent_ns` of a request is the end of its writing: the station may have had it this much earlier."""


class ClaimClock:
    """The clock of one station. Events are told in canonical order."""

    def __init__(self) -> None:
        self._time = StationTime()
        self._stop_asked: dict[int, Event] = {}
        self._tokens: dict[str, list[Event]] = {}

    @property
    def steps(self) -> Sequence[ClockStep]:
        """The settings of the clock that were noticed, oldest first."""
        return self._time.steps

    def heard(self, event: Event) -> None:
        """A message with a claim arrived."""
        self._time.heard(event.data.get("claim"), event.stamp.hi_ns, event.topic)

    def caused(self, event: Event, cause_ns: int) -> None:
        """What this message claims cannot have happened before `cause_ns` on the bench clock."""
        self._time.caused(event.data.get("claim"), cause_ns, event.stamp.hi_ns, event.topic)

    def token(self, event: Event) -> None:
        """The bench presented a card."""
        args = cast("dict[str, object]", event.data.get("args") or {})
        cards = self._tokens.setdefault(str(args.get("id", "")).casefold(), [])
        if len(cards) < 2:  # of two nobody knows which one it was, nor of more
            cards.append(event)

    def tx_started(self, event: Event, granted: Event | None) -> None:
        """A transaction began: after the remote start (`granted`) of its number, or the request or card of its token.

        Of several cards with one token nobody knows which one it was, so only a single one counts.
        """
        asked = granted if granted is not None and granted.topic == "csms.remote_start" else None
        number = event.data.get("remote_start_id")
        if asked is not None and number is not None and asked.data.get("remote_start_id") == number:
            self.caused(event, _sent_ns(asked))
            return
        tag = str(event.data.get("id_tag", "")).casefold()
        cards = self._tokens.get(tag, [])
        if asked is not None:
            if not cards and str(asked.data.get("id_tag", "")).casefold() == tag:
                self.caused(event, _sent_ns(asked))
        elif len(cards) == 1:
            self.caused(event, cards[0].stamp.lo_ns)

    def stop_asked(self, evse: int, event: Event) -> None:
        """The station accepted a remote stop."""
        self._stop_asked[evse] = event

    def tx_ended(self, evse: int, event: Event) -> None:
        """A transaction ended; if it says that it was asked to, it did so after that."""
        asked = self._stop_asked.get(evse)
        if asked is not None and event.data.get("reason") == "Remote" and asked.data.get("tx") == event.data.get("tx"):
            self.caused(event, _sent_ns(asked))

    def stop_cause_ns(self, evse: int, since_ns: int) -> int | None:
        """When the running transaction was asked to stop, if it was, after `since_ns`."""
        event = self._stop_asked.get(evse)
        return None if event is None or event.stamp.hi_ns < since_ns else _sent_ns(event)

    def when(self, event: Event) -> Interval | None:
        """When, on the bench clock, what the message claims happened; an unknown begin is infinite.

        None where it claims nothing, or what no piece of the clock can have shown.
        """
        return self._time.when(event.data.get("claim"), event.stamp.hi_ns, event.topic)

    def offset(self, at_ns: int) -> Interval | None:
        """The station's clock (since 1970) minus the bench clock at `at_ns`; None before it claimed anything."""
        return self._time.offset(at_ns)


def _sent_ns(answered: Event) -> int:
    """Not later than the station had the request that this event tells the answer of."""
    sent_ns = answered.data.get("sent_ns")
    least = answered.stamp.lo_ns
    return min(least, int(sent_ns) - SENT_SLACK_NS) if isinstance(sent_ns, int) else least
