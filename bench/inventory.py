"""What a bench file says of its instruments, as the rules' doctor wants to know it."""

from __future__ import annotations

from .config import BenchFile
from .correlation.inventory import Inventory
from .devices import EvSection, PilotSection, TokenLine

__all__ = ["inventory_of"]


def inventory_of(file: BenchFile) -> Inventory:
    """The instruments of a bench, with their bounds in time. Asks no device."""
    pilot, meter, vehicle = file.one(PilotSection), file.meter(), file.one(EvSection)
    found: dict[str, object] = {
        "pilot": "",
        "sense_ms": None,
        "lock_ms": None,
        "token_reader": file.one(TokenLine) is not None,
        "meter": "",
        "vehicle": vehicle[0] if vehicle is not None else "",
        "ocpp": file.station.ocpp,
        "ocpp_lag_ms": file.csms.receipt,
        "claim_resolution_ms": file.station.claim_resolution,
        "configuration_readable": file.station.configuration_readable,
        "profile_unit": file.station.profile_unit,
        "heartbeat_s": file.csms.heartbeat,
    }
    if pilot is not None:
        found |= {
            "pilot": pilot[0],
            "cp_residual_ms": pilot[1].cp_resolution,
            "pilot_clock_ms": pilot[1].clock_error,
            "sense_ms": pilot[1].output_sense,
            "lock_ms": pilot[1].lock_sense if file.station.outlet == "socket" else None,
            "token_reader": pilot[1].token_reader or found["token_reader"],
        }
    if meter is not None:
        found |= {
            "meter": meter[0],
            "meter_poll_ms": meter[1].poll * 1e3,
            "meter_age_ms": meter[1].refresh * 1e3,
            "meter_answer_ms": meter[1].answer,
        }
    return Inventory(**found)  # type: ignore[arg-type]
