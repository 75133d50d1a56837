"""When the supervisor trips, and when it must not: on measured instants, beyond what a station may do for a moment."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pilotbench.bench.safety.supervisor import Supervisor, Trip, Watch
from pilotbench.bench.timeline import Event, Stamp

WATCH = Watch(
    no_current_a=0.5,
    most_a=18.1,
    most_v=265.0,
    most_wh=1e6,
    most_c=80.0,
    authorisation=True,
    current_in_a_s=3.0,
    unauthorised_s=15.0,
    over_limit_s=1.0,
    meter_silent_s=2.0,
    device_lost_s=2.0,
    meters={"meter": 1},
    energising={"pilot": 1, "ev": 1},
)
MS = 10**6


class Run:
    """A supervisor, and a hand that lets things happen at milliseconds of the run."""

    def __init__(self, **changed: Any) -> None:
        self.judge = Supervisor(msgspec.structs.replace(WATCH, **changed), 0)
        self.trip: Trip | None = None
        self.at = 0

    def tell(self, topic: str, source: str, *, evse: int | None = 1, lo: int | None = None, **data: Any) -> None:
        now = self.at * MS
        stamp = Stamp(now, (self.at if lo is None else lo) * MS, now)
        trip = self.judge.look(Event(topic, source, 1, stamp, data, evse))
        self.trip = self.trip or trip

    def tick(self) -> None:
        self.trip = self.trip or self.judge.tick(self.at * MS)

    def meter(self, until: int, amps: float, *, volts: float = 230.0, evse: int = 1, old: int = 200) -> None:
        """Readings every 100 ms until then, each of up to `old` milliseconds ago."""
        while self.at < until and self.trip is None:
            self.at += 100
            self.sample(amps, volts, evse=evse, old=old)
            self.tick()

    def sample(self, amps: float, volts: float = 230.0, *, evse: int = 1, old: int = 200, **more: Any) -> None:
        data = {"current_a": [amps] * 3, "voltage_v": [volts] * 3, "power_w": 3 * amps * volts, "energy_wh": "0"}
        self.tell("meter.sample", "meter", evse=evse, lo=self.at - old, **{**data, **more})

    def cp(self, state: str, evse: int = 1) -> None:
        self.tell("stimulus", "pilot", evse=evse, device="pilot", verb="resistor", args={"state": state})
        self.tell("cp.state", "pilot", evse=evse, state=state)

    def online(self) -> None:
        self.tell("ocpp.connected", "csms", evse=None, station="CP1")

    def charging(self, amps: float = 16.0) -> None:
        """A session as it should be, current flows from 20 s on."""
        self.online()
        self.meter(12_000, 0.0)
        self.cp("B")
        self.tell("ocpp.authorized", "csms", evse=None, accepted=True)
        self.tell("ocpp.tx.started", "csms", id_tag="04")
        self.cp("C")
        self.tell("output", "pilot", live=True)
        self.meter(20_000, amps)
        assert self.trip is None


def cause(run: Run) -> str | None:
    return run.trip.cause if run.trip else None


def test_a_session_with_all_its_steps_trips_nothing() -> None:
    run = Run()
    run.charging()
    run.cp("B")
    run.tell("output", "pilot", live=False)
    run.meter(30_000, 0.0)
    run.cp("C")
    run.tell("output", "pilot", live=True)
    run.meter(40_000, 16.0)
    run.tell("ocpp.tx.ended", "csms")
    run.meter(42_000, 16.0)
    run.cp("A")
    run.meter(42_500, 16.0)  # the contactor drops out, and the meter's age
    run.tell("output", "pilot", live=False)
    run.meter(90_000, 0.0)
    assert run.trip is None


@pytest.mark.parametrize("lasts", [2_900, 3_500])
def test_current_without_a_plugged_vehicle(lasts: int) -> None:
    run = Run()
    run.charging()
    run.cp("A")
    run.meter(run.at + lasts, 10.0)
    run.meter(run.at + 1000, 0.0)
    assert cause(run) == ("current-in-a" if lasts > 3000 else None)
    if run.trip:
        assert "no vehicle plugged" in run.trip.why


def test_only_what_is_certain_counts_of_a_meter_that_is_slow() -> None:
    """A reading of up to 2 s ago says only that it was so then."""
    quick, slow = Run(), Run()
    for run, old in ((quick, 100), (slow, 2000)):
        run.charging()
        run.cp("A")
        run.meter(run.at + 4_000, 10.0, old=old)
    assert cause(quick) == "current-in-a"
    assert cause(slow) is None
    slow.meter(slow.at + 1_500, 10.0, old=2000)
    assert cause(slow) == "current-in-a"


def test_plugged_again_in_time_is_no_danger() -> None:
    run = Run()
    run.charging()
    for _ in range(5):
        run.cp("A")
        run.meter(run.at + 2_000, 10.0)
        run.cp("B")
        run.meter(run.at + 1_000, 10.0)
    assert run.trip is None


def test_noise_about_nothing_is_no_current() -> None:
    run = Run()
    run.online()
    run.cp("A")
    run.meter(60_000, 0.5)
    assert run.trip is None


def test_current_without_authorisation_trips_after_its_grace() -> None:
    run = Run()
    run.online()
    run.meter(12_000, 0.0)
    run.cp("C")
    run.tell("output", "pilot", live=True)
    run.meter(26_500, 16.0)
    assert run.trip is None
    run.meter(28_000, 16.0)
    assert cause(run) == "unauthorised"


@pytest.mark.parametrize(
    "told",
    [
        ("ocpp.authorized", {"accepted": True}),
        ("ocpp.tx.started", {"id_tag": "04", "accepted": True}),
        ("ocpp.tx.updated", {"id_tag": "04"}),
    ],
)
def test_told_within_the_grace_is_told_in_time(told: tuple[str, dict[str, Any]]) -> None:
    run = Run()
    run.online()
    run.meter(12_000, 0.0)
    run.cp("C")
    run.meter(24_000, 16.0)
    run.tell(told[0], "csms", **told[1])
    run.meter(90_000, 16.0)
    assert run.trip is None


@pytest.mark.parametrize(
    "told",
    [
        ("ocpp.authorized", {"accepted": False}),
        ("ocpp.tx.started", {"id_tag": "04", "accepted": False}),
        ("ocpp.tx.started", {"id_tag": None}),  # 2.x: it begins when plugged, the card comes later
        ("ocpp.tx.ended", {}),
    ],
)
def test_what_authorises_nothing(told: tuple[str, dict[str, Any]]) -> None:
    run = Run()
    run.online()
    run.meter(12_000, 0.0)
    run.tell(told[0], "csms", **told[1])
    run.cp("C")
    run.meter(30_000, 16.0)
    assert cause(run) == "unauthorised"


def test_current_long_after_the_transaction_ended() -> None:
    run = Run()
    run.charging()
    run.tell("ocpp.tx.ended", "csms")
    run.meter(run.at + 14_000, 16.0)
    assert run.trip is None
    run.meter(run.at + 3_000, 16.0)
    assert cause(run) == "unauthorised"


def test_a_station_that_is_offline_may_know_the_card_itself_and_tell_later() -> None:
    run = Run()
    run.online()
    run.meter(12_000, 0.0)
    run.tell("ocpp.disconnected", "csms", evse=None)
    run.cp("C")
    run.meter(60_000, 16.0)
    run.online()
    run.meter(80_000, 16.0)
    assert run.trip is None
    run.meter(90_000, 16.0)
    assert cause(run) == "unauthorised"


def test_where_charging_is_free_or_a_transaction_is_open_from_before_nobody_asks() -> None:
    free, open_before = Run(authorisation=False), Run()
    open_before.judge.authorise(1)
    for run in (free, open_before):
        run.online()
        run.meter(12_000, 0.0)
        run.cp("C")
        run.meter(60_000, 16.0)
        assert run.trip is None


def test_a_card_that_nobody_used_is_forgotten_with_the_vehicle() -> None:
    run = Run()
    run.online()
    run.meter(12_000, 0.0)
    run.cp("B")
    run.tell("ocpp.authorized", "csms", evse=None, accepted=True)
    run.cp("A")
    run.cp("C")
    run.meter(30_000, 16.0)
    assert cause(run) == "unauthorised"


def test_an_open_cp_does_not_end_the_authorisation_of_a_transaction() -> None:
    run = Run()
    run.charging()
    run.tell("cp.state", "pilot", state="A")
    run.meter(run.at + 1_000, 0.0)
    run.tell("cp.state", "pilot", state="C")
    run.meter(run.at + 60_000, 16.0)
    assert run.trip is None


@pytest.mark.parametrize(("amps", "volts", "says"), [(18.2, 230, "over-current"), (16, 266, "over-voltage")])
def test_more_than_the_envelope_for_longer_than_a_moment(amps: float, volts: float, says: str) -> None:
    run = Run()
    run.charging()
    run.meter(run.at + 800, amps, volts=volts)
    run.meter(run.at + 200, 16.0)
    assert run.trip is None
    run.meter(run.at + 1_500, amps, volts=volts)
    assert cause(run) == says


def test_just_within_the_envelope_for_long() -> None:
    run = Run()
    run.charging()
    run.meter(run.at + 30_000, 18.1, volts=265.0)
    assert run.trip is None


def test_energy_by_power_when_the_register_stands_still() -> None:
    run = Run(most_wh=100.0)
    run.charging(10.0)  # 6.9 kW: 100 Wh in 52 s
    run.meter(60_000, 10.0)
    assert run.trip is None
    run.meter(66_000, 10.0)
    assert cause(run) == "energy"


def test_energy_by_the_register_when_no_power_is_told() -> None:
    run = Run(most_wh=100.0)
    for step in range(200):
        run.at += 1000
        run.sample(0.0, power_w=0.0, energy_wh=str(5000 + step), energy_step_wh=1.0)
    assert cause(run) == "energy"
    assert run.trip
    assert "101 Wh" in run.trip.why


def test_a_meter_at_the_supply_tells_of_the_energy_and_of_no_outlet() -> None:
    """What a station uses for itself is no current at its plug; what its plug delivered is in that, too."""
    run = Run(most_wh=50.0)
    run.cp("A")
    told = {"current_a": [40.0] * 3, "voltage_v": [400.0] * 3, "power_w": 27_700.0, "energy_wh": "0"}
    while run.at < 6000:
        run.at += 100
        run.tell("supply.sample", "meter", lo=run.at - 200, **told)
        run.tick()
    assert run.trip is None
    while run.at < 8000:
        run.at += 100
        run.tell("supply.sample", "meter", lo=run.at - 200, **told)
    assert cause(run) == "energy"


def test_a_register_that_jumps_or_goes_back_is_no_energy() -> None:
    run = Run(most_wh=100.0)
    for wh in ("1000", "1", "16777216", "1000", "nan"):
        run.at += 100
        run.sample(1.0, energy_wh=wh, energy_step_wh=0.1)
    assert run.trip is None


def test_what_a_supply_or_a_load_measures_counts_too() -> None:
    for amps, volts, says in ((30.0, 230.0, "over-current"), (1.0, 400.0, "over-voltage"), (18.0, 265.0, None)):
        run = Run()
        for _ in range(15):
            run.at += 100
            run.tell("power.sample", "psu", current_a=amps, voltage_v=volts, power_w=0.0, on=True)
        assert cause(run) == says


def test_temperature_wherever_it_is_reported() -> None:
    run = Run()
    for degrees in (79.0, 85.0):
        run.tell("lab.cabinet", "gauge", temperature_c=degrees)
    assert run.trip is None
    run.at = 5000
    run.tell("lab.cabinet", "gauge", temperature_c=85.0)
    assert cause(run) == "over-temperature"
    station = Run()
    for at in (0, 5000):
        station.at = at
        station.tell("evse.monitor", "rapi", temperatures_c=[None, 85.0, 20.0])
    assert cause(station) == "over-temperature"


def test_a_meter_that_falls_silent_while_energised() -> None:
    run = Run()
    run.charging()
    for _ in range(19):
        run.at += 100
        run.tick()
    assert run.trip is None
    run.at += 300
    run.tick()
    assert cause(run) == "meter-silent"


def test_a_meter_may_be_silent_while_nothing_is_energised_and_has_its_time_when_it_is() -> None:
    run = Run()
    run.cp("A")
    run.tell("output", "pilot", live=False)
    for _ in range(300):
        run.at += 100
        run.tick()
    run.tell("output", "pilot", live=True)
    for _ in range(8):
        run.at += 100
        run.tick()
    assert run.trip is None


def test_a_standstill_of_everybody_is_not_the_meters_silence() -> None:
    for told in (True, False):
        run = Run()
        run.charging()
        run.at += 5_000
        if told:
            run.tell("twin.overrun", "twin", who="model", from_ns=(run.at - 5_000) * MS, to_ns=run.at * MS)
        else:
            run.judge.stood_still((run.at - 5_000) * MS, run.at * MS)
        run.tick()
        assert run.trip is None


@pytest.mark.parametrize("state", ["FAULTED", "UNKNOWN"])
def test_an_instrument_lost_while_energised(state: str) -> None:
    run = Run()
    run.charging()
    run.tell("device.state", "ev", device="ev", state=state, why="unplugged")
    run.meter(run.at + 1_900, 16.0)
    assert run.trip is None
    run.meter(run.at + 300, 16.0)
    assert cause(run) == "device-lost"


def test_an_instrument_that_is_back_in_time_or_whose_output_went_dead() -> None:
    back, dead, idle, other = Run(), Run(), Run(), Run()
    for run in (back, dead, other):
        run.charging()
    for run, device in ((back, "ev"), (dead, "pilot"), (idle, "pilot"), (other, "camera")):
        run.tell("device.state", device, device=device, state="FAULTED", why="unplugged")
        run.meter(run.at + 1_000, 16.0 if run in (back, other) else 0.0)
    back.tell("device.state", "ev", device="ev", state="ACTIVE", why="")
    dead.tell("output", "pilot", live=False)
    for run in (back, dead, idle, other):
        run.meter(run.at + 5_000, 16.0 if run in (back, other) else 0.0)
        assert run.trip is None


@pytest.mark.parametrize("args", [{"n": 1, "duty": "mains"}, {"n": 4}, {}])
def test_what_feeds_the_station_is_lost_and_comes_back_without_its_supply(args: dict[str, Any]) -> None:
    """Back again it is made safe, and that is off: the station is dark, whatever it did at that moment."""
    verb = "relay" if args else "supply.output"
    run, off, other = (Run(mains=frozenset({("source", 4)})) for _ in range(3))
    for one in (run, off):
        one.tell("stimulus", "source", device="source", verb=verb, args={**args, "on": True})
    off.tell("stimulus", "source", device="source", verb=verb, args={**args, "on": False})
    other.tell("stimulus", "source", device="source", verb="relay", args={"n": 5, "duty": "aux", "on": True})
    for one in (run, off, other):
        one.tell("device.state", "source", device="source", state="FAULTED", why="gone")
        assert one.trip is None
        one.tell("device.state", "source", device="source", state="UNKNOWN", why="is back")
    assert cause(run) == "supply-lost"
    assert off.trip is None
    assert other.trip is None


def test_an_emergency_stop_and_its_loss() -> None:
    pressed, lost, fine = Run(e_stop="board"), Run(e_stop="board"), Run()
    pressed.tell("estop", "board", tripped=False)
    assert pressed.trip is None
    pressed.tell("estop", "board", tripped=True)
    assert cause(pressed) == "estop"
    lost.tell("device.state", "board", device="board", state="IDLE", why="closed")
    assert cause(lost) == "estop"
    fine.tell("device.state", "board", device="board", state="FAULTED", why="gone")
    assert fine.trip is None
    fine.tell("estop", "board", tripped=False)  # whoever reported it once is one
    fine.tell("device.state", "board", device="board", state="FAULTED", why="gone")
    assert cause(fine) == "estop"


def test_a_guardian_that_is_lost_or_acts() -> None:
    for state, trips in (("started", False), ("late", False), ("ended", False), ("lost", True), ("acting", True)):
        run = Run()
        run.tell("guardian", "guardian", state=state, detail="killed")
        assert (cause(run) == "guardian") is trips, state


def test_outlets_are_judged_apart() -> None:
    run = Run(meters={"meter": 1, "second": 2})
    run.charging()
    run.cp("A", evse=2)
    run.meter(run.at + 6_000, 16.0)
    assert run.trip is None
    run.judge.look(Event("output", "right", 1, Stamp.host(run.at * MS), {"live": True}, 2))
    run.meter(run.at + 3_000, 16.0)
    assert cause(run) == "meter-silent"
    assert run.trip
    assert run.trip.evse == 2


def test_a_dc_outlet_is_energised_by_what_its_charger_says() -> None:
    dead, live, silent = (Run(energising={"ev": 1}, meters={}) for _ in range(3))
    for run, volts in ((dead, 0), (live, 400), (silent, 400)):
        run.tell("chademo.charger", "ev", voltage_v=volts, current_a=0)
        if run is silent:
            run.tell("chademo.silent", "ev", why="no frame")
        run.tell("device.state", "ev", device="ev", state="FAULTED", why="gone")
        run.at = 2_100
        run.tick()
    assert dead.trip is None
    assert cause(live) == cause(silent) == "device-lost"


def test_a_meter_that_loses_its_currents_is_silent_about_them() -> None:
    lost, never = Run(), Run()
    lost.charging()
    never.tell("output", "pilot", live=True)
    for run in (lost, never):
        for _ in range(30):
            run.at += 100
            run.sample(0.0, current_a=[])
            run.tick()
    assert cause(lost) == "meter-silent"
    assert never.trip is None
