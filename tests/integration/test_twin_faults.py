"""Each fault of the twin as it is seen on the wires: DUT port, pilot line, meter, CAN, by bare clients."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest
import serial
from pilotbench.bench.twin.faults import FAULTS

from twin_client import PilotLine, TwinProcess, checked

LIVE = [True, True, True]
DEAD = [False, False, False]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """One twin for the whole file, seeded, with a station and a pilot on it."""
    twin = TwinProcess(tmp_path_factory.mktemp("twin") / "twin", seed=11, linger_s=0.5)
    bench = Bench(twin)
    yield bench
    bench.close()


@pytest.fixture(autouse=True)
def mended(bench):
    """Every test begins unplugged, without faults, with 53 % PWM and an open contactor."""
    bench.rest()
    yield
    bench.mend()


class Bench:
    def __init__(self, twin):
        self.twin = twin
        self.pilot = PilotLine(twin.ready["pilot"])
        self.station = twin.station()
        self.station.hello()
        self.pilot.hello()
        self.pilot.command("W 10000")
        self.number = 0
        self.on = {}

    def plug_pilot(self):
        self.pilot.close()
        self.pilot = PilotLine(self.twin.ready["pilot"])
        self.pilot.hello()
        self.pilot.command("W 10000")

    def close(self):
        self.pilot.close()
        self.station.close()
        self.twin.close()

    def ask(self, **message):
        self.number += 1
        self.twin.control(type="fault", id=self.number, **message)
        while True:
            message = self.twin.lines.get(timeout=5)
            if message.get("id") == self.number and message["type"] in ("fault", "waits", "refused"):
                return message

    def fault(self, name, on=True, **args):
        answer = self.ask(name=name, on=on, **args)
        assert answer["type"] == "fault", answer
        device = args.get("device")
        if on:
            self.on[name, device] = None
        else:
            self.on.pop((name, device), None)
        return answer

    def mend(self):
        for name, device in list(self.on):
            self.fault(name, on=False, device=device)

    def rest(self):
        self.drive(pwm_pct=53.33, contactor=False, lock=False)
        self.command("R A")
        self.command("F NONE")
        self.command("P OPEN")
        self.until(output=DEAD, pp_ohm=None, lock=False, rcd=False, high=(11.5, 12.5))

    def command(self, text):
        self.pilot.seen.clear()
        answer = self.pilot.command(text)
        assert answer.startswith("OK"), (text, answer)
        return answer

    def drive(self, **keys):
        self.station.send(type="set", evse=1, **keys)

    def until(self, timeout_s=3.0, high=None, low=None, output=None, **wanted):
        """The first state from now on that is as wanted; what was not read yet is old."""
        self.number += 1
        self.station.send(type="ping", id=self.number)
        self.station.until("pong", id=self.number)
        if high:
            wanted["cp_high_v"] = lambda volt: high[0] <= volt <= high[1]
        if low:
            wanted["cp_low_v"] = lambda volt: low[0] <= volt <= low[1]
        if output:
            wanted["output_v"] = lambda volts: [volt > 0.0 for volt in volts] == output
        return self.station.until("state", timeout_s, **wanted)

    def last_true(self, name):
        """When this became true last, by the twin's own log, which is written after the station is told."""
        while True:
            facts = [fact for fact in self.twin.truth() if fact.get("fact") == name]
            if facts and facts[-1]["value"]:
                return facts[-1]["t_ns"]
            self.until(evse=1)

    def stood_still_s(self, from_ns, to_ns):
        """How long the standstills of the model were that fall into this time; each counts whole."""
        log = self.twin.folder / "stalls.jsonl"
        spans = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        touch = [span for span in spans if span["from_ns"] <= to_ns and from_ns <= span["to_ns"]]
        return sum(span["to_ns"] - span["from_ns"] for span in touch) / 1e9

    def refused(self, **message):
        answer = self.ask(**message)
        assert answer["type"] == "refused", answer
        return answer["message"]

    def charge(self, seconds=1.6):
        """Until current flows, for at least so long."""
        self.command("P 220")
        self.command("R C")
        self.drive(pwm_pct=53.33, contactor=True, lock=True)
        with serial.Serial(self.twin.ready["can"], 115200, timeout=0) as can:
            can.write(b"C\rS6\rO\r")
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                can.write(b"t20087040010000000000\r")
                can.read(4000)
                state = self.until(evse=1)
            can.write(b"C\r")
        return state


