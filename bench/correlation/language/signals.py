"""The signals that rules may name: what they mean, which values they have, and which events they are made from.

A signal belongs to an outlet (`evse`). What a station as a whole says (its connection, its boot) is the
same for all of its outlets.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .reading import Reading
from .rule import Occurrence

__all__ = ["CONFIG", "SIGNALS", "STATION_SIGNALS", "Signal", "feeds", "signal_named"]

CONFIG = "config."
"""What the names of the station's settings begin with: `config.HeartbeatInterval`, `config.TxCtrlr.TxStartPoint`."""


class Signal(msgspec.Struct, frozen=True):
    """One signal.

    - `text`: what it means. `kind`: what is known between two readings: `step` (the value holds), `sampled`
      (true at one instant of each reading), `register` (never decreases), `pwm`, or `moment` (true only then).
    - `words`: its values by the words of a rule (`live` is True); empty for a number.
    - `dimension`: of a number (`current`, `share`, ...), as in `units`.
    - `topics`: the events that change it; `needs`: the signals that it is derived from.
    - `reading`: how it is read from events, for those that are defined so (all of a pack's own).
    """

    text: str
    kind: str = "step"
    words: dict[str, bool | str] = {}
    dimension: str = ""
    topics: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reading: Reading | None = None

    @property
    def sampled(self) -> bool:
        """Each reading is a number that is true at one instant."""
        return self.kind in ("sampled", "register") and not self.words


def _same(*words: str) -> dict[str, bool | str]:
    return {word: word for word in words}


