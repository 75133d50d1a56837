"""Builds a Bench from a bench file. A Bench holds its parts; it does not do anything by itself.

Nothing here opens a port, a socket or a process: that is the life-cycle's matter.
"""

from __future__ import annotations

import asyncio
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from .. import __version__
from .back_end import BackEnd, make_back_end
from .back_end_plan import plan_of
from .config import BenchFile, data_file
from .correlation import Facts, OnlineEngine, Pack, Report, load_pack
from .csms import Csms
from .devices import Calibrated, EvSection, PilotSection
from .instruments import make_instruments
from .inventory import inventory_of
from .live import LiveState
from .owner import state_dir
from .permission import arming_of, envelope_of, held_of
from .recording import Recorder, Redactor
from .safety import EnvelopeGate, Outlet, SafeLimits
from .timeline import LagSelector, Timeline

if TYPE_CHECKING:
    from ..drivers.base import Driver
    from ..drivers.roles import Ev, Pilot, Role
    from .children import Child
    from .safety.guard import Guarded
    from .safety.make_safe import SafeOutcome, SafeRecipe
    from .safety.supply import SupplyOff
    from .supervision import Supervision
    from .vehicle import Vehicle

__all__ = ["Bench", "RunOptions", "attach_instruments", "build", "envelope_of", "facts_of"]


class RunOptions(msgspec.Struct, frozen=True):
    """What a run adds to its bench file.

    `station_fault` and `oddity` name a deviation of the simulated station; `external_station` leaves
    the DUT port to somebody else's software; `boot=False` makes the simulated station attach. `twin_faults` are
    control lines of the twin (`twin_control.parse_fault`), said once the bench is up. `keep_state` leaves in the
    station what earlier runs left there.
    """

    directory: Path
    station_fault: str | None = None
    oddity: str | None = None
    external_station: bool = False
    boot: bool = True
    seed: int | None = None
    wait_station_s: float | None = None
    twin_faults: tuple[dict[str, Any], ...] = ()
    keep_state: bool = False


@dataclass(slots=True)
class Bench:
    """Everything that belongs to one run of one bench.

    `danger`: what made a way to the safe state fail, or needed the supply to be cut: the run is an ERROR for it,
    however it ended. `acted`: what the guardian did after it, if it had to.
    """

    file: BenchFile
    options: RunOptions
    timeline: Timeline
    gate: EnvelopeGate
    outlets: dict[int, Outlet]
    live: LiveState
    back_end: BackEnd
    pack: Pack
    facts: Facts
    engine: OnlineEngine
    recorder: Recorder
    work: Path
    instruments: list[Driver] = field(default_factory=list["Driver"])
    vehicles: dict[int, Vehicle] = field(default_factory=dict[int, "Vehicle"])
    recipes: dict[int, SafeRecipe] = field(default_factory=dict[int, "SafeRecipe"])
    twin: Child | None = None
    station: Child | None = None
    guarded: Guarded | None = None
    supply: SupplyOff | None = None
    supervision: Supervision | None = None
    outcome: SafeOutcome | None = None
    making_safe: asyncio.Lock = field(default_factory=asyncio.Lock)
    danger: str = ""
    acted: str = ""
    report: Report | None = None

    @property
    def csms(self) -> Csms:
        return self.back_end.csms

    @property
    def outlet(self) -> Outlet:
        """What is seen of the first outlet."""
        return self.outlets[1]

    @property
    def vehicle(self) -> Vehicle | None:
        """The car at the first outlet."""
        return self.vehicles.get(1)

    def open_transaction(self, evse: int) -> int | str | None:
        """Id of the transaction that runs on an outlet; None when there is none.

        What earlier runs left open counts only for a station that was on before this one began.
        """
        begun = self.live.open_transactions.get(evse)
        if begun is not None or not self.live.attached:
            return begun
        return self.back_end.state.open_on(self.file.station.id, evse)


def build(file: BenchFile, options: RunOptions, poll: LagSelector, work: Path) -> Bench:
    """Put a bench together on the running loop; `work` is a private folder for sockets and logs of this run.

    Raises:
        ConfigError, RuleError: a data file is wrong.
    """
    timeline = Timeline()
    gate = EnvelopeGate(envelope_of(file), permission=arming_of(file), held=held_of(file))
    packs = [data_file(file, "rules", name, ".toml") for name in file.rules.packs]
    limits = [data_file(file, "limits", name, ".toml") for name in file.rules.limits]
    pack = load_pack(packs, limits)
    facts = facts_of(file, powers_station=_powers_station(file, options))
    back_end = make_back_end(plan_of(file), state_dir() / "csms" / file.name, timeline, gate, poll)
    loads = [name for name, device in file.device.items() if device.role == "load"]
    secrets = Redactor(back_end.security.passwords.secrets)
    attached = _attachments(file, facts, options)
    recorder = Recorder(options.directory / "run.mcap", timeline, attached, redactor=secrets)
    return Bench(
        file=file,
        options=options,
        timeline=timeline,
        gate=gate,
        outlets={evse: Outlet(timeline, evse, loads) for evse in range(1, file.station.evses + 1)},
        live=LiveState(timeline),
        back_end=back_end,
        pack=pack,
        facts=facts,
        engine=OnlineEngine(timeline, pack, facts),
        recorder=recorder,
        work=work,
    )


