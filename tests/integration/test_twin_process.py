"""The twin as a process, over its own wires: pilot line, Modbus RTU, SLCAN, DUT port, lifeline."""

from __future__ import annotations

import json
import signal
import socket
import struct
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import serial

from twin_client import PilotLine, TwinProcess, checked


@pytest.fixture
def twin(tmp_path):
    process = TwinProcess(tmp_path / "twin", linger_s=1.0)
    yield process
    process.close()


@pytest.fixture
def pilot(twin):
    line = PilotLine(twin.ready["pilot"])
    yield line
    line.close()


@pytest.fixture
def station(twin):
    peer = twin.station()
    yield peer
    peer.close()


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


# --- pilot -----------------------------------------------------------------------------------------------


def test_identity_and_present_values(pilot):
    identity = pilot.hello()
    assert identity["proto"] == "1"
    assert identity["serial"] == "VP0001"
    assert identity["sense_us"] == "0..10000"
    assert set(identity["caps"].split(",")) == {"sense", "lock", "token", "relay"}


def test_a_line_without_valid_checksum_changes_nothing(pilot):
    pilot.hello()
    pilot.send_raw(b"$1 R C*00\r\n")
    assert pilot.next_line("$-") == "$- ERR 1 checksum"
    pilot.send_raw(b"$1 R C\r\n")
    assert pilot.next_line("$-") == "$- ERR 1 checksum"
    assert "r=A" in pilot.command("S")


def test_a_line_end_resets_the_parser(pilot):
    pilot.hello()
    pilot.send_raw(b"$1 R")
    pilot.send_raw(b"\r\n")
    assert pilot.next_line("$-") == "$- ERR 1 checksum"
    assert pilot.command("R B") == "OK"


def test_errors_carry_their_code(pilot):
    pilot.send_raw(checked("$", "5 R B"))
    assert pilot.next_line("$5").startswith("$5 ERR 4")  # before any HELLO
    pilot.hello()
    pilot.send_raw(checked("$", "9 R B"))
    assert pilot.next_line("$9").startswith("$9 ERR 4")
    pilot.send_raw(b"$" + b"x" * 300 + b"\r\n")
    assert pilot.next_line("$-").startswith("$- ERR 2")
    assert pilot.command("JUMP").startswith("ERR 3")
    assert pilot.command("R E").startswith("ERR 5")
    assert pilot.command("P 47").startswith("ERR 5")
    assert pilot.command("F DIODE,MOON").startswith("ERR 5")
    assert pilot.command("W 100").startswith("ERR 5")
    assert pilot.command("RELAY 3 1").startswith("ERR 5")
    assert "r=A f=NONE pp=OPEN" in pilot.command("S")
    assert pilot.command("S").endswith("wd=2000")


def test_a_repeated_number_repeats_the_answer_and_does_nothing(pilot):
    pilot.hello()
    first = pilot.command("T")
    pilot.send_raw(checked("$", f"{pilot.seq} R C"))
    assert pilot.next_line(f"${pilot.seq} ").split(" ", 1)[1] == first
    assert "r=A" in pilot.command("S")


def test_sequence_numbers_wrap(pilot):
    pilot.hello()
    pilot.send_raw(checked("$", "65535 HELLO"))
    assert pilot.next_line("$65535").startswith("$65535 OK")
    pilot.seq = 65535
    assert pilot.command("R B") == "OK"
    assert pilot.seq == 0


def test_watchdog_opens_every_relay_and_says_so(pilot, station):
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100)
    pilot.hello()
    assert pilot.command("W 300") == "OK"
    assert pilot.command("P 220") == "OK"
    assert pilot.command("F DIODE") == "OK"
    assert pilot.command("R B") == "OK"
    fed = time.monotonic()
    pilot.event("WD")
    assert 0.25 < time.monotonic() - fed < 0.6
    station.until("state", cp_high_v=lambda volt: volt > 11.5, pp_ohm=220)
    pilot.send_raw(checked("$", f"{pilot.seq + 1} R B"))
    assert pilot.next_line(f"${pilot.seq + 1}").split()[1:3] == ["ERR", "4"]  # only HELLO starts again
    pilot.hello()
    assert "r=A f=NONE pp=220" in pilot.command("S")


