"""The twin's process, and bare clients for each of its wires: nothing of the product's own drivers."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import serial

MODULE = "pilotbench.bench.twin.emulators"


class TwinProcess:
    """Started like the bench starts it; `messages` are its stdout lines."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "dir": str(folder),
            "dut_port": {"station": "CP001", "csms_url": "ws://127.0.0.1:9/CP001", "password": "secret"},
            **changes,
        }
        path = folder / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        self.folder = folder
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULE, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ready = self.wait("ready", 10.0)
        self.ready_s = time.monotonic() - self.started

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def wait(self, kind: str, timeout_s: float = 5.0) -> dict[str, Any]:
        """The next stdout message of `kind`."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            if message["type"] == kind:
                return message

    def control(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def truth(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "truth.jsonl").read_text().splitlines()]

    def station(self) -> Station:
        port = json.loads((self.folder / "dut-port.json").read_text())
        return Station(port["host"], port["port"])

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if self.process.poll() is None and pipe is self.process.stdin:
                self.process.kill()
                self.process.wait(5)
            self._reader.join(5)
            if pipe is not None:
                pipe.close()


def checked(start: str, body: str) -> bytes:
    check = 0
    for byte in body.encode():
        check ^= byte
    return f"{start}{body}*{check:02X}\r\n".encode()


class PilotLine:
    """A person at a terminal program."""

    def __init__(self, path: str) -> None:
        self.port = serial.Serial(path, 115200, timeout=0.05)
        self.seq = 0
        self.seen: list[str] = []
        self._rest = b""

    def send_raw(self, data: bytes) -> None:
        self.port.write(data)

    def next_line(self, start: str, timeout_s: float = 2.0) -> str:
        """The next line that begins with `start`, checksum proven and removed; others are kept in `seen`."""
        deadline = time.monotonic() + timeout_s
        while True:
            while b"\n" in self._rest:
                raw, self._rest = self._rest.split(b"\n", 1)
                line = raw.decode().rstrip("\r")
                body, _, _check = line.rpartition("*")
                assert checked(line[0], body[1:]).decode().rstrip() == line
                if body.startswith(start):
                    return body
                self.seen.append(body)
            if time.monotonic() > deadline:
                raise AssertionError(f"no line {start!r} within {timeout_s} s; seen: {self.seen[-10:]}")
            self._rest += self.port.read(max(1, self.port.in_waiting))

    def command(self, text: str) -> str:
        """Send with the next number; the answer without its number."""
        self.seq = 0 if text == "HELLO" else (self.seq + 1) % 65536
        self.port.write(checked("$", f"{self.seq} {text}"))
        return self.next_line(f"${self.seq} ").split(" ", 1)[1]

    def event(self, name: str, timeout_s: float = 2.0) -> list[str]:
        """The next event of that name, an unread one first: its stamp and values."""
        deadline = time.monotonic() + timeout_s
        while True:
            unread = next((line for line in self.seen if line.startswith("!")), None)
            if unread is not None:
                self.seen.remove(unread)
            words = (unread or self.next_line("!", deadline - time.monotonic()))[1:].split()
            if words[1] == name:
                return [words[0], *words[2:]]

    def hello(self) -> dict[str, str]:
        self.port.write(b"\r\n")
        answer = self.command("HELLO")
        for name in ("CP", "PWM", "OUT"):
            self.event(name)
        return dict(word.split("=", 1) for word in answer.split()[1:])

    def close(self) -> None:
        self.port.close()


class Station:
    """A station with a raw socket."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=3)
        self.file = self.socket.makefile("rb")

    def send(self, **message: Any) -> None:
        self.send_raw(json.dumps(message).encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hello(self, **changes: Any) -> dict[str, Any]:
        self.send(**{"type": "hello", "protocol": 1, "station": "CP001", "evses": 1, **changes})
        return self.next()

    def next(self) -> dict[str, Any]:
        line = self.file.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    def until(self, kind: str, timeout_s: float = 3.0, **wanted: Any) -> dict[str, Any]:
        """The next message of `kind` in which each key of `wanted` has the value, or satisfies the function."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            message = self.next()
            if message["type"] == kind and all(
                check(message[key]) if callable(check) else message[key] == check for key, check in wanted.items()
            ):
                return message
        raise AssertionError(f"no {kind} with {wanted} within {timeout_s} s")

    def close(self) -> None:
        self.file.close()
        self.socket.close()
