"""What a port takes late is taken all the same; one that takes nothing is given up, and says how much it took."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Iterator

import pytest
from pilotbench.drivers import serial_line
from pilotbench.drivers.serial_line import SerialPort, close_serial, open_serial

MANY = bytes(range(256)) * 400


@pytest.fixture
def wire() -> Iterator[tuple[int, SerialPort]]:
    device, host = pty.openpty()
    tty.setraw(host)
    port = open_serial("line", os.ttyname(host), 115200)
    os.close(host)
    yield device, port
    close_serial(port)
    os.close(device)


def test_a_port_that_takes_nothing_is_given_up(wire: tuple[int, SerialPort]) -> None:
    _, port = wire
    with pytest.raises(TimeoutError, match=rf"took \d+ of {len(MANY)} bytes in 0.2 s"):
        port.write(MANY)


def test_what_is_taken_in_pieces_arrives_whole(wire: tuple[int, SerialPort]) -> None:
    device, port = wire
    read = bytearray()

    def drain() -> None:
        while len(read) < len(MANY):
            read.extend(os.read(device, 4096))

    reader = threading.Thread(target=drain)
    reader.start()
    assert port.write(MANY) == len(MANY)
    reader.join(5)
    assert bytes(read) == MANY


def test_a_process_that_stood_still_has_written_what_was_taken(
    wire: tuple[int, SerialPort], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the write and the look at the clock a busy machine may let seconds pass."""
    device, port = wire
    seconds = iter(range(0, 1000, 10))
    monkeypatch.setattr(serial_line.time, "monotonic", lambda: float(next(seconds)))
    assert port.write(b"T\r") == 2
    assert os.read(device, 16) == b"T\r"
