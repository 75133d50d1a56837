"""drivers, devices, doctor and calibrate, as a person at the bench runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pilotbench.bench.config import load_bench_file, virtual_bench

from cli_runs import CliRun, cli
from twin_client import TwinProcess


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    return Path(shutil.copy(virtual_bench(), tmp_path / "lab.toml"))


@pytest.fixture
def pilotbench(tmp_path: Path) -> Callable[..., CliRun]:
    return lambda *args: cli(*map(str, args), state=tmp_path / "state")


def test_drivers_are_listed_with_their_parts(pilotbench: Callable[..., CliRun]) -> None:
    told = pilotbench("drivers", "--json")
    assert told.code == 0
    drivers = {entry["driver"]: entry for entry in told.document["drivers"]}
    assert drivers["pilot.line"]["role"] == "pilot"
    assert drivers["meter.modbus"]["energises"] == "no"
    assert all(entry["text"] for entry in drivers.values())


def test_devices_finds_the_units_of_a_segment_and_names_their_maps(
    pilotbench: Callable[..., CliRun], twin: Callable[..., TwinProcess]
) -> None:
    devices = {
        "bus": {"kind": "meter.modbus", "unit": 3, "model": "sdm630"},
        "bus.b": {"kind": "meter.modbus", "unit": 5, "model": "iem3155", "segment": "bus"},
    }
    port = twin(devices=devices).ready["bus"]
    told = pilotbench("devices", "--modbus", f"{port}@9600,8N1", "--units", "2-6", "--json")
    assert told.code == 0, told.err
    units = {unit["unit"]: unit for unit in told.document["units"]}
    assert set(units) == {3, 5}
    assert "eastron-sdm630" in units[3]["maps"]
    assert "schneider-iem3155" in units[5]["maps"]
    text = pilotbench("devices", "--modbus", f"{port}@9600,8N1", "--units", "3")
    assert "[device.meter3]" in text.out
    assert f'port = "{port}"' in text.out


@pytest.mark.parametrize(("option", "value"), [("--units", "0"), ("--units", "3-"), ("--modbus", "@9600")])
def test_devices_refuses_what_it_does_not_understand(
    pilotbench: Callable[..., CliRun], option: str, value: str
) -> None:
    given = {"--modbus": "/dev/null", "--units": "1"} | {option: value}
    told = pilotbench("devices", *(word for pair in given.items() for word in pair))
    assert told.code == 2
    assert told.err.startswith(f"pilotbench: {option}")


def test_the_doctor_looks_at_every_device_and_at_the_guardians_reach(pilotbench: Callable[..., CliRun]) -> None:
    told = pilotbench("doctor", "--watch", "1 s", "--json")
    assert told.code == 0, told.out + told.err
    found = {(entry["subject"], entry["what"]): entry for entry in told.document["findings"]}
    for device in ("pilot", "meter", "ev"):
        assert found[device, "opening"]["state"] == "ok"
    assert found["pilot", "guardian"]["state"] == found["ev", "guardian"]["state"] == "ok"
    assert "ppm" in found["pilot", "clock"]["detail"]
    assert found["pilot", "latency"]["state"] == "ok"
    assert found["pilot", "safe state"]["state"] == "ok"
    assert found["outlet 1", "output sense and meter"]["detail"] == "output sense dead, meter 0.00 A"
    assert found["meter", "calibration"]["state"] == "ok"


def test_the_doctor_names_what_is_bad_and_what_would_mend_it(
    pilotbench: Callable[..., CliRun], bench: Path, twin: Callable[..., TwinProcess]
) -> None:
    ready = twin(devices={"pilot": {"kind": "pilot.line"}, "can": {"kind": "ev.slcan"}}).ready
    text = bench.read_text().split("[twin]")[0]
    text = text.replace("twin:pilot", ready["pilot"]).replace("twin:can", "socket://127.0.0.1:9")
    text = text.replace("twin:meter", str(bench.parent / "nowhere")).replace("due = 2036-01-15", "due = 2026-02-15")
    bench.write_text(text.replace("[safe]", '[safe]\nemergency_stop = "on the wall"'))
    told = pilotbench("doctor", "--bench", bench, "--watch", "500 ms")
    assert told.code == 4, told.out + told.err
    assert "BAD  opening" in told.out
    assert "there is no such port" in told.out
    assert "BAD  calibration: 2026-01-15, due 2026-02-15: expired" in told.out
    assert "3 bad" in told.out
    assert "pilot" in told.out


def test_the_doctor_looks_at_the_rest_when_a_usb_number_is_not_there(
    pilotbench: Callable[..., CliRun], bench: Path
) -> None:
    text = bench.read_text().split("[twin]")[0].replace("twin:pilot", "usb:PB0201")
    text = text.replace("twin:can", "usb:PB0202").replace("twin:meter", str(bench.parent / "nowhere"))
    bench.write_text(text.replace("[safe]", '[safe]\nemergency_stop = "on the wall"'))
    told = pilotbench("doctor", "--bench", bench, "--watch", "100 ms", "--json")
    assert told.code == 4, told.out + told.err
    opening = {found["subject"]: found for found in told.document["findings"] if found["what"] == "opening"}
    assert {name: found["state"] for name, found in opening.items()} == dict.fromkeys(("pilot", "ev", "meter"), "bad")
    assert "no USB serial port has the number 'PB0201'" in opening["pilot"]["detail"]


@pytest.mark.parametrize("watch", ["5", "0 s", "-1 s", "2 h"])
def test_the_doctor_listens_for_a_time(pilotbench: Callable[..., CliRun], watch: str) -> None:
    told = pilotbench("doctor", "--watch", watch)
    assert (told.code, told.err.startswith("pilotbench: --watch:")) == (2, True), told.err


def test_a_calibration_is_stored_beside_the_bench_and_used(pilotbench: Callable[..., CliRun], bench: Path) -> None:
    values = ("meter", "accuracy=0.5 %", "answer=30 ms", "--due", "2036-11-21", "--on", "2026-11-20")
    told = pilotbench("calibrate", "--bench", bench, *values, "--operator", "Ann Example", "--certificate", "K 12")
    assert told.code == 0, told.err
    meter = load_bench_file(bench).device["meter"].model_dump(mode="json")
    assert (meter["accuracy"], meter["answer"]) == (0.5, 30.0)
    assert (meter["operator"], meter["calibration_due"], meter["certificate"]) == ("Ann Example", "2036-11-21", "K 12")
    shown = pilotbench("calibrate", "--bench", bench)
    assert "meter        calibrated 2026-11-20 by Ann Example, due 2036-11-21, K 12" in shown.out
    assert pilotbench("calibrate", "--bench", bench, "meter", "accuracy=0.6 %", "--due", "2036-01-01").code == 0
    assert load_bench_file(bench).device["meter"].model_dump()["accuracy"] == 0.6
    stored = (bench.parent / "lab.calibration.toml").read_text()
    assert "[[history]]" in stored
    assert "Ann Example" in stored
    assert bench.parent / "lab.calibration.toml" in load_bench_file(bench).files()


def test_a_calibration_that_is_over_is_marked_and_takes_no_certificate_from_another(
    pilotbench: Callable[..., CliRun], bench: Path
) -> None:
    assert "virtual: the model's own figures" in pilotbench("calibrate", "--bench", bench, "meter").out
    dates = ("--on", "2026-01-01", "--due", "2026-01-31", "--operator", "Ann Example")
    assert pilotbench("calibrate", "--bench", bench, "meter", "accuracy=0.5 %", *dates).code == 0
    shown = pilotbench("calibrate", "--bench", bench, "meter").out
    assert shown == "meter        calibrated 2026-01-01 by Ann Example, due 2026-01-31 (EXPIRED)\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["meterr", "accuracy=1 %"], "did you mean 'meter'"),
        (["ev", "accuracy=1 %"], "nothing that is calibrated"),
        (["meter", "acuracy=1 %"], "did you mean 'accuracy'"),
        (["meter", "accuracy"], "write it as KEY=VALUE"),
        (["meter", "accuracy=1 A"], "'A' is a unit of current"),
        (["meter", "accuracy=1 %", "--on", "2040-01-01"], "has yet to come"),
        (["meter", "accuracy=1 %", "--on", "2024-02-01", "--due", "2024-01-01"], "lies before calibrated"),
        (["meter", "accuracy=1 %", "--due", "soon"], "is no date"),
    ],
)
def test_a_calibration_that_cannot_be_used_stores_nothing(
    pilotbench: Callable[..., CliRun], bench: Path, given: list[str], says: str
) -> None:
    due = [] if "--due" in given else ["--due", "2036-01-01"]
    told = pilotbench("calibrate", "--bench", bench, *given, *due)
    assert (told.code, says in told.err) == (2, True), told.err
    assert not (bench.parent / "lab.calibration.toml").exists()


def test_a_calibration_of_an_unknown_device_names_its_line(pilotbench: Callable[..., CliRun], bench: Path) -> None:
    beside = bench.parent / "lab.calibration.toml"
    beside.write_text('\n[metre]\naccuracy = "1 %"\n')
    told = pilotbench("calibrate", "--bench", bench)
    assert told.code == 2
    assert f"{beside}:2: there is no device 'metre' in lab.toml (did you mean 'meter'?)" in told.err


def test_schema_prints_what_an_editor_reads(pilotbench: Callable[..., CliRun]) -> None:
    told = pilotbench("schema")
    assert told.code == 0
    assert json.loads(told.out)["$schema"].startswith("https://json-schema.org/")
