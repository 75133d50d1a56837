"""The driver of a card presenter that speaks the token line protocol (`docs/token-protocol.md`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ...bench.timeline import Gate, Source
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState
from ..framed_line import FramedDriver
from ..line_splitter import LineSplitter
from ..pilot.frame import MAX_LINE, EventFrame
from ..pilot.identity import key_values
from ..pilot.link import Answer, CommandLink, NoAnswer
from ..roles import Role
from ..serial_line import Block

__all__ = ["LineToken"]

ASK_EVERY_S = 0.5
RECEIPT_NS = 1_000_000_000


class LineToken(FramedDriver):
    """Holds a card to a station's reader, and takes it away.

    `token` presents a card for `hold_ms` (50..60000, by default 1000), then the device takes it away itself. It also
    takes it away when nobody speaks to it for `watchdog_ms` (200..10000), when it starts, and in `make_safe`.
    The stimulus reaches from the writing to the acknowledgement, before which the card was at the reader.

    A card alone puts no voltage on an outlet, so it is not energising, and the guardian has nothing to do here.
    """

    role: ClassVar[Role] = "token"
    what: ClassVar[str] = "card presenter"

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        baud: int = 115200,
        evse: int = 1,
        hold_ms: int = 1000,
        watchdog_ms: int = 2000,
        hello_timeout_s: float = 4.0,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        if not 50 <= hold_ms <= 60_000:
            raise ConfigError(f"{name}: hold_ms = {hold_ms} is outside 50..60000")
        if not 200 <= watchdog_ms <= 10_000:
            raise ConfigError(f"{name}: watchdog_ms = {watchdog_ms} is outside 200..10000")
        source.declare(("token.",), RECEIPT_NS)
        self._baud = baud
        self._hold_ms = hold_ms
        self._watchdog_ms = watchdog_ms
        self._hello_timeout_s = hello_timeout_s
        self.kinds: frozenset[str] = frozenset()
        self._fresh()

    def _fresh(self) -> None:
        self._splitter = LineSplitter(MAX_LINE)
        self._link = CommandLink(self.name, self.port, self._write, self._resync)

    # ---- life

    async def _open(self) -> None:
        self._fresh()
        await self._connect(self._baud)
        await self._hello()
        await self._look()
        self._enter(DeviceState.ACTIVE, f"{self.identity['model']} {self.identity['serial']}")
        self._beside(self._keep(), "keeper")

    async def make_safe(self) -> None:
        """Take the card away, and read back that there is none.

        Raises:
            DeviceError: not acknowledged, or still there.
        """
        self._require_open()
        await self.remove()
        card = await self._look()
        if card != "NONE":
            self._enter(DeviceState.UNKNOWN, f"acknowledged that the card is gone, but reads back {card}")
            raise DeviceError(
                f"acknowledged that the card is gone, but reads back {card}. Take it away by hand.",
                device=self.name,
                port=self.port,
            )
        self._enter(DeviceState.ACTIVE, "no card at the reader, read back")

    # ---- verbs

    async def token(self, id: str, kind: str = "ISO14443") -> None:  # noqa: A002 - the word of OCPP
        """Present a card; returns when it is at the reader.

        `id`: up to 36 printable characters without spaces. `kind`: as in OCPP 2.x, one of those the device has.

        Raises:
            SafetyError: the gate refuses.
            DeviceError: refused or not acknowledged.
        """
        for word in (id, kind):
            if not 1 <= len(word) <= 36 or not word.isascii() or not word.isprintable() or set(word) & set(" *"):
                raise ConfigError(f"{self.name}: {word!r} is not 1 to 36 printable ASCII characters without space or *")
        self._require_open()
        if kind not in self.kinds:
            raise DeviceError(
                f"cannot present a card of kind {kind}: it has {', '.join(sorted(self.kinds))}.",
                device=self.name,
                port=self.port,
            )
        await self._do("token", {"id": id, "kind": kind}, f"PRESENT {kind} {id} {self._hold_ms}")

    async def remove(self) -> None:
        """Take the card away, if there is one. Raises like `token`; the gate always permits it."""
        self._require_open()
        await self._do("token.remove", {}, "REMOVE", to_safe=True)

    async def _do(self, verb: str, args: dict[str, Any], text: str, *, to_safe: bool = False) -> None:
        self._permit(verb, args, to_safe=to_safe)

        def acknowledged(answer: Answer) -> None:
            self._stimulus(verb, args, answer.sent_ns, answer.at_ns, answer.sent)

        try:
            await self._link.command(text, acknowledged)
        except NoAnswer:
            if self._loss is None:
                self._enter(DeviceState.DEGRADED, f"{text!r} was sent and not acknowledged")
            raise

    # ---- keeping it fed

    async def _look(self) -> str:
        """What the device says lies at its reader: NONE, or `kind:id`."""
        answer = await self._link.command("S")
        card = key_values(answer.words).get("card")
        if card is None:
            raise DeviceError(
                "its status does not say whether there is a card.",
                device=self.name,
                port=self.port,
                sent="S",
                received=" ".join(answer.words),
            )
        return card

    async def _keep(self) -> None:
        """Ask for its status every 500 ms: that feeds its watchdog, and shows that it is there."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            try:
                await self._look()
            except DeviceLost:
                return
            except DeviceError as error:
                heard_ns, now_ns = self._link.heard_ns, time.monotonic_ns()
                self._source.gap(heard_ns, now_ns, f"{self.name} does not answer: {error}")
                self._enter(DeviceState.DEGRADED, f"no answer for {(now_ns - heard_ns) // 1_000_000} ms")
            else:
                if self._state is DeviceState.DEGRADED:
                    self._enter(DeviceState.ACTIVE, "answers again")

    # ---- what the reader hands over

    def _identify(self, words: Sequence[str]) -> None:
        identity, self.kinds = _identity(words)
        self._recognise(identity)

    def _on_block(self, block: Block) -> None:
        self._split(self._splitter, block, self._on_line)
        self._nothing_until(block.at_ns)

    def _on_event(self, frame: EventFrame, block: Block, raw: str) -> None:
        if frame.name == "BOOT":
            self._restarted(f"the card presenter started: {' '.join(frame.words) or 'unknown cause'}")
        elif frame.name == "WD":
            self._restarted("its watchdog took the card away")
        elif frame.name != "REMOVED":
            self._source.gap(block.lo_ns, block.at_ns, f"{self.name} sent {raw!r}: no event of version 1")

    def _restarted(self, why: str) -> None:
        self._enter(DeviceState.DEGRADED, f"{why}; there is no card at the reader")
        self._link.restarted(why)


def _identity(words: Sequence[str]) -> tuple[dict[str, str], frozenset[str]]:
    """Who it is, and the kinds of card it has.

    Raises:
        ValueError: a key is missing, another version of the protocol, or another sort of device.
    """
    given: Mapping[str, str] = key_values(words)
    for key in ("proto", "model", "serial", "fw"):
        if key not in given:
            raise ValueError(f"the identity has no {key!r}")
    if given.get("role") != "token":
        raise ValueError("it says that it is no card presenter (role=token)")
    if given["proto"] != "1":
        raise ValueError(f"the device speaks version {given['proto']} of the protocol; the bench speaks 1")
    kinds = frozenset(kind for kind in given.get("kinds", "").split(",") if kind)
    if not kinds:
        raise ValueError("it has no kind of card (kinds=ISO14443)")
    return {"model": given["model"], "serial": given["serial"], "firmware": given["fw"]}, kinds
