"""What breaks at one outlet: the names of the faults of vehicle, cable, station and supply, done to the model.

`bench/twin/faults.py` lists them with their arguments, which arrive here complete and checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .contactor import ALL_POLES
from .divider import CpFaults
from .plant import PWM_HZ, Plant
from .proximity import PpFault
from .residual import Leakage

__all__ = ["DEFECTS", "break_outlet"]

Args = Mapping[str, Any]


def break_outlet(plant: Plant, name: str, on: bool, args: Args, now_ns: int) -> bool:
    """Begin the fault, or end it; False when the model has none of that name."""
    act = DEFECTS.get(name)
    if act is None:
        return False
    plant.tell_fault(name, on, dict(args), now_ns)
    act(plant, on, args, now_ns)
    return True


def _diode_short(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.inject(replace(plant.injected, diode=on), now_ns)


def _cp_short(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.inject(replace(plant.injected, short_ohm=float(args["ohm"]) if on else None), now_ns)


def _cp_open(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.inject(replace(plant.injected, cp_open=on), now_ns)


def _cp_resistance(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    states = CpFaults().branch_in if args["state"] == "any" else str(args["state"])
    plant.inject(replace(plant.injected, branch_ohm=float(args["ohm"]) if on else None, branch_in=states), now_ns)


def _pp_open(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.break_pp(PpFault(None) if on else None, now_ns)


def _pp_short(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.break_pp(PpFault(0.0) if on else None, now_ns)


def _pp_resistance(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.break_pp(PpFault(float(args["ohm"])) if on else None, now_ns)


def _pp_changing(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.break_pp(PpFault(float(args["ohm"]), float(args["over_s"])) if on else None, now_ns)


def _leak_ac(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.set_leak("leak-ac", Leakage(ac_ma=float(args["ma"])) if on else None, now_ns)


def _leak_dc(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.set_leak("leak-dc", Leakage(dc_ma=float(args["ma"])) if on else None, now_ns)


def _phase_loss(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    for phase in (1, 2, 3) if not on else (int(args["phase"]),):
        plant.mains.lose(phase, on, now_ns)


def _voltage(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.mains.distort(float(args["volt"]) if on else None, now_ns)


def _mains_cut(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.set_mains(not on, now_ns, by="fault")


def _welded(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.weld(ALL_POLES if on else frozenset(), now_ns, at_once=bool(args["at_once"]))


def _pole_welded(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    poles = frozenset({int(args["pole"])}) if on else frozenset[int]()
    plant.weld(poles, now_ns, at_once=bool(args["at_once"]))


def _no_close(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.contactor.coil.block({True} if on else frozenset[bool](), now_ns)


def _lock_blocked(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    positions: dict[str, set[bool]] = {"both": {True, False}, "close": {True}, "open": {False}}
    plant.lock.block(positions[str(args["direction"])] if on else frozenset[bool](), now_ns)


def _pwm_frequency(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.run_pwm_at(float(args["hz"]) if on else PWM_HZ, now_ns)


def _meter_freeze(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.station_meter.frozen = on


def _meter_rollback(plant: Plant, on: bool, args: Args, now_ns: int) -> None:
    plant.station_meter.turn_back(float(args["wh"]) if on else None)


DEFECTS: dict[str, Callable[[Plant, bool, Args, int], None]] = {
    "cp-diode-short": _diode_short,
    "cp-short": _cp_short,
    "cp-open": _cp_open,
    "cp-resistance": _cp_resistance,
    "pp-open": _pp_open,
    "pp-short": _pp_short,
    "pp-resistance": _pp_resistance,
    "pp-changing": _pp_changing,
    "leak-ac": _leak_ac,
    "leak-dc": _leak_dc,
    "phase-loss": _phase_loss,
    "over-voltage": _voltage,
    "under-voltage": _voltage,
    "mains-cut": _mains_cut,
    "contactor-welded": _welded,
    "contactor-pole-welded": _pole_welded,
    "contactor-no-close": _no_close,
    "lock-blocked": _lock_blocked,
    "pwm-fast": _pwm_frequency,
    "pwm-slow": _pwm_frequency,
    "station-meter-freeze": _meter_freeze,
    "station-meter-rollback": _meter_rollback,
}
