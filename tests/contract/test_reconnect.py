"""Every device may go at any time and come back: looked for, recognised, told, and safe before it does anything."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from itertools import pairwise
from typing import Any, ClassVar

import pytest
import serial
from pilotbench.drivers.base import DeviceState, Driver
from pilotbench.drivers.pilot.frame import seal
from pilotbench.drivers.ports import PortLock
from pilotbench.errors import DeviceError, DeviceLost

from driver_rig import WIRES, Rig
from wire_tap import SocketBridge, WireTap

BUSY = {
    "pilot.line": lambda driver: driver.pp(220),
    "ev.dbc": lambda driver: driver.command(max_current_a=6.0),
    "supply.scpi": lambda driver: driver.set(230.0, 16.0),
    "load.scpi": lambda driver: driver.draw(6.0),
    "power.relay/modbus": lambda driver: driver.switch(5, True),
    "power.relay/numato": lambda driver: driver.switch(5, True),
}
"""What a device is asked all the time while its cable is cut; the others are polled by their drivers."""


TAP_LETS_GO_NS = 50_000_000
"""The port hangs up when the thread of the cable has left its system call."""


def states(rig: Rig, name: str) -> list[str]:
    return [event.data["state"] for event in rig.topics("device.state") if event.data["device"] == name]


def threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.endswith(("reader", "pump")))


async def busy(driver: Any, kind: str, failed: list[DeviceError]) -> None:
    while kind in BUSY:
        try:
            await BUSY[kind](driver)
        except DeviceError as error:
            failed.append(error)
        await asyncio.sleep(0.01)


def cut_and_restore(rig: Rig, kind: str, times: int) -> None:
    tap = rig.tap(WIRES[kind])
    driver = rig.driver(kind, tap.port)
    rig.run(driver.open())
    before = threads()
    failed: list[DeviceError] = []
    asked = rig.loop.create_task(busy(driver, kind, failed))
    try:
        for _ in range(times):
            tap.unplug()
            pulled_ns = time.monotonic_ns()
            rig.until(lambda: driver.state is DeviceState.FAULTED, "it is missed")
            spare = os.openpty()  # plugged in again it is another node
            tap.plug()
            rig.until(lambda: driver.state is DeviceState.ACTIVE and driver.alive, "it is back")
            os.close(spare[0])
            os.close(spare[1])
            back = [event for event in rig.topics("gap") if "was gone and is back" in event.data["why"]][-1]
            assert back.data["from_ns"] <= pulled_ns + TAP_LETS_GO_NS
            assert pulled_ns < back.data["to_ns"] <= time.monotonic_ns()
    finally:
        asked.cancel()
        rig.run(asyncio.sleep(0))
    assert threads() == before
    went = [state for state in states(rig, driver.name) if state != "DEGRADED"]
    way = ["FAULTED", "UNKNOWN", "ACTIVE"] if driver.energising else ["FAULTED", "ACTIVE"]
    assert went == ["ACTIVE", *way * times], "\n".join(event.data["why"] for event in rig.topics("device.state"))
    assert all(isinstance(error, DeviceLost) or "Make it safe first" in str(error) for error in failed[5:]) or times < 5
    assert not [event for event in rig.events if event.late]


def test_cable_cut_and_restored_during_activity(rig: Rig, kind: str) -> None:
    cut_and_restore(rig, kind, 2)


@pytest.mark.long
def test_cable_cut_and_restored_twenty_times(rig: Rig, kind: str) -> None:
    cut_and_restore(rig, kind, 20)


def test_verbs_fail_at_once_while_it_is_gone(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = rig.driver("pilot.line", tap.port)
    rig.run(pilot.open())
    tap.unplug()
    rig.until(lambda: pilot.gone, "it is missed")
    for call in (lambda: pilot.resistor("B"), pilot.make_safe, pilot.status):
        begun = time.monotonic()
        with pytest.raises(DeviceLost, match="is looked for"):
            rig.run(call())
        assert time.monotonic() - begun < 0.05
    assert pilot.is_open
    assert not pilot.alive


def test_it_comes_back_unknown_and_is_made_safe_by_itself(rig: Rig) -> None:
    """The cable was out for less than the watchdog: the emulator still shows C."""
    tap = rig.tap("pilot")
    pilot = rig.driver("pilot.line", tap.port, watchdog_ms=10000)
    rig.run(pilot.open())
    rig.run(pilot.resistor("C"))
    tap.unplug()
    rig.until(lambda: pilot.gone, "it is missed")
    tap.plug()
    rig.until(lambda: pilot.state is DeviceState.ACTIVE, "it is safe")
    assert states(rig, "pilot") == ["ACTIVE", "FAULTED", "UNKNOWN", "ACTIVE"]
    unknown = next(event for event in rig.topics("device.state") if event.data["state"] == "UNKNOWN")
    assert "found at state C" in unknown.data["why"]
    assert rig.run(pilot.status()).safe
    assert rig.topics("stimulus")[-1].data["args"] == {"flags": []}


def test_what_cannot_be_made_safe_stays_unknown_and_refuses(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = rig.driver("pilot.line", tap.port)
    rig.run(pilot.open())
    tap.unplug()
    rig.until(lambda: pilot.gone, "it is missed")
    tap.to_device = lambda data: b"" if b" R A*" in data else data
    tap.plug()
    rig.until(lambda: "could not be made safe" in rig.topics("device.state")[-1].data["why"], "it was tried", 8.0)
    assert pilot.state is DeviceState.UNKNOWN
    with pytest.raises(DeviceError, match="Make it safe first"):
        rig.run(pilot.resistor("B"))
    tap.to_device = lambda data: data
    rig.run(pilot.make_safe())
    assert pilot.state is DeviceState.ACTIVE


def stranger(data: bytes) -> bytes:
    """A pilot emulator with another serial number."""
    lines = [line.decode() for line in data.split(b"\n") if b"HELLO" in line]
    hello = "OK proto=1 model=other serial=X9 fw=1 clock_bits=64 cp_res_us=100"
    return b"".join(seal(f"{line.split(' ')[0]} {hello}") for line in lines)


def test_another_device_on_the_port_is_refused(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = rig.driver("pilot.line", tap.port)
    rig.run(pilot.open())
    mine = dict(pilot.identity)
    tap.unplug()
    rig.until(lambda: pilot.gone, "it is missed")
    other = WireTap(tap.port, device=None, answer=stranger)
    rig.until(lambda: "another device stands on this port now" in rig.topics("device.state")[-1].data["why"], "refused")
    said = rig.topics("device.state")[-1].data
    assert said["state"] == "FAULTED"
    assert "other X9" in said["why"]
    assert mine["serial"] in said["why"]
    rig.run(asyncio.sleep(1.2))
    assert rig.topics("device.state")[-1].data == said, "a reason is told once"
    assert pilot.identity == mine
    with pytest.raises(DeviceLost, match="another device stands on this port"):
        rig.run(pilot.resistor("B"))
    assert not rig.topics("cp.state") or rig.topics("cp.state")[-1].stamp.order_ns < said_ns(rig)
    other.unplug()
    other.close()
    tap.plug()
    rig.until(lambda: pilot.state is DeviceState.ACTIVE, "the right one is back")


def said_ns(rig: Rig) -> int:
    return rig.topics("device.state")[-1].stamp.order_ns


def test_port_that_somebody_else_took_meanwhile(rig: Rig, kind: str) -> None:
    tap = rig.tap(WIRES[kind])
    driver = rig.driver(kind, tap.port)
    rig.run(driver.open())
    tap.unplug()
    rig.until(lambda: driver.gone, "it is missed")
    tap.plug()
    with serial.Serial(tap.port, exclusive=True):
        rig.until(lambda: "in use by another program" in rig.topics("device.state")[-1].data["why"], "it is told")
        rig.run(asyncio.sleep(0.6))
        assert driver.state is DeviceState.FAULTED
    rig.until(lambda: driver.state is DeviceState.ACTIVE, "it is back")


def test_network_connection_that_is_cut(rig: Rig, kind: str) -> None:
    bridge = SocketBridge(rig.twin.ready[WIRES[kind]])
    driver = rig.driver(kind, bridge.url)
    rig.run(driver.open())
    bridge.close()
    rig.until(lambda: driver.gone, "it is missed")
    again = SocketBridge(rig.twin.ready[WIRES[kind]], int(bridge.url.rpartition(":")[2]))
    rig.until(lambda: driver.state is DeviceState.ACTIVE, "it is back", 8.0)
    rig.run(driver.close())
    again.close()


def test_closing_while_it_is_looked_for(rig: Rig, kind: str) -> None:
    """Also in the middle of greeting a device that does not answer."""
    tap = rig.tap(WIRES[kind])
    driver = rig.driver(kind, tap.port)
    rig.run(driver.open())
    tap.unplug()
    rig.until(lambda: driver.gone, "it is missed")
    tap.to_device = lambda data: b""
    tap.written = b""
    tap.plug()
    rig.until(lambda: bool(tap.written), "it is greeted")
    begun = time.monotonic()
    rig.run(driver.close())
    assert time.monotonic() - begun < 1.5
    assert driver.state is DeviceState.IDLE
    rig.run(asyncio.sleep(0.2))  # the thread of the cable reads what was written before it closed
    written = tap.written
    rig.run(asyncio.sleep(0.6))
    assert tap.written == written


def test_without_reconnect_it_stays_away(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = rig.driver("pilot.line", tap.port, reconnect=False)
    rig.run(pilot.open())
    tap.unplug()
    rig.until(lambda: pilot.gone, "it is missed")
    tap.plug()
    rig.run(asyncio.sleep(0.8))
    assert pilot.state is DeviceState.FAULTED
    with pytest.raises(DeviceLost, match="Plug it in again, close it and open it"):
        rig.run(pilot.make_safe())


class Deaf(Driver):
    """It never comes back, and breaks in its own ways while it is looked for."""

    role: ClassVar[Any] = "monitor"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.opened: list[float] = []
        self.open_wires = 0

    async def _open(self) -> None:
        self.opened.append(time.monotonic())
        self.open_wires += 1
        if len(self.opened) > 1:
            raise (ValueError("broken"), DeviceError("mute.", device=self.name))[len(self.opened) % 2]
        self._recognise({"model": "deaf"})
        self._enter(DeviceState.ACTIVE, "first time")

    async def _close(self) -> None:
        self.open_wires -= 1

    def pull(self) -> None:
        now_ns = time.monotonic_ns()
        self._lost(OSError("pulled"), now_ns, now_ns)


def test_it_is_looked_for_twice_a_second_and_no_more(rig: Rig) -> None:
    device = rig.folder / "deaf"
    device.touch()
    deaf = Deaf("deaf", rig.timeline.source("deaf"), rig.gate, port=str(device), state_dir=rig.state_dir)

    async def pulled() -> float:
        await deaf.open()
        deaf.pull()
        deaf.pull()
        begun = time.process_time()
        await asyncio.sleep(2.3)
        return time.process_time() - begun

    spent_s = rig.run(pulled())
    assert 3 <= len(deaf.opened) - 1 <= 4
    assert all(b - a >= 0.5 for a, b in pairwise(deaf.opened))
    assert spent_s < 0.12, f"{spent_s} s of CPU in 2.3 s"
    assert deaf.open_wires == 0
    rig.run(deaf.close())
    assert [event.data["why"] for event in rig.topics("gap")] == ["deaf is gone: pulled"]


class Slow(Deaf):
    """Its wire takes its time to close, and does not always close cleanly."""

    trouble: ClassVar[Exception | None] = None

    async def _close(self) -> None:
        await asyncio.sleep(0.2)
        await super()._close()
        if self.trouble is not None:
            raise self.trouble


def slow(rig: Rig) -> Slow:
    device = rig.folder / "slow"
    device.touch()
    return Slow("slow", rig.timeline.source("slow"), rig.gate, port=str(device), state_dir=rig.state_dir)


def test_closing_while_its_dead_wire_is_being_closed_does_not_leave_half_of_it_open(rig: Rig) -> None:
    device = slow(rig)

    async def pulled_and_closed() -> None:
        await device.open()
        device.pull()
        await asyncio.sleep(0.05)  # in the middle of closing its wire
        assert device.open_wires == 1
        await device.close()

    rig.run(pulled_and_closed())
    assert device.open_wires == 0
    assert device.state is DeviceState.IDLE
    PortLock.take("somebody else", device.port, rig.state_dir).release()


def test_driver_that_breaks_while_it_closes_is_looked_for_all_the_same(rig: Rig, monkeypatch: Any) -> None:
    device = slow(rig)
    monkeypatch.setattr(Slow, "trouble", ValueError("a bug of its own"))

    async def pulled() -> None:
        await device.open()
        device.pull()
        await asyncio.sleep(1.0)

    rig.run(pulled())
    assert len(device.opened) == 2
    assert any("did not close cleanly: a bug of its own" in event.data["why"] for event in rig.topics("gap"))
    rig.run(device.close())
