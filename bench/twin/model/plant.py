"""The physics that couples the instruments: one outlet, its supply, the plug and the vehicle.

Three hands move it: the pilot emulator (`set_circuit`, `set_pp`), the station (`drive`, `release`) and the
mains. It tells its listeners each discrete fact with the instant at which it became true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .divider import CpFaults, Levels, Resistor, levels
from .duty import cable_rating_a
from .energy_meter import EnergyMeter
from .mains import Mains
from .sense import AcSense
from .switch import DelayedSwitch
from .vehicle import Seen, Vehicle

__all__ = ["Fact", "Outlet", "Plant"]


@dataclass(frozen=True, slots=True)
class Outlet:
    """The outlet's make: `cable` False = socket (PP codes the cable, there is a lock)."""

    cable: bool = False
    rated_a: float = 32.0
    phases: int = 3


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
        self.pp_ohm: float | None = None
        self.pwm_pct: float | None = None
        self.levels = Levels(0.0, 0.0)
        self.contactor = DelayedSwitch(rng, on_s=(0.020, 0.060), off_s=(0.010, 0.030))
        self.lock = DelayedSwitch(rng, on_s=(0.2, 1.2), off_s=(0.2, 1.2))
        self.sense = AcSense(outlet.phases, rng.randrange(10_000_000))
        self.output_v = [0.0, 0.0, 0.0]
        self.current_a = [0.0, 0.0, 0.0]
        self.listeners: list[Callable[[Fact], None]] = []
        self._cp: tuple[float, float, float | None] = (0.0, 0.0, None)
        self._seen = self._look()
        self._last_ns = now_ns

    # --- the pilot emulator's hand -------------------------------------------------------------------

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
        if ohm == self.pp_ohm:
            return
        self.pp_ohm = ohm
        self._seen = self._look()
        self._tell("pp", now_ns, ohm)

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

    def set_mains(self, on: bool, now_ns: int) -> None:
        """Supply lost or back."""
        if on == self.mains.on:
            return
        self.mains.on = on
        self._tell("mains", now_ns, on)
        if not on:
            self.lock.halt()
            self.release(now_ns)
        self._output(now_ns)

    # --- views ---------------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """Whether the vehicle's end of the cable is in (the pilot shows a resistor)."""
        return self.resistor != "A"

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
        amps = vehicle.current_a
        if amps > 0.0 or self.current_a[0] > 0.0:
            if (amps > 0.0) != (self.current_a[0] > 0.0):
                self._tell("current", now_ns, amps > 0.0)
            self.current_a = [
                amps if phase < vehicle.traits.phases and self.output_v[phase] > 0.0 else 0.0 for phase in range(3)
            ]
            supply_v = self.mains.voltages_v(self.current_a)
            if self.contactor.closed:
                self.output_v = supply_v
            power_w = [volt * amp for volt, amp in zip(self.output_v, self.current_a, strict=True)]
            self.bench_meter.accumulate(power_w, dt_s)
            self.station_meter.accumulate(power_w, dt_s)
            vehicle.battery.charge(sum(power_w) * dt_s / 3600.0)
        self.bench_meter.step(now_ns, self.output_v, self.current_a)
        if self.mains.on:
            self.station_meter.step(now_ns, self.mains.voltages_v(self.current_a), self.current_a)

    def _output(self, fact_ns: int) -> None:
        """Voltage behind the contactor after a contact or the mains moved at `fact_ns`."""
        before = [volt > 0.0 for volt in self.output_v]
        self.output_v = self.mains.voltages_v(self.current_a) if self.contactor.closed else [0.0, 0.0, 0.0]
        live = [volt > 0.0 for volt in self.output_v]
        self._seen = self._look()
        if live != before:
            self.sense.output_moved(fact_ns)
            self._tell("output", fact_ns, tuple(live))

    def _settle(self, now_ns: int) -> None:
        """CP after the circuit or the drive changed."""
        before = self._cp
        self.levels = levels(self.resistor, self.faults, self.pwm_pct)
        self._cp = (round(self.levels.high_v, 3), round(self.levels.low_v, 3), self.pwm_pct)
        self._seen = self._look()
        if self._cp != before:
            self._tell("cp", now_ns, self._cp)

    def _look(self) -> Seen:
        """What the vehicle sees now."""
        connected = self.resistor != "A" and not self.faults.cp_open and self.faults.short_ohm is None
        cable_a = self.outlet.rated_a if self.outlet.cable else cable_rating_a(self.pp_ohm, self.outlet.phases)
        return Seen(
            duty_pct=self.pwm_pct if connected and self.pwm_running else None,
            s2_closed=self.s2_closed,
            output_live=self.output_v[0] > 0.0,
            cable_a=cable_a,
        )

    def _tell(self, name: str, t_ns: int, value: object, since_ns: int | None = None) -> None:
        fact = Fact(name, t_ns, value, t_ns if since_ns is None else since_ns)
        for listener in self.listeners:
            listener(fact)
