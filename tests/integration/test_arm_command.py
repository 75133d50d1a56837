"""`pilotbench arm` and `disarm`: a person, for a while, for what was named; and nobody else."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
from pathlib import Path

import pytest
from pilotbench.bench.cli.arm import ArmRequest, arm_command
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.permission import arming_of, digest_of, is_real
from pilotbench.errors import ConfigError

from cli_runs import COMMAND, cli, environment
from copper import in_a_shell

REAL = (
    virtual_bench()
    .read_text(encoding="utf-8")
    .partition("[twin]")[0]
    .replace('name = "virtual"', 'name = "lab"')
    .replace('"twin:pilot"', '"/dev/ttyACM0"')
    .replace('"twin:meter"', '"/dev/ttyUSB0"')
    .replace('"twin:can"', '"/dev/ttyUSB1"')
    .replace("[safe]\n", '[safe]\nemergency_stop = "red button left of the door"\n')
)
THERE = ("--yes-i-am-at-the-bench", "lab")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bench file of a bench with real hardware; the state directory is beside it."""
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "copper.toml"
    path.write_text(REAL, encoding="utf-8")
    return path


def state(bench: Path) -> Path:
    return bench.parent / "state"


def why(bench: Path) -> str:
    """What a run of this bench would say now."""
    arming = arming_of(load_bench_file(bench))
    assert arming is not None
    return arming.look()[1]


def test_armed_listed_and_disarmed(bench: Path) -> None:
    assert "nobody armed it" in why(bench)
    done = in_a_shell(
        *("arm", "--bench", str(bench), "--for", "8h", "--faults", "short0, diode", "--csms", "reset", *THERE),
        state=state(bench),
    )
    assert done.code == 0, done.err
    for told in ("red button left of the door", "32 A", "diode, short0", "reset", "armed until"):
        assert told in done.out
    (token,) = (state(bench) / "armed").glob("bench-*.json")
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert why(bench) == ""
    status = in_a_shell("arm", "--status", state=state(bench))
    assert status.code == 0
    assert "lab: armed until" in status.out
    assert "(480 min left)" in status.out
    assert "faults: diode, short0; csms: reset" in status.out
    assert in_a_shell("arm", "--status", "--bench", str(bench), state=state(bench)).code == 0
    text = bench.read_text(encoding="utf-8")
    bench.write_text(text + "# edited\n", encoding="utf-8")
    edited = in_a_shell("arm", "--status", state=state(bench))
    assert (edited.code, "lab: not armed" in edited.out, "was changed" in edited.out) == (5, True, True), edited.out
    bench.write_text(text, encoding="utf-8")
    assert "disarmed" in in_a_shell("disarm", "--bench", str(bench), state=state(bench)).out
    assert "nobody armed it" in why(bench)
    assert "was not armed" in in_a_shell("disarm", "--bench", str(bench), state=state(bench)).out
    assert in_a_shell("arm", "--status", state=state(bench)).code == 5
    log = [json.loads(line) for line in (token.parent / "log.jsonl").read_text().splitlines()]
    assert [entry["what"] for entry in log] == ["armed", "disarmed"]
    assert log[0]["faults"] == ["diode", "short0"]
    assert stat.S_IMODE((token.parent / "log.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--for", "8h", "--yes-i-am-at-the-bench", "other"), "not armed"),
        (("--for", "8h"), "--yes-i-am-at-the-bench lab"),
        (("--for", "25h", *THERE), "1 min to 24 h"),
        (("--for", "1s", *THERE), "1 min to 24 h"),
        (("--for", "8", *THERE), "time with its unit"),
        (("--for", "8h", "--faults", "diod", *THERE), "did you mean 'diode'"),
        (("--for", "8h", "--faults", "rcd", *THERE), "not allowed on this bench"),
        (("--for", "8h", "--csms", "everything", *THERE), "Allowed by csms_allowed"),
        (THERE, "--for 8h"),
    ],
)
def test_what_does_not_arm(bench: Path, options: tuple[str, ...], says: str) -> None:
    done = in_a_shell("arm", "--bench", str(bench), *options, state=state(bench))
    assert done.code == 2
    assert says in done.out + done.err
    assert "Traceback" not in done.err
    assert "nobody armed it" in why(bench)


