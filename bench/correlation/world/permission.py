"""The track `auth`: may current flow, outlet by outlet, as events come in.

The words that it has and why are those of `auth`.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from ...timeline import Event, Stamp
from ..facts import Facts
from .auth import ENDING_NS, LOCAL_KEYS, is_free, may_authorise_locally, with_names_of_16
from .mark import Mark, between, shifted
from .track import Change, Track

__all__ = ["Permission"]

NOT_READ = "the configuration was not read"
PLUGGED_BEFORE = "the vehicle was plugged in before the record began"
LAPSE_SHARE = 0.1
"""What the station may take longer than its ConnectionTimeOut, as a share of it (nothing is written of that)."""


class _Tracks(Protocol):
    def __call__(self, signal: str, evse: int) -> Track: ...


class _Setter(Protocol):
    def __call__(
        self, signal: str, evse: int, value: object, event: Event, *, at: Mark | None = None, why: str = ""
    ) -> None: ...


class Permission:
    """Follows the permissions of all outlets of a station.

    It reads the world through `track` and writes through `put`, so that its changes are edges like all others.
    """

    def __init__(self, facts: Facts, track: _Tracks, put: _Setter) -> None:
        self.config: dict[str, str] | None = None
        self._changed: dict[str, str | None] = {}
        """Settings that were changed since: the value in force, None where a reboot may not have come yet."""
        self._lacks: frozenset[str] = frozenset()
        self._complete = False
        self._facts = facts
        self._track = track
        self._put = put
        if facts.authorisation == "free":
            for evse in facts.evses:
                track("auth", evse).push(Change(Mark(Stamp(0, 0, 0)), "yes"))

    def configured(self, event: Event, *, booted: bool) -> None:
        """The configuration was read back: the first time it tells what holds while nobody authorised.

        `booted`: a boot of the station was seen or it was attached to. Later readings change nothing of what
        is not known for another reason.
        """
        told = {str(k): str(v) for k, v in cast("dict[str, Any]", event.data["values"]).items()}
        before, self.config = self.config or {}, with_names_of_16(told)
        for key in [key for key in self._changed if key in self.config]:
            now = self.config[key]
            if now == self._changed[key] or now != before.get(key):
                del self._changed[key]
            else:  # perhaps it was only told again as it was read before the change
                self._changed[key] = None
        lacks = {str(key): "" for key in cast("list[Any]", event.data.get("unknown") or [])}
        self._lacks = frozenset(with_names_of_16(lacks))
        self._complete = self._complete or bool(event.data.get("complete"))
        for evse in self._facts.evses:
            last = self._track("auth", evse).last
            if self._nobody() == "yes":
                self._begin_free(evse, event)
            elif last is None or (last.value is None and last.why == NOT_READ):
                pilot = self._track("cp.state", evse).changes
                seen_free = any(change.value == "A" for change in pilot) if pilot else booted
                self._put("auth", evse, "no" if seen_free else None, event, why="" if seen_free else PLUGGED_BEFORE)

    def changed(self, key: str, value: str | None) -> None:
        """A setting was changed; None: with the next reboot."""
        self._changed.update(dict.fromkeys(with_names_of_16({key: ""}), value))

    def answered(self, evse: int, event: Event) -> None:
        """The back end answered for a token: at Authorize, at the start of a transaction, or by its remote start."""
        if event.data.get("accepted"):
            self.begins(evse, event)
        elif event.data.get("how") == "start":
            values = self.config or {}
            stops = str(values.get("StopTransactionOnInvalidId", "")).lower() == "true"
            if stops and values.get("MaxEnergyOnInvalidId", "0") in ("", "0"):
                self.ends(evse, event)
            else:
                self._put("auth", evse, None, event, why="a refused id may go on for a while here")
        elif self._refuses_grant(evse, event):
            self.ends(evse, event)

    def _refuses_grant(self, evse: int, event: Event) -> bool:
        """The token that was let in (by a remote start) is refused before a transaction runs on it."""
        granted = self._track("auth", evse).last
        if granted is None or granted.value != "yes" or granted.event is None:
            return False
        same = granted.event.data.get("id_tag") == event.data.get("id_tag")
        return same and self._track("tx", evse).value is not True

    def begins(self, evse: int, event: Event) -> None:
        """Somebody is let in."""
        self._drop_pending(evse, event)
        self._put("auth", evse, "yes", event)

    def ends(self, evse: int, event: Event) -> None:
        """What was granted (or may have been) is over; the contactor may still take its time."""
        value = self._track("auth", evse).value
        if value == "no" or not self._track("auth", evse).changes or self._nobody() == "yes":
            return
        if value is None and self.config is None:
            return
        self._put("auth", evse, "ending", event)
        why = "" if self.config is not None else NOT_READ
        self._put("auth", evse, self._nobody(), event, at=shifted(Mark.of(event), ENDING_NS), why=why)

    def unplugged(self, evse: int, event: Event) -> None:
        """State A. Where StopTransactionOnEVSideDisconnect is false a running transaction goes on when it is back."""
        key = str((self.config or {}).get("StopTransactionOnEVSideDisconnect", "")).strip().lower()
        running = self._track("tx", evse).value
        value = self._track("auth", evse).value
        if running is False or key == "true" or self.config is None or value != "yes":
            self.ends(evse, event)
        elif not (running is True and key == "false"):
            self._put("auth", evse, None, event, why="the station may go on with its transaction after the unplug")

    def plugged(self, evse: int, event: Event) -> None:
        """The vehicle came: not within ConnectionTimeOut of the card, which may have lapsed meanwhile."""
        last = self._track("auth", evse).last
        if last is None or last.value != "yes" or last.event is None or self._track("tx", evse).value is True:
            return
        try:
            timeout_s = float((self.config or {}).get("ConnectionTimeOut", "0") or 0)
        except ValueError:
            return
        waited_ns = between(last.mark, Mark.of(event)).lo
        if 0 < timeout_s * (1 + LAPSE_SHARE) * 1e9 < waited_ns:
            self._put("auth", evse, None, event, why="the authorisation may have lapsed (ConnectionTimeOut)")

    def token(self, evse: int, event: Event) -> None:
        """A token was presented: some stations decide by themselves."""
        connected = self._track("connected", 0).value is True
        if self.config is None or not self._alone(connected=connected):
            return
        if self._track("auth", evse).value == "no":
            self._drop_pending(evse, event)
            self._put("auth", evse, None, event, why="the station may have accepted the token by itself")

    def _alone(self, *, connected: bool) -> bool:
        """The station may let somebody in by itself, as far as its settings are known."""
        known = {**(self.config or {}), **{key: value for key, value in self._changed.items() if value is not None}}
        unread = {key for key, value in self._changed.items() if value is None}
        if not self._complete:
            unread.update(key for key in LOCAL_KEYS if key not in known and key not in self._lacks)
        return may_authorise_locally(known, connected=connected, unread=unread)

    def _nobody(self) -> str | None:
        """What holds while nobody authorised: no, or unknown when the configuration was not read."""
        if self._facts.authorisation == "free":
            return "yes"
        if self.config is None:
            return None
        return "yes" if is_free(self.config) else "no"

    def _begin_free(self, evse: int, event: Event) -> None:
        if self._track("auth", evse).value != "yes":
            self.begins(evse, event)

    def _drop_pending(self, evse: int, event: Event) -> None:
        """Forget the end of an ending that does not come."""
        track = self._track("auth", evse)
        while track.last is not None and track.last.mark.stamp.order_ns > event.stamp.order_ns:
            track.changes.pop()
