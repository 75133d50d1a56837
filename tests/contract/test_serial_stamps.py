"""What the reader of a serial port says of the age of its bytes is true, whatever the kernel holds back."""

from __future__ import annotations

import socket
import time

import pytest
from pilotbench.drivers.serial_line import BlockReader, close_serial, open_serial

from line_feed import LineBlocks, judge, line_feed

LINES = 2000


def test_every_block_holds_the_instant_of_its_writing() -> None:
    # Written in bursts: the kernel passes on the first line of one while the next is written behind it.
    read = LineBlocks()
    with line_feed(LINES, 2000, burst=4) as feed:
        port = open_serial("line", feed.port, 115200)
        reader = BlockReader(port)
        feed.go()
        deadline = time.monotonic() + 20
        while len(read.blocks) < LINES and time.monotonic() < deadline:
            read.take(reader.read())
        held = judge(feed.written(), [(block.lo_ns, block.at_ns) for block in read.blocks])
        close_serial(port)
        reader.close()
    assert held.outside == 0


def test_what_came_before_the_end_is_read_before_the_end_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = open_serial("line", f"socket://127.0.0.1:{server.getsockname()[1]}", 115200)
        device, _ = server.accept()
        with device:
            device.sendall(b"last words\n")
    reader = BlockReader(port)
    assert reader.read().data == b"last words\n"
    with pytest.raises(OSError, match="disconnected"):
        reader.read()
    close_serial(port)
    reader.close()