def test_commands_feed_the_watchdog(pilot):
    pilot.hello()
    pilot.command("W 200")
    pilot.command("R B")
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        assert pilot.command("T").startswith("OK ")
    assert "r=B" in pilot.command("S")


def test_resistor_and_faults_move_cp_at_the_station_and_at_the_tap(pilot, station):
    station.hello()
    station.send(type="set", evse=1, pwm_pct=53.33)
    pilot.hello()
    expected = [
        ("R B", 8.98, -12.0),
        ("R C", 6.00, -12.0),
        ("R D", 2.93, -12.0),
        ("R B", 8.98, -12.0),
        ("F DIODE", 8.79, -8.79),
        ("F SHORT80", 0.887, -0.889),
        ("F SHORT0", 0.0, 0.0),
        ("F OPEN", 12.0, -12.0),
        ("F NONE", 8.98, -12.0),
        ("R A", 12.0, -12.0),
    ]
    for command, high_v, low_v in expected:
        pilot.seen.clear()
        assert pilot.command(command) == "OK"
        station.until(
            "state",
            cp_high_v=lambda volt, want=high_v: abs(volt - want) <= 0.125,
            cp_low_v=lambda volt, want=low_v: abs(volt - want) <= 0.125,
        )
        _, high_mv, low_mv = pilot.event("CP")
        assert int(high_mv) == pytest.approx(high_v * 1000, abs=150), command
        assert int(low_mv) == pytest.approx(low_v * 1000, abs=150), command


def test_events_are_stamped_when_the_fact_became_true(twin, pilot, station):
    station.hello()
    pilot.hello()
    station.send(type="set", evse=1, pwm_pct=26.67, contactor=True)
    duty = pilot.event("PWM")
    assert int(duty[1]) == pytest.approx(2667, abs=3)
    assert int(duty[2]) == pytest.approx(10_000, abs=5)
    while (out := pilot.event("OUT"))[1] != "111":
        pass
    station.send(type="set", evse=1, pwm_pct=100)
    assert pilot.event("PWM")[1:] == ["10000", "0"]
    truth = twin.truth()
    closed_ns = next(entry["t_ns"] for entry in truth if entry.get("fact") == "contactor")
    lines = {entry["line"]: entry for entry in truth if "line" in entry}
    seen = next(entry for line, entry in lines.items() if line.startswith(f"!{out[0]} OUT"))
    assert seen["t_ns"] == closed_ns
    assert 0 <= seen["seen_ns"] - closed_ns < 10_000_000
    # The device's own clock tells the distance of two events to within its drift.
    pwm = next(entry for line, entry in lines.items() if line.startswith(f"!{duty[0]} PWM"))
    device_us = (seen["device_us"] - pwm["device_us"]) % (1 << 32)
    assert device_us == pytest.approx((seen["seen_ns"] - pwm["seen_ns"]) / 1000, abs=2)


def test_boot_swallows_what_arrives_and_babbles(tmp_path):
    twin = TwinProcess(tmp_path / "twin", pilot={"serial": "VP7", "boot_s": 0.8}, linger_s=0.1)
    try:
        line = PilotLine(twin.ready["pilot"])
        answers = 0
        while answers == 0 and time.monotonic() - twin.started < 4:
            line.send_raw(b"\r\n" + checked("$", "0 HELLO"))
            if b"serial=VP7" in line.port.read(2000):
                answers += 1
        assert answers == 1
        assert time.monotonic() - twin.started > 0.8
        twin.control(type="reset_pilot", boot_s=0.0)
        assert line.event("BOOT")[1] == "reset"
        line.close()
    finally:
        twin.close()


def test_a_card_reaches_the_station(pilot, station):
    station.hello()
    pilot.hello()
    assert pilot.command("TOKEN ISO14443 04A2B3C4D5") == "OK"
    assert station.until("token") == {"type": "token", "evse": 1, "id": "04A2B3C4D5", "kind": "ISO14443"}


