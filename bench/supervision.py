"""The supervisor at work on one bench: it hears every event, sees the time go on, and makes safe when it trips."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from ..errors import BenchError, SafetyError
from .config import BenchFile
from .permission import watch_of
from .safety import EnvelopeGate
from .safety.arming import Arming, ArmToken
from .safety.supervisor import Supervisor, Trip
from .timeline import Event, Timeline

if TYPE_CHECKING:
    from ..drivers.base import Driver

__all__ = ["Supervision", "Watched"]

LOOK_EVERY_S = 0.1
STOOD_STILL_S = 0.3
"""A loop that comes round so much too late stood still, and with it everybody who could have told it something."""
FAULTS_OFF_WITHIN_S = 5.0
"""A fault that is on for too long is taken back, again and again; after so much longer the bench is made safe."""
ENDS_ARMING = ("estop", "guardian")

MakeSafe = Callable[[str], Awaitable[None]]


class Watched(Protocol):
    """What is looked at of a bench."""

    @property
    def file(self) -> BenchFile: ...

    @property
    def timeline(self) -> Timeline: ...

    @property
    def gate(self) -> EnvelopeGate: ...

    @property
    def instruments(self) -> list[Driver]: ...

    def open_transaction(self, evse: int) -> int | str | None: ...


class Supervision:
    """The wiring of one run. `trip` is the first one; there is no second. `make_safe`, told why, is what it does."""

    def __init__(self, bench: Watched, make_safe: MakeSafe) -> None:
        energising = {driver.name: driver.evse for driver in bench.instruments if driver.energising}
        watch = msgspec.structs.replace(watch_of(bench.file), energising=energising)
        self.trip: Trip | None = None
        self.tripped = asyncio.Event()
        self._bench = bench
        self._make_safe = make_safe
        self._source = bench.timeline.source("supervisor")
        self._source.declare(("safety.",), 0)
        self._judge = Supervisor(watch, time.monotonic_ns())
        self._armed: ArmToken | None = None
        self._told = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def told(self) -> str:
        """Why the run is over; empty before a trip."""
        return "" if self.trip is None else _told(self.trip)

    def start(self) -> None:
        """Begin to watch. What happened since the run began is taken in first."""
        self._unsubscribe = self._bench.timeline.subscribe(self._look)
        for event in self._bench.timeline.events():
            self._look(event)
        for evse in range(1, self._bench.file.station.evses + 1):
            if self._bench.open_transaction(evse) is not None:
                self._judge.authorise(evse)
        self._look_at_arming()
        self._begin(self._watch(), "supervisor")

    async def stop(self) -> None:
        """End the watch; what a trip began is finished first.

        Raises:
            SafetyError: it had tripped, so that the run ends in ERROR.
        """
        if self._unsubscribe is not None:
            self._unsubscribe()
        watching, *making_safe = self._tasks
        watching.cancel()
        await asyncio.gather(watching, *making_safe, return_exceptions=True)
        if self.trip is not None:
            raise SafetyError(self.told)

    def _begin(self, work: Awaitable[None], name: str) -> None:
        async def run() -> None:
            await work

        self._tasks.append(asyncio.create_task(run(), name=name))

    # ---- what happens

    def _look(self, event: Event) -> None:
        if event.source == self._source.name:
            return
        self._bench.gate.look(event)
        if event.topic == "estop" and event.source == self._bench.file.safe.e_stop and not event.data["tripped"]:
            self._bench.gate.held = ""
        unasked = self._bench.gate.unasked(event)
        if unasked is not None:
            why = f"{unasked} was done, and its driver did not ask the gate for it"
            self._act(Trip("unasked", event.source, why, event.evse))
        self._act(self._judge.look(event))

    async def _watch(self) -> None:
        turn = 0
        last_ns = time.monotonic_ns()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_ns = time.monotonic_ns()
            late_s = (now_ns - last_ns) / 1e9 - LOOK_EVERY_S
            if late_s > STOOD_STILL_S:
                self._judge.stood_still(last_ns, now_ns)
            last_ns = now_ns
            self._act(self._judge.tick(now_ns))
            self._look_at_faults()
            turn += 1
            if turn % 5 == 0:
                self._look_at_arming()

    def _look_at_faults(self) -> None:
        gate = self._bench.gate
        allowed_s = gate.envelope.fault_duration_s
        for device in gate.faults_older_than(allowed_s + FAULTS_OFF_WITHIN_S):
            why = f"an injected fault at {device} is on for {FAULTS_OFF_WITHIN_S:g} s longer than the {allowed_s:g} s"
            self._act(Trip("fault-overdue", device, f"{why} that [envelope] fault_duration allows"))

    def _look_at_arming(self) -> None:
        arming = self._bench.gate.permission
        if not isinstance(arming, Arming):
            self._tell("not-needed", None, "no real hardware")
            return
        token, why = arming.look()
        before, self._armed = self._armed, token
        if token is not None:
            self._tell("armed", token, "")
            return
        self._tell("expired" if "expired" in why else "disarmed", None, why)
        if before is not None and not self._bench.gate.idle:
            self._act(Trip("disarmed", "gate", why))

    def _tell(self, state: str, token: ArmToken | None, why: str) -> None:
        """Say it on the timeline, when it changed."""
        told = f"{state} {token} {why}"
        if told == self._told:
            return
        self._told = told
        data = {
            "state": state,
            "until": token.until if token else None,
            "by": f"{token.user}@{token.host}" if token else None,
            "faults": list(token.faults) if token else [],
            "csms": list(token.csms) if token else [],
            "why": why,
        }
        self._source.note("safety.arm", data)

    # ---- a trip

    def _act(self, trip: Trip | None) -> None:
        if trip is None:
            return
        arming = self._bench.gate.permission
        if trip.cause in ENDS_ARMING and isinstance(arming, Arming):
            # Also while the bench is being made safe already: the next run must not begin armed.
            arming.end(trip.why)
        if self.trip is not None or self._bench.gate.sealed:
            return
        self.trip = trip
        self.tripped.set()
        self._bench.gate.seal(_told(trip))
        self._begin(self._trip(trip), "supervisor: make safe")

    async def _trip(self, trip: Trip) -> None:
        """On a turn of the loop of its own: whoever else hears the event that tripped hears it first."""
        self._source.note("safety.trip", {"cause": trip.cause, "device": trip.device, "why": trip.why}, evse=trip.evse)
        try:
            await self._make_safe(f"trip: {trip.why}")
        except BenchError as error:
            self._source.note("safety.trip", {"cause": "not-safe", "device": trip.device, "why": str(error)})


def _told(trip: Trip) -> str:
    return f"the supervisor tripped: {trip.why}. The bench was made safe and this run is over"
