"""Two outlets of one station, and two stations, on one model: sessions side by side, each with its own transaction."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import serve

from station_rig import BOOT, BackEnd, until
from twin_client import PilotLine, TwinProcess

AIRED = {"outlet": "cable", "rated_a": 16, "phases": 1, "ventilation": True}
TWO = {
    "outlets": [{"number": 1}, {"number": 2, "evse": AIRED}],
    "devices": {
        "pilot": {"kind": "pilot.line", "evse": 1, "serial": "VP1"},
        "pilot2": {"kind": "pilot.line", "evse": 2, "serial": "VP2"},
    },
}


@pytest.fixture
def post(twin) -> TwinProcess:
    return twin(seed=3, **TWO)


# --- the model and its port ------------------------------------------------------------------------------


def test_each_outlet_has_its_own_pilot_contactor_and_make(post):
    peer, second = post.station(), PilotLine(post.ready["pilot2"])
    welcome = peer.hello(evses=2)
    assert welcome["evses"] == 2
    assert welcome["outlets"] == [
        {"evse": 1, "outlet": "socket", "rated_a": 32, "phases": 3, "ventilation": False},
        {"evse": 2, **AIRED},
    ]
    assert welcome["outlet"] == "socket"  # a station of version 1 sees its first outlet
    assert second.hello()["sense_phases"] == "1"
    peer.send(type="set", evse=1, pwm_pct=100)
    peer.send(type="set", evse=2, pwm_pct=50, contactor=True)
    peer.until("state", evse=2, output_v=[230.0, 0.0, 0.0])
    second.command("R C")
    assert peer.until("state", evse=2, cp_high_v=lambda volt: volt < 6.5)["cp_low_v"] < -11
    untouched = peer.until("state", evse=1)
    assert untouched["output_v"] == [0.0, 0.0, 0.0]
    assert untouched["cp_high_v"] > 11
    second.command("TOKEN ISO14443 CAFE")
    assert peer.until("token") == {"type": "token", "evse": 2, "id": "CAFE", "kind": "ISO14443"}
    peer.send(type="set", evse=3, pwm_pct=50)
    assert peer.until("error")["code"] == "bad-evse"
    second.close()
    peer.close()


def test_a_fault_is_done_at_the_outlet_that_is_named(post):
    peer = post.station()
    peer.hello(evses=2)
    for evse in (1, 2):
        peer.send(type="set", evse=evse, pwm_pct=50)
        peer.until("state", evse=evse, cp_high_v=lambda volt: volt > 11)
    post.control(type="fault", name="cp-short", evse=2, ohm=0)
    assert post.wait("fault")["evse"] == 2
    peer.until("state", evse=2, cp_high_v=0.0)
    assert peer.until("state", evse=1)["cp_high_v"] > 11
    peer.close()


def test_the_mains_of_a_station_are_those_of_all_its_outlets(post):
    peer = post.station()
    peer.hello(evses=2)
    for evse in (1, 2):
        peer.send(type="set", evse=evse, pwm_pct=50, contactor=True)
        peer.until("state", evse=evse, output_v=lambda volts: volts[0] > 0)
    post.control(type="fault", name="mains-cut", evse=2, for_s=0.5)
    seen = []
    while len(seen) < 2 or seen[-1] != {"type": "mains", "on": True}:
        message = peer.next()
        if message["type"] == "mains":
            seen.append(message)
        elif seen:
            assert message["cp_high_v"] == 0.0
    assert [message["on"] for message in seen] == [False, True]  # told once, not once an outlet
    peer.close()


def test_a_station_of_one_outlet_sees_one(post):
    peer = post.station()
    peer.hello()
    for _ in range(5):
        assert peer.until("state")["evse"] == 1
    peer.send(type="set", evse=2, pwm_pct=50)
    assert peer.until("error")["code"] == "bad-evse"
    peer.close()


def test_two_stations_on_one_port(twin):
    process = twin(outlets=[{"number": 1}, {"number": 1, "station": "CP/2"}])
    files = [json.loads(path.read_text()) for path in sorted(process.folder.glob("dut-port*.json"))]
    second, first = files
    assert (first["station"], first["csms_url"]) == ("CP001", "ws://127.0.0.1:9/CP001")
    assert (second["station"], second["csms_url"]) == ("CP/2", "ws://127.0.0.1:9/CP%2F2")
    assert first["port"] == second["port"]
    one, other, third = process.station(), process.station(), process.station()
    assert one.hello()["type"] == "welcome"
    assert other.hello(station="CP/2")["type"] == "welcome"
    assert third.hello(station="CP/2")["code"] == "busy"
    other.send(type="set", evse=1, pwm_pct=100, contactor=True)
    other.until("state", output_v=[230.0] * 3)
    assert one.until("state")["output_v"] == [0.0] * 3
    other.close()
    one.send(type="set", evse=1, pwm_pct=100)
    one.until("state", cp_high_v=lambda volt: volt > 11)
    facts = [fact for fact in process.truth() if fact.get("fact") == "contactor"]
    assert facts[0]["station"] == "CP/2"
    for peer in (one, third):
        peer.close()


@pytest.mark.parametrize("numbers", [[2], [1, 3], [1, 1]])
def test_outlets_are_numbered_from_one(tmp_path, numbers):
    from pilotbench.bench.twin.emulators.settings import SettingsError, load

    path = tmp_path / "config.json"
    port = {"station": "A", "csms_url": "ws://x/A"}
    config = {"dir": str(tmp_path), "dut_port": port, "outlets": [{"number": number} for number in numbers]}
    path.write_text(json.dumps(config))
    with pytest.raises(SettingsError, match="numbered 1, 2"):
        load(path)


# --- the simulated station -------------------------------------------------------------------------------


class Counting(BackEnd):
    """Gives every transaction of 1.6 an id of its own."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self._started = 0

    def answer(self, action: str) -> dict[str, Any]:
        answer = super().answer(action)
        if action == "StartTransaction":
            self._started += 1
            return {**answer, "transactionId": 100 + self._started}
        return answer

    def transactions(self) -> dict[int, Any]:
        """Outlet -> id of the transaction that has begun there."""
        if self.version == "1.6":
            started = self.named("StartTransaction")
            return {call["connectorId"]: 101 + at for at, call in enumerate(started)}
        told = self.named("TransactionEvent")
        return {call["evse"]["id"]: call["transactionInfo"]["transactionId"] for call in told if "evse" in call}

    def ended(self) -> list[Any]:
        if self.version == "1.6":
            return [call["transactionId"] for call in self.named("StopTransaction")]
        told = self.named("TransactionEvent")
        return [call["transactionInfo"]["transactionId"] for call in told if call["eventType"] == "Ended"]

    def seen(self, outlet: int) -> list[str]:
        """Statuses of an outlet."""
        if self.version == "1.6":
            return self.statuses(outlet)
        if self.version == "2.0.1":
            return [p["connectorStatus"] for p in self.named("StatusNotification") if p["evseId"] == outlet]
        return [
            data["actualValue"]
            for p in self.named("NotifyEvent")
            for data in p["eventData"]
            if data["variable"]["name"] == "AvailabilityState" and data["component"]["evse"]["id"] == outlet
        ]


