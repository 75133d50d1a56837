"""The signals that rules may name, and how events become them.

A signal belongs to an outlet (`evse`). What a station as a whole says (its connection, its boot) is the
same for all of its outlets.
"""

from __future__ import annotations

__all__ = ["SIGNALS", "STATION_SIGNALS"]

SIGNALS: dict[str, str] = {
    "cp.state": "A..F: the level of the control pilot",
    "cp.mode": "A1..D2, E, F: the state with 1 = no PWM, 2 = PWM",
    "pwm": "true while a duty cycle of 8 to 97 % is on",
    "duty": "duty cycle in percent; 0 while no current is offered (static, or 5 %)",
    "offered": "current in ampere that the duty cycle offers",
    "output": "true while voltage is sensed at the outlet",
    "current": "highest phase current in ampere, sampled by the meter",
    "auth": "yes, ending (within 6 s of an end), no: may current flow; unknown while nobody can tell",
    "status": "available, occupied, faulted, unavailable, reserved, unreported (after a boot, none sent yet)",
    "tx": "true while the station reports a transaction",
    "connected": "true while the station is connected",
    "boot": "booting (from power on, a reset or a boot message until Accepted), accepted",
    "online": "true from acceptance (or being attached to) until the connection ends",
    "profile": "current in ampere that the accepted charging profiles allow; 1000000 for no limit",
    "profile.reached": "the profile's limit, at the moment the duty cycle came down to it",
    "allowance": "least of cable, rating and profiles in ampere",
}
"""Name -> its values."""

STATION_SIGNALS = frozenset({"connected", "boot", "online"})
