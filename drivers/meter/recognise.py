"""Is the meter that answers the one of the map? And how one poll of it is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from ...errors import DeviceError
from .maps import Block, Identity, Likeness, RegisterMap
from .sample import Poll
from .segment import NotAnswered, Reading, Segment, UnitRefused
from .sunspec import Discovered, NoMeter, SunSpecMap, discover

__all__ = ["Recogniser"]

PARTLY_S = 3.0
"""So long a meter may take to show everything after its outlet came alive."""
AGAIN_S = 0.2


class Recogniser:
    """One unit on a segment. It is proven to be the right one by its own name, or by values that only it shows.

    A meter behind the contactor shows 0 V while the outlet is dead: that proves nothing either way. Until it is
    proven, each poll must at least not speak against it.
    """

    def __init__(
        self,
        segment: Segment,
        known: RegisterMap | SunSpecMap,
        *,
        device: str,
        port: str,
        unit: int,
        timeout_s: float,
    ) -> None:
        self._segment = segment
        self._known = known
        self._map: RegisterMap | None = None
        self._blocks: list[Block] = []
        self._device = device
        self._port = port
        self._unit = unit
        self._timeout_s = timeout_s
        self._proven = False
        self._partly_since: float | None = None
        self.accept_blank = False

    async def recognise(self, once_more: Callable[[DeviceError], None]) -> dict[str, str]:
        """Find out who answers; the first silence is told to `once_more`, and borne.

        Raises:
            DeviceError: nobody answers, or somebody else than the meter of the map.
        """
        try:
            try:
                identity = await self._who()
            except NotAnswered as error:
                once_more(error)
                identity = await self._who()
            while self._partly_since is not None:
                await asyncio.sleep(AGAIN_S)
                await self.poll()
        except NotAnswered as error:
            raise self._silent(error) from error
        return identity

    async def _who(self) -> dict[str, str]:
        identity: dict[str, str] = {}
        if isinstance(self._known, SunSpecMap):
            found = await self._discover(self._known)
            self._map, identity = found.register_map, found.identity
            self._proven = True
        else:
            self._map = self._known
            if self._map.identity is not None:
                name = await self._name(self._map.identity)
                identity = {"type": name} if name else {}
        self._blocks = self._map.blocks()
        await self.poll()
        return {**identity, "model": self._map.model, "unit": str(self._unit)}

    async def _discover(self, known: SunSpecMap) -> Discovered:
        async def read(address: int, count: int) -> Sequence[int]:
            return (await self._segment.read(self._unit, 3, address, count, self._timeout_s)).registers

        try:
            return await discover(read, known)
        except NoMeter as error:
            raise self._wrong(f"unit {self._unit}: {error}") from error

    async def _name(self, identity: Identity) -> str:
        """What the meter calls itself; "" when it may be asked, but refuses."""
        try:
            reading = await self._segment.read(
                self._unit, identity.function, identity.address, identity.count, self._timeout_s
            )
        except UnitRefused as error:
            if identity.optional:
                return ""
            raise self._wrong(
                f"unit {self._unit} answers, but does not say that it is the {self._known.model}: {error}"
            ) from error
        name = identity.read(reading.registers)
        if not identity.fits(reading.registers):
            raise self._wrong(
                f"unit {self._unit} is another meter: at {identity.address:#x} it has {name!r}, and the "
                f"{self._known.model} has {identity.wanted()} there. Is this the right register map for it?"
            )
        self._proven = True
        return name

    async def poll(self) -> Poll:
        """Read every value once.

        Raises:
            NotAnswered: the unit did not answer, or not soundly.
            DeviceError: it refused, or what it shows speaks against it.
        """
        assert self._map is not None
        found: dict[Block, tuple[int, ...]] = {}
        readings: list[Reading] = []
        for block in self._blocks:
            reading = await self._segment.read(self._unit, block.function, block.address, block.count, self._timeout_s)
            found[block] = reading.registers
            readings.append(reading)
        poll = Poll(self._map, found, readings, self._map.values(found))
        self._check(poll)
        return poll

    async def knock(self, timeout_s: float) -> None:
        """Ask for as little as there is, to see whether it answers. Raises as `poll`."""
        block = min(self._blocks, key=lambda block: block.count)
        await self._segment.read(self._unit, block.function, block.address, block.count, timeout_s)

    def _check(self, poll: Poll) -> None:
        if self._proven:
            return
        likeness = poll.register_map.judge(poll.values)
        if likeness is Likeness.FOREIGN:
            raise self._wrong(
                f"unit {self._unit} answers, but not like the {poll.register_map.model}: {_seen(poll)}. Is this the "
                "right register map for it?"
            )
        if likeness is Likeness.BLANK and not self.accept_blank:
            raise self._wrong(
                f"unit {self._unit} answers with nothing but zeros, not even energy: so do meters of other makes where "
                f"they have no registers. Is it the {poll.register_map.model}? If it is new and has counted nothing "
                "yet, set `new_meter = true`."
            )
        now = time.monotonic()
        self._partly_since = (self._partly_since or now) if likeness is Likeness.PARTLY else None
        if self._partly_since is not None and now - self._partly_since > PARTLY_S:
            raise self._wrong(
                f"unit {self._unit}: {_seen(poll)}. The {poll.register_map.model} would show all of that by now. Is "
                "this the right register map for it?"
            )
        self._proven = likeness is Likeness.PROVEN

    def _wrong(self, text: str) -> DeviceError:
        return DeviceError(text, device=self._device, port=self._port)

    def _silent(self, error: NotAnswered) -> DeviceError:
        link = self._segment.link
        on_line = self._segment.framing == "rtu"
        if error.received is None:
            how = f"unit, baud and parity ({link})" if on_line else "its unit"
            return DeviceError(
                f"unit {self._unit} does not answer. Is it powered, are A and B the right way round, and do {how} "
                "match the meter's settings?",
                device=self._device,
                port=self._port,
                sent=error.sent,
            )
        other = f" or another speed than {link}?" if on_line else "?"
        return DeviceError(
            f"something answers, but not as Modbus unit {self._unit} does. Another device on this port,{other}",
            device=self._device,
            port=self._port,
            sent=error.sent,
            received=error.received,
        )


def _seen(poll: Poll) -> str:
    return ", ".join(f"{name} = {_texts(poll.values.get(name, []))}" for name in poll.register_map.probe)


def _texts(column: Sequence[Decimal | None]) -> str:
    return "[" + ", ".join("none" if value is None else f"{float(value):g}" for value in column) + "]"
