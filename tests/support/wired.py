"""A vehicle, a cable and a station told by what a bench sees of them; a rule's traces in a table.

Beside `Trace`: the pilot's state is remembered, so that PWM and S2 move by themselves. Without a word of OCPP (`bare`)
only what is physical can be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

from pilotbench.bench.correlation import Facts

from traces import CONFIG, TWIN_FACTS, WALL, Trace

__all__ = ["WITHOUT", "Case", "Traced", "Wired", "case"]

WITHOUT = Facts(station="CP001", powered_by_bench=True, ventilation=False)


class Wired(Trace):
    """Times in milliseconds. `facts` is the bench that the trace is judged on."""

    def __init__(self, facts: Facts = TWIN_FACTS) -> None:
        super().__init__()
        self.facts = facts
        self._state, self._pwm = "A", False

    # ---- the pilot

    def shows(self, at: float, state: str) -> Self:
        """State A..F, as S2, the plug or the station makes it; PWM stays as it was, but for E and F."""
        self._state = state
        if state in "EF" and self._pwm:
            self.pwm(at - 0.5, 0.0)
        self.cp(at, state, pwm=self._pwm)
        return self

    def pwm(self, at: float, pct: float, *, hertz: float = 1000.0) -> Self:
        """A duty cycle in percent (100: static high, 0: static low), and the state's suffix with it."""
        on = 0 < pct < 100
        self.pilot("cp.pwm", at, {"on": on, "duty_pct": pct, "freq_hz": hertz if on else 0.0})
        if on != self._pwm:
            self._pwm = on
            self.cp(at + 0.5, self._state, pwm=on)
        return self

    def live(self, at: float) -> Self:
        self.output(at, True)
        return self

    def dead(self, at: float) -> Self:
        self.output(at, False)
        return self

    def locked(self, at: float, held: bool = True) -> Self:
        self.pilot("lock", at, {"locked": held})
        return self

    def faults(self, at: float, *flags: str) -> Self:
        args = {"flags": list(flags)}
        self.host("pilot", "stimulus", at, {"device": "pilot", "verb": "faults", "args": args}, age=5.0)
        return self

    def draws(self, at: float, amps: float) -> Self:
        """What the vehicle itself says that it draws."""
        data = {"plugged": True, "s2_wish": amps > 0, "soc_pct": 50.0, "current_a": amps, "battery_v": 380.0}
        self.host("ev", "ev.status", at, {**data, "counter": round(at)}, age=5.0)
        return self

    # ---- longer pieces

    def bare(self, *, sensed: bool = True) -> Self:
        """The instruments, state A, no cable; nothing of OCPP. Without `sensed` the bench does not see the output."""
        self.host("bench", "clock.anchor", 0, {"mono_ns": 0, "wall_ns": int(WALL.timestamp() * 1e9)}, evse=None)
        self.cp(5, "A", pwm=False)
        self.duty(6, 100.0)
        if sensed:
            self.output(7, False)
        return self

    def plug(self, at: float, ohm: int | None = 220) -> Self:
        if self.facts.outlet == "socket":
            self.pp(at - 20, ohm)
        return self.shows(at, "B")

    def flowing(self) -> Self:
        """Without OCPP: plugged at 1000, 32 A offered at 2000, C2 at 3000, live at 3100."""
        return self.bare().plug(1000).pwm(2000, 53.33).shows(3000, "C").live(3100)

    def online(self, *, sensed: bool = True) -> Self:
        """With OCPP: booted, nothing plugged in: up to 300 ms."""
        self.bare(sensed=sensed)
        self.boot(100, interval_s=3600, config={**CONFIG, "HeartbeatInterval": "3600"})
        return self

    def limits(self, at: float, limit_a: float = 16.0) -> Self:
        """A charging profile is accepted, always at the same stack level."""
        self.profile(at, limit_a, stack_level=0)
        return self

    def let_in(self, at: float) -> Self:
        """A card is accepted and the transaction begins."""
        self.token(at - 10)
        self.call(at - 2, "Authorize")
        self.authorized(at)
        self.tx_started(at + 50, 5000)
        return self

    def offered(self, ohm: int | None = 220, pct: float = 53.33) -> Self:
        """With OCPP: plugged at 1000, let in at 2000, PWM at 2200."""
        self.online().plug(1000, ohm)
        self.status(1110, "Preparing", claimed=1100)
        return self.let_in(2000).pwm(2200, pct)

    def charges(self, ohm: int | None = 220, pct: float = 53.33) -> Self:
        """`offered`, C2 at 3000, live at 3100, status at 3150."""
        self.offered(ohm, pct).shows(3000, "C").live(3100)
        self.status(3150, "Charging")
        return self

    def over(self, at: float) -> Self:
        self.end(at)
        return self


Traced = Callable[[], Trace]


class Case(NamedTuple):
    """The traces of a rule: one that passes, one that fails it, and odd ones that conform.

    `fails` is None for a rule that only measures. `also`: rules that the failing trace cannot but fail too.
    """

    passes: Traced
    fails: Traced | None
    strange: Mapping[str, Traced]
    also: frozenset[str] = frozenset()


def case(passes: Traced, fails: Traced | None, *also: str, **strange: Traced) -> Case:
    """A row of the table; the names of the odd traces have `_` for blanks."""
    return Case(passes, fails, {name.replace("_", " "): traced for name, traced in strange.items()}, frozenset(also))