def test_a_port_can_be_closed_and_opened_again(twin, pilot):
    pilot.hello()
    pilot.close()
    again = PilotLine(twin.ready["pilot"])
    again.hello()
    again.close()


# --- meter -----------------------------------------------------------------------------------------------


def test_modbus_golden_request_and_silence_for_a_foreign_unit(twin):
    with serial.Serial(twin.ready["meter"], 9600, timeout=0.3) as port:
        port.write(bytes.fromhex("01 04 00 00 00 02 71 CB"))  # voltage L1, as in every SDM630 manual
        assert port.read(9) == bytes.fromhex("01 04 04 00 00 00 00 FB 84")
        request = bytes.fromhex("02 04 00 00 00 02")
        port.write(request + crc(request))
        assert port.read(1) == b""
        port.write(bytes.fromhex("01 04 00 00 00 02 71 CC"))
        assert port.read(1) == b""
        request = bytes.fromhex("01 04 00 48 00 02")
        port.write(request + crc(request))
        answer = port.read(9)
        assert answer[:3] == bytes.fromhex("01 04 04")
        assert answer[7:] == crc(answer[:7])
        assert 2.0 <= struct.unpack(">f", answer[3:7])[0] <= 8.0  # kWh
        request = bytes.fromhex("01 04 20 00 00 02")
        port.write(request + crc(request))
        assert port.read(5)[:3] == bytes.fromhex("01 84 02")


# --- EV --------------------------------------------------------------------------------------------------


def test_slcan_adapter_answers_and_passes_frames(twin):
    with serial.Serial(twin.ready["can"], 115200, timeout=0.5) as port:
        port.write(b"O\r")
        assert port.read(1) == b"\x07"  # no bit rate yet
        port.write(b"C\rS6\r\rO\rO\rV\r")
        answer = port.read_until(b"V1013\r")
        assert answer.replace(b"V1013\r", b"")[:5] == b"\x07\r\r\r\x07"
        frames = [port.read_until(b"\r") for _ in range(5)]
        status = [frame for frame in frames if frame.startswith(b"t2018")]
        counters = [int(frame[6:7], 16) for frame in status]
        assert all((after - before) % 16 == 1 for before, after in pairwise(counters))
        assert len(status) >= 4
        assert status[0][7:9] == b"3C"  # 60 x 0.5 % = 30 %
        port.write(b"t20081F0A\r")
        assert b"\x07" in port.read(200)
        port.write(b"t20087140010000000000\r")
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            frame = port.read_until(b"\r")
            if frame.startswith(b"t2018") and int(frame[5:6], 16) & 1:
                break
        else:
            raise AssertionError("the plugged bit was not echoed")
        port.write(b"C\r")


def test_a_whole_charge_over_the_wires(twin, pilot, station):
    """Plug, offer, command, close: current on meter, CAN and DUT port; open: nothing left."""
    station.hello()
    pilot.hello()
    pilot.command("W 10000")
    pilot.command("P 220")
    pilot.command("R C")
    station.send(type="set", evse=1, pwm_pct=26.67, contactor=True, lock=True)
    with serial.Serial(twin.ready["can"], 115200, timeout=0) as can:
        can.write(b"C\rS6\rO\r")
        end = time.monotonic() + 3.0
        current_a = 0.0
        while time.monotonic() < end and current_a < 15.9:
            can.write(b"t20087040010000000000\r")  # plugged, S2 closed, charge, 32 A
            state = station.until("state")
            current_a = state["meter"]["current_a"][2]
        assert current_a == pytest.approx(16.0 * 1.004, abs=0.01)
        assert b"t2018" in can.read(4000)
    request = bytes.fromhex("01 04 00 06 00 02")
    with serial.Serial(twin.ready["meter"], 9600, timeout=0.3) as meter:
        meter.write(request + crc(request))
        assert struct.unpack(">f", meter.read(9)[3:7])[0] == pytest.approx(16.0 * 1.001, abs=0.01)
        station.send(type="set", evse=1, contactor=False)
        dead = station.until("state", output_v=[0.0, 0.0, 0.0])
        assert station.until("state", timeout_s=1.0, meter=lambda value: value["power_w"] == 0.0)
        assert dead["lock"] in (True, False)
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            meter.write(request + crc(request))
            if struct.unpack(">f", meter.read(9)[3:7])[0] == 0.0:
                break
        else:
            raise AssertionError("the bench meter still shows a current")