def about(volt, off=0.15):
    return volt - off, volt + off


# --- control pilot ---------------------------------------------------------------------------------------


def test_diode_short_mirrors_the_low_level_at_both_taps(bench):
    bench.command("R B")
    bench.fault("cp-diode-short")
    bench.until(high=about(8.79), low=about(-8.79))
    assert bench.pilot.event("CP")[1:]  # the instrument sees it move as well
    assert "f=NONE" in bench.command("S")  # it is not the instrument's own doing
    bench.fault("cp-diode-short", on=False)
    bench.until(high=about(8.98), low=about(-12.0))


@pytest.mark.parametrize(("ohm", "high_v", "low_v"), [(0, 0.0, 0.0), (80, 0.875, -0.889), (1000, 4.08, -6.0)])
def test_a_short_of_any_resistance(bench, ohm, high_v, low_v):
    bench.command("R C")
    bench.fault("cp-short", ohm=ohm)
    bench.until(high=about(high_v), low=about(low_v))


def test_an_open_pilot_looks_unplugged(bench):
    bench.command("R C")
    bench.until(high=about(6.0))
    bench.fault("cp-open")
    bench.until(high=about(12.0), low=about(-12.0))


@pytest.mark.parametrize(("ohm", "high_v"), [(1500, 7.48), (450, 4.21), (60, 1.34), (10_000, 10.97)])
def test_resistances_in_the_gaps_between_the_states(bench, ohm, high_v):
    bench.fault("cp-resistance", ohm=ohm)
    bench.until(high=about(12.0))  # nothing is plugged
    bench.command("R B")
    bench.until(high=about(high_v), low=about(-12.0))


def test_a_resistance_in_one_state_only(bench):
    bench.fault("cp-resistance", ohm=1500, state="C")
    bench.command("R B")
    bench.until(high=about(8.98))
    bench.command("R C")
    bench.until(high=about(7.48))


# --- proximity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "ohm"),
    [
        ("pp-open", {}, None),
        ("pp-short", {}, 0),
        ("pp-resistance", {"ohm": 3000}, 3000),
        ("pp-resistance", {"ohm": 47.5}, 47.5),
    ],
)
def test_the_coding_of_the_plug_is_not_what_the_cable_is(bench, name, args, ohm):
    bench.command("P 220")
    bench.until(pp_ohm=220)
    bench.fault(name, **args)
    bench.until(pp_ohm=ohm)
    assert "pp=220" in bench.command("S")
    bench.fault(name, on=False)
    bench.until(pp_ohm=220)


def test_a_coding_that_wanders(bench):
    bench.command("P 220")
    bench.fault("pp-changing", ohm=680, over_s=0.6)
    seen = [bench.until(pp_ohm=lambda ohm: ohm is not None)["pp_ohm"] for _ in range(14)]
    assert min(seen) >= 220
    assert max(seen) <= 680
    assert max(seen) - min(seen) > 200
    bench.fault("pp-changing", on=False)
    bench.until(pp_ohm=220)


# --- residual current ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "ma", "within_s"), [("leak-ac", 30, 0.3), ("leak-dc", 60, 0.3)])
def test_the_monitor_trips_in_time_and_only_while_the_output_is_live(bench, name, ma, within_s):
    bench.fault(name, ma=ma)
    assert bench.until(output=DEAD)["rcd"] is False
    bench.drive(contactor=True)
    bench.until(rcd=True)
    closed_ns, tripped_ns = bench.last_true("contactor"), bench.last_true("rcd")
    stood_s = bench.stood_still_s(closed_ns, tripped_ns)
    assert within_s * 0.25 - stood_s <= (tripped_ns - closed_ns) / 1e9 <= within_s + 0.05 + stood_s
    bench.drive(contactor=False)
    bench.until(output=DEAD)
    bench.until(rcd=False)


def test_less_than_the_monitor_sees(bench):
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.fault("leak-ac", ma=15)
    bench.fault("leak-dc", ma=4)
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        assert bench.until(evse=1)["rcd"] is False


