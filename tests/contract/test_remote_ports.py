"""Drivers on ports of another machine: over RFC 2217 the same duties as on a port of this one."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pilotbench.bench.safety.guardian.plan import Wire
from pilotbench.bench.safety.guardian.wires import _Rfc2217, open_wire
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.ports import wire_of
from pilotbench.drivers.telnet import Telnet, address_of, escaped
from pilotbench.errors import ConfigError, DeviceError, DeviceLost

from driver_rig import WIRES, Rig
from serial_server import SerialServer

BAUD = {
    "pilot.line": 115200,
    "pilot.ev_sim": 9600,
    "token.line": 115200,
    "evse.rapi": 115200,
    "ev.dbc": 115200,
    "supply.scpi": 9600,
    "power.relay/numato": 19200,
}
"""Drivers of serial ports, and the speed at which a port of theirs is to be set."""
EVERY_BYTE = bytes(range(256)) * 3

Serve = Callable[..., SerialServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A serial server in front of a port; closed at the end."""
    made: list[SerialServer] = []

    def start(device: str, **options: Any) -> SerialServer:
        made.append(SerialServer(device, **options))
        return made[-1]

    yield start
    for server in made:
        server.close()


def test_every_driver_of_a_serial_port_behind_rfc2217(rig: Rig, serve: Serve) -> None:
    servers = {kind: serve(rig.twin.ready[WIRES[kind]]) for kind in BAUD}
    drivers = {kind: rig.driver(kind, server.url) for kind, server in servers.items()}

    async def all_of_them() -> None:
        await asyncio.gather(*(driver.open() for driver in drivers.values()))
        await asyncio.gather(*(driver.make_safe() for driver in drivers.values()))

    rig.run(all_of_them())
    for kind, driver in drivers.items():
        assert driver.identity, kind
        assert driver.state is DeviceState.ACTIVE, kind
        assert servers[kind].serial.baudrate == BAUD[kind]
    with pytest.raises(DeviceError, match="in use by"):
        rig.run(rig.driver("pilot.line", servers["pilot.line"].url, name="other").open())
    assert not [event for event in rig.events if event.late]
    assert not rig.topics("gap")