# --- DUT port --------------------------------------------------------------------------------------------


def test_welcome_and_state_cadence(station):
    welcome = station.hello()
    assert welcome["type"] == "welcome"
    assert (welcome["outlet"], welcome["rated_a"], welcome["phases"], welcome["mains"]) == ("socket", 32, 3, True)
    first = station.until("state")
    assert first["pp_ohm"] is None
    assert (first["cp_high_v"], first["cp_low_v"]) == (0.0, 0.0)
    stamps = [station.until("state")["t_us"] for _ in range(5)]
    gaps_ms = [(after - before) / 1000 for before, after in pairwise(stamps)]
    assert gaps_ms == pytest.approx([100.0] * 4, abs=30.0)


def test_refused_lines_keep_the_connection(station):
    station.hello()
    for line, code in [
        (b"{nonsense\n", "bad-json"),
        (b"[1]\n", "bad-json"),
        (b'{"type":"jump"}\n', "bad-type"),
        (b'{"type":"set","evse":2,"pwm_pct":50}\n', "bad-evse"),
        (b'{"type":"set","evse":1,"pwm_pct":101,"contactor":true}\n', "bad-value"),
        (b'{"type":"set","evse":1,"contactor":1}\n', "bad-value"),
        (b'{"type":"ping","pad":"' + b"x" * 5000 + b'"}\n', "too-long"),
    ]:
        station.send_raw(line)
        assert station.until("error")["code"] == code
    station.send(type="ping", id=5)
    assert station.until("pong", id=5)["t_us"] > 0
    assert station.until("state")["output_v"] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"protocol": 2}, "bad-protocol"), ({"station": "OTHER"}, "unknown-station"), ({"type": "set"}, "bad-protocol")],
)
def test_a_wrong_hello_closes_the_connection(station, changes, code):
    assert station.hello(**changes)["code"] == code
    with pytest.raises(EOFError):
        station.next()


def test_a_second_station_is_refused_until_the_first_leaves(twin, pilot, station):
    station.hello()
    station.send(type="set", evse=1, pwm_pct=53.33, contactor=True)
    station.until("state", output_v=[230.0, 230.0, 230.0])
    second = twin.station()
    assert second.hello()["code"] == "busy"
    second.close()
    pilot.hello()
    station.close()
    while pilot.event("OUT")[1] != "000":
        pass
    assert "high_mv=0 low_mv=0" in pilot.command("S")
    third = twin.station()
    assert third.hello()["type"] == "welcome"
    third.close()


def test_contactor_and_lock_follow_late(station):
    station.hello()
    start_us = station.until("state")["t_us"]
    station.send(type="ping", id=1)
    start_us = station.until("pong")["t_us"]
    station.send(type="set", evse=1, contactor=True, lock=True)
    closed_us = station.until("state", output_v=[230.0, 230.0, 230.0])["t_us"]
    assert 19 <= (closed_us - start_us) / 1000 <= 110
    locked_us = station.until("state", lock=True)["t_us"]
    assert 195 <= (locked_us - start_us) / 1000 <= 1300


def test_mains_loss(twin, station):
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100, contactor=True)
    station.until("state", output_v=[230.0, 230.0, 230.0])
    twin.control(type="mains", on=False)
    assert station.until("mains") == {"type": "mains", "on": False}
    station.until("state", output_v=[0.0, 0.0, 0.0], cp_high_v=0.0)
    off = time.monotonic()
    while time.monotonic() - off < 0.3:
        station.until("state")
    station.send(type="set", evse=1, pwm_pct=100, contactor=True)
    assert twin.wait("alive_without_mains")["station"] == "CP001"
    twin.control(type="mains", on=True)
    assert station.until("mains")["on"] is True
    assert station.until("state")["cp_high_v"] == 0.0
    station.send(type="set", evse=1, pwm_pct=100)
    assert station.until("state", cp_high_v=lambda volt: volt > 11.5)["output_v"] == [0.0, 0.0, 0.0]


