"""Who may charge: tokens at the reader and remote starts."""

from __future__ import annotations

import asyncio
import sys

from .charging import Outlet
from .faults import Knobs
from .link import CallFailed, Link, Offline
from .local_list import LocalList
from .session import Token
from .settings import Settings
from .speech import Speech, TokenAnswer

__all__ = ["Reader"]

_FLOW_BEGINS_S = 5.0
_REFUSED = TokenAnswer(False, None)


class Reader:
    """The identification side of one outlet; asks the back end about every identifier that the list does not settle."""

    def __init__(
        self, outlet: Outlet, link: Link, speech: Speech, settings: Settings, local_list: LocalList, knobs: Knobs
    ) -> None:
        self._outlet = outlet
        self._link = link
        self._speech = speech
        self._settings = settings
        self._list = local_list
        self._knobs = knobs
        self._authorising = False

    def present_token(self, token: Token) -> None:
        """A card is held to the reader."""
        self._outlet.spawn(self._on_token(token), "station.token")

    async def _on_token(self, token: Token) -> None:
        session = self._outlet.session
        self._outlet.keeps_lock = False
        if session and session.token.id == token.id:
            self._outlet.request_stop("Local", token)
            return
        if self._authorising or (session is None and not self._outlet.startable):
            _note(f"token {token.id} is not accepted now")
            return
        answer = await self._authorise(token)
        if not answer.accepted:
            return
        session = self._outlet.session
        if session is None:
            self._begin(token, answer.group, None)
        elif answer.group is not None and answer.group == session.group:
            self._outlet.request_stop("Local", token)

    async def _authorise(self, token: Token) -> TokenAnswer:
        entry = self._list.find(token.id)
        listed = entry is not None and entry.status == "Accepted"
        if entry is not None and listed and self._settings.list_first:
            return TokenAnswer(True, entry.group)
        if not self._link.ready:
            if entry is not None and listed and self._settings.list_offline:
                return TokenAnswer(True, entry.group)
            _note(f"token {token.id} cannot be authorised without the back end")
            return _REFUSED
        self._authorising = True
        try:
            if self._knobs.asks_after_flow_s:
                await self._outlet.until(lambda: self._outlet.control.live, _FLOW_BEGINS_S)
                await asyncio.sleep(self._knobs.asks_after_flow_s)
            answer = await self._link.call(self._speech.authorize(token))
        except (Offline, CallFailed) as error:
            _note(f"token {token.id} could not be authorised: {error!r}")
            return _REFUSED
        finally:
            self._authorising = False
        return self._speech.token_answer(answer) or _REFUSED

    def _begin(self, token: Token, group: str | None, remote_start_id: int | None) -> None:
        if not self._outlet.startable:
            return
        if not self._outlet.reservations.admits(token.id, group):
            _note(f"token {token.id}: the outlet is reserved for somebody else")
            return
        self._outlet.begin(token, group, remote_start_id)

    async def remote_start(self, token: Token, group: str | None = None, remote_start_id: int | None = None) -> None:
        """Begin on request of the back end, after asking it about the identifier if so configured."""
        if self._settings.asks_for_remote_start and token.kind != "NoAuthorization":
            answer = await self._authorise(token)
            if not answer.accepted:
                self._outlet.profiles.end_transaction()
                return
            group = answer.group or group
        self._begin(token, group, remote_start_id)


def _note(text: str) -> None:
    print(f"station: {text}", file=sys.stderr, flush=True)
