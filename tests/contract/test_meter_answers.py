"""Late, short and foreign answers are never taken for data: on a line, on Modbus TCP and on RTU over TCP."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator

import pytest
from pilotbench.drivers.meter.segment import NotAnswered, Segment, UnitRefused

from driver_rig import Rig
from meter_rig import MeterRig
from twin_client import TwinProcess

VOLTAGES, FACTORS = 0x00, 0x1E
"""Two blocks of two registers on the twin's meter: 0.0 on a dead outlet, and 1.0 always."""

Change = Callable[[bytes], bytes]


@pytest.fixture(params=["rtu", "tcp", "rtu+tcp"])
def meters(request: pytest.FixtureRequest, rig: Rig, twin: Callable[..., TwinProcess]) -> Iterator[MeterRig]:
    made = MeterRig(rig, twin, {"meter": {}}, request.param)
    yield made
    made.close()


def crc16(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def opened(frame: bytes, wire: str) -> bytes:
    """Unit, function and data of an answer."""
    return frame[6:] if wire == "tcp" else frame[:-2]


def closed(body: bytes, frame: bytes, wire: str, transaction: int = 0) -> bytes:
    """The answer that says `body` instead, dressed like `frame`."""
    if wire != "tcp":
        return body + crc16(body)
    number = (int.from_bytes(frame[:2], "big") + transaction) & 0xFFFF
    return struct.pack(">HHH", number, 0, len(body)) + body


BODIES: dict[str, Change] = {
    "other unit": lambda body: b"\x02" + body[1:],
    "other function": lambda body: body[:1] + b"\x03" + body[2:],
    "fewer registers": lambda body: body[:2] + b"\x02" + body[3:5],
    "more registers": lambda body: body[:2] + b"\x06" + body[3:] + b"\0\0",
    "length that lies": lambda body: body[:2] + b"\x06" + body[3:],
    "refusal of another function": lambda body: body[:1] + b"\x83\x02",
    "refusal of another unit": lambda body: b"\x07\x84\x02",
    "function that nobody knows": lambda body: body[:1] + b"\x55" + body[2:],
}


async def ask(segment: Segment, address: int, timeout_s: float = 0.12) -> float:
    registers = (await segment.read(1, 4, address, 2, timeout_s)).registers
    return struct.unpack(">f", struct.pack(">HH", *registers))[0]


def test_what_is_not_the_answer_is_refused_and_the_next_one_is_right(meters: MeterRig) -> None:
    tap, wire = meters.tap(), meters.wire

    def spoiled(what: str, data: bytes) -> bytes:
        if what == "cut short":
            return data[:-2]
        if what == "damaged":
            return data[:4] + bytes((data[4] ^ 1,)) + data[5:]
        if what == "another transaction":
            return closed(opened(data, wire), data, wire, transaction=-1)
        return closed(BODIES[what](opened(data, wire)), data, wire)

    async def run() -> None:
        segment = Segment("meter", tap.port)
        await segment.connect()
        try:
            for what in [*BODIES, "cut short", "damaged", *(["another transaction"] if wire == "tcp" else [])]:
                tap.to_bench = lambda data, what=what: spoiled(what, data)
                with pytest.raises(NotAnswered, match="no sound answer") as caught:
                    print(what, await ask(segment, FACTORS, 0.06))
                assert caught.value.received, what
                tap.to_bench = lambda data: data
                assert await ask(segment, VOLTAGES) == 0.0, what
                assert await ask(segment, FACTORS) == 1.0, what
        finally:
            segment.close()
            await segment.closed()

    meters.rig.run(run())


def test_late_answer_is_never_the_next_ones(meters: MeterRig) -> None:
    tap = meters.tap()

    async def run() -> None:
        segment = Segment("meter", tap.port)
        await segment.connect()
        try:
            for hold_s in (0.15, 0.2, 0.25):
                tap.hold_s = hold_s
                with pytest.raises(NotAnswered):
                    await ask(segment, VOLTAGES)
                assert await ask(segment, FACTORS, 0.3) == 1.0
        finally:
            segment.close()
            await segment.closed()

    meters.rig.run(run())


def test_cancelled_request_gives_its_answer_to_nobody(meters: MeterRig) -> None:
    tap = meters.tap()

    async def run() -> float:
        segment = Segment("meter", tap.port)
        await segment.connect()
        try:
            tap.hold_s = 0.08
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(segment, VOLTAGES, 0.3), 0.02)
            return await ask(segment, FACTORS, 0.3)
        finally:
            segment.close()
            await segment.closed()

    assert meters.rig.run(run()) == 1.0


def test_refusal_is_told_with_its_code_and_costs_no_time(meters: MeterRig) -> None:
    async def run() -> None:
        segment = Segment("meter", meters.port())
        await segment.connect()
        try:
            with pytest.raises(UnitRefused, match=r"Modbus exception 2 \(illegal data address\)"):
                await segment.read(1, 4, 0x4000, 2, 2.0)
            assert await ask(segment, FACTORS) == 1.0
        finally:
            segment.close()
            await segment.closed()

    meters.rig.run(run(), 1.5)


def test_silent_unit_does_not_close_the_connection_of_the_others(meters: MeterRig) -> None:
    """The library would, on TCP, after some requests without an answer."""

    async def run() -> None:
        segment = Segment("meter", meters.port())
        await segment.connect()
        try:
            for _ in range(8):
                with pytest.raises(NotAnswered, match="unit 9: no answer"):
                    await segment.read(9, 4, VOLTAGES, 2, 0.03)
            assert segment.connected
            assert await ask(segment, FACTORS, 0.3) == 1.0
        finally:
            segment.close()
            await segment.closed()

    meters.rig.run(run())


def test_samples_stay_right_on_a_meter_that_is_late_or_noisy(meters: MeterRig) -> None:
    """Whatever happens on the wire, what is published is what the meter said."""
    rig = meters.rig
    rig.run(meters.driver(meters.port(), timeout_s=0.08, poll_s=0.05).open())
    meters.fault("meter-crc-noise", share=0.3)
    rig.run(asyncio.sleep(0.6))
    meters.fault("meter-crc-noise", on=False)
    meters.fault("meter-late", by_ms=100.0)
    rig.run(asyncio.sleep(0.6))
    meters.fault("meter-late", on=False)
    rig.run(rig.timeline.wait_for("meter.sample", timeout_s=4, since_ns=rig.rested_ns))
    samples = [event.data for event in rig.topics("meter.sample")]
    assert len({sample["energy_wh"] for sample in samples}) == 1
    assert all(sample["voltage_v"] == [0.0, 0.0, 0.0] for sample in samples)
    if meters.wire != "tcp":
        assert rig.topics("gap")
