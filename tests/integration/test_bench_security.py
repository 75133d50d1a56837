"""The virtual bench in every security profile: the station gets in, the recording says how, and holds no password."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.assembly import RunOptions
from pilotbench.bench.config import load_bench_file, virtual_bench
from pilotbench.bench.host import BenchHost
from pilotbench.bench.recording import read_run
from pilotbench.errors import ConfigError

VIRTUAL = virtual_bench().read_text(encoding="utf-8")
PASSWORD = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("profile", "ocpp", "auth"),
    [(1, "1.6", "basic"), (2, "2.1", "basic"), (3, "2.0.1", "none")],
)
def test_the_station_logs_in_and_no_secret_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: int, ocpp: str, auth: str
) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "bench.toml"
    password = f'password = "{PASSWORD}"' if auth == "basic" else ""
    secured = f"[csms]\nsecurity_profile = {profile}\n{password}"
    text = VIRTUAL.replace("[csms]", secured).replace('ocpp = "1.6"', f'ocpp = "{ocpp}"')
    path.write_text(text, encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    with BenchHost(load_bench_file(path), options=RunOptions(directory=folder)) as host:
        assert host.bench.csms.station("CP001").version == ocpp
    run = read_run(folder)
    met = [event.data for event in run.events if event.topic == "ocpp.connected"]
    assert met
    assert {(data["version"], data["profile"], data["auth"].split(",")[0]) for data in met} == {(ocpp, profile, auth)}
    assert all((data["subject"] is not None) is (profile == 3) for data in met)
    assert all((data["tls"] is not None) is (profile >= 2) for data in met)
    assert PASSWORD.encode() not in (folder / "run.mcap").read_bytes()
    assert not [event for event in run.events if PASSWORD in str(event)]


def test_what_the_policy_does_not_know_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "bench.toml"
    path.write_text(
        VIRTUAL.replace("[device.pilot]", '[csms.policy]\ncolour = "red"\n\n[device.pilot]'), encoding="utf-8"
    )
    folder = tmp_path / "run"
    folder.mkdir()
    line = path.read_text(encoding="utf-8").splitlines().index("[csms.policy]") + 1
    with pytest.raises(ConfigError, match=rf"bench.toml:{line}: .*colour"):
        BenchHost(load_bench_file(path), options=RunOptions(directory=folder)).start()
