"""CAN buses by name: socketcand, python-can's interfaces, and what each tells of trouble on the bus."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import can
import cantools
import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import CONFIGS, Rig
from twin_client import TwinProcess

DBC = CONFIGS / "ev" / "pilotbench-ev.dbc"


def state_is(rig: Rig, driver: Any, state: DeviceState, within_s: float = 4.0) -> None:
    rig.until(lambda: driver.state is state, f"{driver.name} is {state}", within_s)


def kinds(rig: Rig) -> list[str]:
    return [event.data["kind"] for event in rig.topics("can.error")]


@pytest.fixture
def remote(rig: Rig, twin: Callable[..., TwinProcess]) -> TwinProcess:
    process = twin(devices={"far": {"kind": "ev.socketcand"}})
    rig.use(process)
    return process


def test_ev_behind_socketcand(rig: Rig, remote: TwinProcess) -> None:
    ev = rig.driver("ev.dbc", remote.ready["far"], name="ev")
    rig.run(ev.open())
    assert ev.state is DeviceState.ACTIVE
    assert ev.identity["adapter"] == "socketcand at 127.0.0.1"
    rig.run(ev.command(plugged=True, charge=True, max_current_a=16.0))
    rig.until(lambda: any(e.get("max_current_a") == 16.0 for e in remote.truth()), "the command has arrived")
    rig.run(rig.timeline.wait_for("ev.status", lambda e: e.data["plugged"], timeout_s=2, since_ns=0))
    rig.run(ev.make_safe())
    rig.until(lambda: remote.truth()[-1].get("max_current_a") == 0.0, "0 A has arrived")
    with pytest.raises(DeviceError, match="in use by"):
        rig.run(rig.driver("ev.dbc", remote.ready["far"], name="other").open())
    assert not [event for event in rig.events if event.late]
    assert not rig.topics("gap")


def test_server_that_dies_is_told_and_spins_nothing(rig: Rig, remote: TwinProcess) -> None:
    ev = rig.driver("ev.dbc", remote.ready["far"], name="ev")
    rig.run(ev.open())
    remote.process.kill()
    state_is(rig, ev, DeviceState.FAULTED)
    assert kinds(rig) == ["lost"]
    reads = ev._pump_ns
    rig.run(asyncio.sleep(0.3))
    assert ev._pump_ns == reads
    rig.run(ev.close(), 3.0)


@pytest.mark.parametrize(
    ("greeting", "says"),
    [(b"", "socketcand closed the connection"), (b"< hello >", "something answers"), (None, "no connection")],
)
def test_what_is_no_socketcand(rig: Rig, greeting: bytes | None, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if greeting is None:
            server.close()

        def serve() -> None:
            client, _ = server.accept()
            client.sendall(greeting or b"")
            client.close()

        thread = threading.Thread(target=serve) if greeting is not None else None
        if thread is not None:
            thread.start()
        with pytest.raises(DeviceError, match=says):
            rig.run(rig.driver("ev.dbc", f"socketcand:127.0.0.1:{port}/can0", name="ev").open())
        if thread is not None:
            thread.join(5)


def test_interface_that_socketcand_does_not_serve(rig: Rig, remote: TwinProcess) -> None:
    port = remote.ready["far"].replace("vcan0", "can7")
    with pytest.raises(DeviceError, match="socketcand does not open can7"):
        rig.run(rig.driver("ev.dbc", port, name="ev").open())


@pytest.mark.parametrize("wire", ["ev.socketcand", "ev.slcan"])
def test_bus_off_is_told_and_its_end_too(rig: Rig, twin: Callable[..., TwinProcess], wire: str) -> None:
    process = twin(devices={"bus": {"kind": wire}})
    ev = rig.driver("ev.dbc", process.ready["bus"], name="ev")
    rig.run(ev.open())
    process.control(type="fault", name="can-bus-off", on=True, device="bus")
    state_is(rig, ev, DeviceState.DEGRADED)
    rig.until(lambda: "no EV_Status of ev for 500 ms" in [e.data["why"] for e in rig.topics("gap")], "the silence")
    wanted = "bus-off" if wire == "ev.socketcand" else "refused"
    rig.until(lambda: wanted in kinds(rig), wanted)
    process.control(type="fault", name="can-bus-off", on=False, device="bus")
    state_is(rig, ev, DeviceState.ACTIVE)
    rig.run(asyncio.sleep(0.1))
    assert ev.state is DeviceState.ACTIVE


# ---- python-can's own buses, in this process


class Simulator:
    """An EV simulator on python-can's virtual bus: a status every 20 ms."""

    def __init__(self, channel: str) -> None:
        self._message = cantools.database.load_file(DBC).get_message_by_name("EV_Status")
        self.bus = can.Bus(interface="virtual", channel=channel)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        values = {"Plugged": 1, "S2Wish": 0, "SoC": 50.0, "Current": 1.5, "BatteryVoltage": 400.0}
        count = 0
        while not self._stop.wait(0.02):
            data = self._message.encode({**values, "Counter": count % 16})
            self.bus.send(can.Message(arbitration_id=0x201, is_extended_id=False, data=data))
            count += 1

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.bus.shutdown()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    made = Simulator("contract")
    yield made
    made.close()