def attach_instruments(bench: Bench, ports: dict[str, str]) -> None:
    """Make the drivers, the vehicles and the safe recipes. `ports` maps the twin's port names to paths."""
    bench.instruments += make_instruments(bench.file, bench.timeline, bench.gate, ports)
    bench.supply = _supply_of(bench)
    for evse in bench.outlets:
        _equip(bench, evse)


def _supply_of(bench: Bench) -> SupplyOff:
    """Everything that switches the station's supply, or what belongs off when that is off."""
    from .safety.supply import SupplyOff

    def playing(role: Role) -> list[Any]:
        return [driver for driver in bench.instruments if driver.role == role]

    pilots = [(pilot, getattr(pilot, "mains_relay", None)) for pilot in playing("pilot")]
    return SupplyOff(
        bench.timeline.bench,
        supplies=playing("supply"),
        boards=playing("relay"),
        switches=[(pilot, number) for pilot, number in pilots if number is not None],
    )


def _equip(bench: Bench, evse: int) -> None:
    """The car at one outlet, and the way to make that outlet safe."""
    from .safety.make_safe import SafeRecipe
    from .vehicle import Vehicle

    def playing(role: Role) -> Any:
        return next((driver for driver in bench.instruments if driver.role == role and driver.evse == evse), None)

    pilot: Pilot | None = playing("pilot")
    ev: Ev | None = playing("ev")
    if pilot is not None or ev is not None:
        section = bench.file.one(EvSection, evse)
        max_a = section[1].max_current if section is not None else 0.0
        bench.vehicles[evse] = Vehicle(
            bench.timeline, pilot, ev, cards=playing("token"), evse=evse, max_current_a=max_a
        )
    limits = SafeLimits(bench.file.safe.output_dead_within, bench.file.safe.current_below)
    bench.recipes[evse] = SafeRecipe(
        bench.timeline.bench,
        bench.outlets[evse],
        limits,
        pilot=pilot,
        ev=ev,
        load=playing("load"),
        supply=bench.supply,
    )


def facts_of(file: BenchFile, *, powers_station: bool = False) -> Facts:
    """What the rules need to know of this bench and station; `powers_station`: it boots within the run."""
    meter = file.meter(1)
    pilot = file.one(PilotSection, 1)
    facts: dict[str, object] = {
        "station": file.station.id,
        "outlet": file.station.outlet,
        "rated_a": file.station.rated,
        "phases": file.station.phases,
        "ventilation": file.station.ventilation,
        "authorisation": file.station.authorisation,
        "station_register_resolution_wh": file.station.register_resolution,
        "powered_by_bench": powers_station,
    }
    if meter is not None:
        facts |= {
            "meter_accuracy_pct": meter[1].accuracy,
            "meter_resolution_wh": meter[1].resolution,
            "current_accuracy_a": meter[1].current_accuracy,
        }
    if pilot is not None:
        facts |= {"duty_accuracy_pp": pilot[1].duty_accuracy, "mains_relay": pilot[1].mains_relay}
    facts["inventory"] = inventory_of(file)
    facts["calibrations"] = {
        name: {
            "calibrated": device.calibrated.isoformat() if device.calibrated else "",
            "due": device.calibration_due.isoformat() if device.calibration_due else "",
            "allowed": device.allow_expired_calibration,
        }
        for name, device in file.device.items()
        if isinstance(device, Calibrated) and (device.calibrated or device.calibration_due)
    }
    return msgspec.convert(facts, Facts)


def _powers_station(file: BenchFile, options: RunOptions) -> bool:
    """The simulated station is started by the run, and with it its boot, unless it is to attach."""
    twin = file.twin
    return twin is not None and not (twin.external_station or options.external_station) and options.boot


def _attachments(file: BenchFile, facts: Facts, options: RunOptions) -> dict[str, bytes]:
    attached = {
        "bench.toml": file.text.encode(),
        "facts.json": msgspec.json.encode(facts),
        "versions.json": msgspec.json.encode(
            {
                "pilotbench": __version__,
                "python": platform.python_version(),
                "platform": platform.platform(),
                **{name: version(name) for name in ("ocpp", "websockets", "pymodbus", "python-can", "mcap")},
            }
        ),
        "run.json": msgspec.json.encode(
            {
                "bench": file.name,
                "station_fault": options.station_fault,
                "oddity": options.oddity,
                "seed": options.seed,
                "ocpp": file.station.ocpp,
                "packs": file.rules.packs,
                "limits": file.rules.limits,
            }
        ),
    }
    for path in file.files():
        attached[f"{path.parent.name}/{path.name}"] = path.read_bytes()
    return attached
