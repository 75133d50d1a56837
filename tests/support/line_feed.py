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
from collections.abc import Iterator
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


class LineFeed:
    """The program, running; `take` every block that is read from `port`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.port = self._out.readline().strip()
        self._rest = b""
        self.blocks: list[Block] = []
        """The block in which each line ended."""

    def go(self) -> None:
        self._in.write("go\n")
        self._in.flush()

    def take(self, block: Block) -> None:
        *lines, self._rest = (self._rest + block.data).split(b"\n")
        for line in lines:
            assert int(line) == len(self.blocks), f"{line!r} after {len(self.blocks)} lines"
            self.blocks.append(block)

    def judge(self) -> Held:
        """Hold the blocks against the instants of writing; waits until all is written."""
        written: list[tuple[int, int]] = json.loads(self._out.readline())
        assert len(self.blocks) == len(written), f"{len(self.blocks)} of {len(written)} lines were read"
        pairs = list(zip(written, self.blocks, strict=True))
        return Held(
            [(block.at_ns - after) / 1e3 for (_, after), block in pairs],
            [(block.at_ns - block.lo_ns) / 1e3 for block in self.blocks],
            sum(block.lo_ns > after or block.at_ns < before for (before, after), block in pairs),
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
