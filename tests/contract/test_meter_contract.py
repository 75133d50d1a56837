"""The meter driver on a bad line: no value ever comes from a late, short or foreign answer."""

from __future__ import annotations

import asyncio
import struct
import time
from decimal import Decimal

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.meter.segment import NotAnswered, Reading, Segment
from pilotbench.errors import ConfigError, DeviceError
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from driver_rig import Rig
from wire_tap import WireTap

VOLTAGES, POWER_FACTORS = 0x00, 0x1E
"""Two blocks of two registers on the twin's meter: 0.0 on a dead outlet, and 1.0 always."""


def crc16(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def as_float(registers: tuple[int, ...]) -> float:
    return struct.unpack(">f", struct.pack(">HH", *registers))[0]


class Asking(Segment):
    """A segment whose requests all have the same time."""

    def __init__(self, port: str, timeout_s: float) -> None:
        super().__init__("meter", port)
        self.timeout_s = timeout_s

    async def ask(self, address: int, unit: int = 1) -> Reading:
        return await self.read(unit, 4, address, 2, self.timeout_s)


def segment_on(tap: WireTap, timeout_s: float = 0.2) -> Asking:
    return Asking(tap.port, timeout_s)


def test_late_answer_is_never_the_next_ones(rig: Rig) -> None:
    tap = rig.tap("meter")

    async def late() -> float:
        segment = segment_on(tap)
        await segment.connect()
        try:
            tap.hold_s = 0.3
            with pytest.raises(NotAnswered, match="no answer within"):
                await segment.ask(VOLTAGES)
            return as_float((await segment.ask(POWER_FACTORS)).registers)
        finally:
            segment.close()
            await segment.closed()

    assert rig.run(late()) == 1.0


def test_cancelled_request_does_not_give_its_answer_to_the_next(rig: Rig) -> None:
    tap = rig.tap("meter")

    async def cancelled() -> float:
        segment = segment_on(tap)
        await segment.connect()
        try:
            tap.hold_s = 0.1
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(segment.ask(VOLTAGES), 0.02)
            return as_float((await segment.ask(POWER_FACTORS)).registers)
        finally:
            segment.close()
            await segment.closed()

    assert rig.run(cancelled()) == 1.0


def test_requests_that_come_at_once_are_served_one_by_one(rig: Rig) -> None:
    tap = rig.tap("meter")

    async def many() -> list[float]:
        segment = segment_on(tap)
        await segment.connect()
        try:
            wanted = [VOLTAGES, POWER_FACTORS] * 5
            readings = await asyncio.gather(*(segment.ask(address) for address in wanted))
            return [as_float(reading.registers) for reading in readings]
        finally:
            segment.close()
            await segment.closed()

    assert rig.run(many()) == [0.0, 1.0] * 5


def _sealed(body: bytes) -> bytes:
    return body + crc16(body)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\x01\x04\x02\x00\x00" + crc16(b"\x01\x04\x02\x00\x00"),  # fewer registers than asked for
        lambda data: _sealed(b"\x01\x03" + data[2:-2]),  # another function
        lambda data: _sealed(b"\x02" + data[1:-2]),  # another unit
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),  # checksum
        lambda data: data[:-3],  # cut short
        lambda data: b"\x00" + data[:2] + b"\xff" + data[2:],  # noise
    ],
    ids=["short", "function", "unit", "checksum", "cut", "noise"],
)
def test_answers_that_are_not_the_one_asked_for_are_refused(rig: Rig, change: object) -> None:
    tap = rig.tap("meter")

    async def ask() -> None:
        segment = segment_on(tap, 0.1)
        await segment.connect()
        try:
            tap.to_bench = change  # type: ignore[assignment]
            with pytest.raises(NotAnswered) as caught:
                await segment.ask(VOLTAGES)
            assert caught.value.sent == "01 04 00 00 00 02 71 cb"
            tap.to_bench = lambda data: data
            assert as_float((await segment.ask(POWER_FACTORS)).registers) == 1.0
        finally:
            segment.close()
            await segment.closed()

    rig.run(ask())


def test_refusal_of_the_meter_is_told_with_its_code(rig: Rig) -> None:
    tap = rig.tap("meter")

    async def ask() -> None:
        segment = segment_on(tap)
        await segment.connect()
        try:
            with pytest.raises(DeviceError, match=r"Modbus exception 2 \(illegal data address\)"):
                await segment.ask(0x4000)
        finally:
            segment.close()
            await segment.closed()

    rig.run(ask())


