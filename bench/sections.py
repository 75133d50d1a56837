"""What may stand in a bench file: the tables, their quantities and their bounds.

Quantities are texts with their unit (`"16 A"`), unknown keys are refused.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .timeline import parse_quantity

__all__ = [
    "CsmsSection",
    "Device",
    "EnvelopeSection",
    "EvDbc",
    "MeterModbus",
    "Model",
    "PilotLine",
    "RulesSection",
    "SafeSection",
    "Station",
    "TwinSection",
]


def _quantity(dimension: str) -> BeforeValidator:
    def parse(value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} has no unit; write it as text with one, e.g. '{value} …'")
        return parse_quantity(value, dimension)

    return BeforeValidator(parse)


def _milliseconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} has no unit; write it as text with one, e.g. '100 ms'")
    return parse_quantity(value, "time") / 1e6


def _delay(value: Any) -> tuple[float, float] | None:
    """`0..10 ms`, or `none`."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no delay; write it as text, e.g. '0..10 ms', or 'none'")
    if value.strip() == "none":
        return None
    least, dots, most = value.partition("..")
    unit = most.strip().lstrip("0123456789.").strip()
    try:
        lo, hi = (_milliseconds(f"{number} {unit}") for number in (least.strip(), most.strip().removesuffix(unit)))
    except ValueError:
        dots = ""
        lo = hi = 0.0
    if not dots or not 0 <= lo <= hi:
        raise ValueError(f"{value!r} is no delay; write it from least to most, e.g. '0..10 ms', or 'none'")
    return lo, hi


Seconds = Annotated[float, BeforeValidator(lambda value: _milliseconds(value) / 1e3)]
Amps = Annotated[float, _quantity("current")]
WattHours = Annotated[float, _quantity("energy")]
Milliseconds = Annotated[float, BeforeValidator(_milliseconds)]
Delay = Annotated[tuple[float, float] | None, BeforeValidator(_delay)]
"""From least to most, in milliseconds; None for `none`: there is no such sense."""
Share = Annotated[float, _quantity("share")]
"""Percent, or percentage points where the quantity is itself a percentage."""


class Model(BaseModel):
    """Unknown keys are refused; numbers are not silently made from texts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Station(Model):
    """The station under test, as its nameplate and manual describe it."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,48}$")
    ocpp: Literal["1.6", "2.0.1", "2.1"] = "1.6"
    outlet: Literal["socket", "cable"]
    rated: Amps = Field(gt=0, le=80)
    phases: Literal[1, 3] = 3
    ventilation: bool | None = Field(default=None, description="may it energise in state D; left out: not judged")
    authorisation: Literal["required", "free"]
    register_resolution: WattHours = Field(default=1.0, gt=0)
    boot_within: Seconds = Field(default=180.0, gt=0)
    claim_resolution: Milliseconds = Field(default=1000.0, gt=0)
    configuration_readable: bool = True
    profile_unit: Literal["A", "W"] = "A"


class CsmsSection(Model):
    """Where the embedded back end listens, and what it answers."""

    listen: str = "127.0.0.1"
    port: int = Field(default=9000, ge=0, le=65535)
    tokens: list[str | dict[str, Any]] = Field(default_factory=list[str | dict[str, Any]])
    heartbeat: Seconds = Field(default=30.0, gt=0)
    receipt: Milliseconds = Field(default=20.0, gt=0, description="how long before its receipt a message was sent")
    tolerance: Literal["lenient", "strict"] = "lenient"
    boots: list[Literal["Accepted", "Pending", "Rejected"]] = Field(
        default_factory=list[Literal["Accepted", "Pending", "Rejected"]]
    )
    boot_retry: Seconds = Field(default=10.0, ge=1)
    answer_within: Seconds = Field(default=30.0, gt=0)
    ping: Seconds | None = Field(default=None, gt=0, description="send pings; left out: none are sent")
    security_profile: Literal[0, 1, 2, 3] = 0
    tls_port: int | None = Field(default=None, ge=0, le=65535, description="a second port with TLS, profiles 0 and 1")
    password: str | None = Field(default=None, description="of the station, until it is changed through OCPP")
    public_host: str | None = Field(default=None, description="how stations reach this machine, if not by `listen`")
    certificate: str | None = Field(default=None, description="PEM file instead of the certificate made here")
    key: str | None = None
    trusted: list[str] = Field(default_factory=list[str], description="PEM files of roots of stations' certificates")
    policy: dict[str, Any] = Field(default_factory=dict[str, Any], description="manners, see docs/csms.md")
    files_port: int = Field(default=0, ge=0, le=65535, description="of the file exchange; 0: any free one")


