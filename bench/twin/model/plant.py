"""The physics that couples the instruments: one outlet, its supply, the plug and the vehicle.

Three hands move it: the instruments (`set_circuit`, `set_pp`, `set_leak`, `set_load`), the station (`drive`,
`release`) and the mains. What breaks is in `defects.py`. It tells its listeners each discrete fact with the instant at
which it became true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .contactor import NEUTRAL, Contactor
from .divider import CpFaults, Levels, Resistor, levels
from .duty import cable_rating_a
from .energy_meter import EnergyMeter
from .mains import Mains
from .proximity import PpFault, Proximity
from .residual import Leakage, ResidualMonitor
from .sense import AcSense
from .switch import DelayedSwitch
from .vehicle import Seen, Vehicle

__all__ = ["Fact", "Outlet", "Plant"]

PWM_HZ = 1000.0
"""What a station's generator is to make (IEC 61851-1 Table A.7)."""
UNCODED_A = 13.0
"""What the vehicle reads at its own end of a cable whose plug in the socket has no coding."""
PWM_SEEN_V = 1.5
"""A vehicle counts the edges of the pilot while its high level is above this: in state E there are none."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """The outlet's make: `cable` False = socket (PP codes the cable, there is a lock).

    `ventilation`: its room is ventilated, so that it may energise in state D.
    """

    cable: bool = False
    rated_a: float = 32.0
    phases: int = 3
    ventilation: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that changed at `t_ns`. For `sense`: seen at `t_ns`, true since `since_ns`."""

    name: str
    t_ns: int
    value: object
    since_ns: int


