"""What the rules need to know of the bench: plain numbers, stored with every recording."""

from __future__ import annotations

from typing import Literal

import msgspec

from .inventory import Inventory

__all__ = ["Calibration", "Facts"]


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Between which days (ISO 8601, both included) an instrument's accuracy is vouched for; empty: not said.

    `allowed`: the bench file lets verdicts rest on it afterwards too.
    """

    calibrated: str = ""
    due: str = ""
    allowed: bool = False


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bench as far as a verdict depends on it.

    - `station`: OCPP identity; events that name another one are ignored. Empty: take any.
    - `evses`: outlets under test, from 1.
    - `outlet`: `socket` (the cable is coded by PP) or `cable` (tethered, carries `rated_a`).
    - `rated_a`, `phases`: what the outlet is built for.
    - `ventilation`: whether the outlet may energise in state D; None: not said.
    - `authorisation`: `required`, or `free` when anybody may charge.
    - `powered_by_bench`: the bench powers the station up in this run, so its first connection follows a boot.
    - `mains_relay`: number of the pilot's relay that switches the station's supply.
    - `meter_accuracy_pct` (of the reading), `meter_resolution_wh`, `meter_max_gap_s`: the bench's energy meter;
      two samples further apart than that leave a hole.
    - `calibrations`: of the instruments, by their source's name; compared with the recorded wall clock of the run.
    - `current_accuracy_a` (and `current_accuracy_pct` of the reading): error bound of a current reading.
    - `station_register_resolution_wh`: last digit of the station's sampled register.
    - `duty_accuracy_pp`: error bound of a measured duty cycle, in percentage points.
    - `inventory`: what the bench has, and how finely it sees; for what can be said before a run.
    """

    station: str = ""
    evses: tuple[int, ...] = (1,)
    outlet: Literal["socket", "cable"] = "socket"
    rated_a: float = 32.0
    phases: int = 3
    ventilation: bool | None = None
    authorisation: Literal["required", "free"] = "required"
    powered_by_bench: bool = False
    mains_relay: int | None = None
    meter_accuracy_pct: float = 0.2
    meter_resolution_wh: float = 0.1
    meter_max_gap_s: float = 2.0
    calibrations: dict[str, Calibration] = {}
    current_accuracy_a: float = 0.05
    current_accuracy_pct: float = 0.0
    station_register_resolution_wh: float = 0.1
    duty_accuracy_pp: float = 0.1
    inventory: Inventory = Inventory()
