"""A recording is judged with its own packs or with others; what cannot be read of it is told, or is a hole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mcap.writer import Writer
from pilotbench.bench.cli.check import judge
from pilotbench.bench.cli.main import app
from pilotbench.bench.correlation import Report, evaluate, load_pack
from pilotbench.bench.recording import read_run
from pilotbench.bench.recording.mcap_file import PROFILE, McapFile
from pilotbench.bench.timeline import Event
from pilotbench.errors import BenchError, ConfigError, RecordingError, RuleError
from typer.testing import CliRunner

from cli_runs import cli
from traces import CONFIGS, TWIN_FACTS, WALL, full_session

EVENTS = full_session().events
PACKS = ["iec61851", "energy"]
LIMITS = ["iec61851-1", "ocpp", "lab"]
Change = Callable[[str, bytes], bytes]


def record(
    path: Path, *, change: Change = lambda _name, data: data, events: list[Event] | None = None, keep: int | None = None
) -> Path:
    """A recording of a clean session with its packs; `change` bends an attachment, `keep` cuts the file."""
    file = McapFile(path, anchor_mono_ns=0, anchor_wall_ns=int(WALL.timestamp() * 1e9))
    attached = {
        "facts.json": msgspec.json.encode(TWIN_FACTS),
        "run.json": json.dumps({"bench": "own", "packs": PACKS, "limits": LIMITS}).encode(),
        **{f"rules/{name}.toml": (CONFIGS / "rules" / f"{name}.toml").read_bytes() for name in PACKS},
        **{f"limits/{name}.toml": (CONFIGS / "limits" / f"{name}.toml").read_bytes() for name in LIMITS},
    }
    for name, data in attached.items():
        file.attach(name, change(name, data), 0)
    for event in EVENTS if events is None else events:
        file.add(event, msgspec.json.encode(event))
    file.finish()
    file.close()
    if keep is not None:
        path.write_bytes(path.read_bytes()[:keep])
    return path


def bent(name: str, old: bytes, new: bytes) -> Change:
    def change(other: str, data: bytes) -> bytes:
        assert other != name or old in data
        return data.replace(old, new, 1) if other == name else data

    return change


def direct(*packs: str) -> Report:
    files = [CONFIGS / "rules" / f"{name}.toml" for name in packs]
    return evaluate(EVENTS, load_pack(files, sorted((CONFIGS / "limits").glob("*.toml"))), TWIN_FACTS)


def refused(path: Path, *options: str, kind: type[BenchError] = RuleError) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, ["check", str(path), *options], catch_exceptions=False)
    return str(caught.value)


def test_its_own_packs_or_others_with_the_facts_of_the_recording(tmp_path: Path) -> None:
    path = record(tmp_path / "run.mcap")
    assert judge(path)[1].digest == direct(*PACKS).digest
    assert judge(path, ["safety"])[1].digest == direct("safety").digest
    own = tmp_path / "own.toml"
    own.write_text((CONFIGS / "rules" / "energy.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert [verdict.rule for verdict in judge(path, [str(own)])[1].verdicts] == ["energy.agree", "energy.conform"]


def test_limits_of_the_recording_count_unless_others_are_given(tmp_path: Path) -> None:
    path = record(tmp_path / "run.mcap", change=bent("limits/iec61851-1.toml", b"value = 100\n", b"value = 1\n"))
    assert judge(path)[1].of("stop.open").verdict == "FAIL"
    assert judge(path, ["iec61851"])[1].of("stop.open").verdict == "FAIL"
    assert judge(path, ["iec61851"], ["iec61851-1", "lab"])[1].of("stop.open").verdict == "PASS"
    assert judge(path, (), ["iec61851-1", "lab"])[1].of("stop.open").verdict == "PASS"


def test_check_says_with_which_packs(tmp_path: Path) -> None:
    path = record(tmp_path / "run.mcap")
    done = CliRunner().invoke(app, ["check", str(path), "--pack", "energy"])
    assert done.stdout.startswith("Judged with energy, not with the packs of the recording.")
    told: dict[str, Any] = json.loads(
        CliRunner().invoke(app, ["check", str(path), "--pack", "energy", "--json"]).stdout
    )
    assert told["packs"] == ["energy"]
    assert len(told["verdicts"]) == 2


def test_a_pack_of_another_schema_says_to_give_one(tmp_path: Path) -> None:
    path = record(tmp_path / "run.mcap", change=bent("rules/energy.toml", b"schema = 2", b"schema = 1"))
    done = cli("check", str(path), state=tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"pilotbench: {path}: its own pack energy.toml:")
    assert "schema is 1; this program reads schema = 2" in done.err
    assert "add --pack NAME|FILE" in done.err
    assert "Traceback" not in done.err
    assert judge(path, ["energy"])[1].of("energy.agree").verdict == "PASS"


def test_a_word_that_this_program_does_not_know_is_told_likewise(tmp_path: Path) -> None:
    path = record(tmp_path / "run.mcap", change=bent("rules/iec61851.toml", b"cp.mode B2", b"cp.moed B2"))
    told = refused(path)
    assert "did you mean 'cp.mode'" in told
    assert "^" in told
    assert "--pack" in told


@pytest.mark.parametrize("name", ["facts.json", "run.json"])
def test_facts_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    path = record(tmp_path / "run.mcap", change=lambda other, data: b'{"new": 1}' if other == name else data)
    told = refused(path, kind=RecordingError)
    assert "another version of pilotbench wrote it" in told


def test_a_pack_that_is_not_there(tmp_path: Path) -> None:
    path = record(tmp_path / "run.mcap")
    assert "did you mean 'safety'" in refused(path, "--pack", "safty", kind=ConfigError)


def test_a_cut_tail_fails_nothing_and_says_so(tmp_path: Path) -> None:
    whole = record(tmp_path / "whole.mcap").stat().st_size
    head = record(tmp_path / "head.mcap", events=[]).stat().st_size
    for part in (0.2, 0.6, 0.95):
        run, report = judge(
            record(tmp_path / f"cut{part}.mcap", keep=round(head + (whole - head) * part)), ["iec61851"]
        )
        assert run.truncated
        assert {str(verdict.verdict) for verdict in report.verdicts} <= {"PASS", "INCONCLUSIVE", "NOT_APPLICABLE"}
    with pytest.raises(RecordingError, match="lacks its attachment"):
        judge(record(tmp_path / "early.mcap", keep=head // 2))


def test_channels_of_another_program_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "mixed.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile=PROFILE)
        writer.add_metadata("pilotbench.run", {"format": "1", "anchor_mono_ns": "0", "anchor_wall_ns": "0"})
        schema = writer.register_schema("any", "jsonschema", b"{}")
        ours = {topic: writer.register_channel(topic, "json", schema) for topic in ("cp.state", "ocpp.boot")}
        other = writer.register_channel("/rosout", "json", schema)
        kept = [event for event in EVENTS if event.topic in ours]
        for n, event in enumerate(kept):
            writer.add_message(other, n, b'{"msg": "hello"}', n, n)
            writer.add_message(ours[event.topic], n, msgspec.json.encode(event), n, n)
        writer.finish()
    run = read_run(path)
    assert run.events == kept
    assert run.foreign == {"/rosout": len(kept)}
    assert run.truncated is None


def test_a_message_that_is_none_on_a_channel_of_ours_ends_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "odd.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile=PROFILE)
        schema = writer.register_schema("any", "jsonschema", b"{}")
        channel = writer.register_channel("cp.state", "json", schema)
        writer.add_message(channel, 0, msgspec.json.encode(EVENTS[0]), 0, 0)
        writer.add_message(channel, 1, b'{"msg": "hello"}', 1, 1)
        writer.finish()
    run = read_run(path)
    assert len(run.events) == 1
    assert "damaged" in (run.truncated or "")


def test_without_clock_models_only_the_wall_clock_is_not_known(tmp_path: Path) -> None:
    """The stamps carry what the models said; what is lost with the anchor is the wall clock."""
    bare = [event for event in EVENTS if not event.topic.startswith("clock.")]
    assert len(bare) < len(EVENTS)
    path = record(tmp_path / "bare.mcap", events=bare)
    own = tmp_path / "clock.toml"
    text = (
        'schema = 2\n[rule."clock"]\nagree = "station_clock ~ bench_clock"\ntext = "t"\nref = "r"\ntolerance = "5 s"\n'
    )
    own.write_text(text, encoding="utf-8")
    verdict = judge(path, [str(own)])[1].of("clock")
    assert (verdict.verdict, verdict.reason) == ("INCONCLUSIVE", "PRECONDITION")
    assert "wall clock of the bench was not recorded" in verdict.because
    assert judge(record(tmp_path / "whole.mcap"), [str(own)])[1].of("clock").verdict == "PASS"
    assert judge(path, ["iec61851"])[1].of("stop.open").verdict == "PASS"
