"""What the back end costs, beside other central systems in the same run: `make bench`. Nothing is judged here but that
every stamp holds the truth.

Server and stations are processes of their own; the figure is CPU time of the whole server process, its recorder's
thread included.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
from pathlib import Path

import pytest
from mcap.reader import make_reader

from csms_bench import Load, Process, load, quantile, server, stations

pytestmark = pytest.mark.benchmark

ROUNDS = 3
MESSAGES = {"ocpp": 2000, "ocpp-without-threads": 2000}
MANY = 10_000
IDLE = 2000


def measured(name: str, *options: str) -> Load:
    """One server under MeterValues of 50 stations, after a warm-up."""
    with server(name, *options) as (running, port):
        load(running, port, 1000)
        return load(running, port, MESSAGES.get(name, MANY))


def on_disk(path: Path) -> str:
    """How many events a recording holds, and how often the recorder had to leave some out."""
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    counts = {summary.channels[key].topic: n for key, n in summary.statistics.channel_message_counts.items()}
    return f"{sum(counts.values())} events, {counts.get('gap', 0)} gaps"


def middle(found: list[Load]) -> Load:
    return Load(*(statistics.median(values) for values in zip(*found, strict=True)))


def test_meter_values_of_fifty_stations(tmp_path: Path) -> None:
    names = [
        "bare",
        "ocpp",
        "ocpp-without-threads",
        "pilotbench",
        "pilotbench, recording",
        "pilotbench, recording, calm",
    ]
    found: dict[str, list[Load]] = {name: [] for name in names}
    for turn in range(ROUNDS):
        for name in names:
            options = ["--record", str(tmp_path / f"{turn}{len(name)}.mcap")] if "recording" in name else []
            options += ["--calm"] if "calm" in name else []
            found[name].append(measured(name.partition(",")[0], *options))
    rows = {name: middle(loads) for name, loads in found.items()}
    recorded, bare, public = rows["pilotbench, recording"], rows["bare"], rows["ocpp"]
    print(f"\nMeterValues of 50 stations, each one at a time; medians of {ROUNDS} rounds")
    for name, row in rows.items():
        speed = f"{row.per_s:8.0f}/s  p50 {row.p50_ms:6.2f}  p99 {row.p99_ms:6.2f} ms"
        print(f"{name:28} {row.us:6.0f} us CPU/message {speed}")
    plain, calm = rows["pilotbench"], rows["pilotbench, recording, calm"]
    less, times = public.us / recorded.us, recorded.us / bare.us
    print(f"validated both ways and recorded: {less:.1f} times less CPU than the package ocpp (goal 8),", end=" ")
    print(f"{times:.2f} times a bare loop (goal 1.6); without the recorder {public.us / plain.us:.1f}", end=" ")
    print(f"and {plain.us / bare.us:.2f}; p99 of an answer {recorded.p99_ms:.1f} ms (goal 15), {calm.p99_ms:.1f} ms")
    print("with the garbage collector set as a bench and `pilotbench csms` set it (calm)")
    for path in sorted(tmp_path.glob("*.mcap")):
        print(f"on disk: {on_disk(path)}")


def test_against_ocpp_rpc_in_node() -> None:
    node = shutil.which("node")
    script = Path(__file__).with_name("ocpp_rpc_server.js")
    if node is None:
        pytest.skip("node is not installed")
    if subprocess.run([node, str(script), "--there"], check=False, capture_output=True).returncode:
        pytest.skip("the Node package ocpp-rpc is not installed: npm install ocpp-rpc, and NODE_PATH to its folder")
    running = Process(node, str(script))
    try:
        port = running.read()
        load(running, port, 1000)
        theirs = load(running, port, MANY)
    finally:
        running.end()
    ours = measured("pilotbench")
    print(
        f"\nocpp-rpc, strict: {theirs.us:.0f} us CPU/message, {theirs.per_s:.0f}/s, p99 {theirs.p99_ms:.1f} ms; ",
        end="",
    )
    print(f"pilotbench without its recorder: {ours.us:.0f} us = {ours.us / theirs.us:.1f} times as much")


def test_idle_stations() -> None:
    with server("pilotbench") as (running, port):
        with stations(port, "--stations", "50", "--messages", "50") as warm:
            warm.read()
            warm.write("go")
            warm.read()
            warm.write("end")
        running.write("rss")
        before = running.read()
        with stations(port, "--stations", str(IDLE), "--messages", "0") as idle:
            idle.read()
            running.write("rss")
            after = running.read()
            idle.write("go")
            idle.read()
            idle.write("end")
    print(f"\n{IDLE} idle stations: {(after - before) / IDLE / 1024:.1f} KiB each (goal 20)")


@pytest.mark.parametrize("busy", [0.0, 0.25])
def test_stamp_error_at_500_a_second(busy: float) -> None:
    options = ["--busy", str(busy)] if busy else []
    with (
        server("pilotbench", *options) as (running, port),
        stations(port, "--stamps", "--messages", "5000", "--rate", "500") as sender,
    ):
        after = dict(sender.read())
        running.write("stamps")
        heard = running.read()
        sender.write("end")
    errors = [(hi - told) / 1e3 for told, _, hi in heard]
    widths = [(hi - lo) / 1e3 for _, lo, hi in heard]
    print(
        f"\n500 messages/s, {busy:.0%} other work: read {quantile(errors, 0.5):.0f} us (p50), "
        f"{quantile(errors, 0.99):.0f} us (p99) after it was sent; declared width p50 {quantile(widths, 0.5):.0f}, "
        f"p99 {quantile(widths, 0.99):.0f} us"
    )
    # A message arrived between the clock readings around its sending: an interval without any of that is wrong.
    assert not [told for told, lo, hi in heard if lo > after[told] or hi < told]