SIGNALS: dict[str, Signal] = {
    "cp.state": Signal(
        "A..F: the level of the control pilot", words=_same(*"ABCDEF"), topics=("cp.state", "pilot.reset")
    ),
    "cp.mode": Signal(
        "A1..D2, E, F: the state with 1 = no PWM, 2 = PWM",
        words=_same("A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F"),
        topics=("cp.state", "pilot.reset"),
    ),
    "pwm": Signal(
        "on while a duty cycle of 8 to 97 % is there",
        words={"on": True, "off": False},
        topics=("cp.pwm", "pilot.reset"),
    ),
    "duty": Signal(
        "duty cycle; 0 % while no current is offered (static, or 5 %)",
        "pwm",
        dimension="share",
        topics=("cp.pwm", "pilot.reset"),
    ),
    "offering": Signal(
        "on, ending (off for 200 ms at most: a contactor may be on its way), off: is there PWM that offers current",
        words=_same("on", "ending", "off"),
        topics=("cp.pwm", "pilot.reset"),
    ),
    "duty.step": Signal(
        "the new duty cycle, at the moment one offer of current was changed for another",
        "moment",
        dimension="share",
        topics=("cp.pwm",),
        needs=("duty",),
    ),
    "pwm.band": Signal(
        "static (no PWM), digital (3 to 7 %), offer (8 to 97 %), forbidden (any other), "
        "unsure (the accuracy leaves it open)",
        words=_same("static", "digital", "offer", "forbidden", "unsure"),
        topics=("cp.pwm", "pilot.reset"),
    ),
    "frequency": Signal(
        "of the PWM; not known while there is none", dimension="frequency", topics=("cp.pwm", "pilot.reset")
    ),
    "offered": Signal("current that the duty cycle offers", dimension="current", topics=("cp.pwm", "pilot.reset")),
    "output": Signal(
        "live while voltage is sensed at the outlet",
        words={"live": True, "dead": False},
        topics=("output", "pilot.reset"),
    ),
    "lock": Signal(
        "locked while the connector is held (where the bench has an input for it)",
        words={"locked": True, "open": False},
        topics=("lock",),
    ),
    "cable": Signal(
        "what the station found at the plug-in: out (state A), fixed (tethered), PP13, PP20, PP32, PP63, "
        "none (no coding)",
        words=_same("out", "fixed", "PP13", "PP20", "PP32", "PP63", "none"),
        topics=("stimulus",),
        needs=("cp.state",),
    ),
    "diode": Signal(
        "good, shorted (by the bench), late (shorted after the station could see it: PWM on with a vehicle)",
        words=_same("good", "shorted", "late"),
        topics=("stimulus",),
        needs=("cp.state", "pwm"),
    ),
    "ventilation": Signal(
        "yes if the station may energise in state D, as the bench file says", words={"yes": True, "no": False}
    ),
    "plug": Signal(
        "in while a vehicle or a cable is at the outlet, out when state A is there and no cable in the socket",
        words={"in": True, "out": False},
        topics=("stimulus",),
        needs=("cp.state",),
    ),
    "supply": Signal(
        "on or off, as the bench switched the station's supply; not known before it did",
        words={"on": True, "off": False},
        topics=("stimulus",),
    ),
    "contactor": Signal(
        "closed while voltage is sensed at the outlet, open while none is; not known while the bench has switched the "
        "supply off and none is",
        words={"closed": True, "open": False},
        needs=("output", "supply"),
    ),
    "current": Signal(
        "highest phase current, sampled by the meter",
        "sampled",
        dimension="current",
        topics=("meter.sample",),
        reading=Reading(Occurrence(("meter.sample",)), "current_a", "sampled", highest=True, size=True),
    ),
    "energised": Signal(
        "yes while voltage is sensed at the outlet, no while none is; unsensed, yes while a current flows",
        words={"yes": True, "no": False},
        needs=("output", "current"),
    ),
    "e_bench": Signal(
        "energy since the first reading of the bench's meter: of its register, or the integral of its power",
        "register",
        dimension="energy",
        topics=("meter.sample",),
        reading=Reading(Occurrence(("meter.sample",)), "energy_wh", "register", rate="power_w"),
    ),
    "auth": Signal(
        "yes, ending (within 6 s of an end), no: may current flow; unknown while nobody can tell",
        words=_same("yes", "ending", "no"),
        topics=(
            "station.config",
            "csms.setting",
            "ocpp.authorized",
            "csms.remote_start",
            "csms.remote_stop",
            "ocpp.tx.ended",
            "stimulus",
        ),
        needs=("cp.state", "tx", "connected", "boot"),
    ),
    "auth_active": Signal(
        "yes or no, as `auth`; not known within the 6 s after an end",
        words={"yes": True, "no": False},
        needs=("auth",),
    ),
    "status": Signal(
        "available, occupied, faulted, unavailable, reserved, unreported (after a boot, none sent yet)",
        words=_same("available", "occupied", "faulted", "unavailable", "reserved", "unreported"),
        topics=("ocpp.status", "ocpp.boot.answered"),
    ),
    "status.sent": Signal(
        "the status of the connector in the station's own word",
        words=_same(
            "Available",
            "Preparing",
            "Charging",
            "SuspendedEV",
            "SuspendedEVSE",
            "Finishing",
            "Reserved",
            "Unavailable",
            "Faulted",
            "Occupied",
        ),
        topics=("ocpp.status",),
    ),
    "operative": Signal(
        "asked (to be inoperative, not reported yet), no (and reported as unavailable), yes (asked to be operative), "
        "unasked (neither in this record)",
        words=_same("asked", "no", "yes", "unasked"),
        topics=("ocpp.connected", "ocpp.attached", "ocpp.call", "csms.availability"),
        needs=("status",),
    ),
    "tx": Signal(
        "running while the station reports a transaction",
        words={"running": True, "none": False},
        topics=("ocpp.tx.started", "ocpp.tx.updated", "ocpp.tx.ended", "ocpp.boot.answered"),
    ),
    "tx.online": Signal(
        "yes while a transaction runs and the station is online: it can report at once",
        words={"yes": True, "no": False},
        needs=("tx", "online"),
    ),
    "tx.state": Signal(
        "the charging state that a transaction reported last; unreported if it began without one; none after its end",
        words=_same("EVConnected", "Charging", "SuspendedEV", "SuspendedEVSE", "Idle", "unreported", "none"),
        topics=("ocpp.tx.started", "ocpp.tx.updated", "ocpp.tx.ended"),
    ),
    "connected": Signal(
        "yes while the station is connected",
        words={"yes": True, "no": False},
        topics=("ocpp.connected", "ocpp.disconnected", "ocpp.attached"),
    ),
    "boot": Signal(
        "booting (from power on, a reset or a boot message until Accepted), accepted",
        words=_same("booting", "accepted"),
        topics=("stimulus", "ocpp.connected", "csms.reset", "ocpp.boot", "ocpp.boot.answered", "ocpp.attached"),
    ),
    "online": Signal(
        "yes from acceptance (or being attached to) until the connection ends",
        words={"yes": True, "no": False},
        topics=("ocpp.disconnected", "ocpp.boot", "ocpp.boot.answered", "ocpp.attached"),
    ),
    "profile": Signal(
        "current that the accepted charging profiles allow; 1000000 A for no limit",
        dimension="current",
        topics=("csms.charging_profile", "csms.profile_cleared", "ocpp.tx.ended", "stimulus"),
        needs=("tx",),
    ),
    "profile.reached": Signal(
        "the profile's limit, at the moment the duty cycle came down to it",
        "moment",
        dimension="current",
        topics=("cp.pwm",),
        needs=("profile", "duty"),
    ),
    "profile.kept": Signal(
        "none (no profile limits), pending (one came and the duty cycle is above it still), kept, "
        "exceeded (the duty cycle rose above it again)",
        words=_same("none", "pending", "kept", "exceeded"),
        topics=("csms.charging_profile", "csms.profile_cleared", "ocpp.tx.ended", "stimulus"),
        needs=("profile", "duty"),
    ),
    "allowance": Signal(
        "least of cable, rating and profiles",
        dimension="current",
        topics=("csms.charging_profile", "csms.profile_cleared", "ocpp.tx.ended", "stimulus"),
        needs=("profile",),
    ),
    "i_limit": Signal(
        "what may flow now: the least of `allowance` and what the duty cycle offers",
        dimension="current",
        needs=("allowance", "offered"),
    ),
}
"""Name -> what it is."""

STATION_SIGNALS = frozenset({"connected", "boot", "online"})


_SETTING = Signal(
    "a setting of the station as it was read back or changed; a list has each of its members; empty: it has none",
    topics=("station.config", "csms.setting"),
)


def signal_named(name: str, signals: Mapping[str, Signal] = SIGNALS) -> Signal:
    """The signal of a name; every setting of the station (`config.…`) is one.

    Raises:
        KeyError: there is none.
    """
    return _SETTING if name.startswith(CONFIG) else signals[name]


def feeds(signal: str, signals: Mapping[str, Signal] = SIGNALS) -> frozenset[str]:
    """Every topic that can change the signal, also by way of those it is derived from.

    Raises:
        KeyError: there is none of that name.
    """
    known = signal_named(signal, signals)
    return frozenset(known.topics).union(*(feeds(name, signals) for name in known.needs))
