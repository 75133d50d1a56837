"""A recording holds what happened, however the run ended."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from mcap.reader import make_reader
from mcap.records import Attachment, Chunk
from mcap.stream_reader import StreamReader, get_chunk_data_stream
from pilotbench.bench.recording import Recorder, Redactor, read_run, repair, rewrite
from pilotbench.bench.recording.mcap_file import CHUNK_BYTES
from pilotbench.bench.recording.reader import read_whole
from pilotbench.bench.timeline import Event, Source, Stamp, Timeline
from pilotbench.errors import RecordingError

ATTACHMENTS = {"bench.toml": b'name = "virtual"\npassword = "hunter2-file"\n', "limits/iec.toml": b"x" * 5000}


def traffic(timeline: Timeline, events: int) -> None:
    """Events as a run makes them, of three sources, from one seed."""
    rng = random.Random(7)
    pilot, meter, csms = (timeline.source(name) for name in ("pilot", "meter", "csms"))
    base = pilot.note("pilot.reset", {"why": "power-up"}).stamp.order_ns
    for n in range(events):
        at = base + n * 1_000_000
        kind = n % 4
        if kind == 0:
            stamp = Stamp(at, at - 900, at - 100, "pilot", 1, n * 1_000_000, 500, 0, 10_000_000)
            pilot.emit("cp.volts", stamp, {"high_v": rng.gauss(6, 0.1), "low_v": -12.0}, evse=1)
        elif kind == 1:
            currents = [rng.gauss(16, 0.1) for _ in range(3)]
            meter.emit(
                "meter.sample", Stamp.host(at, lo_ns=at - 5), {"current_a": currents, "energy_wh": f"{n / 7:.1f}"}
            )
        elif kind == 2:
            frame = [2, str(n), "MeterValues", {"connectorId": 1, "meterValue": [{"value": str(rng.random())}]}]
            csms.emit(
                "ocpp.frame", Stamp.host(at - 1_500_000), {"station": "CP001", "dir": "rx"}, raw=json.dumps(frame)
            )
        else:
            meter.tick(at)


async def record(
    path: Path,
    act: Callable[[Timeline], None],
    *,
    final: dict[str, bytes] | None = None,
    redactor: Redactor | None = None,
) -> list[Event]:
    timeline = Timeline()
    recorder = Recorder(path, timeline, ATTACHMENTS, redactor=redactor)
    recorder.start()
    act(timeline)
    await recorder.close(final)
    return timeline.events()


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, list[Event]]:
    path = tmp_path / "run.mcap"
    events = asyncio.run(record(path, lambda timeline: traffic(timeline, 1200), final={"verdicts.json": b"[]"}))
    return path, events


def test_what_is_read_is_exactly_what_was_published(recorded: tuple[Path, list[Event]]) -> None:
    path, events = recorded
    run = read_run(path)
    assert run.truncated is None
    assert run.events == sorted(events, key=lambda event: event.order)
    assert run.events != events, "the traffic must need sorting"
    assert read_whole(path).events == events
    assert run.attachments["limits/iec.toml"] == ATTACHMENTS["limits/iec.toml"]
    assert run.attachments["verdicts.json"] == b"[]"
    anchor = next(event for event in events if event.topic == "clock.anchor")
    assert run.anchor == (anchor.data["mono_ns"], anchor.data["wall_ns"])
    assert read_run(path.parent) == run


def test_any_mcap_tool_reads_it(recorded: tuple[Path, list[Event]]) -> None:
    path, events = recorded
    with path.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert {channel.topic for channel in summary.channels.values()} == {event.topic for event in events}
        assert all(chunk.uncompressed_size <= CHUNK_BYTES for chunk in summary.chunk_indexes)
        assert {chunk.compression for chunk in summary.chunk_indexes} == {"zstd"}
        assert len(summary.chunk_indexes) > 2
        anchor = read_run(path).anchor
        assert anchor is not None
        for schema, channel, message in reader.iter_messages():
            body = json.loads(message.data)
            assert schema is not None
            text = json.loads(schema.data)
            assert set(text["required"]) <= set(body) <= set(text["properties"])
            assert set(body["stamp"]) == set(text["properties"]["stamp"]["properties"])
            assert message.log_time == body["stamp"]["order_ns"] - anchor[0] + anchor[1]
            assert (message.sequence, channel.topic) == (body["seq"], body["topic"])


def test_only_the_owner_may_read_it(recorded: tuple[Path, list[Event]]) -> None:
    assert recorded[0].stat().st_mode & 0o777 == 0o600


def test_any_cut_is_readable_and_holds_what_stands_before(recorded: tuple[Path, list[Event]], tmp_path: Path) -> None:
    path, events = recorded
    data = path.read_bytes()
    rng = random.Random(11)
    cut = tmp_path / "cut.mcap"
    sizes: set[int] = set()
    for at in [8, len(data) - 1, *(rng.randrange(8, len(data)) for _ in range(300))]:
        cut.write_bytes(data[:at])
        run = read_whole(cut)
        assert run.truncated is not None
        assert run.events == events[: len(run.events)], at
        sizes.add(len(run.events))
    assert len(sizes) > 3
    assert max(sizes) == len(events)


def test_a_damaged_byte_ends_the_file_there_or_changes_no_event(
    recorded: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    path, events = recorded
    data = path.read_bytes()
    rng = random.Random(13)
    bad = tmp_path / "bad.mcap"
    ended = 0
    for _ in range(200):
        at = rng.randrange(8, len(data))
        bad.write_bytes(data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :])
        try:
            run = read_whole(bad)
        except RecordingError:
            assert at < 200, "only a damaged header makes it no recording of ours"
            continue
        assert run.events == events[: len(run.events)], at
        assert run.truncated is not None or len(run.events) == len(events), at
        if run.truncated is None:
            assert run.attachments.get("limits/iec.toml") == ATTACHMENTS["limits/iec.toml"]
        ended += run.truncated is not None
    assert ended > 50


CHILD = """
import asyncio, sys, time
from pathlib import Path
from pilotbench.bench.recording import Recorder
from pilotbench.bench.timeline import Timeline

