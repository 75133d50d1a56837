"""What the station and the back end say to each other, in the words that hold for every OCPP version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from ...timeline import Event
from ..language.signals import CONFIG
from .kept import AT_ONCE_NS
from .measured import Measured
from .track import Change

__all__ = ["Told"]


class Told(Measured):
    """The signals that messages make."""

    def _connected(self, event: Event) -> None:
        self._set("connected", 0, True, event)
        self._outlets.operative(event)
        if self._reset_pending:
            self._set("boot", 0, "booting", event)
            self._reset_pending = ""
        elif self.facts.powered_by_bench and self.track("boot", 0).value is None:
            self._set("boot", 0, "booting", event)

    def _disconnected(self, event: Event) -> None:
        self._set("connected", 0, False, event)
        self._set("online", 0, False, event)

    def _boot(self, event: Event) -> None:
        self._reset_pending = ""
        self._set("boot", 0, "booting", event)
        self._set("online", 0, False, event)

    def _boot_answered(self, event: Event) -> None:
        if event.data.get("status") != "Accepted":
            return
        self._set("boot", 0, "accepted", event)
        self._set("online", 0, True, event)
        for evse in self.facts.evses:
            if self.track("status", evse).value is None:
                self._set("status", evse, "unreported", event)
            if self.track("tx", evse).value is None:
                self._set("tx", evse, False, event)
                self._set("tx.state", evse, "none", event)

    def _attached(self, event: Event) -> None:
        self._set("connected", 0, True, event)
        self._outlets.operative(event)
        if self.track("boot", 0).value != "booting":  # served or not: one that was powered up owes its boot first
            self._set("boot", 0, "accepted", event)
        self._set("online", 0, True, event)

    def _reset(self, event: Event) -> None:
        # the station may finish what it is doing; the boot shows on its next connection
        whole = event.evse is None  # 2.x may reset one outlet alone (B12.FR.01): no boot follows
        if event.data.get("accepted") and whole and event.data.get("type") in ("Hard", "Immediate"):
            self._reset_pending = "Hard"

    def _status(self, event: Event) -> None:
        logical = str(event.data.get("logical", "unknown"))
        self.claims.heard(event)
        for evse in self._only(event):
            self._cause_of_status(evse, event)
            self._set("status", evse, None if logical == "unknown" else logical, event)
            self._set("status.sent", evse, str(event.data.get("status")), event)
            self._outlets.reported(evse, event)

    def _cause_of_status(self, evse: int, event: Event) -> None:
        """A status that an edge of the pilot made possible was written after it: that bounds the station's clock."""
        plugged: list[Change] = []  # what the pilot showed since the last state A, newest first
        for change in reversed(self.track("cp.state", evse).changes):
            if change.value == "A":
                break
            plugged.append(change)
        if event.data.get("status") == "Preparing":
            if plugged and self._only_plugged(evse, plugged[-1], event):
                self.claims.caused(event, plugged[-1].mark.stamp.lo_ns)
        elif event.data.get("status") == "Charging":
            # No connector charges before S2 closed. Later closings do not count: the message may be of an earlier one.
            closed = [change for change in plugged if change.value in ("C", "D")]
            if len(closed) == 1:
                self.claims.caused(event, closed[0].mark.stamp.lo_ns)

    def _only_plugged(self, evse: int, plug: Change, event: Event) -> bool:
        """Preparing begins with a card too (1.6 section 7.7): nobody was let in, and the plug came just before.

        Longer before, a card that nobody was told of may have come first, and the message have been held back.
        """
        if plug.value is None or (self.track("auth", evse).value != "no" and self.facts.authorisation != "free"):
            return False
        fresh = event.stamp.hi_ns - plug.mark.stamp.lo_ns < AT_ONCE_NS
        return fresh and self.track("status", evse).value == "available"

    def _only(self, event: Event) -> Iterable[int]:
        """Outlets of a message about a connector: connector 0 is the station itself, no outlet."""
        return () if event.evse is None else self.evses(event)

    def _authorized(self, event: Event) -> None:
        for evse in self.evses(event):
            self._permission.answered(evse, event)

    def _remote_start(self, event: Event) -> None:
        if event.data.get("accepted"):
            for evse in self.evses(event):
                self._permission.begins(evse, event)

    def _remote_stop(self, event: Event) -> None:
        if not event.data.get("accepted"):
            return
        tx = str(event.data.get("tx"))
        for evse in self.evses(event):
            if self._tx.get(evse) == tx:
                self.claims.stop_asked(evse, event)
                self._permission.ends(evse, event)

    def _tx_started(self, event: Event) -> None:
        self.tx_events.append(event)
        self.claims.heard(event)
        for evse in self._begins_on(event):
            self._tx[evse] = str(event.data.get("tx"))
            granted = self.track("auth", evse).last
            self.claims.tx_started(event, granted.event if granted is not None and granted.value == "yes" else None)
            self._set("tx", evse, True, event)
            self._set("tx.state", evse, str(event.data.get("charging_state") or "unreported"), event)

    def _tx_updated(self, event: Event) -> None:
        """A transaction of 2.x may begin before its outlet is known; the first message that names one tells it."""
        tx = str(event.data.get("tx"))
        for evse in self._begins_on(event):
            if evse not in self._tx and tx not in self._over:
                self._tx[evse] = tx
                self._set("tx", evse, True, event)
        for evse in self.evses_of_tx(event):
            self._tx_state(evse, event)

    def _begins_on(self, event: Event) -> Iterable[int]:
        """The outlet of a transaction that begins; where there is only one, it needs no name."""
        return self.facts.evses if event.evse is None and len(self.facts.evses) == 1 else self._only(event)

    def _tx_state(self, evse: int, event: Event) -> None:
        state = event.data.get("charging_state")
        if state:
            self._set("tx.state", evse, str(state), event)

    def _tx_ended(self, event: Event) -> None:
        self.tx_events.append(event)
        self.claims.heard(event)
        for evse in self.evses_of_tx(event):
            self.claims.tx_ended(evse, event)
            self._set("tx", evse, False, event)
            self._set("tx.state", evse, "none", event)
            self._permission.ends(evse, event)
            self._books[evse].end_transaction()
            self._allowance(evse, event)
            self._tx.pop(evse, None)
        self._over.append(str(event.data.get("tx")))

    def evses_of_tx(self, event: Event) -> Iterable[int]:
        """The outlets of a message about a transaction: by its number, or else the outlet it names.

        An outlet that runs another transaction is not meant: what was queued while offline ends nothing of today.
        """
        tx = str(event.data.get("tx"))
        known = [evse for evse, running in self._tx.items() if running == tx]
        return known or [evse for evse in self._only(event) if evse not in self._tx]

    def outlets_stopped(self, event: Event) -> Iterable[int]:
        """The outlets that a remote stop is about: where its transaction runs, or where none is known by number."""
        tx = str(event.data.get("tx"))
        known = [evse for evse, running in self._tx.items() if running == tx]
        return known or [evse for evse in self.evses(event) if evse not in self._tx]

    def _register(self, event: Event) -> None:
        self.claims.heard(event)
        self.registers.append(event)

    def _config(self, event: Event) -> None:
        self._permission.configured(event, booted=self.track("boot", 0).value is not None)

        for key, value in self._permission.config.items() if self._permission.config else ():
            self._set(CONFIG + key, 0, value, event)
        for key in cast("list[Any]", event.data.get("unknown") or []):
            self._set(CONFIG + str(key), 0, "", event)
        if event.data.get("complete"):
            self._all_settings = event
            missing = [name for name, _ in self._tracks if name.startswith(CONFIG)]
            for name in missing:
                if name.removeprefix(CONFIG) not in (self._permission.config or {}):
                    self._set(name, 0, "", event)

    def _setting(self, event: Event) -> None:
        """One that takes effect with the next reboot is not known meanwhile."""
        key, status = CONFIG + str(event.data.get("key")), event.data.get("status")
        if status == "RebootRequired" or event.data.get("accepted"):
            in_force = None if status == "RebootRequired" else str(event.data.get("value"))
            self._permission.changed(str(event.data.get("key")), in_force)
        if status == "RebootRequired":
            self._set(key, 0, None, event, why="it takes effect with a reboot")
        elif event.data.get("accepted"):
            self._set(key, 0, str(event.data.get("value")), event)

    def _profile(self, event: Event) -> None:
        if event.data.get("accepted"):
            for evse in self.evses(event):
                self._books[evse].accept(event.data)
                self._allowance(evse, event)

    def _profile_cleared(self, event: Event) -> None:
        if event.data.get("accepted"):
            for evse in self.evses(event):
                self._books[evse].clear(event.data.get("args"))
                self._allowance(evse, event)