def test_a_connection_that_is_cut_is_a_lost_device_that_comes_back(rig: Rig, serve: Serve) -> None:
    server = serve(rig.twin.ready["pilot"])
    driver = rig.driver("pilot.line", server.url)
    rig.run(driver.open())
    server.drop()
    rig.until(lambda: driver.gone, "it is missed")
    with pytest.raises(DeviceLost, match="closed the connection"):
        rig.run(driver.resistor("B"))
    rig.until(lambda: driver.state is DeviceState.ACTIVE, "it is back and safe")
    rig.run(driver.resistor("B"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"login: ", r"says nothing of RFC 2217\. Is it a raw port\? Then write socket://"),
        (b"\xff\xfe\x2c", "does not let its port be set"),
        (b"\xff\xfd\x2c", "does not confirm the settings"),
        (b"\xff\xfd\x2c\xff\xfa\x2c\x65\x00\x00\x25\x80\xff\xf0" + b"".join(
            b"\xff\xfa\x2c" + bytes((key, value)) + b"\xff\xf0" for key, value in ((102, 8), (103, 1), (104, 1))
        ), r"sets baud 9600 and not 115200"),
        (b"", "closed the connection. Has somebody else its port"),
    ],
)  # fmt: skip
def test_what_is_no_server_of_ours(rig: Rig, monkeypatch: pytest.MonkeyPatch, answer: bytes, says: str) -> None:
    monkeypatch.setattr("pilotbench.drivers.rfc2217.AGREE_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(answer)
                while answer and client.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(DeviceError, match=says):
            rig.run(rig.driver("pilot.line", f"rfc2217://127.0.0.1:{server.getsockname()[1]}").open())
        thread.join(5)


@pytest.mark.parametrize("port", ["rfc2217://127.0.0.1", "rfc2217://:7", "rfc2217://host:99999", "rfc2217://h:1?x=1"])
def test_wrong_address(rig: Rig, port: str) -> None:
    with pytest.raises(DeviceError, match="not written as rfc2217://host:port"):
        rig.run(rig.driver("pilot.line", port).open())


def test_nobody_listens(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DeviceError, match="Connection refused"):
        rig.run(rig.driver("pilot.line", f"rfc2217://127.0.0.1:{port}").open())


def test_a_meter_is_not_read_so_and_is_told_how(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=r"not read over rfc2217://.*write socket://192\.168\.0\.7:4001"):
        rig.driver("meter.modbus", "rfc2217://192.168.0.7:4001")


def test_the_guardian_speaks_it_too(rig: Rig, serve: Serve) -> None:
    server = serve(rig.twin.ready["relays_numato"])
    driver = rig.driver("power.relay/numato", server.url)
    rig.run(driver.open())
    rig.run(driver.make_safe())
    rig.run(driver.switch(1, True))
    rig.run(driver.close())
    recipe = rig.driver("power.relay/numato", server.url, name="never opened").emergency()
    assert recipe.reach == "local"
    wire = open_wire(Wire(recipe.wire.kind, recipe.wire.address, baud=recipe.wire.baud))
    came = b""
    assert isinstance(wire, _Rfc2217)
    wire.write(bytes.fromhex(recipe.steps[0].send_hex))
    for _ in range(50):
        came += wire.read(0.05)
        if re.search(recipe.steps[0].expect, came.decode("latin-1"), re.DOTALL):
            break
    else:
        pytest.fail(f"not acknowledged: {came!r}")
    wire._tcp._socket.close()
    assert server.serial.baudrate == 19200


def test_another_machine_is_out_of_sure_reach() -> None:
    for port in ("rfc2217://10.0.0.7:4001", "socket://10.0.0.7:4001", "tcp://10.0.0.7:502"):
        _, reach, why = wire_of(port, 9600)
        assert (reach, "10.0.0.7 is another machine" in why) == ("remote", True)


def test_the_length_of_the_way_is_in_the_stamps_and_they_hold_the_truth(rig: Rig, serve: Serve) -> None:
    station = rig.twin.station()
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100)
    driver = rig.driver("pilot.line", serve(rig.twin.ready["pilot"], hold_s=0.02).url)
    rig.run(driver.open())
    for state in "BAB":
        rig.run(driver.resistor(state))
    rig.run(rig.timeline.wait_for("tick", timeout_s=2, since_ns=rig.rested_ns))
    offset = driver.clock_offset
    assert 40e6 <= offset.hi - offset.lo <= 120e6
    steps = [event.stamp for event in rig.topics("stimulus") if event.data["verb"] == "resistor"]
    assert all(stamp.hi_ns - stamp.lo_ns >= 40_000_000 for stamp in steps)
    rig.until(lambda: len(lines(rig)) >= 4, "the levels have come")
    station.close()
    assert [text for text, held in lines(rig) if not held] == []


def lines(rig: Rig) -> list[tuple[str, bool]]:
    """What the pilot told of itself, and whether its stamp holds the instant in the device's own log."""
    truth = {str(entry["line"]).strip(): entry["t_ns"] for entry in rig.twin.truth() if "line" in entry}
    told = [event for event in rig.events if event.topic.startswith("cp.") and event.raw is not None]
    return [
        (str(event.raw), event.stamp.lo_ns <= truth[event.raw.strip()] <= event.stamp.hi_ns)
        for event in told
        if event.raw is not None and event.raw.strip() in truth
    ]


# ---- the bytes


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_every_byte_passes_however_it_is_cut(size: int) -> None:
    telnet = Telnet()
    stream = b"\xff\xfb\x03" + escaped(EVERY_BYTE) + b"\xff\xfa\x2c\x65\x00\xff\xff\x01\x00\xff\xf0" + b"end"
    came = b"".join(telnet.take(stream[at : at + size]) for at in range(0, len(stream), size))
    assert came == EVERY_BYTE + b"end"
    assert telnet.confirmed == {1: 0x00FF0100}
    assert telnet.replies() == b""


def test_polite_ends_do_not_go_on_for_ever() -> None:
    telnet = Telnet()
    telnet.take(b"\xff\xfb\x01\xff\xfd\x18" * 3)
    assert telnet.replies() == b"\xff\xfe\x01\xff\xfc\x18"
    assert telnet.replies() == b""
    telnet.take(b"\xff\xfd\x2c")
    assert (telnet.granted, telnet.replies()) == (True, b"")


def test_addresses() -> None:
    assert address_of("rfc2217://[::1]:7") == ("::1", 7)
