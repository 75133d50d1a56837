"""What may stand in a bench file beside the devices: the tables, their quantities and their bounds.

Quantities are texts with their unit (`"16 A"`), unknown keys are refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .quantities import Amps, Milliseconds, Model, Seconds, Volts, WattHours, quantity
from .safety.envelope import ENERGY_WH, TEMPERATURE_C, VOLTAGE_V

__all__ = [
    "CsmsSection",
    "EnvelopeSection",
    "RulesSection",
    "SafeSection",
    "Station",
    "TwinSection",
]


Celsius = Annotated[float, quantity("temperature")]


class Station(Model):
    """The station under test, as its nameplate and manual describe it."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,48}$", description="the identity that it has in its OCPP settings")
    ocpp: Literal["1.6", "2.0.1", "2.1"] = Field(
        default="1.6", description="the version it speaks; `--ocpp` says otherwise for one run"
    )
    outlet: Literal["socket", "cable"] = Field(description="a socket (PP codes the cable) or a tethered cable")
    rated: Amps = Field(gt=0, le=500, description="per phase; more than 80 A is DC")
    phases: Literal[1, 3] = Field(default=3, description="of one outlet; a DC station has 1")
    evses: int = Field(default=1, ge=1, le=8, description="outlets of the station that are on this bench")
    ventilation: bool | None = Field(default=None, description="may it energise in state D; left out: not judged")
    authorisation: Literal["required", "free"] = Field(description="whether current without authorisation is a failure")
    register_resolution: WattHours = Field(default=1.0, gt=0, description="step of the energy that it reports")
    boot_within: Seconds = Field(default=180.0, gt=0, description="from its supply to its accepted boot")
    claim_resolution: Milliseconds = Field(default=1000.0, gt=0, description="step of the times that it reports")
    configuration_readable: bool = Field(default=True, description="for `rules doctor`: it gives its configuration")
    profile_unit: Literal["A", "W"] = Field(
        default="A", description="for `rules doctor`: in which unit it takes charging profiles"
    )


class CsmsSection(Model):
    """Where the embedded back end listens, and what it answers."""

    listen: str = Field(
        default="127.0.0.1",
        description="address of the interface that stations come in by; the default lets nobody in from outside",
    )
    port: int = Field(default=9000, ge=0, le=65535, description="of OCPP; 0: any free one")
    tokens: list[str | dict[str, Any]] = Field(
        default_factory=list[str | dict[str, Any]],
        description="cards that are accepted: identifiers, or tables as in docs/csms.md",
    )
    heartbeat: Seconds = Field(default=30.0, gt=0, description="interval that a boot is answered with")
    receipt: Milliseconds = Field(default=20.0, gt=0, description="how long before its receipt a message was sent")
    tolerance: Literal["lenient", "strict"] = Field(
        default="lenient", description="strict: a message that breaks its schema is answered by an error"
    )
    boots: list[Literal["Accepted", "Pending", "Rejected"]] = Field(
        default_factory=list[Literal["Accepted", "Pending", "Rejected"]],
        description="answers to its first boots, in order; then Accepted",
    )
    boot_retry: Seconds = Field(default=10.0, ge=1, description="interval of an answer that is not Accepted")
    answer_within: Seconds = Field(default=30.0, gt=0, description="how long an answer of the station is waited for")
    ping: Seconds | None = Field(default=None, gt=0, description="send pings; left out: none are sent")
    security_profile: Literal[0, 1, 2, 3] = Field(default=0, description="as OCPP numbers them")
    tls_port: int | None = Field(default=None, ge=0, le=65535, description="a second port with TLS, profiles 0 and 1")
    password: str | None = Field(default=None, description="of the station, until it is changed through OCPP")
    public_host: str | None = Field(default=None, description="how stations reach this machine, if not by `listen`")
    certificate: str | None = Field(default=None, description="PEM file instead of the certificate made here")
    key: str | None = Field(default=None, description="PEM file, of that certificate")
    trusted: list[str] = Field(default_factory=list[str], description="PEM files of roots of stations' certificates")
    policy: dict[str, Any] = Field(default_factory=dict[str, Any], description="manners, see docs/csms.md")
    files_port: int = Field(default=0, ge=0, le=65535, description="of the file exchange; 0: any free one")