async def main():
    timeline = Timeline()
    Recorder(Path(sys.argv[1]), timeline, {"facts.json": b"{}"}).start()
    source = timeline.source("pilot")
    begun = time.monotonic()
    while True:
        event = source.note("cp.volts", {"high_v": 9.0})
        print(event.stamp.order_ns, time.monotonic() - begun, flush=True)
        await asyncio.sleep(0.002)

asyncio.run(main())
"""


def test_a_killed_process_loses_at_most_the_last_second(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    printed: list[int] = []
    for line in child.stdout:
        order, age = line.split()
        printed.append(int(order))
        if float(age) > 2.5:
            break
    child.send_signal(signal.SIGKILL)
    printed += [int(line.split()[0]) for line in child.stdout if line.endswith("\n") and len(line.split()) == 2]
    child.stdout.close()
    assert child.wait(10) == -signal.SIGKILL
    run = read_run(path)
    assert run.truncated is not None
    assert "killed" in run.truncated
    assert run.attachments == {"facts.json": b"{}"}
    kept = [event.stamp.order_ns for event in run.events if event.topic == "cp.volts"]
    assert kept == printed[: len(kept)]
    # One second between flushes, and the time one batch may wait on a busy machine.
    assert printed[-1] - kept[-1] <= 1.3e9


def test_a_full_queue_is_told_as_a_gap_that_names_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    burst = 5000

    async def scenario() -> tuple[Recorder, Event, list[Event]]:
        timeline = Timeline()
        recorder = Recorder(path, timeline, {}, queue_events=100)
        recorder.start()
        source = timeline.source("pilot")
        for n in range(burst):
            source.note("cp.volts", {"n": n})
        gap = await timeline.wait_for("gap", timeout_s=10, since_ns=0)
        source.note("lock", {"locked": True})
        await recorder.close()
        return recorder, gap, timeline.events("cp.volts")

    recorder, gap, published = asyncio.run(scenario())
    run = read_run(path)
    assert run.truncated is None
    kept = [event for event in run.events if event.topic == "cp.volts"]
    missing = {event.id for event in published} - {event.id for event in kept}
    gaps = [event for event in run.events if event.topic == "gap"]
    assert recorder.lost == len(missing) == burst - len(kept) > 0
    assert gap in gaps
    assert gap.source == "recorder"
    assert "queue was full" in gap.data["why"]
    assert "pilot#" in gap.data["why"]
    lost = [event.stamp.order_ns for event in published if event.id in missing]
    assert min(event.data["from_ns"] for event in gaps) == min(lost)
    assert max(event.data["to_ns"] for event in gaps) == max(lost)
    assert any(event.topic == "lock" for event in run.events), "it records on once there is room"


FULL_DISK = """
import asyncio, json, random, resource, sys
from pathlib import Path
from pilotbench.bench.recording import Recorder
from pilotbench.bench.timeline import Timeline
from pilotbench.errors import RecordingError