class _Calibrated(Protocol):
    @property
    def calibrated(self) -> date | None: ...
    @property
    def calibration_due(self) -> date | None: ...


_C = TypeVar("_C", bound=_Calibrated)


def _calibration_in_order(device: _C) -> _C:
    begun, due = device.calibrated, device.calibration_due
    if begun is not None and due is not None and due < begun:
        raise ValueError(f"calibration_due {due} lies before calibrated {begun}")
    return device


class PilotLine(Model):
    """A control pilot emulator that speaks the pilot line protocol (docs/pilot-protocol.md).

    Its calibration covers the duty cycle and the delay of the output sense. What it can do the device says itself
    when it is opened; here it stands for the doctor, who asks no device.
    """

    driver: Literal["pilot.line"]
    port: str
    baud: int = 115200
    evse: int = Field(default=1, ge=1)
    watchdog: Seconds = Field(default=2.0, ge=0.2, le=10)
    duty_accuracy: Share = Field(default=0.5, gt=0)
    cp_resolution: Milliseconds = Field(default=1.0, ge=0)
    clock_error: Milliseconds = Field(default=2.0, ge=0)
    output_sense: Delay = (0.0, 10.0)
    lock_sense: Delay = None
    token_reader: bool = True
    mains_relay: int | None = Field(default=None, ge=1)
    calibrated: date | None = None
    calibration_due: date | None = None
    allow_expired_calibration: bool = False

    _dates = model_validator(mode="after")(_calibration_in_order)


class MeterModbus(Model):
    """An energy meter on Modbus RTU or TCP, with its accuracy on this bench."""

    driver: Literal["meter.modbus"]
    port: str
    map: str
    unit: int = Field(default=1, ge=1, le=247)
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    evse: int = Field(default=1, ge=1)
    poll: Seconds = Field(default=0.25, gt=0)
    refresh: Seconds = Field(default=0.5, ge=0)
    answer: Milliseconds = Field(default=50.0, ge=0, description="from the request to the end of the answer")
    accuracy: Share = Field(gt=0)
    resolution: WattHours = Field(gt=0)
    current_accuracy: Amps = Field(default=0.1, gt=0)
    calibrated: date
    calibration_due: date
    allow_expired_calibration: bool = False
    certificate: str = ""

    _dates = model_validator(mode="after")(_calibration_in_order)


class EvDbc(Model):
    """An EV simulator on CAN, described by a DBC file."""

    driver: Literal["ev.dbc"]
    port: str
    dbc: str
    bitrate: int = 500_000
    evse: int = Field(default=1, ge=1)
    max_current: Amps = Field(gt=0, le=80)


Device = Annotated[PilotLine | MeterModbus | EvDbc, Field(discriminator="driver")]


class EnvelopeSection(Model):
    """What no stimulus may exceed on this bench."""

    current: Amps = Field(gt=0, le=80)
    contactor_cycles: int = Field(gt=0)
    min_off: Seconds = Field(default=1.0, ge=0)
    fault_duration: Seconds = Field(default=60.0, gt=0)
    faults: list[Literal["diode", "short0", "short80", "open"]] = Field(
        default_factory=list[Literal["diode", "short0", "short80", "open"]]
    )
    pp_ohm: list[Literal[100, 220, 680, 1500]]
    relays: list[int] = Field(default_factory=list[int])
    csms_allowed: list[Literal["firmware", "reset", "security"]] = Field(
        default_factory=list[Literal["firmware", "reset", "security"]]
    )
    csms_forbidden: list[str] = Field(default_factory=list[str])


class SafeSection(Model):
    """When the output counts as dead."""

    output_dead_within: Seconds = Field(default=3.0, gt=0)
    current_below: Amps = Field(default=0.5, gt=0)


class RulesSection(Model):
    """Which expectations are judged, and against which limits."""

    packs: list[str] = Field(min_length=1)
    limits: list[str] = Field(min_length=1)


class TwinSection(Model):
    """The twin stands in for the hardware; without this table the bench is real.

    With `external_station` no simulated station is started: software of your own connects to the DUT port.
    """

    seed: int = 1
    external_station: bool = False
    pilot_boot: Seconds = Field(default=0.0, ge=0, le=4)
