"""The bench file: what is wrong is named with its line, and with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.assembly import facts_of
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.correlation import Calibration
from pilotbench.errors import ConfigError

VIRTUAL = virtual_bench().read_text(encoding="utf-8")


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if needle in line)


def refused(tmp_path: Path, text: str) -> ConfigError:
    path = tmp_path / "lab.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_bench_file(path)
    assert str(path) in str(caught.value)
    return caught.value


def test_the_virtual_bench_is_sound() -> None:
    bench = load_bench_file(virtual_bench())
    assert bench.station.rated == 32.0
    assert bench.safe.output_dead_within == 3.0
    assert all(path.is_file() for path in bench.files())


@pytest.mark.parametrize(
    ("old", "new", "line_with", "says"),
    [
        ('rated = "32 A"', 'ratd = "32 A"', "ratd", "did you mean 'rated'"),
        ('rated = "32 A"', 'rated = "32 W"', "rated", "'W' is a unit of power"),
        ('rated = "32 A"', "rated = 32", "rated", "has no unit"),
        ('rated = "32 A"', 'rated = "3200 A"', "rated", "less than or equal to 500"),
        ('driver = "pilot.line"', 'driver = "pilot.lime"', "pilot.lime", "did you mean 'pilot.line'"),
        ('watchdog = "1 s"', 'watchdg = "1 s"', "watchdg", "did you mean 'watchdog'"),
        ('map = "eastron-sdm630"', 'map = "eastron-sdm63"', "eastron-sdm63", "did you mean 'eastron-sdm630'"),
        ("[twin]", "[twinn]", "[twinn]", "did you mean 'twin'"),
        ("seed = 1", 'seed = "one"', "seed", "valid integer"),
        ('name = "virtual"', "name = virtual", "name = virtual", "not TOML"),
        ('port = "twin:pilot"', 'port = "/dev/ttyACM0"', "/dev/ttyACM0", "either all virtual or all real"),
        ('port = "twin:pilot"', 'port = "twin:../pilot"', "twin:../pilot", "a name of small letters"),
        ('port = "twin:can"', 'port = "twin:meter"', None, "the same port"),
        ('port = "twin:can"', 'port = "tcp://10.0.0.7"', "tcp://10.0.0.7", "with host and port number"),
        ('port = "twin:can"', 'port = "socket://:99x"', "socket://:99x", "with host and port number"),
        ("[device.meter]", "[device.csms]", 'port = "twin:meter"', "no device may be called 'csms'"),
        (
            'faults = ["diode"',
            'faults = ["diod"',
            "faults",
            "envelope.faults: there is no 'diod' (did you mean 'diode'?)",
        ),
        (
            "[envelope]\n",
            '[envelope]\nrelays = ["main"]\n',
            "relays",
            "(did you mean 'mains'?); it should be a valid integer",
        ),
        ("[envelope]\n", "[envelope]\nrelays = [1.5]\n", "relays", "a valid integer or 'mains', 'pe'"),
        ("[envelope]\n", '[envelope]\nrelays = [\n  "pe",\n  "mans",\n]\n', '"mans"', "did you mean 'mains'"),
        ('csms_allowed = ["firmware"', 'csms_allowed = ["firmwar"', "csms_allowed", "did you mean 'firmware'"),
        ('["UnpublishFirmware"]', '["UnpublishFirmwar"]', "csms_forbidden", "did you mean 'UnpublishFirmware'"),
        ("[envelope]\n", '[envelope]\nrapi = ["safty", "x"]\n', "rapi", "(1 more problem after this one)"),
        ('outlet = "socket"', 'outlet = "soket"', "outlet", "did you mean 'socket'"),
        ("calibration_due = 2036", "calibration_due = 2025", "[device.meter]", "lies before calibrated 2026-01-15"),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(
    tmp_path: Path, old: str, new: str, line_with: str | None, says: str
) -> None:
    assert old in VIRTUAL
    text = VIRTUAL.replace(old, new, 1)
    error = refused(tmp_path, text)
    assert says in str(error)
    if line_with is not None:
        assert error.line == line_of(text, line_with)


def test_calibrations_of_every_instrument_reach_the_rules(tmp_path: Path) -> None:
    own = tmp_path / "lab.toml"
    pilot = 'driver = "pilot.line"'
    own.write_text(
        VIRTUAL.replace(pilot, f"{pilot}\ncalibration_due = 2026-02-01\nallow_expired_calibration = true"),
        encoding="utf-8",
    )
    facts = facts_of(load_bench_file(own))
    assert facts.calibrations == {
        "pilot": Calibration(due="2026-02-01", allowed=True),
        "meter": Calibration("2026-01-15", "2036-01-15"),
    }


def test_a_missing_key_is_told_with_its_table(tmp_path: Path) -> None:
    text = VIRTUAL.replace('accuracy = "0.2 %"            # of the reading, k = 2\n', "")
    error = refused(tmp_path, text)
    assert "'device.meter.accuracy' is missing" in str(error)
    assert error.line == line_of(text, "[device.meter]")


def test_a_missing_file_lists_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"virtual\.toml"):
        load_bench_file(tmp_path / "nowhere.toml")


def test_a_file_beside_the_bench_file_wins(tmp_path: Path) -> None:
    own = tmp_path / "lab.toml"
    (tmp_path / "eastron-sdm630.toml").write_text("# ours\n", encoding="utf-8")
    own.write_text(VIRTUAL, encoding="utf-8")
    assert tmp_path / "eastron-sdm630.toml" in load_bench_file(own).files()


def test_every_single_deleted_line_gives_one_clear_error_or_none(tmp_path: Path) -> None:
    lines = VIRTUAL.splitlines(keepends=True)
    path = tmp_path / "lab.toml"
    for index in range(len(lines)):
        path.write_text("".join(lines[:index] + lines[index + 1 :]), encoding="utf-8")
        message = _message(path)
        assert message is None or message.startswith(str(path))


def _message(path: Path) -> str | None:
    try:
        load_bench_file(path)
    except ConfigError as error:
        return str(error)
    return None


def test_a_bench_is_not_its_own_data_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"  # there are limits of this name, too
    path.write_text(VIRTUAL, encoding="utf-8")
    assert path not in load_bench_file(path).files()


def test_another_bench_is_no_data_file_either(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(VIRTUAL, encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(VIRTUAL, encoding="utf-8")
    assert tmp_path / "lab.toml" not in load_bench_file(other).files()