def test_a_slow_reader_gets_the_newest_state_and_the_count_of_lost_ones(twin, pilot):
    peer = twin.station()
    peer.socket.close()

    port = json.loads((twin.folder / "dut-port.json").read_text())
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    raw.connect((port["host"], port["port"]))
    raw.settimeout(3)
    raw.sendall(b'{"type":"hello","protocol":1,"station":"CP001"}\n{"type":"set","evse":1,"pwm_pct":100}\n')
    pilot.hello()
    for _ in range(300):
        pilot.command("R B")
        pilot.command("R A")
    pilot.command("P 680")
    file = raw.makefile("rb")
    newest = {"dropped": 0, "pp_ohm": None}
    deadline = time.monotonic() + 3
    while newest["pp_ohm"] != 680 and time.monotonic() < deadline:
        message = json.loads(file.readline())
        newest = message if message["type"] == "state" else newest
    assert newest["pp_ohm"] == 680
    assert newest["dropped"] > 100
    file.close()
    raw.close()


def test_a_station_that_stops_pinging_is_an_overrun(twin, station):
    station.hello(ping_ms=20)
    for number in range(5):
        station.send(type="ping", id=number)
        station.until("pong", id=number)
    silent_from = time.monotonic_ns()
    overrun = twin.wait("overrun")
    while overrun["who"] != "station":
        overrun = twin.wait("overrun")
    assert abs(overrun["from_ns"] - silent_from) < 100_000_000
    assert overrun["to_ns"] - overrun["from_ns"] > 400_000_000


def test_a_stopped_process_reports_its_own_overrun(twin):
    before = time.monotonic_ns()
    twin.process.send_signal(signal.SIGSTOP)
    held = time.monotonic() + 0.2
    while time.monotonic() < held:
        assert twin.process.poll() is None
    twin.process.send_signal(signal.SIGCONT)
    overrun = twin.wait("overrun")
    while overrun["to_ns"] - overrun["from_ns"] < 150_000_000:
        overrun = twin.wait("overrun")
    assert overrun["who"] == "model"
    assert before - 5_000_000 <= overrun["from_ns"] < overrun["to_ns"] <= time.monotonic_ns()


# --- life ------------------------------------------------------------------------------------------------


def test_signals_of_the_terminal_are_ignored(twin, pilot):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        twin.process.send_signal(number)
    pilot.hello()
    assert twin.process.poll() is None


def test_stop_ends_at_once_and_hangs_up(twin, station):
    station.hello()
    twin.control(type="stop")
    assert twin.process.wait(1.0) == 0
    with pytest.raises(EOFError):
        station.until("never")
    assert not (twin.folder / "dut-port.json").exists()
    assert not (twin.folder / "pilot").is_symlink()


def test_loss_of_the_owner_lets_the_watchdog_work_and_then_ends(twin, pilot):
    pilot.hello()
    pilot.command("W 300")
    pilot.command("R B")
    twin.process.stdin.close()
    gone = time.monotonic()
    pilot.event("WD")
    assert twin.process.wait(3.0) == 0
    assert 0.9 < time.monotonic() - gone < 2.0


def test_an_owner_that_never_existed(tmp_path):

    folder = tmp_path / "twin"
    TwinProcess(folder, linger_s=0.2).close()
    done = subprocess.run(
        [sys.executable, "-m", "pilotbench.bench.twin.emulators", str(folder / "config.json")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=5,
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [({"evse": {"outlet": "plug"}}, "evse.outlet"), ({"evze": {}}, "evze"), ({"seed": "x"}, "seed")],
)
def test_bad_configuration_is_said_and_ends_with_2(tmp_path, change, says):

    path = tmp_path / "config.json"
    path.write_text(json.dumps({"dir": str(tmp_path), "dut_port": {"station": "A", "csms_url": "ws://x/A"}, **change}))
    done = subprocess.run(
        [sys.executable, "-m", "pilotbench.bench.twin.emulators", str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