# --- supply ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "args", "hz"), [("pwm-fast", {}, 1030), ("pwm-slow", {"hz": 900}, 900)])
def test_a_generator_off_its_frequency_is_seen_at_once(bench, name, args, hz):
    bench.pilot.seen.clear()
    bench.fault(name, **args)
    _, duty, freq = bench.pilot.event("PWM")
    assert int(freq) == pytest.approx(hz * 10, abs=1)
    assert int(duty) == pytest.approx(5333, abs=3)
    bench.drive(pwm_pct=100.0)
    assert bench.pilot.event("PWM")[1:] == ["10000", "0"]
    bench.fault(name, on=False)
    bench.drive(pwm_pct=20.0)
    assert int(bench.pilot.event("PWM")[2]) == pytest.approx(10_000, abs=1)


def test_phase_loss_is_seen_by_station_and_sense(bench):
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.fault("phase-loss", phase=2)
    state = bench.until(output=[True, False, True])
    assert bench.until(meter=lambda meter: meter["voltage_v"][1] == 0.0)["meter"]["voltage_v"][0] > 220
    while bench.pilot.event("OUT")[1] != "101":
        pass
    bench.fault("phase-loss", on=False)
    bench.until(output=LIVE)
    assert state["cp_high_v"] > 11


@pytest.mark.parametrize(("name", "volt"), [("over-voltage", 265.0), ("under-voltage", 190.0)])
def test_over_and_under_voltage(bench, name, volt):
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.fault(name, volt=volt)
    bench.until(meter=lambda meter: meter["voltage_v"] == [volt] * 3)
    assert meter_value(bench, 0x00) == pytest.approx(volt)
    bench.fault(name, on=False)
    bench.until(meter=lambda meter: meter["voltage_v"] == [230.0] * 3)


def test_the_mains_are_cut_and_return_by_themselves(bench):
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.fault("mains-cut", for_s=0.4)
    assert bench.station.until("mains")["on"] is False
    off = time.monotonic()
    bench.until(output=DEAD, high=(0.0, 0.0))
    assert bench.station.until("mains")["on"] is True
    assert 0.2 < time.monotonic() - off < 0.8
    ended = bench.twin.wait("fault")
    assert (ended["name"], ended["on"], ended["id"]) == ("mains-cut", False, None)
    bench.on.clear()


# --- the station's hardware ------------------------------------------------------------------------------


def test_a_welded_contactor_stays_live_until_it_is_mended(bench):
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.fault("contactor-welded")
    bench.drive(contactor=False)
    for _ in range(3):
        assert bench.until(evse=1)["output_v"] == [230.0] * 3
    bench.fault("contactor-welded", on=False)
    bench.until(output=DEAD)


def test_it_welds_with_the_next_closing(bench):
    bench.fault("contactor-welded")
    assert bench.until(evse=1)["output_v"] == [0.0] * 3
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.drive(contactor=False)
    for _ in range(3):
        assert bench.until(evse=1)["output_v"] == [230.0] * 3


def test_a_single_welded_pole_is_live_at_its_sense_and_feeds_nothing(bench):
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    bench.fault("contactor-pole-welded", pole=2)
    bench.drive(contactor=False)
    bench.until(output=[False, True, False])
    while bench.pilot.event("OUT")[1] != "010":
        pass
    assert meter_value(bench, 0x0A) == 0.0  # no way back through N


def test_a_bypass_makes_the_output_live_at_once(bench):
    bench.fault("contactor-welded", at_once=True)
    bench.until(output=LIVE)


def test_a_contactor_that_does_not_close(bench):
    bench.fault("contactor-no-close")
    bench.drive(contactor=True)
    for _ in range(3):
        assert bench.until(evse=1)["output_v"] == [0.0] * 3
    bench.fault("contactor-no-close", on=False)
    bench.until(output=LIVE)


@pytest.mark.parametrize("direction", ["both", "close", "open"])
def test_a_blocked_lock_does_not_follow(bench, direction):
    stuck_open = direction != "open"
    if not stuck_open:
        bench.drive(lock=True)
        bench.until(lock=True)
    bench.fault("lock-blocked", direction=direction)
    bench.drive(lock=stuck_open)
    end = time.monotonic() + 1.3
    while time.monotonic() < end:
        assert bench.until(evse=1)["lock"] is not stuck_open
    bench.fault("lock-blocked", on=False)
    bench.until(lock=stuck_open)


