"""The envelope of a bench: what no stimulus may exceed, and what the supervisor trips on."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .danger import RISKY_DUTIES

__all__ = ["ENERGY_WH", "TEMPERATURE_C", "VOLTAGE_V", "Envelope"]

VOLTAGE_V = 265.0
"""Phase to neutral: 230 V and the 15 % that instruments rated for mains take without harm."""
ENERGY_WH = 10_000.0
"""In one run and outlet. Nothing is unlimited because nobody thought of it: a longer charge is written down."""
TEMPERATURE_C = 80.0


class Envelope(msgspec.Struct, frozen=True):
    """Bounds of one bench. Counts are kept for each device, energy for each outlet.

    - `current_a`: highest current a stimulus may ask for, per phase; `phase_w`: the same as power of one phase, and
      `power_w`: of all phases of the outlet. `voltage_v`: highest voltage a supply may be set to, phase to neutral.
    - `energy_wh`: what one outlet may deliver in one run; `temperature_c`: what any instrument may report.
    - `contactor_cycles`: how often S2 may close in one run, and how often a supply may be switched on.
    - `min_off_s`: shortest time between off and on again, of both.
    - `fault_duration_s`: a fault is taken back after this time.
    - `faults`, `pp_ohm`: what may be injected beside the CP resistor, and coded on PP.
    - `relays`: what may be switched: numbers of relays without a duty, and duties (mains, pe, rcd, dc-leak, aux).
    - `duties`: device -> number of a relay -> its duty, as the bench file says; it outweighs what a driver says.
    - `verbs`: verbs of third-party drivers that may be used although no bound is known for them.
    - `rapi`: groups of RAPI commands that may be sent: safety, one-time.
    - `csms_allowed`: groups of OCPP actions the back end may send, see `csms_actions`: firmware, reset, security.
    - `csms_forbidden`: OCPP actions it may not send beside those.
    """

    current_a: float
    phase_w: float
    power_w: float
    contactor_cycles: int
    min_off_s: float
    fault_duration_s: float
    faults: frozenset[str]
    pp_ohm: frozenset[int]
    relays: frozenset[int | str]
    csms_forbidden: frozenset[str]
    csms_allowed: frozenset[str] = frozenset()
    voltage_v: float = VOLTAGE_V
    energy_wh: float = ENERGY_WH
    temperature_c: float = TEMPERATURE_C
    verbs: frozenset[str] = frozenset()
    rapi: frozenset[str] = frozenset()
    duties: Mapping[str, Mapping[int, str]] = {}

    @property
    def dangers(self) -> frozenset[str]:
        """Everything a person has to name when arming, beside a plain session: faults, residual currents, PE, RAPI."""
        return (
            self.faults
            | {duty for duty in RISKY_DUTIES if duty in self.relays}
            | {f"rapi-{group}" for group in self.rapi}
        )
