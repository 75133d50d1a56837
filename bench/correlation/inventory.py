"""What a bench has, and how well it knows when something happened: plain numbers, stored with every recording.

No verdict rests on them: those go by the stamps of the events. They say before a run what can be decided.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Inventory"]


class Inventory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The instruments as far as it decides what a bench can see, and how finely. Times in milliseconds.

    - `pilot`, `meter`, `vehicle`: names of the instruments; empty: the bench has none.
    - `cp_residual_ms`: half-width of a CP event's own error on the pilot's clock; `pilot_clock_ms`: half-width of that
      clock on the bench clock; `command_ms`: from the sending of a command to its acknowledgement.
    - `sense_ms`, `lock_ms`: how much older than its event a fact at the outlet, or at the lock, may be, least and most;
      None: it is not sensed.
    - `token_reader`: the pilot can present a card.
    - `meter_poll_ms`: time between two readings; `meter_age_ms`: how old a value in the meter's registers may be;
      `meter_answer_ms`: from the request to the answer.
    - `ocpp`: the version that the station speaks. `ocpp_lag_ms`: how long before its receipt a message was sent.
    - `claim_resolution_ms`: last digit of the times that the station claims.
    - `configuration_readable`: the station gives its configuration. `profile_unit`: in which unit it takes profiles.
    - `heartbeat_s`: the interval that the back end asks for.
    """

    pilot: str = "pilot"
    cp_residual_ms: float = 0.2
    pilot_clock_ms: float = 2.0
    command_ms: float = 10.0
    sense_ms: tuple[float, float] | None = (0.0, 10.0)
    lock_ms: tuple[float, float] | None = (0.0, 1.0)
    token_reader: bool = True
    meter: str = "meter"
    meter_poll_ms: float = 100.0
    meter_age_ms: float = 100.0
    meter_answer_ms: float = 20.0
    vehicle: str = "ev"
    ocpp: str = "1.6"
    ocpp_lag_ms: float = 20.0
    claim_resolution_ms: float = 1000.0
    configuration_readable: bool = True
    profile_unit: Literal["A", "W"] = "A"
    heartbeat_s: float = 30.0
