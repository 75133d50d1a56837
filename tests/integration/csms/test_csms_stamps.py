"""Receive stamps against the sender's own clock: another process writes its reading of the machine's clock into each
message. `make long` does it 100,000 times, on an idle loop and on one that is busy for a quarter of its time."""

from __future__ import annotations

import pytest

from csms_bench import quantile, server, stations


def compared(messages: int, busy: float) -> None:
    """Every declared interval [lo, hi] holds the send, on the loop as it is and with other work."""
    options = ["--busy", str(busy)] if busy else []
    with (
        server("pilotbench", *options) as (running, port),
        stations(port, "--stamps", "--messages", str(messages)) as sender,
    ):
        around = sender.read()
        running.write("stamps")
        heard = running.read()
        sender.write("end")
    assert len(heard) == len(around) == messages
    outside, inside = [], 0
    for (before_ns, after_ns), (told_ns, lo_ns, hi_ns) in zip(around, heard, strict=True):
        assert told_ns == before_ns
        # The bytes left the sender within its write: at some instant from `before` to `after`.
        if after_ns < lo_ns or hi_ns < before_ns:
            outside.append((before_ns - lo_ns, after_ns - lo_ns, hi_ns - lo_ns))
        inside += lo_ns <= before_ns <= hi_ns
    errors = [(hi - told) / 1e3 for told, _, hi in heard]
    widths = [(hi - lo) / 1e3 for _, lo, hi in heard]
    hold = messages - len(outside)
    print(
        f"\n{messages} messages, {busy:.0%} other work: {hold} intervals hold the send, {inside} even the reading "
        f"before it; read p50 {quantile(errors, 0.5):.0f}, p99 {quantile(errors, 0.99):.0f} us after that; declared "
        f"width p50 {quantile(widths, 0.5):.0f}, p99 {quantile(widths, 0.99):.0f} us"
    )
    assert not outside, outside[:5]


@pytest.mark.parametrize("busy", [0.0, 0.25])
def test_the_interval_holds_the_sender(busy: float) -> None:
    compared(5000, busy)


@pytest.mark.long
@pytest.mark.parametrize("busy", [0.0, 0.25])
def test_the_interval_holds_the_sender_100_000_times(busy: float) -> None:
    compared(100_000, busy)
