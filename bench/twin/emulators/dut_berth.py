"""One station's place at the DUT port: its outlets in the model, and the connection that stands for the station."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import Random

from ..model.plant import Fact, Plant
from .dut_connection import DutConnection
from .dut_messages import Drive, LineError, encode, state, welcome

__all__ = ["Berth"]

STATE_PERIOD_NS = 100_000_000
CP_STEP_V = 0.1
ALIVE_NS = 200_000_000
"""A station without mains has this long until it must be silent."""


class Berth:
    """Tells the station what happens at its outlets, and lets it drive them.

    Args:
        plants: the outlets by number, from 1.
        t_us: the model's clock.
        say: tells the owner (`overrun`, `alive_without_mains`, `note`).
    """

    def __init__(
        self, name: str, plants: Mapping[int, Plant], rng: Random, t_us: Callable[[], int], say: Callable[..., None]
    ) -> None:
        self.name = name
        self._plants = plants
        self._rng = rng
        self._t_us = t_us
        self._say = say
        self._connection: DutConnection | None = None
        self._shown = 0
        self._told_v = dict.fromkeys(plants, (0.0, 0.0))
        self._next_state_ns = dict.fromkeys(plants, 0)
        self._mains_on = self._first.mains.on
        self._mains_off_ns = 0
        self._told_alive = False

    @property
    def _first(self) -> Plant:
        return self._plants[1]

    @property
    def outlets(self) -> int:
        """How many there are."""
        return len(self._plants)

    @property
    def evses(self) -> int:
        """Outlets that the connected station sees."""
        return self._shown

    # --- the model's side ----------------------------------------------------------------------------

    def step(self, now_ns: int) -> None:
        """The state of each outlet at least every 100 ms."""
        if self._connection is None:
            return
        self._connection.step(now_ns)
        for evse in range(1, self._shown + 1):
            if now_ns >= self._next_state_ns[evse]:
                self._send_state(evse, now_ns)

    def on_fact(self, evse: int, fact: Fact) -> None:
        """A change in the model that the station can see."""
        if fact.name == "mains":
            self._mains_moved(fact.t_ns)  # what it does to the outlets follows, in states of theirs
        elif self._connection is None:
            return
        elif fact.name == "cp":
            levels, told_v = self._plants[evse].levels, self._told_v[evse]
            if abs(levels.high_v - told_v[0]) > CP_STEP_V or abs(levels.low_v - told_v[1]) > CP_STEP_V:
                self._send_state(evse, fact.t_ns)
        elif fact.name in ("pp", "output", "lock", "rcd"):
            self._send_state(evse, fact.t_ns)

    def present_token(self, evse: int, kind: str, identifier: str) -> None:
        """A card is held to the reader of an outlet."""
        if self._connection is not None:
            self._connection.send(encode("token", evse=evse, id=identifier, kind=kind))
        else:
            self._say("note", text=f"a card was presented, but station {self.name} is not connected")

    def _mains_moved(self, now_ns: int) -> None:
        """Once for all outlets, which hang on one supply."""
        on = self._first.mains.on
        if on == self._mains_on:
            return
        self._mains_on = on
        self._mains_off_ns = now_ns
        self._told_alive = False
        if self._connection is not None:
            self._connection.send(encode("mains", on=on))

    # --- the station's side --------------------------------------------------------------------------

    def admit(self, connection: DutConnection, evses: int) -> None:
        """Take the station in; LineError when it is here already."""
        if self._connection is not None:
            raise LineError("busy", f"{self.name} is already connected", fatal=True)
        self._connection = connection
        self._shown = min(evses, len(self._plants))
        connection.send(welcome([self._plants[evse] for evse in sorted(self._plants)], self._t_us()))
        for evse in range(1, self._shown + 1):
            self._send_state(evse, time.monotonic_ns())

    def drive(self, drive: Drive) -> None:
        """A `set` of the admitted station."""
        now_ns = time.monotonic_ns()
        if not self._mains_on:
            if now_ns - self._mains_off_ns > ALIVE_NS and not self._told_alive:
                self._told_alive = True
                self._say("alive_without_mains", station=self.name)
            return
        self._plants[drive.evse].drive(now_ns, pwm_pct=drive.pwm_pct, contactor=drive.contactor, lock=drive.lock)

    def left(self, connection: DutConnection) -> None:
        """A connection ended; the station's one leaves CP at 0 V and the coils without current."""
        if connection is not self._connection:
            return
        self._connection = None
        self._say("note", text=f"station {self.name} left the DUT port; {connection.dropped} states were dropped")
        for plant in self._plants.values():
            plant.release(time.monotonic_ns())

    def state_line(self, evse: int, dropped: int) -> bytes:
        plant = self._plants[evse]
        self._told_v[evse] = (plant.levels.high_v, plant.levels.low_v)
        return state(plant, evse, self._rng, self._t_us(), dropped)

    def _send_state(self, evse: int, now_ns: int) -> None:
        self._next_state_ns[evse] = now_ns + STATE_PERIOD_NS
        if self._connection is not None and evse <= self._shown:
            self._connection.send_state(evse)
