"""The vehicle: pilot emulator and EV simulator acting as one car.

The pilot owns the plug, CP and S2; the EV simulator owns battery and current and only wishes for
S2. The vehicle carries the wish out, and tells the EV simulator what the pilot acknowledged. When
the pilot goes to A by itself or by another hand, the vehicle is not plugged any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..drivers.roles import Ev, Pilot, Token
from ..errors import BenchError, DeviceError
from .timeline import Event, Timeline

__all__ = ["CABLE_OHM", "Vehicle"]

CABLE_OHM = {13: 1500, 20: 680, 32: 220, 63: 100}
"""Cable rating in ampere -> PP resistor in ohm (IEC 61851-1 Annex B)."""


class Vehicle:
    """One car on one outlet. All verbs run on the bench loop.

    Without an EV simulator it plugs, presents cards and sets S2 itself, and draws no current. Without a pilot (DC,
    where the vehicle speaks on CAN alone) somebody else puts the plug in, and the EV simulator does all the rest.
    """

    def __init__(
        self,
        timeline: Timeline,
        pilot: Pilot | None,
        ev: Ev | None,
        *,
        cards: Token | None = None,
        evse: int = 1,
        max_current_a: float = 32.0,
    ) -> None:
        self._timeline = timeline
        self._pilot = pilot
        self._cards = cards
        self._ev = ev
        self._evse = evse
        self._max_current_a = max_current_a
        self._wants_a = max_current_a
        """What it was told to draw at most, last. An EV simulator that was made safe meanwhile does not know it."""
        self._plugged = False
        self._s2_closed = False
        self._airing = False
        self._wish: bool | None = None
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._fell_out = False
        self.trouble: BenchError | None = None

    @property
    def plugged(self) -> bool:
        return self._plugged

    @property
    def s2_closed(self) -> bool:
        return self._s2_closed

    @property
    def _closed_state(self) -> str:
        """What S2 shows when it is closed."""
        return "D" if self._airing else "C"

    @property
    def _has_pp(self) -> bool:
        """A pilot without PP leaves the coding of the cable to whoever put the plug in."""
        return self._pilot is not None and "pp" in self._pilot.capabilities

    def _with_pilot(self, what: str) -> Pilot:
        if self._pilot is None:
            raise BenchError(
                f"outlet {self._evse} has no pilot emulator, so nobody can {what}. Add a [device] with a "
                "driver such as pilot.line."
            )
        return self._pilot

    async def _show(self, state: str) -> None:
        if self._pilot is not None:
            await self._pilot.resistor(state)

    async def _code(self, ohm: int | None) -> None:
        if self._pilot is not None and self._has_pp:
            await self._pilot.pp(ohm)

    def start(self) -> None:
        """Begin to follow the pilot, and to carry out the EV simulator's wishes."""
        if self._unsubscribe is None:
            self._unsubscribe = self._timeline.subscribe(self._look)
        if self._ev is not None and self._task is None:
            self._task = asyncio.create_task(self._serve_wishes(), name="vehicle: S2 wishes")

    async def stop(self) -> None:
        """Stop carrying out wishes; what is set stays set."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def plug(self, cable_a: int | None = 32) -> None:
        """Put the plug in with S2 open: PP resistor of the cable, then CP to B. None: a plug without that
        resistor, on which it wants no more than on the thinnest cable.

        Raises:
            DeviceError: `cable_a` is no cable rating (13, 20, 32, 63), or a device failed.
            SafetyError: the envelope refuses that cable.
        """
        ohm = None if cable_a is None else CABLE_OHM.get(cable_a)
        if cable_a is not None and ohm is None:
            known = ", ".join(f"{rating} A" for rating in CABLE_OHM)
            raise DeviceError(f"there is no {cable_a} A cable; ratings are {known}.", device="vehicle")
        async with self._busy:
            await self._code(ohm)
            await self._show("B")
            self._plugged, self._s2_closed, self._fell_out = True, False, False
            self._airing = False
            if self._ev is not None:
                self._wants_a = min(self._max_current_a, float(min(CABLE_OHM) if cable_a is None else cable_a))
                await self._ev.command(plugged=True, s2_closed=False, max_current_a=self._wants_a, charge=True)
        self._wake.set()

    async def unplug(self, *, cable_stays: bool = False) -> None:
        """Pull the plug at once: CP to A, then PP open. Whatever current flows is the station's matter.

        With `cable_stays` the cable is pulled at the vehicle only: its plug stays in the station's socket (PP coded).
        """
        async with self._busy:
            self._plugged = self._s2_closed = self._fell_out = False
            await self._show("A")
            if not cable_stays:
                await self._code(None)
            if self._ev is not None:
                await self._ev.command(plugged=False, s2_closed=False, charge=False)

    async def present(self, id_tag: str, kind: str = "ISO14443") -> None:
        """Hold a card to the station's reader."""
        presenter = self._with_pilot("present a card") if self._cards is None else self._cards
        await presenter.token(id_tag, kind)

    async def charge(self, max_current_a: float | None = None) -> None:
        """Want to charge, with at most `max_current_a` per phase, or as much as before; S2 follows the EV's wish."""
        if self._ev is None:
            await self._set_s2(True)
        else:
            self._wants_a = self._wants_a if max_current_a is None else max_current_a
            # all of it: it may have been gone since it was told that the plug is in
            await self._ev.command(
                plugged=self._plugged, s2_closed=self._s2_closed, charge=True, max_current_a=self._wants_a
            )

    async def pause(self) -> None:
        """Stop wanting to charge: current to 0, then S2 opens."""
        if self._ev is None:
            await self._set_s2(False)
        else:
            await self._ev.command(charge=False)

    async def ventilation(self, needed: bool) -> None:
        """Until the next plug-in the battery gives off gas (`needed`), or not: closed, S2 shows state D instead of C.

        Raises:
            DeviceError: the pilot has no state D, or failed.
        """
        async with self._busy:
            self._airing = needed
            if self._plugged and self._s2_closed:
                await self._show(self._closed_state)

    async def faults(self, *, diode: bool = False, short_ohm: int | None = None, cp_open: bool = False) -> None:
        """Set the faults beside the resistor; what is not named is off."""
        if self._pilot is None and not (diode or cp_open) and short_ohm is None:
            return
        await self._with_pilot("set a fault").faults(diode=diode, short_ohm=short_ohm, cp_open=cp_open)

    def _look(self, event: Event) -> None:
        if event.topic == "ev.status" and event.evse in (None, self._evse):
            self._wish = bool(event.data["s2_wish"])
            if self._wish != self._s2_closed or self._fell_out:
                self._wake.set()
        elif self._plugged and self._pilot is not None and event.source == self._pilot.name and _at_a(event):
            self._plugged = self._s2_closed = False
            self._fell_out = True
            if event.topic == "pilot.reset":
                self._say("DEGRADED", f"not plugged any more: {event.data['why']}")
            self._wake.set()

    async def _serve_wishes(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                async with self._busy:
                    if self._fell_out and self._ev is not None:
                        await self._ev.command(plugged=False, s2_closed=False, charge=False)
                        self._fell_out = False
                        self._trouble_over("the EV simulator was told")
                    if self._plugged and self._wish is not None and self._wish != self._s2_closed:
                        await self._set_s2(self._wish)
                        self._trouble_over("the wish was served after all")
            except BenchError as error:
                # Refused or failed: the run must know. The next status of the EV simulator tries it again.
                if self.trouble is None:
                    self._say("DEGRADED", str(error))
                self.trouble = error

    def _trouble_over(self, why: str) -> None:
        if self.trouble is not None:
            self.trouble = None
            self._say("ACTIVE", why)

    def _say(self, state: str, why: str) -> None:
        self._timeline.bench.note("device.state", {"device": "vehicle", "state": state, "why": why}, evse=self._evse)

    async def _set_s2(self, closed: bool) -> None:
        await self._show(self._closed_state if closed else "B")
        self._s2_closed = closed
        if self._ev is not None:
            await self._ev.command(s2_closed=closed)


def _at_a(event: Event) -> bool:
    """The pilot's resistor is A now: it restarted, or somebody made it safe."""
    if event.topic == "pilot.reset":
        return True
    return event.topic == "stimulus" and event.data["verb"] == "resistor" and event.data["args"].get("state") == "A"
