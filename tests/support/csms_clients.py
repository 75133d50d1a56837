"""Stations for measurements, in a process of their own: as little Python as will do, so that the server is measured.

    python tests/support/csms_clients.py --port P --stations 50 --messages 20000      load, one message at a time each
    python tests/support/csms_clients.py --port P --stations 2000 --messages 0        connected and silent
    python tests/support/csms_clients.py --port P --stamps --messages 5000 --rate 500 the sender's own clock in each

prints one JSON document. `--rate` 0 sends the next message when the last is answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from typing import Any

from ocpp_mutations import TEXT, frame

BOOT = '{"chargePointVendor":"Vendor","chargePointModel":"Model"}'
MEASURANDS = [
    ("Energy.Active.Import.Register", "Outlet", "Wh", None),
    ("Power.Active.Import", "Outlet", "W", None),
    ("Current.Import", "Outlet", "A", "L1"),
    ("Current.Import", "Outlet", "A", "L2"),
    ("Current.Import", "Outlet", "A", "L3"),
    ("Voltage", "Outlet", "V", "L1"),
]


def meter_values() -> str:
    """A MeterValues payload of six values."""
    sampled = [
        {"value": "1234.5", "context": "Sample.Periodic", "format": "Raw", "measurand": m, "location": at, "unit": unit}
        | ({"phase": phase} if phase else {})
        for m, at, unit, phase in MEASURANDS
    ]
    value = [{"timestamp": "2026-11-21T10:00:00Z", "sampledValue": sampled}]
    return json.dumps({"connectorId": 1, "transactionId": 4711, "meterValue": value}, separators=(",", ":"))


class Station(asyncio.Protocol):
    """One connection: shakes hands, boots, then sends `messages` one after the other."""

    def __init__(self, host: str, name: str, messages: int, payload: str, latencies: list[int]) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._host, self._name, self._left = host, name, messages
        self._payload, self._latencies = payload, latencies
        self._buffer = b""
        self._number = 0
        self._sent_ns = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(handshake(self._host, self._name))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        if not self._sent_ns:
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            assert b" 101 " in head, head
            self._send("BootNotification", BOOT)
        while len(buffer) >= 2:
            size, head = buffer[1], 2
            if size == 126:
                size, head = int.from_bytes(buffer[2:4], "big"), 4
            if len(buffer) < head + size:
                break
            self._answered(buffer[head : head + size])
            buffer = buffer[head + size :]
        self._buffer = buffer

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"{self._name} lost: {exc}"))

    def begin(self) -> None:
        """Send the first message."""
        self._next()

    def close(self) -> None:
        self.done.cancel()
        self._transport.abort()

    def _send(self, action: str, payload: str) -> None:
        self._number += 1
        self._sent_ns = time.perf_counter_ns()
        self._transport.write(frame(TEXT, f'[2,"{self._number}","{action}",{payload}]'.encode()))

    def _answered(self, text: bytes) -> None:
        if not text.startswith(f'[3,"{self._number}"'.encode()) and not text.startswith(b'[3, "'):
            assert text[:2] == b"[2", text  # the back end may ask something of its own: left unanswered
            return
        if not self.ready.done():
            self.ready.set_result(None)
            return
        self._latencies.append(time.perf_counter_ns() - self._sent_ns)
        self._next()

    def _next(self) -> None:
        if self._left:
            self._left -= 1
            self._send("MeterValues", self._payload)
        elif not self.done.done():
            self.done.set_result(None)


def handshake(host: str, name: str) -> bytes:
    lines = [
        f"GET /ocpp/{name} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp1.6",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


async def load(port: int, stations: int, messages: int) -> None:
    """Connect all; say so; on a line of input send everything; say how long each took; end on the next line."""
    latencies: list[int] = []
    loop = asyncio.get_running_loop()
    payload = meter_values()
    made: list[Station] = []
    for number in range(stations):
        station = Station(f"127.0.0.1:{port}", f"S{number}", messages // stations, payload, latencies)
        await loop.create_connection(lambda one=station: one, "127.0.0.1", port)
        await station.ready
        made.append(station)
    print(json.dumps({"ready": stations}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = time.perf_counter()
    for station in made:
        station.begin()
    await asyncio.gather(*(station.done for station in made))
    took_s = time.perf_counter() - began
    latencies.sort()
    found = {"messages": len(latencies), "wall_s": took_s, "bytes": len(payload)}
    for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99)):
        found[name] = latencies[int(len(latencies) * share)] / 1e6 if latencies else 0.0
    print(json.dumps(found), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for station in made:
        station.close()


def stamps(port: int, messages: int, rate: float) -> None:
    """Send the clock's own reading, taken directly before the write; print it beside the one directly after."""
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(handshake(f"127.0.0.1:{port}", "STAMPS"))
        while not wire.recv(4096).endswith(b"\r\n\r\n"):
            pass
        wire.sendall(frame(TEXT, f'[2,"boot","BootNotification",{BOOT}]'.encode()))
        wire.recv(4096)
        around: list[tuple[int, int]] = []
        begin_ns = time.monotonic_ns()
        for number in range(messages):
            if rate:
                due_ns = begin_ns + int(number * 1e9 / rate)
                wait_s = (due_ns - time.monotonic_ns()) / 1e9
                if wait_s > 0:
                    time.sleep(wait_s)  # the pace of the sender; nothing is synchronised by it
            head = f'[2,"{number:08}","DataTransfer",{{"vendorId":"V","data":"'.encode()
            data = frame(TEXT, head + b"0" * 19 + b'"}]')
            at = data.index(b"0" * 19, len(head))
            before_ns = time.monotonic_ns()
            wire.sendall(data[:at] + b"%019d" % before_ns + data[at + 19 :])
            around.append((before_ns, time.monotonic_ns()))
            answer = b""
            while f'"{number:08}"'.encode() not in answer:
                answer += wire.recv(4096)
        print(json.dumps(around), flush=True)
        sys.stdin.readline()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--stamps", action="store_true")
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    if given.stamps:
        stamps(given.port, given.messages, given.rate)
    else:
        asyncio.run(load(given.port, given.stations, given.messages))


if __name__ == "__main__":
    main()
