"""Both sides of the simulated station: a DUT-port peer and a back end that speak nothing but the wire."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

VOLT = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0}
BOOT = [sys.executable, "-m", "pilotbench.bench.twin.station"]


class Car:
    """The other side of the DUT port: a socket, a cable, a car of 10 A, all with fixed delays."""

    def __init__(self) -> None:
        self.cp, self.diode = "A", True
        self.pp: int | None = None
        self.pwm, self.contactor, self.lock, self.live = 0.0, False, False, False
        self.energy_wh = 1000.0
        self.mains = True
        self.sets: list[tuple[float, dict[str, Any]]] = []
        self.hello: dict[str, Any] = {}
        self.pings = 0
        self.writer: asyncio.StreamWriter | None = None
        self._counted = time.monotonic()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        ticker = asyncio.create_task(self.tick())
        try:
            while line := await reader.readline():
                self.take(json.loads(line))
        except ConnectionResetError:
            pass
        finally:
            ticker.cancel()
            writer.close()

    def take(self, message: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        if message["type"] == "hello":
            self.hello = message
            self.send(
                type="welcome",
                protocol=1,
                t_us=self.now_us(),
                evses=1,
                outlet="socket",
                rated_a=32,
                phases=3,
                mains=True,
            )
            self.send_state()
        elif message["type"] == "ping":
            self.pings += 1
            self.send(type="pong", id=message["id"], t_us=self.now_us())
        elif message["type"] == "set":
            self.sets.append((time.monotonic(), message))
            self.pwm = message.get("pwm_pct", self.pwm)
            if "contactor" in message:
                loop.call_later(0.02, self.switch, message["contactor"])
            if "lock" in message:
                loop.call_later(0.05, self.set, "lock", message["lock"])
            self.send_state()

    def switch(self, closed: bool) -> None:
        self.count()
        self.live = closed
        self.send_state()

    def set(self, name: str, value: Any) -> None:
        self.count()
        setattr(self, name, value)
        self.send_state()

    def count(self) -> None:
        now = time.monotonic()
        self.energy_wh += self.power_w() * (now - self._counted) / 3600.0
        self._counted = now

    def power_w(self) -> float:
        return 6900.0 if self.live and self.cp == "C" else 0.0

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.count()
            self.send_state()

    def send_state(self) -> None:
        high = VOLT[self.cp]
        low = high if self.pwm >= 100 else (-12.0 if self.diode or self.cp == "A" else -high)
        self.send(
            type="state",
            t_us=self.now_us(),
            evse=1,
            cp_high_v=high,
            cp_low_v=low,
            pp_ohm=self.pp,
            output_v=[230.0 * self.live] * 3,
            lock=self.lock,
            rcd=False,
            dropped=0,
            meter={
                "power_w": self.power_w(),
                "current_a": [self.power_w() / 690.0] * 3,
                "voltage_v": [230.0] * 3,
                "energy_wh": round(self.energy_wh, 1),
            },
        )

    def send(self, **message: Any) -> None:
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(json.dumps(message).encode() + b"\n")

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000

    def plug(self) -> None:
        self.pp = 220
        self.set("cp", "B")

    def unplug(self) -> None:
        self.pp = None
        self.set("cp", "A")

    def driven(self, key: str) -> list[tuple[float, Any]]:
        return [(at, message[key]) for at, message in self.sets if key in message]


class Schemas:
    """The schema files of the public package, compiled when needed."""

    def __init__(self, version: str) -> None:
        self._suffix = "" if version == "1.6" else "Request"
        self._folder = Path(str(ocpp.__file__)).parent / f"v{version.replace('.', '')}" / "schemas"
        self._known: dict[str, Any] = {}

    def faults(self, action: str, payload: Any, *, response: bool) -> list[str]:
        name = action + ("Response" if response else self._suffix)
        if name not in self._known:
            text = (self._folder / f"{name}.json").read_text("utf-8-sig")
            self._known[name] = jsonschema_rs.validator_for(json.loads(text), validate_formats=True)
        return [f"{name}: {error.message} at {error.instance_path}" for error in self._known[name].iter_errors(payload)]


class BackEnd:
    """The other side of OCPP: answers everything, remembers everything, and what does not fit the schemas."""

    def __init__(self, version: str = "1.6") -> None:
        self.version = version
        self.schemas = Schemas(version)
        self.faults: list[str] = []
        self.replies: dict[str, Any] = {}
        self._asked: dict[str, str] = {}
        self.calls: list[tuple[float, str, dict[str, Any]]] = []
        self.answers: list[tuple[float, str, Any]] = []
        self.boot_status = "Accepted"
        self.connections: list[ServerConnection] = []
        self.aborted = 0
        self.boot_takes_s, self.accepted_at = 0.0, 0.0
        self.holds: set[str] = set()
        self.held: list[str] = []
        self._number = 0

    async def serve(self, ws: ServerConnection) -> None:
        self.connections.append(ws)
        try:
            async for raw in ws:
                kind, message_id, *rest = json.loads(raw)
                if kind == 2:
                    self.calls.append((time.monotonic(), rest[0], rest[1]))
                    self.faults += self.schemas.faults(rest[0], rest[1], response=False)
                    if rest[0] == "BootNotification" and self.boot_takes_s:
                        self.late = asyncio.create_task(self.boot_late(ws, message_id))
                        continue
                    if rest[0] in self.holds:
                        self.held.append(message_id)
                        continue
                    reply = self.answer(rest[0])
                    self.faults += [f"our own: {text}" for text in self.schemas.faults(rest[0], reply, response=True)]
                    await ws.send(json.dumps([3, message_id, reply]))
                else:
                    if kind == 3:
                        self.faults += self.schemas.faults(self._asked[message_id], rest[0], response=True)
                    self.answers.append((time.monotonic(), message_id, rest[0]))
        except ConnectionClosed:
            self.aborted += 1

    async def release(self) -> None:
        """Answer what was held back, and hold nothing back any more."""
        self.holds.clear()
        held, self.held = self.held, []
        for message_id in held:
            await self.connections[-1].send(json.dumps([3, message_id, {}]))

    async def boot_late(self, ws: ServerConnection, message_id: str) -> None:
        await asyncio.sleep(self.boot_takes_s)
        self.accepted_at = time.monotonic()
        await ws.send(json.dumps([3, message_id, self.answer("BootNotification")]))

    def answer(self, action: str) -> dict[str, Any]:
        if action in self.replies:
            return self.replies[action]
        accepted = {"idTagInfo" if self.version == "1.6" else "idTokenInfo": {"status": "Accepted"}}
        now = datetime.now(UTC).isoformat()
        return {
            "BootNotification": {"status": self.boot_status, "currentTime": now, "interval": 1},
            "Heartbeat": {"currentTime": now},
            "Authorize": accepted,
            "DataTransfer": {"status": "Accepted"},
            "SignCertificate": {"status": "Accepted"},
            "TransactionEvent": accepted,
            "StartTransaction": accepted | {"transactionId": 77},
            "StopTransaction": accepted,
        }.get(action, {})

    async def ask(self, action: str, payload: dict[str, Any]) -> Any:
        self._number += 1
        name = f"ask{self._number}"
        self._asked[name] = action
        await self.connections[-1].send(json.dumps([2, name, action, payload]))
        await until(lambda: any(i == name for _, i, _ in self.answers), f"an answer to {action}")
        return next(body for _, i, body in self.answers if i == name)

    def named(self, action: str) -> list[dict[str, Any]]:
        return [payload for _, name, payload in self.calls if name == action]

    def statuses(self, connector: int = 1) -> list[str]:
        """The statuses of a connector, however the version tells them."""
        if self.version == "1.6":
            return [p["status"] for p in self.named("StatusNotification") if p["connectorId"] == connector]
        return [
            *[p["connectorStatus"] for p in self.named("StatusNotification")],
            *[
                data["actualValue"]
                for p in self.named("NotifyEvent")
                for data in p["eventData"]
                if data["variable"]["name"] == "AvailabilityState"
            ],
        ]

    def events(self) -> list[tuple[str, str]]:
        """Type and trigger of the transaction events that are no samples."""
        told = [(p["eventType"], p["triggerReason"]) for p in self.named("TransactionEvent")]
        return [event for event in told if event[1] != "MeterValuePeriodic"]

    def states(self) -> list[str]:
        """The charging states told, without repetition."""
        told = [p["transactionInfo"].get("chargingState") for p in self.named("TransactionEvent")]
        told = [state for state in told if state]
        return [state for at, state in enumerate(told) if at == 0 or told[at - 1] != state]


class Rig:
    """Both sides and the process."""

    def __init__(self, car: Car, back_end: BackEnd, process: asyncio.subprocess.Process) -> None:
        self.car, self.csms, self.process = car, back_end, process

    async def booted(self) -> None:
        wanted = 2 if self.csms.version == "1.6" else 1
        await until(lambda: len(self.csms.statuses(1) + self.csms.statuses(0)) >= wanted, "the statuses after the boot")

    async def charging(self) -> None:
        await self.booted()
        self.car.plug()
        self.car.send(type="token", evse=1, id="TAG", kind="ISO14443")
        await until(lambda: 8 < self.car.pwm < 97, "PWM")
        self.car.set("cp", "C")
        told = self.csms.statuses if self.csms.version == "1.6" else self.csms.states
        await until(lambda: "Charging" in told(), "status Charging")


async def until(holds: Callable[[], Any], what: str, timeout_s: float = 8.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        await asyncio.sleep(0.005)


def run(
    folder: Path,
    script: Callable[[Rig], Awaitable[None]],
    *options: str,
    version: str = "1.6",
    tls: ssl.SSLContext | None = None,
    **port_file: Any,
) -> int:
    """Run `script` against a station started with `options`; its exit code after the port was closed.

    `port_file`: more keys of dut-port.json. Whatever the station sent has to fit the schemas.
    """

    async def main() -> int:
        car, back_end = Car(), BackEnd(version)
        port_server = await asyncio.start_server(car.serve, "127.0.0.1", 0)
        protocol: Any = f"ocpp{version}"
        async with serve(back_end.serve, "127.0.0.1", 0, subprotocols=[protocol], ssl=tls) as ws_server:
            ws_port = next(iter(ws_server.sockets)).getsockname()[1]
            file = folder / "dut-port.json"
            process = await asyncio.create_subprocess_exec(
                *BOOT, "--port-file", str(file), *options, stdin=asyncio.subprocess.PIPE
            )
            file.with_suffix(".new").write_text(
                json.dumps(
                    {
                        "host": "127.0.0.1",
                        "port": port_server.sockets[0].getsockname()[1],
                        "station": "CP001",
                        "csms_url": f"{'wss' if tls else 'ws'}://127.0.0.1:{ws_port}/CP001",
                        "password": None,
                        "ocpp": version,
                        **port_file,
                    }
                )
            )
            file.with_suffix(".new").rename(file)
            try:
                await script(Rig(car, back_end, process))
                if car.writer is not None:
                    car.writer.close()
                code = await asyncio.wait_for(process.wait(), 5.0)
                assert back_end.faults == []
                return code
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                port_server.close()

    return asyncio.run(main())
