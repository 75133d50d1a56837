"""What must hold between the devices of one bench file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from ..errors import ConfigError
from .devices import DeviceSection
from .sections import EnvelopeSection, SafeSection, Station, TwinSection
from .timeline import did_you_mean, key_line

__all__ = ["OWN_NAMES", "check_devices"]

OWN_NAMES = frozenset(
    {"bench", "claim", "csms", "engine", "gate", "guardian", "recorder", "station", "supervisor", "twin", "vehicle"}
)
"""Names under which something else than an instrument speaks, or is accused."""

TWIN_PORT = re.compile(r"twin:[a-z][a-z0-9-]{0,30}")

ONE_AN_OUTLET = ("pilot", "meter", "ev", "load")
"""Parts that are played once at each outlet: two would contradict each other, or only one be made safe with it."""


class _File(Protocol):
    path: Path
    text: str
    station: Station
    envelope: EnvelopeSection
    safe: SafeSection
    twin: TwinSection | None
    device: dict[str, DeviceSection]


def check_devices(bench: _File) -> None:
    """Names, outlets, ports and the twin.

    Raises:
        ConfigError: the first that is wrong, with its line.
    """
    parts: dict[tuple[str, int], str] = {}
    ports: dict[str, str] = {}
    for name, device in bench.device.items():
        _check_name(bench, name)
        _check_outlet(bench, name, device, parts)
        _check_port(bench, name, device, ports)
        _check_twin(bench, name, device)
    _check_stop(bench)
    _check_forbidden(bench)


def _check_stop(bench: _File) -> None:
    """Software is no emergency stop: a bench with real power says where its own is."""
    reporter = bench.safe.e_stop
    if reporter is not None and reporter not in bench.device:
        raise ConfigError(
            f"[safe] e_stop names the device {reporter!r}, and there is none{did_you_mean(reporter, bench.device)}.",
            file=str(bench.path),
            line=key_line(bench.text, ("safe", "e_stop")),
        )
    if bench.twin is None and not bench.safe.emergency_stop:
        raise ConfigError(
            "a bench with real power has a hard-wired emergency stop, and its file says where it is: "
            '[safe] emergency_stop = "red button left of the door". Software is not one.',
            file=str(bench.path),
            line=key_line(bench.text, ("safe",)),
        )


def _check_forbidden(bench: _File) -> None:
    """A word that is no action of any version would forbid nothing."""
    if not bench.envelope.csms_forbidden:
        return
    from .csms.schemas import Schemas

    known = {name for folder in ("v16", "v201", "v21") for name in Schemas(folder).actions}
    folded = {name.casefold() for name in known}
    for name in bench.envelope.csms_forbidden:
        if name.casefold() not in folded:
            raise ConfigError(
                f"[envelope] csms_forbidden: no OCPP version has an action {name!r}{did_you_mean(name, known)}.",
                file=str(bench.path),
                line=key_line(bench.text, ("envelope", "csms_forbidden")),
            )


def _wrong(bench: _File, text: str, name: str, key: str) -> ConfigError:
    return ConfigError(text, file=str(bench.path), line=key_line(bench.text, ("device", name, key)))


def _check_name(bench: _File, name: str) -> None:
    if name in OWN_NAMES:
        raise _wrong(
            bench,
            f"no device may be called {name!r}: under that name the bench itself speaks on the timeline. Give it "
            "another one.",
            name,
            "port",
        )


def _check_outlet(bench: _File, name: str, device: DeviceSection, parts: dict[tuple[str, int], str]) -> None:
    evses = bench.station.evses
    if device.evse > evses:
        raise _wrong(
            bench,
            f"device {name!r} is at outlet {device.evse}, but the station has {evses}. Set `evses` in [station], or "
            "give the device another outlet.",
            name,
            "evse",
        )
    if device.role not in ONE_AN_OUTLET:
        return
    other = parts.setdefault((device.role, device.evse), name)
    if other != name:
        raise _wrong(
            bench,
            f"devices {other!r} and {name!r} are both the {device.role} of outlet {device.evse}; one of each is "
            "supported. Give one of them another `evse`.",
            name,
            "driver",
        )


def _check_port(bench: _File, name: str, device: DeviceSection, ports: dict[str, str]) -> None:
    other = ports.setdefault(device.port, name)
    if other == name or (device.shares_port and bench.device[other].shares_port):
        return
    raise _wrong(
        bench,
        f"devices {other!r} and {name!r} have the same port {device.port!r}; give each its own.",
        name,
        "port",
    )


def _check_twin(bench: _File, name: str, device: DeviceSection) -> None:
    if device.port.startswith("twin:"):
        if bench.twin is None:
            raise _wrong(
                bench,
                f"port {device.port!r} belongs to the twin, and this bench has no [twin] table. "
                "Add one, or give the port of a real device.",
                name,
                "port",
            )
        if not TWIN_PORT.fullmatch(device.port):
            raise _wrong(
                bench,
                f"port {device.port!r}: what follows `twin:` is a name of small letters, digits and hyphens.",
                name,
                "port",
            )
        if not device.emulator():
            raise _wrong(bench, f"the twin has no emulator for {device.kind}.", name, "port")
    elif bench.twin is not None:
        raise _wrong(
            bench,
            f"device {name!r} is real ({device.port}), but the bench has a [twin]. A bench is either all "
            "virtual or all real: remove the [twin] table, or give the device a twin: port.",
            name,
            "port",
        )