async def main():
    timeline = Timeline()
    recorder = Recorder(Path(sys.argv[1]), timeline, {})
    recorder.start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
    source = timeline.source("pilot")
    rng = random.Random(1)
    for n in range(3000):
        source.note("cp.volts", {"noise": rng.randbytes(80).hex()})
    fault = await timeline.wait_for("device.state", timeout_s=10, since_ns=0)
    source.note("lock", {"locked": True})
    try:
        await recorder.close({"verdicts.json": b"[]"})
    except RecordingError as error:
        print(json.dumps({"fault": fault.data, "error": str(error), "on": len(timeline.events("lock"))}))

asyncio.run(main())
"""


def test_a_full_disk_is_a_fault_of_the_recorder_and_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = json.loads(child.stdout)
    assert child.stderr == ""
    assert told["fault"]["device"] == "recorder"
    assert told["fault"]["state"] == "FAULTED"
    assert "File too large" in told["fault"]["why"]
    assert str(path) in told["error"]
    assert "Make room" in told["error"]
    assert told["on"] == 1
    run = read_run(path)
    assert run.truncated is not None
    assert 100 < len(run.events) < 3000


def test_a_recording_that_cannot_begin_says_so_at_once(tmp_path: Path) -> None:
    (tmp_path / "taken.mcap").write_bytes(b"old")

    async def begin(path: Path) -> None:
        Recorder(path, Timeline(), {}).start()

    for path, why in (("none/run.mcap", "No such file"), ("taken.mcap", "never overwrites")):
        with pytest.raises(RecordingError, match=why):
            asyncio.run(begin(tmp_path / path))
    assert (tmp_path / "taken.mcap").read_bytes() == b"old"


def test_closing_twice_is_closing_once_and_everything_before_the_start_is_there(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"

    async def scenario() -> None:
        timeline = Timeline()
        timeline.source("pilot").note("lock", {"locked": False})
        recorder = Recorder(path, timeline, {})
        recorder.start()
        await recorder.close()
        timeline.bench.note("bench.state", {"state": "closed", "why": "after"})
        await recorder.close({"verdicts.json": b"late"})

    asyncio.run(scenario())
    run = read_run(path)
    assert [event.topic for event in run.events] == ["source", "source", "lock", "source", "clock.anchor"]
    assert run.attachments == {}


def test_no_credential_is_anywhere_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    known = "lab-wide-token"
    secrets = ("hunter2", "s3cr3t-key", "Q1AwMDE6aHVudGVyMg==", known)

    def act(timeline: Timeline) -> None:
        csms = timeline.source("csms")
        change = [2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "s3cr3t-key"}]
        csms.note("ocpp.frame", {"station": "CP001", "dir": "tx"}, raw=json.dumps(change))
        csms.note("ocpp.frame", {"station": "CP001", "dir": "rx"}, raw=json.dumps(change)[:-3])
        csms.note("ocpp.call", {"action": change[2], "payload": change[3]})
        csms.note("station.config", {"values": {"AuthorizationKey": "s3cr3t-key"}, "unknown": []})
        csms.note("ocpp.refused", {"status": 401, "reason": "Authorization: Basic Q1AwMDE6aHVudGVyMg=="})
        csms.note("csms.request", {"verb": "call", "args": {"location": "ftp://me:hunter2@host/x"}})
        csms.note("twin.note", {"text": f"heard {known}"})

    final = {"verdicts.json": b'[{"text": "AuthorizationKey=s3cr3t-key"}]'}
    asyncio.run(record(path, act, final=final, redactor=Redactor([known])))
    with path.open("rb") as stream:
        pieces = [path.read_bytes()]
        for item in StreamReader(stream, emit_chunks=True).records:
            if isinstance(item, Chunk):
                pieces.append(get_chunk_data_stream(item)[0].read(10**9))
            elif isinstance(item, Attachment):
                pieces.append(item.data)
    whole = b"".join(pieces)
    assert b"ChangeConfiguration" in whole
    assert whole.count(b"redacted:") >= 8
    for secret in secrets:
        assert secret.encode() not in whole, secret


def test_a_repaired_file_holds_the_same_and_still_says_that_it_was_cut(
    recorded: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    path, _ = recorded
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    before = read_run(cut)
    whole = tmp_path / "whole.mcap"
    repair(cut, whole)
    after = read_run(whole)
    assert 0 < len(after.events) < 1200
    assert msgspec.structs.replace(after, path=cut) == before
    with whole.open("rb") as stream:
        assert make_reader(stream).get_summary() is not None
    assert whole.stat().st_mode & 0o777 == 0o600


def test_an_event_can_be_moved_and_another_left_out(recorded: tuple[Path, list[Event]], tmp_path: Path) -> None:
    path, events = recorded
    victim, moved = events[20], events[25]

    def change(event: Event) -> Event | None:
        if event.id == victim.id:
            return None
        if event.id == moved.id:
            stamp = msgspec.structs.replace(event.stamp, order_ns=event.stamp.order_ns + 100_000_000)
            return msgspec.structs.replace(event, stamp=stamp)
        return event

    target = tmp_path / "moved.mcap"
    rewrite(path, target, change, keep_attachments=lambda name: name != "verdicts.json")
    run = read_run(target)
    wanted = [changed for event in events if (changed := change(event)) is not None]
    assert run.events == sorted(wanted, key=lambda event: event.order)
    assert set(run.attachments) == set(ATTACHMENTS)
    with pytest.raises(RecordingError, match="never overwrites"):
        rewrite(path, target, change)


def test_what_is_no_recording_is_refused_in_one_paragraph(tmp_path: Path) -> None:
    from mcap.writer import Writer

    empty, text, folder, foreign = (tmp_path / name for name in ("empty.mcap", "text.mcap", "folder", "foreign.mcap"))
    empty.touch()
    text.write_text("hello, this is text")
    folder.mkdir()
    with foreign.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="ros2")
        writer.finish()
    for path, why in (
        (tmp_path / "missing.mcap", "no such file"),
        (empty, "is empty"),
        (text, "no MCAP file"),
        (folder, r"holds no run\.mcap"),
        (foreign, "profile is 'ros2'"),
    ):
        with pytest.raises(RecordingError, match=why) as caught:
            read_run(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_write_thread_never_stops_for_an_odd_value(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"

    def act(timeline: Timeline) -> None:
        source: Source = timeline.source("csms")
        source.note("ocpp.call", {"payload": {"x": "\ud800", "y": object()}})
        source.note("lock", {"locked": True})

    asyncio.run(record(path, act))
    run = read_run(path)
    odd = next(event for event in run.events if event.topic == "ocpp.call")
    assert odd.data["written_as_text"] is True
    assert odd.data["payload"]["x"] == "\\ud800"
    assert any(event.topic == "lock" for event in run.events)
