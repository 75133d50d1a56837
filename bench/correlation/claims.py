"""When did the station do what it reports later? Its own clock against the bench's.

A claim is a time that the station wrote into a message, on a clock of unknown offset
`o` = claim (wall, ns) minus bench clock (ns). What a message claims happened before the message
arrived: o >= claim - arrival. What it claims happened after its cause: o <= claim + resolution - cause.
Both bounds are kept as a running intersection; when they contradict each other the clock was set, and
the estimate begins anew.
"""

from __future__ import annotations

from ..timeline import Event, Interval, parse_claim

__all__ = ["ClaimClock"]


class ClaimClock:
    """Bounds of the offset of one station's clock, in nanoseconds."""

    def __init__(self) -> None:
        self._lo: int | None = None
        self._hi: int | None = None
        self._stop_asked: dict[int, Event] = {}

    def heard(self, event: Event) -> None:
        """A message with a claim arrived."""
        claim = parse_claim(event.data.get("claim"))
        if claim is None:
            return
        least = claim[0] - event.stamp.hi_ns
        if self._hi is not None and least > self._hi:
            self._lo, self._hi = least, None
        elif self._lo is None or least > self._lo:
            self._lo = least

    def caused(self, event: Event, cause_ns: int) -> None:
        """What this message claims cannot have happened before `cause_ns` on the bench clock."""
        claim = parse_claim(event.data.get("claim"))
        if claim is None:
            return
        most = claim[0] + claim[1] - cause_ns
        if self._lo is not None and most < self._lo:
            self._lo, self._hi = None, most
        elif self._hi is None or most < self._hi:
            self._hi = most

    def tx_started(self, event: Event, granted: Event) -> None:
        """A transaction that the back end authorised (`granted`) began after that only if it names the same token.

        The token may have been stamped when it was presented, so nothing is concluded from a local start.
        """
        if granted.topic == "csms.remote_start" and granted.data.get("id_tag") == event.data.get("id_tag"):
            self.caused(event, granted.stamp.lo_ns)

    def stop_asked(self, evse: int, event: Event) -> None:
        """The station accepted a remote stop."""
        self._stop_asked[evse] = event

    def stop_cause_ns(self, evse: int, since_ns: int) -> int | None:
        """When the running transaction was asked to stop, if it was, after `since_ns`."""
        event = self._stop_asked.get(evse)
        return None if event is None or event.stamp.hi_ns < since_ns else event.stamp.lo_ns

    def when(self, event: Event) -> Interval | None:
        """When, on the bench clock, what the message claims happened; unbounded sides are infinite."""
        claim = parse_claim(event.data.get("claim"))
        if claim is None:
            return None
        lo = -float("inf") if self._hi is None else claim[0] - self._hi
        hi = float("inf") if self._lo is None else claim[0] + claim[1] - self._lo
        if lo > hi:
            return None
        return Interval(lo, hi)