class Plant:
    """State of the outlet and everything behind it. All times are CLOCK_MONOTONIC nanoseconds."""

    def __init__(
        self,
        rng: Random,
        outlet: Outlet,
        vehicle: Vehicle,
        bench_meter: EnergyMeter,
        station_meter: EnergyMeter,
        mains: Mains,
        now_ns: int,
    ) -> None:
        self.outlet = outlet
        self.vehicle = vehicle
        self.bench_meter = bench_meter
        self.station_meter = station_meter
        self.mains = mains
        self.resistor: Resistor = "A"
        self.faults = CpFaults()
        self.injected = CpFaults()
        self.pp = Proximity()
        self.pe = True
        self.pwm_pct: float | None = None
        self.pwm_hz = PWM_HZ
        self.levels = Levels(0.0, 0.0)
        self.contactor = Contactor(rng)
        self.lock = DelayedSwitch(rng, on_s=(0.2, 1.2), off_s=(0.2, 1.2))
        self.sense = AcSense(outlet.phases, rng.randrange(10_000_000))
        self.output_v = [0.0, 0.0, 0.0]
        self.current_a = [0.0, 0.0, 0.0]
        self.load_a = 0.0
        self.leaks: dict[str, Leakage] = {}
        self.rcm = ResidualMonitor(rng)
        self.listeners: list[Callable[[Fact], None]] = []
        self._cp: tuple[float, float, float | None] = (0.0, 0.0, None)
        self._flowing = False
        self._supplied = mains.on
        self._seen = self._look()
        self._last_ns = now_ns
        mains.listeners.append(self._mains_moved)

    # --- the instruments' hands ----------------------------------------------------------------------

    def set_circuit(self, resistor: Resistor, faults: CpFaults, now_ns: int) -> None:
        """Switch the vehicle's side of CP."""
        was_s2, was_plugged = self.s2_closed, self.plugged
        self.resistor = resistor
        self.faults = faults
        self._settle(now_ns)
        if self.plugged != was_plugged:
            self._tell("plug", now_ns, self.plugged)
        if self.s2_closed != was_s2:
            self._tell("s2", now_ns, self.s2_closed)

    def set_pp(self, ohm: float | None, now_ns: int) -> None:
        """Plug a cable coded `ohm` into the socket, or take it out (None)."""
        if self.pp.plug(ohm, now_ns):
            self._tell("pp", now_ns, self.pp_ohm)
        self._seen = self._look()

    def set_leak(self, source: str, leakage: Leakage | None, now_ns: int) -> None:
        """A path to PE behind the contactor, one for each `source`; None takes it away."""
        if leakage is None:
            self.leaks.pop(source, None)
        else:
            self.leaks[source] = leakage
        self._tell("leak", now_ns, [self._leaking("ac_ma"), self._leaking("dc_ma")])

    def set_load(self, current_a: float, now_ns: int) -> None:
        """A load on the outlet beside the vehicle, in A per phase; draws where there is voltage."""
        self.load_a = current_a

    def set_pe(self, connected: bool, now_ns: int) -> None:
        """The protective conductor on the station's side is there, or is cut."""
        if connected != self.pe:
            self.pe = connected
            self._tell("pe", now_ns, connected)

    def set_mains(self, on: bool, now_ns: int, by: str = "mains") -> None:
        """`by` takes the supply away, or lets it through; it is back when nobody takes it away."""
        self.mains.switch(on, now_ns, by)

    # --- what breaks (defects.py) --------------------------------------------------------------------

    def inject(self, faults: CpFaults, now_ns: int) -> None:
        """Faults of CP that are not the pilot emulator's; they come beside its own."""
        self.injected = faults
        self._settle(now_ns)

    def break_pp(self, fault: PpFault | None, now_ns: int) -> None:
        """Change what the plug's coding shows; None mends it."""
        if self.pp.break_(fault, now_ns):
            self._tell("pp", now_ns, self.pp_ohm)

    def run_pwm_at(self, hz: float, now_ns: int) -> None:
        """The frequency that the station's generator makes."""
        self.pwm_hz = hz
        if self.pwm_running:
            self._tell("cp", now_ns, self._cp)

    def weld(self, poles: frozenset[int], now_ns: int, *, at_once: bool = False) -> None:
        """Poles that weld; empty = all sound again."""
        self.contactor.weld(poles, at_once=at_once)
        self._output(now_ns)

    def tell_fault(self, name: str, on: bool, args: object, now_ns: int) -> None:
        """Say to all listeners that something broke, or is sound again."""
        self._tell("fault", now_ns, {"name": name, "on": on, "args": args})

    # --- the station's hand --------------------------------------------------------------------------

    def drive(self, now_ns: int, *, pwm_pct: float | None, contactor: bool | None, lock: bool | None) -> None:
        """What the station sets; None = leave as it is. Without mains it has no effect."""
        if not self.mains.on:
            return
        if contactor is not None:
            self.contactor.command(contactor, now_ns)
        if lock is not None and not self.outlet.cable:
            self.lock.command(lock, now_ns)
        if pwm_pct is not None and pwm_pct != self.pwm_pct:
            self.pwm_pct = pwm_pct
            self._settle(now_ns)

    def release(self, now_ns: int) -> None:
        """The station is gone: CP is 0 V, the coil has no current; the lock stays where it is."""
        self.contactor.command(False, now_ns)
        self.pwm_pct = None
        self._settle(now_ns)

    # --- views ---------------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """Whether the vehicle's end of the cable is in (the pilot shows a resistor)."""
        return self.resistor != "A"

    @property
    def pp_ohm(self) -> float | None:
        """What is measured between PP and PE in the socket; None = open."""
        return self.pp.ohm

    @property
    def s2_closed(self) -> bool:
        return self.resistor in ("C", "D")

    @property
    def pwm_running(self) -> bool:
        return self.pwm_pct is not None and 0.0 < self.pwm_pct < 100.0

    # --- time ----------------------------------------------------------------------------------------

    def step(self, now_ns: int) -> None:
        """Advance to `now_ns`: contacts, sense, vehicle, energy."""
        dt_s = (now_ns - self._last_ns) / 1e9
        self._last_ns = now_ns
        moved_ns = self.contactor.step(now_ns)
        if moved_ns is not None:
            self._tell("contactor", moved_ns, self.contactor.closed)
            self._output(moved_ns)
        moved_ns = self.lock.step(now_ns)
        if moved_ns is not None:
            self._tell("lock", moved_ns, self.lock.closed)
        if self.pp.step(now_ns):
            self._tell("pp", now_ns, self.pp_ohm)
        live = [volt > 0.0 for volt in self.output_v]
        for seen_ns, fact_ns in self.sense.step(now_ns, live):
            self._tell("sense", seen_ns, tuple(self.sense.seen), fact_ns)
        self._flow(now_ns, dt_s)

    def _flow(self, now_ns: int, dt_s: float) -> None:
        vehicle = self.vehicle
        wish = vehicle.wish
        vehicle.step(now_ns, dt_s, self._seen)
        if vehicle.wish != wish:
            self._tell("s2_wish", now_ns, vehicle.wish)
        if vehicle.current_a > 0.0 or self.load_a > 0.0 or self._flowing:
            self._draw(now_ns, dt_s)
        if self.leaks or not self.rcm.idle:
            self._leak(now_ns, dt_s)
        self.bench_meter.step(now_ns, self.output_v, self.current_a)
        if self.mains.on:
            self.station_meter.step(now_ns, self.mains.voltages_v(self.current_a, self.outlet.phases), self.current_a)

    def _draw(self, now_ns: int, dt_s: float) -> None:
        """Current where there is a phase and a way back; what the meters and the battery make of it."""
        vehicle, output_v = self.vehicle, self.output_v
        returns = self.contactor.conducts(NEUTRAL)
        self.current_a = [
            (vehicle.current_a if phase < vehicle.traits.phases else 0.0) + self.load_a
            if returns and output_v[phase] > 0.0
            else 0.0
            for phase in range(3)
        ]
        flowing = max(self.current_a) > 0.0
        if flowing != self._flowing:
            self._flowing = flowing
            self._tell("current", now_ns, flowing)
        supply_v = self.mains.voltages_v(self.current_a, self.outlet.phases)
        self.output_v = [volt if live > 0.0 else 0.0 for volt, live in zip(supply_v, output_v, strict=True)]
        power_w = [volt * amp for volt, amp in zip(self.output_v, self.current_a, strict=True)]
        self.bench_meter.accumulate(power_w, dt_s)
        self.station_meter.accumulate(power_w, dt_s)
        if vehicle.current_a > 0.0:
            into_battery_w = sum(self.output_v[: vehicle.traits.phases]) * vehicle.current_a if returns else 0.0
            vehicle.battery.charge(into_battery_w * dt_s / 3600.0)

    def _leak(self, now_ns: int, dt_s: float) -> None:
        """Residual currents follow the voltage behind the contactor."""
        share = max(self.output_v) / 230.0
        if self.rcm.step(now_ns, dt_s, self._leaking("ac_ma") * share, self._leaking("dc_ma") * share):
            self._tell("rcd", now_ns, self.rcm.tripped)

    def _leaking(self, kind: str) -> float:
        return sum(getattr(leak, kind) for leak in self.leaks.values())

    def _mains_moved(self, now_ns: int) -> None:
        if self.mains.on != self._supplied:
            self._supplied = self.mains.on
            self._tell("mains", now_ns, self._supplied)
            if not self._supplied:
                self.lock.halt()
                self.release(now_ns)
        self._output(now_ns)

    def _output(self, fact_ns: int) -> None:
        """Voltage behind the contactor after a contact or the mains moved at `fact_ns`."""
        before = [volt > 0.0 for volt in self.output_v]
        supply_v = self.mains.voltages_v(self.current_a, self.outlet.phases)
        self.output_v = [volt if self.contactor.conducts(pole) else 0.0 for pole, volt in enumerate(supply_v, start=1)]
        live = [volt > 0.0 for volt in self.output_v]
        self._seen = self._look()
        if live != before:
            self.sense.output_moved(fact_ns)
            self._tell("output", fact_ns, tuple(live))

    def _settle(self, now_ns: int) -> None:
        """CP after the circuit or the drive changed."""
        before = self._cp
        self.levels = levels(self.resistor, self.faults.beside(self.injected), self.pwm_pct)
        self._cp = (round(self.levels.high_v, 3), round(self.levels.low_v, 3), self.pwm_pct)
        self._seen = self._look()
        if self._cp != before:
            self._tell("cp", now_ns, self._cp)

    def _look(self) -> Seen:
        """What the vehicle sees now."""
        connected = (
            self.plugged and not (self.faults.cp_open or self.injected.cp_open) and self.levels.high_v > PWM_SEEN_V
        )
        # The vehicle reads the coding at its own end of the cable.
        coded_ohm = self.pp.coded_ohm
        if self.outlet.cable:
            cable_a = self.outlet.rated_a
        else:
            cable_a = UNCODED_A if coded_ohm is None else cable_rating_a(coded_ohm, self.outlet.phases)
        fed = any(volt > 0.0 for volt in self.output_v[: self.vehicle.traits.phases])
        return Seen(
            duty_pct=self.pwm_pct if connected and self.pwm_running else None,
            s2_closed=self.s2_closed,
            output_live=fed and self.contactor.conducts(NEUTRAL),
            cable_a=cable_a,
        )

    def _tell(self, name: str, t_ns: int, value: object, since_ns: int | None = None) -> None:
        fact = Fact(name, t_ns, value, t_ns if since_ns is None else since_ns)
        for listener in self.listeners:
            listener(fact)