class Bay:
    """A person with a car at one outlet, who never blocks the loop."""

    def __init__(self, path: str) -> None:
        self._line = PilotLine(path)
        self._line.hello()
        self._line.command("W 10000")

    async def do(self, *commands: str) -> None:
        for command in commands:
            assert (await asyncio.to_thread(self._line.command, command)).startswith("OK")

    async def status(self) -> dict[str, str]:
        answer = await asyncio.to_thread(self._line.command, "S")
        return dict(word.split("=", 1) for word in answer.split()[1:])

    async def duty(self, wanted_pct: float, within_s: float = 8.0) -> None:
        async with asyncio.timeout(within_s):
            while abs(int((await self.status())["duty"]) / 100 - wanted_pct) > 0.1:
                pass  # every look is a command and its answer on the wire

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def bays(post) -> Iterator[list[Bay]]:
    made = [Bay(post.ready["pilot"]), Bay(post.ready["pilot2"])]
    yield made
    for bay in made:
        bay.close()


def limit(version: str, evse: int, transaction: Any, amps: float) -> dict[str, Any]:
    """A SetChargingProfile for a transaction."""
    schedule: dict[str, Any] = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}],
    }
    profile: dict[str, Any] = {
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": transaction,
    }
    if version == "1.6":
        profile |= {"chargingProfileId": 5, "chargingSchedule": schedule}
        return {"connectorId": evse, "csChargingProfiles": profile}
    profile |= {"id": 5, "chargingSchedule": [{"id": 1, **schedule}]}
    return {"evseId": evse, "chargingProfile": profile}


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_two_sessions_side_by_side(post, bays, version):
    asyncio.run(side_by_side(post, bays, version))