def test_the_stations_meter_freezes_and_rolls_back(bench):
    bench.charge()
    before = bench.until(evse=1)["meter"]["energy_wh"]
    bench.fault("station-meter-rollback", wh=50)
    lower = bench.until(meter=lambda meter: meter["energy_wh"] < before - 40)["meter"]["energy_wh"]
    bench.fault("station-meter-rollback", on=False)
    bench.until(meter=lambda meter: meter["energy_wh"] > lower + 40)
    bench.fault("station-meter-freeze")
    frozen = bench.until(evse=1)["meter"]
    bench.drive(contactor=False)
    bench.until(output=DEAD)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert bench.until(evse=1)["meter"] == frozen
    bench.fault("station-meter-freeze", on=False)
    bench.until(meter=lambda meter: meter["power_w"] == 0.0)


# --- instruments and wires -------------------------------------------------------------------------------


def meter_value(bench, address):
    """A register pair of the bench meter, a moment after now."""
    time.sleep(0.15)  # its registers are renewed every 100 ms
    request = struct.pack(">BBHH", 1, 4, address, 2)
    with serial.Serial(bench.twin.ready["meter"], 9600, timeout=0.5) as port:
        port.write(request + crc(request))
        return struct.unpack(">f", port.read(9)[3:7])[0]


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def clock_us(bench):
    before = time.monotonic()
    answer = bench.command("T").split()
    return int(answer[1]), (before + time.monotonic()) / 2


def test_the_pilots_clock_jumps(bench):
    first_us, first_s = clock_us(bench)
    bench.fault("clock-step", ms=250)
    second_us, second_s = clock_us(bench)
    gained_us = (second_us - first_us) % (1 << 32) - (second_s - first_s) * 1e6
    assert gained_us == pytest.approx(250_000, abs=20_000)


def test_the_pilots_clock_drifts_without_a_jump(bench):
    first_us, first_s = clock_us(bench)
    bench.fault("clock-drift", ppm=100_000)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        second_us, second_s = clock_us(bench)
    gained = ((second_us - first_us) % (1 << 32)) / ((second_s - first_s) * 1e6) - 1.0
    assert gained == pytest.approx(0.1, abs=0.03)


def answers(bench, count):
    """How many of `count` commands are answered in whole."""
    whole = 0
    bench.pilot.port.reset_input_buffer()
    for _ in range(count):
        bench.pilot.seq = (bench.pilot.seq + 1) % 65536
        bench.pilot.port.write(checked("$", f"{bench.pilot.seq} S"))
        line = bench.pilot.port.read_until(b"\n")
        body = line.rpartition(b"*")[0]
        good = body.startswith(f"${bench.pilot.seq} OK ".encode()) and body.isascii()
        whole += good and checked("$", body[1:].decode()) == line
    return whole


@pytest.mark.parametrize("name", ["serial-noise", "serial-garbage", "serial-lost"])
@pytest.mark.parametrize("direction", ["to-bench", "to-device"])
def test_a_wire_that_spoils_bytes(bench, name, direction):
    bench.fault(name, device="pilot", share=0.02, direction=direction)
    spoiled = answers(bench, 20)
    bench.fault(name, on=False, device="pilot")
    assert spoiled < 19
    bench.pilot.port.write(b"\r\n")
    bench.pilot.port.read(4000)
    bench.pilot._rest = b""
    bench.pilot.hello()
    bench.pilot.command("W 10000")


def test_a_slow_wire_loses_nothing(bench):
    bench.fault("serial-slow", device="pilot", bytes_per_s=500, direction="to-bench")
    began = time.monotonic()
    answer = bench.command("S")
    took_s = time.monotonic() - began
    assert len(answer) / 500 * 0.8 <= took_s < 2.0
    assert "r=A" in answer


# --- when it begins --------------------------------------------------------------------------------------


