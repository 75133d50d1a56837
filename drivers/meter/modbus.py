"""The driver of an energy meter on Modbus; which meter, its register map says."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar

from ...bench.timeline import Gate, Source, Stamp
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState, Driver
from ..ports import PortLock
from ..roles import Role
from .maps import RegisterMap
from .recognise import Recogniser
from .sample import Poll, data_of, unavailable
from .segment import NotAnswered, Segment
from .segments import Segments
from .sunspec import SunSpecMap
from .wire import Link, scheme_of

__all__ = ["ModbusMeter"]

ANSWER_S = 0.3
"""Longest time a meter takes to begin its answer, when nothing is said."""

TCP_ANSWER_S = 0.5

SILENT_FIRST_S = 0.5
SILENT_LAST_S = 5.0
SHORTEST_ASK_S = 0.1


class ModbusMeter(Driver):
    """Polls a meter every `poll_s` seconds and publishes `meter.sample`, or `supply.sample` where it is `at_supply`.

    A value in the meter's registers is up to `refresh_s` older than the request; so a sample was taken in
    `[request - refresh_s, response]`. `timeout_s` must be longer than the meter's slowest answer; left out, it is
    reckoned from the line's speed. `unit`, `baud`, `parity` and `stop_bits` left out are as the map says. A meter that
    is new, and shows nothing but zeros on a dead outlet, is accepted with `new_meter` only.

    Meters on one port share its wire and lock when they are given the same `segments`.
    """

    role: ClassVar[Role] = "meter"

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        register_map: RegisterMap | SunSpecMap,
        unit: int | None = None,
        baud: int | None = None,
        parity: str | None = None,
        stop_bits: int | None = None,
        poll_s: float = 0.1,
        refresh_s: float = 0.2,
        timeout_s: float | None = None,
        new_meter: bool = False,
        at_supply: bool = False,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        self._unit = register_map.unit if unit is None else unit
        known = register_map.link
        self._link = Link(
            known.baud if baud is None else baud,
            known.parity if parity is None else parity,
            known.stop_bits if stop_bits is None else stop_bits,
        )
        if not 1 <= self._unit <= 247:
            raise ConfigError(f"{name}: unit {self._unit} is outside 1..247")
        if self._link.parity not in ("N", "E", "O"):
            raise ConfigError(f"{name}: parity {self._link.parity!r} is none of N, E, O")
        self.segments = Segments()
        self._known = register_map
        self._new_meter = new_meter
        self._poll_s = poll_s
        self._refresh_ns = int(refresh_s * 1e9)
        self._timeout_s = self._slowest_answer_s() if timeout_s is None else timeout_s
        self._topic = "supply.sample" if at_supply else "meter.sample"
        # a sample is as old as the meter's own refresh and the answer took
        source.declare((self._topic,), self._refresh_ns + int(2 * self._timeout_s * 1e9))
        self._segment: Segment | None = None
        self._meter: Recogniser | None = None
        self._poller: asyncio.Task[None] | None = None
        self._good_ns = 0
        self._slowest_ns = 0
        self._absent: set[str] | None = None

    def _slowest_answer_s(self) -> float:
        if scheme_of(self.name, self.port) == "tcp":
            return TCP_ANSWER_S
        blocks = self._known.blocks() if isinstance(self._known, RegisterMap) else []
        most = max((block.count for block in blocks), default=125)
        return ANSWER_S + self._link.seconds(13 + 2 * most)

    def _take_port(self) -> PortLock:
        return self.segments.take(self.name, self.port, self._state_dir)

    async def _open(self) -> None:
        segment = self.segments.join(self.name, self.port, self._unit, self._link, self._on_lost, self._state_dir)
        self._segment = segment
        await segment.connect()
        meter = self._meter = Recogniser(
            segment, self._known, device=self.name, port=self.port, unit=self._unit, timeout_s=self._timeout_s
        )
        meter.accept_blank = self._new_meter
        self._absent = None
        identity = await meter.recognise(self._once_more)
        self._recognise(identity)
        self._good_ns = time.monotonic_ns()
        self._enter(DeviceState.ACTIVE, f"{identity['model']}, unit {self._unit}")
        self._poller = self._task(self._run(), "poll")

    async def _close(self) -> None:
        poller, self._poller = self._poller, None
        segment, self._segment = self._segment, None
        # all that counts is done before the first wait, so that a close that is cancelled leaves nothing behind
        if poller is not None:
            poller.cancel()
        if segment is not None:
            self.segments.leave(segment, self._unit)
            await segment.closed()
        if poller is not None:
            await asyncio.gather(poller, return_exceptions=True)

    @property
    def alive(self) -> bool:
        return super().alive and self._poller is not None and not self._poller.done()

    async def _run(self) -> None:
        """Absolute schedule: a slot that was missed is left out, the others do not move."""
        meter = self._meter
        assert meter is not None
        begun = time.monotonic()
        slot = 0
        while True:
            slot = max(slot + 1, int((time.monotonic() - begun) / self._poll_s) + 1)
            await asyncio.sleep(begun + slot * self._poll_s - time.monotonic())
            try:
                self._sample(await self._poll(meter))
            except DeviceLost:
                return  # told by _on_lost, and looked for again
            except NotAnswered as error:
                self._degraded(error)
                if not await self._wait_for_it(meter):
                    return
            except DeviceError as error:
                self._degraded(error)
            else:
                self._enter(DeviceState.ACTIVE, "answers")

    async def _poll(self, meter: Recogniser) -> Poll:
        """One poll; what was not answered is asked for once more, and that is told."""
        try:
            return await meter.poll()
        except NotAnswered as error:
            self._once_more(error)
            return await meter.poll()

    def _once_more(self, error: DeviceError) -> None:
        now_ns = time.monotonic_ns()
        self._source.gap(self._good_ns or now_ns, now_ns, f"{error} Asking once more.")

    def _degraded(self, error: DeviceError) -> None:
        now_ns = time.monotonic_ns()
        self._source.gap(self._good_ns, now_ns, str(error))
        self._enter(DeviceState.DEGRADED, str(error))
        self._source.tick(now_ns)

    async def _wait_for_it(self, meter: Recogniser) -> bool:
        """A unit that is silent costs the others on its line little: a short question, more and more seldom.

        Returns when it answers; False when the wire is gone.
        """
        pause_s, asked = SILENT_FIRST_S, 0
        while True:
            until = time.monotonic() + pause_s
            while (left := until - time.monotonic()) > 0:
                await asyncio.sleep(min(left, self._poll_s))
                self._source.tick(time.monotonic_ns())
            asked += 1
            # it answers as fast as it used to, most likely; now and then it gets all the time it may take
            short_s = max(SHORTEST_ASK_S, 1.5e-9 * self._slowest_ns)
            try:
                await meter.knock(self._timeout_s if asked % 4 == 0 else min(short_s, self._timeout_s))
            except DeviceLost:
                return False
            except NotAnswered as error:
                self._degraded(error)
                pause_s = min(2 * pause_s, SILENT_LAST_S)
            except DeviceError:
                return True
            else:
                return True

    def _sample(self, poll: Poll) -> None:
        first, last = poll.readings[0], poll.readings[-1]
        slowest_ns = max(reading.response_ns - reading.request_ns for reading in poll.readings)
        self._slowest_ns = max(self._slowest_ns, slowest_ns)
        absent = unavailable(poll)
        # what it does not have from the start is no gap, as the phases that are not wired; what it loses is
        fresh = absent - ({"current_a"} if self._absent is None else self._absent)
        if fresh:
            since_ns = self._good_ns or first.request_ns
            self._source.gap(since_ns, last.response_ns, f"{self.name} says not available: {', '.join(sorted(fresh))}")
        self._absent = absent
        data = data_of(poll)
        if data is not None:
            stamp = Stamp.host(last.response_ns, lo_ns=first.request_ns - self._refresh_ns)
            raw = " | ".join(reading.raw for reading in poll.readings)
            self._source.emit(self._topic, stamp, data, evse=self.evse, raw=raw)
        elif not fresh:
            self._source.gap(self._good_ns, last.response_ns, f"{self.name} still has no power or no energy")
        self._good_ns = last.response_ns
        self._source.tick(last.response_ns)

    def _on_lost(self) -> None:
        now_ns = time.monotonic_ns()
        self._lost(OSError("the port was closed from the other side"), self._good_ns or now_ns, now_ns)