async def side_by_side(post: TwinProcess, bays: list[Bay], version: str) -> None:
    csms = Counting(version)
    first, second = bays
    protocol: Any = f"ocpp{version}"
    async with serve(csms.serve, "127.0.0.1", 0, subprotocols=[protocol]) as server:
        file = Path(post.folder) / "dut-port.json"
        entry = json.loads(file.read_text())
        assert entry["evses"] == 2
        port = next(iter(server.sockets)).getsockname()[1]
        file.write_text(json.dumps({**entry, "csms_url": f"ws://127.0.0.1:{port}/CP001", "ocpp": version}))
        process = await asyncio.create_subprocess_exec(
            *BOOT, "--port-file", str(file), stdin=asyncio.subprocess.PIPE, stderr=sys.stderr
        )
        try:
            await until(lambda: csms.seen(1) and csms.seen(2), "a status of both outlets")
            await first.do("P 220", "R B", "TOKEN ISO14443 AAAA")
            await second.do("R B", "TOKEN ISO14443 BBBB")
            await first.duty(32 / 0.6)
            await second.duty(16 / 0.6)
            await first.do("R C")
            await second.do("R C")
            await until(lambda: len(csms.transactions()) == 2, "a transaction at each outlet")
            ids = csms.transactions()
            assert ids[1] != ids[2]
            busy = "Charging" if version == "1.6" else "Occupied"
            await until(lambda: csms.seen(1)[-1] == csms.seen(2)[-1] == busy, "both charging")
            asked = limit(version, 2, ids[2], 10.0)
            assert await csms.ask("SetChargingProfile", asked) == {"status": "Accepted"}
            foreign = limit(version, 1, ids[2], 10.0)  # the transaction of the other outlet
            assert await csms.ask("SetChargingProfile", foreign) == {"status": "Rejected"}
            await second.duty(10 / 0.6)
            assert int((await first.status())["duty"]) == pytest.approx(5333, abs=10)
            stop = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
            assert await csms.ask(stop, {"transactionId": ids[2]}) == {"status": "Accepted"}
            await second.duty(100)
            await second.do("R B")
            await until(lambda: csms.ended() == [ids[2]], "the end of the second transaction")
            state = await first.status()
            assert state["out"] == "111"
            assert int(state["duty"]) == pytest.approx(5333, abs=10)
            assert (await second.status())["out"] == "0"
            await first.do("R B", "TOKEN ISO14443 AAAA")
            await until(lambda: set(csms.ended()) == set(ids.values()), "the end of the first transaction")
            assert csms.faults == []
        finally:
            process.kill()
            await process.wait()


def test_the_limit_of_a_station_is_shared_out():
    from datetime import UTC, datetime

    from pilotbench.bench.twin.station.profiles import Profile, Profiles, total

    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 24.0}]}
    data = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    share = Profile.parse(0, data, phases=3).shared(2)
    now = datetime.now(UTC)
    outlets = [Profiles(), Profiles()]
    for outlet in outlets:
        outlet.install(share)
        assert outlet.limit_a(now, None) == 12.0
    assert total([outlet.schedule(now, 60, None, 32.0) for outlet in outlets]) == [(0, 24.0)]


def test_composite_schedules_add_up_where_they_change():
    from pilotbench.bench.twin.station.profiles import total

    assert total([[(0, 16.0), (10, 6.0)], [(0, 8.0), (10, 18.0), (20, 0.0)]]) == [(0, 24.0), (20, 6.0)]
