"""`pilotbench show` on recordings made from told sessions: what it prints, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pilotbench.bench.cli.show import show_command
from pilotbench.bench.recording.mcap_file import McapFile
from pilotbench.bench.timeline import Event
from pilotbench.errors import BenchError, ConfigError, RecordingError

from traces import MS, Trace

VERDICTS = [{"rule": "stop.open", "verdict": "FAIL", "because": "too late", "line": "FAIL stop.open: 163 ms"}]


def write(path: Path, events: list[Event], *, killed: bool = False, **attachments: bytes) -> Path:
    file = McapFile(path, anchor_mono_ns=0, anchor_wall_ns=1_800_000_000 * 10**9)
    for name, content in attachments.items():
        file.attach(f"{name}.json", content, 0)
    for event in events:
        file.add(event, msgspec.json.encode(event))
    file.flush()
    if not killed:
        file.finish()
    file.close()
    return path


@pytest.fixture(scope="module")
def told() -> Trace:
    trace = Trace()
    trace.charging()
    trace.gap("pilot", 4000, 4300)
    trace.remote_stop(6000)
    trace.cp(6200, "B", pwm=False)
    trace.output(6363, False)
    trace.tx_ended(6400, 5010)
    trace.cp(7000, "A", pwm=False)
    trace.end(9000)
    return trace


@pytest.fixture(scope="module")
def recording(told: Trace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("show") / "run.mcap"
    verdicts = [{**VERDICTS[0], "evidence": [named(told, "output", live=False, after=6000)]}]
    return write(path, told.events, facts=b'{"station": "CP001"}', verdicts=json.dumps(verdicts).encode())


def named(trace: Trace, topic: str, *, after: float = 0, **data: Any) -> str:
    return next(
        event.id
        for event in trace.events
        if event.topic == topic
        and event.stamp.order_ns >= after * MS
        and all(event.data.get(key) == value for key, value in data.items())
    )


def show(recording: Path, at: str | None = None, **options: Any) -> int:
    wanted = {"before": None, "after": None, "json": False, **options}
    return show_command(recording, at, **wanted)


def test_the_overview_names_session_marks_and_verdicts(
    recording: Path, told: Trace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(recording) == 0
    out = capsys.readouterr().out
    plug = named(told, "cp.state", state="B")
    assert "s1   evse 1   tx 7   token 04a2" in out
    assert f"start {named(told, 'ocpp.call', action='StartTransaction')}" in out
    assert "gap of 300 ms" in out
    assert "FAIL stop.open: 163 ms" in out
    show(recording, json=True)
    document = json.loads(capsys.readouterr().out)
    (session,) = document["sessions"]
    assert (session["plugged"], session["opened_s"], session["closed_s"]) == (plug, 1.003, 7.003)
    assert document["problems"] == []


def test_one_event_with_what_is_around_it(recording: Path, told: Trace, capsys: pytest.CaptureFixture[str]) -> None:
    dead = named(told, "output", live=False, after=6000)
    assert show(recording, dead, before="200 ms", after="20 ms") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{dead}  output   evse=1   tx=7   session=s1"
    asked = next(line for line in lines if "▶  output live→dead" in line)
    assert asked.lstrip().startswith("+0.0 ms")
    cause = next(line for line in lines if "CP C2→B1" in line)
    assert "-158.0 ms ±5.4" in cause  # 163 ms on the pilot's own clock, and the sense is up to 10 ms late
    assert "hypothesis" in cause
    assert "╌╌▶" in cause
    assert any(line.startswith("evidence FAIL stop.open") for line in lines)
    assert not any("StopTransaction" in line for line in lines if line.startswith("  "))


def test_the_document_of_an_event_is_complete(recording: Path, told: Trace, capsys: pytest.CaptureFixture[str]) -> None:
    begun = named(told, "ocpp.tx.started")
    assert show(recording, begun, json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["event"]["data"]["tx"] == 7
    assert document["stamp"]["order_ns"] == 2050 * MS
    assert document["stamp"]["wall"] == "2027-01-15T08:00:02.050000000Z"
    assert document["stamp"]["domain"] == "host"
    assert document["session"]["id"] == "s1"
    assert (document["session"]["track"], document["session"]["phase"]) == ("protocol", "start")
    links = {(link["origin"], link["kind"], link["basis"]) for link in document["links"] if link["target"] == begun}
    assert (named(told, "ocpp.authorized"), "entity", "key") in links
    assert all(link["solid"] is (link["basis"] != "time") for link in document["links"])
    assert begun in [item["id"] for item in document["excerpt"]]


def test_the_window_decides_what_is_seen(recording: Path, told: Trace, capsys: pytest.CaptureFixture[str]) -> None:
    begun, boot = named(told, "ocpp.tx.started"), named(told, "ocpp.boot")
    found: list[bool] = []
    for before in ("1 s", "3 s"):
        show(recording, begun, before=before, json=True)
        found.append(boot in [item["id"] for item in json.loads(capsys.readouterr().out)["excerpt"]])
    assert found == [False, True]


@pytest.mark.parametrize(
    ("at", "options", "said"),
    [
        ("pilot#99999", {}, "did you mean 'pilot#"),
        ("pilt#2", {}, "did you mean 'pilot'"),
        ("pilot2", {}, "did you mean 'pilot#2'"),
        ("pilot#-1", {}, "named by its source and number"),
        ("", {}, "named by its source and number"),
        ("pilot#2", {"before": "2"}, "--before '2' is not a time with its unit"),
        ("pilot#2", {"after": "2 A"}, "'A' is a unit of current"),
        ("pilot#2", {"after": "-2 s"}, "0 or more"),
        (None, {"after": "2 s"}, "name it with --at"),
    ],
)
def test_what_cannot_be_shown_is_a_usage_error(
    recording: Path, at: str | None, options: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        show(recording, at, **options)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_cut_recording_is_shown_up_to_the_cut_and_says_so(
    recording: Path, told: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = write(tmp_path / "cut.mcap", told.events[: len(told.events) // 2], killed=True)
    assert show(cut) == 0
    out = capsys.readouterr().out
    assert out.startswith("The recording is cut: ")
    assert "▒  the recording ends here" in out
    with pytest.raises(ConfigError, match="The recording is cut, and it may have come after that"):
        show(cut, "csms#9999")
    content = recording.read_bytes()
    cut.write_bytes(content[: len(content) // 8])
    assert show(cut) == 0


@pytest.mark.parametrize("content", [b"", b"not a recording at all", None])
def test_what_is_no_recording_is_told(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "strange.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError, match="strange"):
        show(path, "pilot#1")
    with pytest.raises(BenchError):
        show(path, json=True)
    assert json.loads(capsys.readouterr().out)["exit_code"] == 4


def test_verdicts_that_cannot_be_read_are_told(told: Trace, tmp_path: Path) -> None:
    path = write(tmp_path / "run.mcap", told.events[:20])
    (tmp_path / "verdicts.json").write_text("{broken")
    with pytest.raises(RecordingError, match=r"verdicts\.json"):
        show(path)


def test_an_ambiguous_authorisation_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = Trace()
    trace.boot(100)
    for evse in (1, 2):
        trace.host("pilot", "cp.state", 300 + evse, {"state": "A", "pwm": False}, evse=evse)
        trace.host("pilot", "cp.state", 400 + evse, {"state": "B", "pwm": False}, evse=evse)
    trace.authorized(500)
    path = write(tmp_path / "two.mcap", trace.events)
    show(path, named(trace, "ocpp.authorized"))
    assert "session  none: AMBIGUOUS: token 04a2 fits s1 (outlet 1), s2 (outlet 2)" in capsys.readouterr().out
    show(path)
    assert capsys.readouterr().out.count("AMBIGUOUS: token 04a2") == 2