class EnvelopeSection(Model):
    """What no stimulus may exceed on this bench, and what the supervisor trips on. Nothing is unlimited."""

    current: Amps = Field(
        gt=0, le=500, description="per phase: EV requests, loads, supplies, limits that the back end sends"
    )
    voltage: Volts = Field(default=VOLTAGE_V, gt=0, le=1500, description="phase to neutral, or DC")
    energy: WattHours = Field(default=ENERGY_WH, gt=0, description="of one outlet in one run, by the bench's meter")
    temperature: Celsius = Field(default=TEMPERATURE_C, gt=0, le=200, description="that any instrument reports")
    contactor_cycles: int = Field(gt=0, description="of one device in one run: S2 closings, and switching a supply on")
    min_off: Seconds = Field(default=1.0, ge=0, description="between off and on again, of both")
    fault_duration: Seconds = Field(default=60.0, gt=0, description="then an injected fault is taken back")
    faults: list[Literal["diode", "short0", "short80", "open"]] = Field(
        default_factory=list[Literal["diode", "short0", "short80", "open"]], description="that a pilot may show"
    )
    pp_ohm: list[Literal[100, 220, 680, 1500]] = Field(description="resistors that may be shown at PP")
    relays: list[int | Literal["mains", "pe", "rcd", "dc-leak", "aux"]] = Field(
        default_factory=list[int | Literal["mains", "pe", "rcd", "dc-leak", "aux"]],
        description="numbers or duties that may be switched; pe, rcd and dc-leak by their duty only",
    )
    verbs: list[str] = Field(default_factory=list[str], description="of third-party drivers, e.g. heater.on")
    rapi: list[Literal["safety", "one-time"]] = Field(
        default_factory=list[Literal["safety", "one-time"]], description="groups of RAPI commands beside the plain ones"
    )
    csms_allowed: list[Literal["firmware", "reset", "security"]] = Field(
        default_factory=list[Literal["firmware", "reset", "security"]],
        description="groups of the back end's requests beside the plain ones",
    )
    csms_forbidden: list[str] = Field(default_factory=list[str], description="actions that it never sends")


class SafeSection(Model):
    """When the output counts as dead, how long the supervisor waits before it trips, and who stops the bench by hand.

    The waiting times are what lies between a fact and a danger to the bench; see docs/safety.md for their reasons.
    """

    output_dead_within: Seconds = Field(default=3.0, gt=0, description="after CP went to A")
    current_below: Amps = Field(default=0.5, gt=0, description="a meter's reading that counts as no current")
    emergency_stop: str | None = Field(default=None, min_length=3, description="the hard-wired one: where it is")
    e_stop: str | None = Field(default=None, description="the device that reports the state of the emergency stop")
    current_in_a: Seconds = Field(default=3.0, ge=0.5, le=60, description="current without a plugged vehicle")
    unauthorised: Seconds = Field(default=15.0, ge=5, le=600, description="current without authorisation")
    over_limit: Seconds = Field(default=1.0, ge=0, le=60, description="more than [envelope] allows")
    meter_silent: Seconds = Field(default=2.0, ge=0.5, le=60, description="no reading of the meter while energised")
    device_lost: Seconds = Field(default=2.0, ge=0, le=60, description="an instrument that energises is lost")


class RulesSection(Model):
    """Which expectations are judged, and against which limits."""

    packs: list[str] = Field(min_length=1, description="rule packs, shipped or beside the bench file")
    limits: list[str] = Field(min_length=1, description="files of limits; a later one outweighs an earlier one")


class TwinSection(Model):
    """The twin stands in for the hardware; without this table the bench is real.

    With `external_station` no simulated station is started: software of your own connects to the DUT port.
    """

    seed: int = Field(default=1, description="of its noise and delays: the same seed, the same run")
    external_station: bool = Field(
        default=False, description="no station is started: software of your own connects to the DUT port"
    )
    pilot_boot: Seconds = Field(default=0.0, ge=0, le=4, description="how long its pilot emulators take to start")
    pilot_watchdog: bool = Field(
        default=True,
        description="false: neither the watchdogs of the pilot emulators nor that of the EV simulator work",
    )
