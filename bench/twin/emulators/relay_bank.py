"""The coils of a relay board, and what hangs on them: the station's supply, its PE, and residual currents."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ..model.residual import Leakage
from .kinds import Place

__all__ = ["RelayBank"]


class RelayBank:
    """Relays by the number that the board gives them; a coil has no current at power-up.

    - `relays`: number (as text) -> duty: mains, pe, rcd, dc-leak or aux.
    - `inverted`: numbers of those wired through their normally-closed contact.
    - `ac_ma`, `dc_ma`: what an rcd or dc-leak relay lets flow.

    `stuck` (number -> position) holds contacts that do not follow their coil.
    """

    def __init__(
        self,
        place: Place,
        relays: Mapping[str, str],
        inverted: Sequence[int],
        *,
        count: int,
        first: int,
        ac_ma: float = 34.0,
        dc_ma: float = 8.0,
    ) -> None:
        self._place = place
        self._duties = {int(number): duty for number, duty in relays.items()}
        self._inverted = frozenset(inverted)
        self._leak = {"rcd": Leakage(ac_ma=ac_ma), "dc-leak": Leakage(dc_ma=dc_ma)}
        self.coils = dict.fromkeys(range(first, first + count), False)
        self.stuck = False

    def power_up(self) -> None:
        """Every coil without current, and what hangs on it as that leaves it."""
        now_ns = time.monotonic_ns()
        for number in self.coils:
            self.coils[number] = False
            self._act(number, now_ns)

    def switch(self, number: int, energised: bool, command: str) -> None:
        """Energise a coil, or not; says so in the truth log."""
        now_ns = time.monotonic_ns()
        if not self.stuck:
            self.coils[number] = energised
        self._place.truth.command(
            self._place.name,
            now_ns,
            command,
            relay=number,
            duty=self._duties.get(number),
            coil=self.coils[number],
            on=self._is_on(number),
        )
        self._act(number, now_ns)

    def _is_on(self, number: int) -> bool:
        return self.coils[number] is not (number in self._inverted)

    def _act(self, number: int, now_ns: int) -> None:
        plant, on = self._place.plant, self._is_on(number)
        who = f"{self._place.name} {number}"
        match self._duties.get(number):
            case "mains":
                plant.set_mains(on, now_ns, by=who)
            case "pe":
                plant.set_pe(on, now_ns)
            case ("rcd" | "dc-leak") as duty:
                plant.set_leak(who, self._leak[duty] if on else None, now_ns)
            case _:
                pass
