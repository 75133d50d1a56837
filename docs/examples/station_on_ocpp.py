"""A small OCPP 1.6 station on the public `ocpp` package, attached to a virtual bench by `dut_port.py`.

pilotbench run --external-station --out run &
python docs/examples/station_on_ocpp.py run/dut-port.json
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import websockets
from dut_port import DutPort
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action

NO_CURRENT, OFFER_A = 100.0, 32.0


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Station(ChargePoint):
    """One connector. Everything that changes wakes `course`, which decides anew what is to be done."""

    def __init__(self, port: DutPort, connection: Any) -> None:
        super().__init__(port.info["station"], connection)
        self.port = port
        self.changed = asyncio.Event()
        self.card: str | None = None
        self.tx: int | None = None
        self.limits_a: dict[str, float] = {}
        self.stopped = False
        self.told = ""
        port.on_token = self.take_card
        port.on_change = lambda before, after: self.react(after)

    def take_card(self, card: str) -> None:
        self.card = card
        self.changed.set()

    def react(self, letter: str) -> None:
        """What must not wait: the contactor opens within 100 ms of leaving state C."""
        if letter not in "CD":
            self.port.set(contactor=False)
        self.changed.set()

    @property
    def meter_wh(self) -> float:
        return self.port.state["meter"]["energy_wh"]

    def duty_pct(self) -> float:
        amps = min([OFFER_A, *self.limits_a.values()])
        return NO_CURRENT if amps < 6 else amps / 0.6

    async def tell(self, status: str) -> None:
        if status != self.told:
            self.told = status
            await self.call(
                call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=now())
            )

    async def course(self) -> None:
        boot = await self.call(call.BootNotification("adapter", "example"))
        self.heartbeat_s = boot.interval
        await self.call(call.StatusNotification(connector_id=0, error_code="NoError", status="Available"))
        self.port.set(pwm_pct=NO_CURRENT)
        while True:
            letter = self.port.letter
            if letter == "A":
                await self.end("EVDisconnected")
                self.port.set(pwm_pct=NO_CURRENT, lock=False)
                self.card, self.stopped = None, False
                await self.tell("Available")
            elif self.stopped:
                self.port.set(pwm_pct=NO_CURRENT)
                await self.tell("Finishing")
                if letter == "B":
                    self.port.set(contactor=False, lock=False)
            elif self.tx is None:
                await self.tell("Preparing")
                await self.begin()
            else:
                self.port.set(pwm_pct=self.duty_pct())
                flowing = letter in "CD" and self.duty_pct() < NO_CURRENT
                if flowing and self.port.state["lock"]:
                    self.port.set(contactor=True)
                await self.tell("Charging" if flowing else "SuspendedEV")
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), 1.0)
            except TimeoutError:
                await self.sample()

    async def begin(self) -> None:
        if self.card is None:
            return
        self.port.set(lock=True)
        started = await self.call(call.StartTransaction(1, self.card, round(self.meter_wh), now()))
        if started.id_tag_info["status"] == "Accepted":
            self.tx = started.transaction_id
            await self.sample("Transaction.Begin")
        self.card = None

    async def end(self, reason: str) -> None:
        if self.tx is not None:
            tx, self.tx = self.tx, None
            last = [self.reading("Transaction.End")]
            await self.call(call.StopTransaction(round(self.meter_wh), now(), tx, reason=reason, transaction_data=last))

    def reading(self, context: str) -> dict[str, Any]:
        measurand = "Energy.Active.Import.Register"
        value = {"value": f"{self.meter_wh:.1f}", "measurand": measurand, "unit": "Wh", "context": context}
        return {"timestamp": now(), "sampledValue": [value]}

    async def sample(self, context: str = "Sample.Periodic") -> None:
        if self.tx is not None:
            values = [self.reading(context)]
            await self.call(call.MeterValues(connector_id=1, meter_value=values, transaction_id=self.tx))

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(getattr(self, "heartbeat_s", 10))
            await self.call(call.Heartbeat())

    @on(Action.remote_stop_transaction)
    def remote_stop(self, transaction_id: int) -> call_result.RemoteStopTransaction:
        known = transaction_id == self.tx
        if known:
            self.stopped = True
            asyncio.get_running_loop().create_task(self.stop())
        return call_result.RemoteStopTransaction("Accepted" if known else "Rejected")

    async def stop(self) -> None:
        self.port.set(pwm_pct=NO_CURRENT)  # the vehicle stops drawing, then opens S2
        for _ in range(60):
            if not any(self.port.state["output_v"]):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)  # the meter's last reading
        await self.end("Remote")
        self.changed.set()

    @on(Action.set_charging_profile)
    def set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> call_result.SetChargingProfile:
        schedule = cs_charging_profiles["charging_schedule"]
        limit = float(schedule["charging_schedule_period"][0]["limit"])
        self.limits_a[cs_charging_profiles["charging_profile_purpose"]] = limit
        self.changed.set()
        return call_result.SetChargingProfile("Accepted")

    @on(Action.clear_charging_profile)
    def clear_profile(self, **which: Any) -> call_result.ClearChargingProfile:
        known = bool(self.limits_a)
        self.limits_a.clear()
        self.changed.set()
        return call_result.ClearChargingProfile("Accepted" if known else "Unknown")

    @on(Action.get_configuration)
    def get_configuration(self, key: list[str] | None = None) -> call_result.GetConfiguration:
        return call_result.GetConfiguration([], key or [])


async def main(port_file: Path) -> None:
    port = DutPort(port_file)
    await port.open()
    async with websockets.connect(port.info["csms_url"], subprotocols=["ocpp1.6"]) as connection:
        station = Station(port, connection)
        works = [
            asyncio.ensure_future(work) for work in (port.listen(), station.start(), station.course(), station.beat())
        ]
        first, rest = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        for work in rest:
            work.cancel()
        for work in first:
            with contextlib.suppress(websockets.ConnectionClosed):  # the run is over
                work.result()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
