"""Who may charge: tokens at the reader and remote starts."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from .charging import Outlet
from .config import Config
from .faults import Knobs
from .link import CallFailed, Link, Offline
from .ocpp_lib import call

__all__ = ["Reader"]

_FLOW_BEGINS_S = 5.0


class Reader:
    """The identification side of one outlet; asks the back end about every identifier."""

    def __init__(self, outlet: Outlet, link: Link, config: Config, knobs: Knobs) -> None:
        self._outlet = outlet
        self._link = link
        self._config = config
        self._knobs = knobs
        self._authorising = False

    def present_token(self, id_tag: str) -> None:
        """A card is held to the reader."""
        self._outlet.spawn(self._on_token(id_tag), "station.token")

    async def _on_token(self, id_tag: str) -> None:
        session = self._outlet.session
        self._outlet.keeps_lock = False
        if session and session.id_tag == id_tag:
            self._outlet.request_stop("Local", id_tag)
            return
        if self._authorising or not self._link.ready or (session is None and not self._outlet.startable):
            _note(f"token {id_tag} is not accepted now")
            return
        accepted, parent = await self._authorise(id_tag)
        if not accepted:
            return
        session = self._outlet.session
        if session is None:
            if self._outlet.startable:
                self._outlet.begin(id_tag, parent)
        elif parent is not None and parent == session.parent:
            self._outlet.request_stop("Local", id_tag)

    async def _authorise(self, id_tag: str) -> tuple[bool, str | None]:
        self._authorising = True
        try:
            if self._knobs.asks_after_flow_s:
                await self._outlet.until(lambda: self._outlet.control.live, _FLOW_BEGINS_S)
                await asyncio.sleep(self._knobs.asks_after_flow_s)
            answer = await self._link.call(call.Authorize(id_tag))
        except (Offline, CallFailed) as error:
            _note(f"token {id_tag} could not be authorised: {error!r}")
            return False, None
        finally:
            self._authorising = False
        info: dict[str, Any] = answer.id_tag_info
        return info["status"] == "Accepted", info.get("parent_id_tag")

    async def remote_start(self, id_tag: str) -> None:
        """Begin on request of the back end, after asking it about the identifier if so configured."""
        if self._config.flag("AuthorizeRemoteTxRequests"):
            accepted, parent = await self._authorise(id_tag)
            if not accepted:
                self._outlet.profiles.end_transaction()
                return
        else:
            parent = None
        if self._outlet.startable:
            self._outlet.begin(id_tag, parent)


def _note(text: str) -> None:
    print(f"station: {text}", file=sys.stderr, flush=True)
