"""What the bench file says to the gate, to arming and to the supervisor."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from .config import BenchFile, data_file
from .owner import state_dir
from .safety.arming import Arming, token_path
from .safety.envelope import Envelope
from .safety.supervisor import Watch

__all__ = ["arming_of", "digest_of", "duties_of", "envelope_of", "held_of", "is_real", "watch_of"]

NOMINAL_V = 230.0
"""Voltage per phase at which a current limit is turned into a power limit (IEC 60038)."""

OVER_SHARE = 1.1
"""Metered current may exceed the envelope's by so much: a breaker of class B or C holds 1.13 times for an hour
(IEC 60898-1), and a vehicle is allowed to overshoot."""


def is_real(file: BenchFile) -> bool:
    """True of a bench with one device or more that the twin does not make."""
    return any(not device.port.startswith("twin:") for device in file.device.values())


def digest_of(file: BenchFile) -> str:
    """SHA-256 over the bench file as it is used, its text, and the data files of its devices.

    What the command line may replace for a run, the OCPP version, is left out.
    """
    used = file.model_dump(mode="json", exclude={"station": {"ocpp"}, "device": True})
    used["device"] = {name: device.model_dump(mode="json") for name, device in sorted(file.device.items())}
    told = hashlib.sha256(msgspec.json.encode([used, file.text], order="deterministic"))
    for name, device in sorted(file.device.items()):
        for folder, stem, suffix in device.data_files():
            told.update(f"\0{name}\0{stem}{suffix}\0".encode())
            told.update(data_file(file, folder, stem, suffix).read_bytes())
    return told.hexdigest()


def arming_of(file: BenchFile) -> Arming | None:
    """What a person's permission is asked of; None on a bench without real hardware."""
    if not is_real(file):
        return None
    command = f"pilotbench arm --bench {shlex.quote(str(file.path))} --for 8h"
    return Arming(token_path(state_dir(), file.path), digest_of(file), command)


def envelope_of(file: BenchFile) -> Envelope:
    """The envelope as the gate wants it."""
    section = file.envelope
    return Envelope(
        current_a=section.current,
        phase_w=section.current * NOMINAL_V,
        power_w=section.current * NOMINAL_V * file.station.phases,
        contactor_cycles=section.contactor_cycles,
        min_off_s=section.min_off,
        fault_duration_s=section.fault_duration,
        faults=frozenset(section.faults),
        pp_ohm=frozenset(section.pp_ohm),
        relays=frozenset(section.relays),
        csms_forbidden=frozenset(section.csms_forbidden),
        csms_allowed=frozenset(section.csms_allowed),
        voltage_v=section.voltage,
        energy_wh=section.energy,
        temperature_c=section.temperature,
        verbs=frozenset(section.verbs),
        rapi=frozenset(section.rapi),
        duties=duties_of(file),
    )


def held_of(file: BenchFile) -> str:
    """Why the gate lets nothing pass at first: an emergency stop that has not reported reads as tripped."""
    name = file.safe.e_stop
    return "" if name is None else f"the emergency stop at {name!r} has not reported yet, which reads as tripped"


def duties_of(file: BenchFile) -> dict[str, Mapping[int, str]]:
    """Device -> number of a relay -> what it switches, as far as the bench file says."""
    found: dict[str, Mapping[int, str]] = {}
    for name, device in file.device.items():
        written = cast(object, getattr(device, "relays", None))
        relays: dict[int, str] = {}
        if isinstance(written, Mapping):
            table = cast("Mapping[Any, Any]", written)
            relays |= {int(number): str(duty) for number, duty in table.items()}
        mains = getattr(device, "mains_relay", None)
        if isinstance(mains, int):
            relays[mains] = "mains"
        if relays:
            found[name] = relays
    return found


def watch_of(file: BenchFile) -> Watch:
    """What the supervisor looks for, and how long it waits."""
    envelope, safe = file.envelope, file.safe
    roles = {name: device.role for name, device in file.device.items()}
    return Watch(
        no_current_a=safe.current_below,
        most_a=envelope.current * OVER_SHARE + safe.current_below,
        most_v=envelope.voltage,
        most_wh=envelope.energy,
        most_c=envelope.temperature,
        authorisation=file.station.authorisation == "required",
        current_in_a_s=safe.current_in_a,
        unauthorised_s=safe.unauthorised,
        over_limit_s=safe.over_limit,
        meter_silent_s=safe.meter_silent,
        device_lost_s=safe.device_lost,
        meters={name: file.device[name].evse for name, role in roles.items() if role == "meter"},
        e_stop=safe.e_stop,
        mains=frozenset(
            (name, number)
            for name, relays in duties_of(file).items()
            for number, duty in relays.items()
            if duty == "mains"
        ),
    )
