"""A device that writes numbered lines into a pty, and knows when, as a program: `python line_feed.py LINES RATE BURST`.

It prints its port, waits for a line, writes `LINES` lines of 8 digits in bursts of `BURST` with `RATE` lines a second
on average at instants that nobody can foresee, prints for each `[before, after]` the write (CLOCK_MONOTONIC ns), and
ends when its input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from pilotbench.drivers.serial_line import Block


class Held(NamedTuple):
    """What became of the lines. `late_us`: read so long after the write had returned; negative when before that.

    `outside`: lines whose block does not reach from before the write to after it.
    """

    late_us: list[float]
    width_us: list[float]
    outside: int


class LineBlocks:
    """Takes every block that was read; `blocks` has for each line the one in which it ended."""

    def __init__(self) -> None:
        self._rest = b""
        self.blocks: list[Block] = []

    def take(self, block: Block) -> None:
        *lines, self._rest = (self._rest + block.data).split(b"\n")
        for line in lines:
            assert int(line) == len(self.blocks), f"{line!r} after {len(self.blocks)} lines"
            self.blocks.append(block)


class LineFeed:
    """The program, running; it writes into `port`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.port = self._out.readline().strip()

    def go(self) -> None:
        self._in.write("go\n")
        self._in.flush()

    def written(self) -> list[tuple[int, int]]:
        """Waits until all is written."""
        return [(before, after) for before, after in json.loads(self._out.readline())]


def judge(written: Sequence[tuple[int, int]], read: Sequence[tuple[int, int]]) -> Held:
    """Hold what is said of each line, `[lo, at]`, against the instants around its writing."""
    assert len(read) == len(written), f"{len(read)} of {len(written)} lines were read"
    pairs = list(zip(written, read, strict=True))
    return Held(
        [(at - after) / 1e3 for (_, after), (_, at) in pairs],
        [(at - lo) / 1e3 for lo, at in read],
        sum(lo > after or at < before for (before, after), (lo, at) in pairs),
    )


@contextlib.contextmanager
def line_feed(lines: int, rate: float, burst: int = 1) -> Iterator[LineFeed]:
    """Start it, and see it end."""
    command = [sys.executable, str(Path(__file__)), str(lines), str(rate), str(burst)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield LineFeed(process)


def main(lines: int, rate: float, burst: int) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    sys.stdin.readline()
    rng = Random(lines)
    written: list[tuple[int, int]] = []
    for number in range(lines):
        if number % burst == 0:
            time.sleep(rng.expovariate(rate / burst))  # the pace; nothing is synchronised by it
        before_ns = time.monotonic_ns()
        os.write(master, b"%08d\n" % number)
        written.append((before_ns, time.monotonic_ns()))
    print(json.dumps(written), flush=True)
    sys.stdin.read()  # the port stays until the reader is done


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
