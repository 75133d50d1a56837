"""The connection to the back end: connect and connect again, boot, heartbeat, and one way to send a CALL.

A reconnect is no boot: once accepted, the station stays accepted until it restarts or loses its supply
(OCPP 1.6 section 4.2, OCPP-J section 5.4; 2.x part 4 section 5.3, which also says how long to wait for it).
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from .clock import StationClock
from .faults import Knobs
from .messages import Message
from .ocpp_lib import OCPPError
from .port import PortFile
from .settings import Settings
from .speech import BootCause, Speech
from .trust import Trust

__all__ = ["CallFailed", "Link", "Offline", "Peer"]

_FIRST_RETRY_S = 0.2
_QUICK_RETRIES = 25
_MAX_RETRY_S = 15.0
_OWN_BOOT_RETRY_S = 5.0


class Offline(Exception):
    """There is no connection, or the station has not been accepted yet."""


class CallFailed(Exception):
    """The back end answered with a CALLERROR, with something invalid, or not in time."""


class Peer(Protocol):
    """The OCPP end of one connection (`ocpp_lib.Peer`)."""

    async def serve(self) -> None: ...
    async def request(self, message: Message) -> dict[str, Any]: ...
    async def slip_in(self, message: Message) -> None: ...


class Link:
    """Keeps the station connected. Callbacks: `on_accepted` (a boot was accepted), `on_back` (again online)."""

    def __init__(
        self, file: PortFile, speech: Speech, settings: Settings, clock: StationClock, knobs: Knobs, seed: int
    ) -> None:
        self._file = file
        self._speech = speech
        self._password = (file.password or "").encode()
        self._settings = settings
        self.trust = Trust(file.ca, file.cert, file.key)
        self._clock = clock
        self._knobs = knobs
        self._random = random.Random(seed)
        self._ws: ClientConnection | None = None
        self._peer: Peer | None = None
        self._gone = asyncio.Event()
        self._boot_now = asyncio.Event()
        self._activity = asyncio.Event()
        self._cause: BootCause = "power"
        self._was_connected = False
        self._offline_since_s: float | None = None
        self._down_s = 0.0
        self.boot_status = ""
        self.make_peer: Callable[[ClientConnection], Peer]
        self.on_accepted: Callable[[], None]
        self.on_back: Callable[[float], None]
        self._dropped = False
        self.on_disconnected: Callable[[str], None] = lambda _why: None
        self.early_status: Callable[[], Message]

    @property
    def ready(self) -> bool:
        """Connected and accepted: any CALL may be sent."""
        return self._peer is not None and self.boot_status == "Accepted"

    @property
    def secured(self) -> bool:
        """Whether the back end is reached over TLS."""
        return self._file.csms_url.startswith("wss:")

    @property
    def security_profile(self) -> int:
        """0 plain, 1 password, 2 TLS, 3 TLS with a certificate of ours."""
        if self.secured:
            return 3 if self.trust.shows_certificate else 2
        return 1 if self._password else 0

    def attach(self) -> None:
        """Behave as if the back end had accepted us before (it restarted, we did not)."""
        self.boot_status = "Accepted"

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            self._was_connected, lasted_s = False, loop.time()
            try:
                await self._one_connection()
            except (OSError, WebSocketException, TimeoutError) as error:
                if failures == 0 and not self._was_connected:
                    _note(f"no connection to {self._file.csms_url}: {str(error) or type(error).__name__}")
                    self.on_disconnected(str(error))
            lasted_s = loop.time() - lasted_s
            failures = 0 if lasted_s > 2.0 or self._was_connected else failures + 1
            if self._was_connected:
                self.on_disconnected("the connection has ended")
            await asyncio.sleep(max(self._retry_s(failures), self._down_s))
            self._down_s = 0.0

    def _retry_s(self, failures: int) -> float:
        if self._knobs.reconnect_s is not None and self.boot_status == "Accepted":
            return self._knobs.reconnect_s
        back_off = self._settings.back_off
        if back_off is not None and self.boot_status == "Accepted":
            grown = back_off.wait_s * 2 ** min(failures, back_off.repeats)
            return grown + self._random.uniform(0.0, back_off.random_s)
        if failures <= _QUICK_RETRIES:
            return _FIRST_RETRY_S
        grown = _FIRST_RETRY_S * 2.0 ** min(failures - _QUICK_RETRIES, 10)
        return min(grown, _MAX_RETRY_S) * self._random.uniform(0.8, 1.2)

    async def _one_connection(self) -> None:
        ping = (self._knobs.ping_s or self._settings.ping_s) if self._knobs.pings else 0.0
        self._ws = ws = await connect(
            self._file.csms_url,
            subprotocols=[Subprotocol(f"ocpp{self._speech.version}")],
            additional_headers=self._headers(),
            ssl=self.trust.context() if self._file.csms_url.startswith("wss:") else None,
            compression=None,
            proxy=None,
            open_timeout=5.0,
            close_timeout=0.5,
            ping_interval=ping or None,
            ping_timeout=ping or None,
            user_agent_header=None,
        )
        self._gone = asyncio.Event()
        self._was_connected = True
        self._peer = peer = self.make_peer(ws)
        own = asyncio.create_task(self._talk(), name="station.talk")
        drops_after_s = self._knobs.drops_link_after_s
        if drops_after_s is not None:
            asyncio.get_running_loop().call_later(drops_after_s, self._drop)
        try:
            await peer.serve()
        finally:
            self._gone.set()
            self._peer = None
            self._offline_since_s = asyncio.get_running_loop().time()
            own.cancel()
            await asyncio.gather(own, return_exceptions=True)
            await ws.close()

    def _drop(self) -> None:
        """The connection breaks by itself, once."""
        if not self._dropped and self._ws is not None and self.boot_status == "Accepted":
            self._dropped, self._down_s = True, self._knobs.down_s
            self._ws.transport.abort()

    def change_password(self, password: bytes) -> None:
        """Use another password from the next connection on (A01)."""
        self._password = password

    def _headers(self) -> dict[str, str]:
        if not self._password:
            return {}
        import base64

        pair = f"{self._file.station}:".encode() + self._password
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    async def _talk(self) -> None:
        try:
            if self.boot_status == "Accepted" and not self._knobs.boots_at_reconnect:
                since_s = self._offline_since_s
                self.on_back(0.0 if since_s is None else asyncio.get_running_loop().time() - since_s)
            else:
                await self._boot_until_accepted()
            await self._beat()
        except Offline:
            return

    # boot

    async def _boot_until_accepted(self) -> None:
        while not await self.boot():
            self._boot_now.clear()
            if self._knobs.talks_unaccepted:
                await self.heartbeat(before_accepted=True)
            try:
                async with asyncio.timeout(self._next_boot_s):
                    await self._boot_now.wait()
            except TimeoutError:
                pass

    async def boot(self, cause: BootCause | None = None) -> bool:
        """Send one BootNotification; True if it was accepted.

        Raises:
            Offline: the connection is gone.
        """
        self._next_boot_s = _OWN_BOOT_RETRY_S
        beside = self._status_beside_boot() if self._knobs.status_beside_boot else None
        try:
            answer = await self.call(self._speech.boot(cause or self._cause), before_accepted=True)
        except CallFailed as error:
            _note(f"boot: {error}")
            return False
        finally:
            if beside is not None:
                beside.cancel()
        self.boot_status = str(answer["status"])
        self._clock.follow(str(answer["currentTime"]))
        interval = int(answer["interval"])
        if self.boot_status != "Accepted":
            self._next_boot_s = self._knobs.boot_retry_s or float(interval) or _OWN_BOOT_RETRY_S
            return False
        if interval:
            self._settings.set_heartbeat(interval)
        self.on_accepted()
        return True

    def _status_beside_boot(self) -> asyncio.Task[None]:
        # held back in the kernel until both are written, so that they arrive together
        ws, peer = self._ws, self._peer
        if ws is None or peer is None:
            raise Offline
        wire = ws.transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)

        async def behind() -> None:
            await asyncio.sleep(0.005)
            await peer.slip_in(self.early_status())
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

        return asyncio.create_task(behind(), name="station.chatter")

    def boot_soon(self) -> None:
        """The back end asks for a boot: do not wait for the interval."""
        self._cause = "triggered"
        self._boot_now.set()

    # sending

    async def call(
        self, message: Message, *, before_accepted: bool = False, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """Send a CALL and return the payload of its answer; `timeout_s` None: wait as long as the station does.

        Raises:
            Offline: not connected, not accepted, or the connection went while waiting.
            CallFailed: the back end did not process it.
        """
        peer = self._peer
        if peer is None or not (before_accepted or self.boot_status == "Accepted"):
            raise Offline
        timeout_s = self._knobs.patience_s if timeout_s is None else timeout_s
        asked = asyncio.ensure_future(peer.request(message))
        gone = asyncio.ensure_future(self._gone.wait())
        kept = False
        try:
            await asyncio.wait({asked, gone}, timeout=timeout_s, return_when="FIRST_COMPLETED")
            self._activity.set()
            if asked.done():
                return asked.result()
            if gone.done():
                raise Offline
            raise CallFailed(f"{message.action} was not answered within {timeout_s:g} s")
        except OCPPError as error:
            raise CallFailed(f"{message.action}: {error!r}") from error
        except WebSocketException as error:
            raise Offline from error
        except asyncio.CancelledError:
            # Whoever asked has lost interest. What was sent waits for its answer all the same: one CALL at a time.
            kept = not gone.done()
            asyncio.get_running_loop().call_later(timeout_s, asked.cancel)
            asked.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise
        finally:
            gone.cancel()
            if not kept:
                asked.cancel()

    async def heartbeat(self, *, before_accepted: bool = False) -> None:
        """Send one heartbeat and follow the back end's clock."""
        try:
            answer = await self.call(self._speech.heartbeat(), before_accepted=before_accepted)
            self._clock.follow(str(answer["currentTime"]))
        except CallFailed as error:
            _note(f"heartbeat: {error}")

    async def _beat(self) -> None:
        while self._knobs.heartbeats:
            fixed = self._knobs.heartbeat_s
            interval = fixed or self._settings.heartbeat_s
            self._activity.clear()
            try:
                async with asyncio.timeout(interval or 5.0):
                    await (asyncio.Event().wait() if fixed else self._activity.wait())
            except TimeoutError:
                if interval:
                    await self.heartbeat()
        await self._gone.wait()

    def config_changed(self) -> None:
        """The heartbeat interval may be another one: count anew."""
        self._activity.set()

    # ending

    async def restart(self, cause: BootCause = "power") -> None:
        """Leave the back end in an orderly way and boot anew with the next connection."""
        self.boot_status = ""
        self._cause = cause
        if self._ws is not None:
            await self._ws.close()

    async def reconnect(self) -> None:
        """Leave and come back without a boot, as after a change of the certificate."""
        if self._ws is not None:
            await self._ws.close()

    def abort(self) -> None:
        """Drop the connection without a close frame; the next one boots."""
        self.boot_status = ""
        self._cause = "power"
        self._gone.set()
        self._peer = None
        if self._ws is not None:
            self._ws.transport.abort()
            self._ws = None


def _note(text: str) -> None:
    print(f"station: {text}", file=sys.stderr, flush=True)