def test_one_lost_answer_costs_one_gap_and_no_sample_is_wrong(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    tap = rig.tap("meter")
    meter = rig.driver("meter.modbus", tap.port, timeout_s=0.15)
    rig.run(meter.open())
    rig.run(rig.timeline.wait_for("meter.sample", timeout_s=2, since_ns=rig.rested_ns))
    once = iter([b""])
    tap.to_bench = lambda data: next(once, data)
    gap = rig.run(rig.timeline.wait_for("gap", timeout_s=2, since_ns=rig.rested_ns))
    assert "Asking once more" in gap.data["why"]
    rig.run(rig.timeline.wait_for("meter.sample", timeout_s=2, since_ns=rig.rested_ns))
    assert meter.state is DeviceState.ACTIVE
    assert len(rig.topics("gap")) == 1
    out, err = capfd.readouterr()
    assert (out, err) == ("", ""), "the library must not write on the screen"


def test_silence_degrades_and_its_end_is_told(rig: Rig) -> None:
    tap = rig.tap("meter")
    meter = rig.driver("meter.modbus", tap.port, timeout_s=0.1)
    rig.run(meter.open())
    tap.to_device = lambda data: b""
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "DEGRADED", timeout_s=3, since_ns=rig.rested_ns
        )
    )
    tap.to_device = lambda data: data
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "ACTIVE", timeout_s=3, since_ns=rig.rested_ns
        )
    )


def test_plugged_in_again_it_is_found_again(rig: Rig) -> None:
    tap = rig.tap("meter")
    meter = rig.driver("meter.modbus", tap.port)
    rig.run(meter.open())
    pulled_ns = time.monotonic_ns()
    tap.unplug()
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "FAULTED", timeout_s=3, since_ns=rig.rested_ns
        )
    )
    tap.plug()
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "ACTIVE", timeout_s=4, since_ns=rig.rested_ns
        )
    )
    back = next(event for event in rig.topics("gap") if "is back" in event.data["why"])
    assert back.data["from_ns"] <= pulled_ns < back.data["to_ns"]
    rig.run(rig.timeline.wait_for("meter.sample", timeout_s=2, since_ns=rig.rested_ns))
    assert not [event for event in rig.events if event.late]


def test_sample_is_as_old_as_the_meter_may_make_it(rig: Rig) -> None:
    meter = rig.driver("meter.modbus", rig.twin.ready["meter"], refresh_s=0.2)
    rig.run(meter.open())
    sample = rig.run(rig.timeline.wait_for("meter.sample", timeout_s=2, since_ns=rig.rested_ns))
    width_ns = sample.stamp.hi_ns - sample.stamp.lo_ns
    assert 200_000_000 < width_ns < 260_000_000
    assert sample.stamp.order_ns == sample.stamp.hi_ns
    assert Decimal(sample.data["energy_wh"]) > 0
    assert sample.data["energy_wh"] == str(Decimal(sample.data["energy_wh"]).quantize(Decimal("0.1")))


def test_wrong_unit_and_wrong_address_say_what_to_check(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="unit 7 does not answer"):
        rig.run(rig.driver("meter.modbus", rig.twin.ready["meter"], unit=7, timeout_s=0.1).open())
    with pytest.raises(DeviceError, match="nothing answers at this address"):
        rig.run(rig.driver("meter.modbus", "tcp://127.0.0.1:9", name="net").open())
    with pytest.raises(ConfigError, match="is no port of a meter"):
        rig.run(rig.driver("meter.modbus", "udp://127.0.0.1:9", name="odd").open())


def test_modbus_tcp(rig: Rig) -> None:
    """The same map and driver on Modbus TCP, against the library's own server."""

    async def serve() -> None:
        registers = [0] * 0x50
        for address, value in ((0x00, 230.0), (0x06, 16.0), (0x34, 3680.0), (0x46, 50.0), (0x48, 1.2345)):
            registers[address : address + 2] = struct.unpack(">HH", struct.pack(">f", value))
        block = SimData(0, values=registers, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(SimDevice(1, simdata=[block]), address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        port = server.transport.sockets[0].getsockname()[1]
        meter = rig.driver("meter.modbus", f"tcp://127.0.0.1:{port}")
        await meter.open()
        sample = await rig.timeline.wait_for("meter.sample", timeout_s=2)
        assert sample.data["power_w"] == 3680.0
        assert sample.data["energy_wh"] == "1234.5"
        await server.shutdown()
        await rig.timeline.wait_for("device.state", lambda e: e.data["state"] == "FAULTED", timeout_s=3)
        await meter.close()

    rig.run(serve())
