"""SLCAN (LAWICEL) adapters, read in blocks.

The SLCAN bus of python-can 4.6 reads one byte with each system call and loses frames on a busy bus, waits
two seconds after opening, opens the channel twice, and stamps with the wall clock after queueing. This
one takes what is there in one piece, with one stamp, and cuts it with one regular expression.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from ...errors import ConfigError, DeviceError
from ..serial_line import BlockReader, close_serial, open_serial
from .trouble import slcan_flags
from .wire import EXTENDED, WAKE_S, Arrival, CanWire, Frame, Trouble, id_text

__all__ = ["BITRATES", "SlcanWire", "send_line"]

BITRATES = {
    10_000: "S0", 20_000: "S1", 50_000: "S2", 100_000: "S3", 125_000: "S4", 250_000: "S5", 500_000: "S6",
    750_000: "S7", 1_000_000: "S8", 83_300: "S9",
}  # fmt: skip

_LINES = re.compile(rb"(?:t([0-9A-Fa-f]{3})|[Tx]([0-9A-Fa-f]{8}))([0-8])([0-9A-Fa-f]*)\r|([^\r\a]*)([\r\a])")
_OTHER_FRAMES = b"rRdDbB"
_FRAME_LETTERS = b"tTx"
MAX_REST = 4096

BUSY_NS = 1_500_000
BREATH_S = 0.002
"""Blocks that follow each other faster than `BUSY_NS` are left to grow for so long: a wake-up for each frame of a full
bus costs more than the frame. It widens the stamp by as much, and only then."""


def send_line(key: int, data: bytes) -> bytes:
    """The line that sends a frame."""
    letter = "T" if key & EXTENDED else "t"
    return f"{letter}{id_text(key)}{len(data)}{data.hex().upper()}\r".encode("ascii")


class SlcanWire(CanWire):
    """An SLCAN adapter on a serial port or `socket://host:port`; opens the channel with `bitrate` bit/s."""

    def __init__(
        self, device: str, port: str, *, bitrate: int = 500_000, baud: int = 115200, state_dir: Path | None = None
    ) -> None:
        super().__init__()
        if bitrate not in BITRATES:
            raise ConfigError(f"{device}: {bitrate} is no bit rate of SLCAN: {', '.join(map(str, sorted(BITRATES)))}")
        self._port = open_serial(device, port, baud, state_dir=state_dir)
        self._reader = BlockReader(self._port)
        self._rest = b""
        self._last_ns = 0
        self._busy = False
        self._runs = False
        self._has_flags = False
        # a half-written command of whoever was here before ends with the first CR
        try:
            self._port.write(f"\rC\r{BITRATES[bitrate]}\rO\rV\rN\rF\r".encode())
        except OSError as error:
            self._end()
            raise DeviceError(f"the port takes nothing: {error}.", device=device, port=port) from error

    @property
    def answers(self) -> bool:
        return "adapter" in self.identity

    def receive(self, timeout_s: float = WAKE_S) -> Arrival:
        if self._busy:
            time.sleep(BREATH_S)
        block = self._reader.read(timeout_s)
        arrival = Arrival(block.lo_ns, block.at_ns, [], [], [], [], bool(block.data))
        if block.data:
            self._busy = block.at_ns - self._last_ns < BUSY_NS + (int(BREATH_S * 1e9) if self._busy else 0)
            self._last_ns = block.at_ns
            self.seen = (self.seen + block.data[-160:])[-160:]
            self._cut(block.data, arrival)
        else:
            self._busy = False
        return arrival

    def _cut(self, data: bytes, arrival: Arrival) -> None:
        data = self._rest + data
        end = max(data.rfind(b"\r"), data.rfind(b"\a")) + 1
        self._rest = data[end:]
        if len(self._rest) > MAX_REST:
            arrival.damaged.append(f"{len(self._rest)} bytes without an end of line")
            self._rest = b""
        watch, record = self.watch, self.record
        lo_ns, at_ns = arrival.lo_ns, arrival.at_ns
        for short, long, length, text, other, ending in _LINES.findall(data, 0, end):
            if not length:
                self._other(other, ending, arrival)
                continue
            digits = 2 * int(length)
            if len(text) != digits:
                if len(text) != digits + 4:  # a stamp of the adapter, if it was told to give some
                    arrival.damaged.append(f"{'T' if long else 't'}{(short + long + length + text).decode()}")
                    continue
                text = text[:digits]
            key = int(short, 16) if short else int(long, 16) | EXTENDED
            if record:
                arrival.raw.append((b"%b#%b" % (short or long, text)).decode())
            if key in watch:
                arrival.frames.append(Frame(key, bytes.fromhex(text.decode()), lo_ns, at_ns))

    def _other(self, line: bytes, ending: bytes, arrival: Arrival) -> None:
        """Whatever is no data frame: answers, remote and FD frames, and noise."""
        if ending == b"\a" and not line:
            if self._runs:
                arrival.troubles.append(Trouble("refused", "the adapter refused a command: its answer was BEL"))
            return
        if not line:
            return
        letter, text = line[:1], line.decode("latin-1")
        if letter == b"V" and re.fullmatch(r"V\w{4}", text):
            self.identity["adapter"] = f"SLCAN {text}"
        elif letter == b"N" and re.fullmatch(r"N\w{4,}", text):
            self.identity["serial"] = text[1:]
        elif letter == b"F" and re.fullmatch(r"F[0-9A-Fa-f]{2}", text):
            # what the first answer tells is of the time before: reading the flags clears them
            if self._has_flags:
                arrival.troubles.extend(slcan_flags(int(text[1:], 16)))
            self._has_flags = True
        elif letter in _FRAME_LETTERS:
            arrival.damaged.append(text)
        elif letter in _OTHER_FRAMES and self.record:
            arrival.raw.append(text)

    def send(self, key: int, data: bytes) -> None:
        self._runs = True
        self._port.write(send_line(key, data))

    def enquire(self) -> None:
        if self._has_flags:
            self._port.write(b"F\r")

    def wake(self) -> None:
        self._reader.wake()

    def close(self) -> None:
        try:
            self._port.write(b"C\r")
        except OSError:
            pass  # it is gone
        self._end()

    def _end(self) -> None:
        close_serial(self._port)
        self._reader.close()