def test_a_program_cannot_arm(bench: Path) -> None:
    with pytest.raises(ConfigError, match="a program cannot arm"):
        arm_command(ArmRequest(bench, "1h", at_the_bench="lab"))
    as_a_test = cli("arm", "--bench", str(bench), "--for", "1h", *THERE, state=state(bench))
    assert as_a_test.code == 2
    assert "a program cannot arm" in as_a_test.err
    assert "nobody armed it" in why(bench)


@pytest.mark.parametrize(("typed", "armed"), [("lab", True), ("lap", False), ("", False)])
def test_a_person_types_the_name_of_the_bench(bench: Path, typed: str, armed: bool) -> None:
    keyboard, terminal = pty.openpty()
    env = {key: value for key, value in environment(state(bench)).items() if key != "PYTEST_CURRENT_TEST"}
    asking = subprocess.Popen(
        [*COMMAND, "arm", "--bench", str(bench), "--for", "1h"],
        env=env,
        stdin=terminal,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.write(keyboard, f"{typed}\n".encode())
    out, _ = asking.communicate(timeout=20)
    os.close(keyboard)
    os.close(terminal)
    assert "Type its name (lab)" in out
    assert (asking.returncode == 0) is armed
    assert (why(bench) == "") is armed


def test_the_twin_needs_none_and_takes_none(tmp_path: Path) -> None:
    done = in_a_shell("arm", "--bench", str(virtual_bench()), "--for", "1h", state=tmp_path)
    assert done.code == 2
    assert "the twin needs no arming" in done.err
    assert arming_of(load_bench_file(virtual_bench())) is None


def test_any_change_of_what_was_armed_ends_it(bench: Path) -> None:
    assert in_a_shell("arm", "--bench", str(bench), "--for", "1h", *THERE, state=state(bench)).code == 0
    assert why(bench) == ""
    text = bench.read_text(encoding="utf-8")
    for changed in (
        text.replace('current = "32 A"', 'current = "80 A"'),
        text.replace("/dev/ttyUSB0", "/dev/ttyUSB7"),
        text + "# and a remark\n",
    ):
        assert changed != text
        bench.write_text(changed, encoding="utf-8")
        assert "was changed since" in why(bench)
    bench.write_text(text, encoding="utf-8")
    assert why(bench) == ""
    (bench.parent / "pilotbench-ev.dbc").write_bytes(
        (virtual_bench().parent / "ev" / "pilotbench-ev.dbc").read_bytes() + b"\n"
    )
    assert "was changed since" in why(bench)


def test_a_bench_that_a_program_changed_in_memory_is_not_the_armed_one(bench: Path) -> None:
    file = load_bench_file(bench)
    wider = file.model_copy(update={"envelope": file.envelope.model_copy(update={"current": 80.0})})
    assert digest_of(wider) != digest_of(file)
    twin = load_bench_file(virtual_bench()).twin
    assert is_real(file.model_copy(update={"twin": twin})), "its ports say so, not its tables"
    other = file.model_copy(update={"station": file.station.model_copy(update={"ocpp": "2.1"})})
    assert digest_of(other) == digest_of(file), "--ocpp is no change of the bench"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('emergency_stop = "red button left of the door"\n', "", "names? its hard-wired|emergency_stop = "),
        ("[safe]\n", '[safe]\ne_stop = "pilto"\n', "did you mean 'pilot'"),
    ],
)
def test_a_real_bench_says_who_stops_it_by_hand(bench: Path, old: str, new: str, says: str) -> None:
    bench.write_text(bench.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        load_bench_file(bench)