def test_library_bus_carries_commands_status_and_error_frames(rig: Rig, simulator: Simulator) -> None:
    ev = rig.driver("ev.dbc", "virtual:contract", name="ev", record_frames=True)
    rig.run(ev.open())
    rig.run(ev.command(max_current_a=10.0, charge=True))
    rig.until(lambda: len(rig.topics("ev.status")) >= 1, "a status")
    assert rig.topics("ev.status")[0].data["current_a"] == 1.5
    sent = simulator.bus.recv(1)
    assert sent is not None
    assert sent.arbitration_id == 0x200
    simulator.bus.send(can.Message(is_error_frame=True, arbitration_id=0x40, data=b"\0"))
    rig.until(lambda: kinds(rig) == ["error-frame"], "the error frame")
    sent_frames, received = (
        [text for e in rig.topics("can.frames") if e.data["dir"] == way for text in e.data["frames"].split()]
        for way in ("tx", "rx")
    )
    assert "200#4164000000000000" in sent_frames
    assert {text.partition("#")[0] for text in received} == {"201"}
    assert not rig.topics("gap")


def test_library_bus_that_fails_is_a_lost_device(rig: Rig, simulator: Simulator) -> None:
    ev = rig.driver("ev.dbc", "virtual:contract", name="ev", reconnect=False)
    rig.run(ev.open())
    ev._wire._bus.shutdown()
    state_is(rig, ev, DeviceState.FAULTED)
    assert kinds(rig) == ["lost"]


def test_socketcan_interface_that_does_not_exist(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="there is no network interface 'can93'"):
        rig.run(rig.driver("ev.dbc", "socketcan:can93", name="ev").open())


def test_vcan(rig: Rig) -> None:
    if not Path("/sys/class/net/vcan0").exists():
        pytest.skip("this kernel or host has no vcan0 (ip link add dev vcan0 type vcan && ip link set vcan0 up)")
    with pytest.raises(DeviceError, match="the bus is open, but no status frame"):
        rig.run(rig.driver("ev.dbc", "socketcan:vcan0", name="ev", answer_timeout_s=0.3).open())


@pytest.mark.parametrize("port", ["pcan:PCAN_USBBUS1", "kvaser:0", "gs_usb:0"])
def test_adapter_whose_library_is_missing(rig: Rig, port: str) -> None:
    with pytest.raises(DeviceError, match=r"python-can cannot use|cannot be opened") as caught:
        rig.run(rig.driver("ev.dbc", port, name="ev").open())
    assert caught.value.port == port


@pytest.mark.parametrize(
    ("port", "says"),
    [
        ("socketcam:can0", "did you mean 'socketcan'"),
        ("pcan:", "names no channel"),
        ("socketcand:host/can0", "write socketcand:host:port/interface"),
    ],
)
def test_wrong_address(rig: Rig, port: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        rig.driver("ev.dbc", port, name="ev")