def test_a_fault_waits_for_its_outlet_and_for_a_time(bench):
    told = bench.ask(name="contactor-pole-welded", pole=3, once="live", after_s=0.3, for_s=0.3)
    assert (told["type"], told["name"]) == ("waits", "contactor-pole-welded")
    assert bench.ask(name="cp-open", once="charging")["type"] == "waits"
    bench.command("R B")
    bench.until(high=about(8.98))
    bench.drive(contactor=True)
    live_s = time.monotonic()
    bench.until(output=LIVE)
    begun = bench.twin.wait("fault")
    assert (begun["name"], begun["on"], begun["id"], begun["args"]) == (
        told["name"],
        True,
        None,
        {"pole": 3, "at_once": False},
    )
    assert 0.3 <= begun["t_ns"] / 1e9 - live_s < 2.0
    bench.drive(contactor=False)
    assert bench.until(output=[False, False, True])
    assert bench.twin.wait("fault")["on"] is False
    bench.until(output=DEAD, high=about(8.98))  # nobody charged: the pilot is whole
    bench.fault("cp-open", on=False)


def test_what_no_longer_shall_begin_does_not(bench):
    bench.ask(name="contactor-welded", once="live", after_s=0.1)
    bench.fault("contactor-welded", on=False)
    bench.drive(contactor=True)
    bench.until(output=LIVE)
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        bench.until(evse=1)
    bench.drive(contactor=False)
    bench.until(output=DEAD)


# --- the line itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"name": "cp-shrot"}, "did you mean 'cp-short'"),
        ({"name": "cp-short", "ohms": 80}, "did you mean 'ohm'"),
        ({"name": "cp-short", "ohm": "80"}, "must be a number"),
        ({"name": "cp-short", "ohm": -1}, "must lie in 0.."),
        ({"name": "cp-resistance", "state": "E"}, "one of any, B, C, D"),
        ({"name": "cp-short", "evse": 2}, "there is no evse 2"),
        ({"name": "cp-short", "device": "pilot"}, "leave the device out"),
        ({"name": "clock-step", "device": "oscilloscope"}, "there is no device 'oscilloscope'"),
        ({"name": "clock-step", "device": "meter"}, "has no such fault"),
        ({"name": "serial-noise"}, "say on which device's wire: pilot, meter, can"),
        ({"name": "cp-short", "once": "tomorrow"}, "one of now, plugged, live, charging"),
        ({"name": "cp-short", "once": "live", "evse": 2}, "there is no evse 2"),
        ({"name": "meter-freeze", "after_s": 1, "device": "oscilloscope"}, "there is no device 'oscilloscope'"),
        ({"name": 7}, "a fault has a name"),
        ({"name": "cp-open", "on": "yes"}, "true or false"),
        ({"name": "cp-open", "evse": "1"}, "must be a number"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(bench, message, says):
    assert says in bench.refused(**message)


OTHERS = ("deaf", "silent", "stuck", "trip", "slow", "boot", "e-stop", "chademo-")
"""Of instruments that are not on this twin; each is tried with its instrument."""


@pytest.mark.parametrize("name", [name for name in FAULTS if not name.startswith(OTHERS)])
def test_every_fault_of_the_list_can_be_switched_on_and_off(bench, name):
    device = "can" if FAULTS[name].of == "wire" else None
    done = bench.fault(name, device=device)
    assert set(done["args"]) == set(FAULTS[name].arguments)
    bench.fault(name, on=False, device=device)
    if name == "unplugged":  # the end that was open is that of a cable that is gone
        bench.plug_pilot()
    if name == "reset":
        bench.pilot.hello()
        bench.pilot.command("W 10000")


def test_the_list_is_the_catalogue_and_the_log_keeps_what_was_broken(bench):
    bench.twin.control(type="faults", id=4711)
    told = bench.twin.wait("faults")
    assert told["id"] == 4711
    assert [fault["name"] for fault in told["faults"]] == list(FAULTS)
    done = bench.fault("cp-short")
    assert done["args"] == {"ohm": 80.0}
    assert (done["evse"], done["device"]) == (1, None)
    entries = [json.loads(line) for line in Path(bench.twin.folder / "truth.jsonl").read_text().splitlines()]
    last = [entry for entry in entries if entry.get("fact") == "fault"][-1]
    assert last["value"] == {"name": "cp-short", "on": True, "args": {"ohm": 80.0}}
    assert last["t_ns"] == done["t_ns"]
