"""The EV driver: cyclic command, counters, silence, and what an adapter may mix into its stream."""

from __future__ import annotations

import asyncio
import re
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import CONFIGS, Rig

STATUS = re.compile(rb"t2018([0-9A-F]{16})\r")
COMMAND = re.compile(rb"t2008([0-9A-F]{16})\r")


def test_command_is_cyclic_and_its_counter_has_no_holes(rig: Rig) -> None:
    tap = rig.tap("can")
    ev = rig.driver("ev.dbc", tap.port)
    rig.run(ev.open())
    rig.run(ev.command(plugged=True, max_current_a=16.0, charge=True))
    rig.until(lambda: len(COMMAND.findall(tap.written)) >= 12, "twelve command frames")
    frames = [bytes.fromhex(found.decode()) for found in COMMAND.findall(tap.written)]
    counters = [frame[0] & 0x0F for frame in frames]
    assert [(b - a) % 16 for a, b in pairwise(counters)] == [1] * (len(counters) - 1)
    assert [frames[0][0] >> 4, int.from_bytes(frames[0][1:3], "little")] == [0, 0], "it begins with the safe command"
    assert [frames[-1][0] >> 4, int.from_bytes(frames[-1][1:3], "little")] == [0b0101, 160]


def test_channel_is_opened_once(rig: Rig) -> None:
    tap = rig.tap("can")
    rig.run(rig.driver("ev.dbc", tap.port).open())
    assert tap.written.startswith(b"\rC\rS6\rO\rV\rN\rF\rt200")


def test_command_is_an_event_only_when_it_changes(rig: Rig) -> None:
    ev = rig.driver("ev.dbc", rig.twin.ready["can"])
    rig.run(ev.open())

    async def commands() -> None:
        await ev.command(max_current_a=16.0)
        await ev.command(max_current_a=16.0)
        await ev.command(max_current_a=0)

    rig.run(commands())
    assert [event.data["max_current_a"] for event in rig.topics("ev.command")] == [0.0, 16.0, 0.0]
    assert len(rig.topics("stimulus")) == 3
    assert [asked.to_safe for asked in rig.gate.asked] == [True, False, False, True]


def test_status_is_told_at_least_twice_a_second(rig: Rig) -> None:
    rig.run(rig.driver("ev.dbc", rig.twin.ready["can"]).open())
    rig.until(lambda: len(rig.topics("ev.status")) >= 5, "five reports of a vehicle whose values do not change")
    stamps = [event.stamp.order_ns for event in rig.topics("ev.status")]
    assert stamps[-1] - stamps[0] < 4 * 750_000_000


def test_missing_frames_are_a_gap(rig: Rig) -> None:
    tap = rig.tap("can")
    rig.run(rig.driver("ev.dbc", tap.port).open())
    dropped: list[bytes] = []

    def drop_two(data: bytes) -> bytes:
        if STATUS.search(data) and len(dropped) < 2:
            dropped.append(data)
            return b""
        return data

    tap.to_bench = drop_two
    gap = rig.run(rig.timeline.wait_for("gap", timeout_s=3, since_ns=rig.rested_ns))
    assert "2 EV_Status frames of can are missing" in gap.data["why"]
    assert 90_000_000 < gap.data["to_ns"] - gap.data["from_ns"] < 400_000_000


def test_silence_degrades_and_its_end_is_told(rig: Rig) -> None:
    tap = rig.tap("can")
    ev = rig.driver("ev.dbc", tap.port)
    rig.run(ev.open())
    tap.to_bench = lambda data: b""
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "DEGRADED", timeout_s=2, since_ns=rig.rested_ns
        )
    )
    tap.to_bench = lambda data: data
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "ACTIVE", timeout_s=2, since_ns=rig.rested_ns
        )
    )
    whys = [event.data["why"] for event in rig.topics("gap")]
    assert whys == ["no EV_Status of can for 500 ms", "EV_Status of can was silent and is back"]
    assert ev.state is DeviceState.ACTIVE


def test_bel_between_frames_costs_no_frame(rig: Rig) -> None:
    tap = rig.tap("can")
    rig.run(rig.driver("ev.dbc", tap.port).open())
    tap.to_bench = lambda data: b"\a" + data
    before = len(rig.topics("ev.status"))
    rig.until(lambda: len(rig.topics("ev.status")) >= before + 2, "two more reports")
    assert not rig.topics("gap")


def test_damaged_frame_is_a_gap(rig: Rig) -> None:
    tap = rig.tap("can")
    rig.run(rig.driver("ev.dbc", tap.port).open())
    once = iter([b"t201XYZ\r"])
    tap.to_bench = lambda data: next(once, b"") + data
    gap = rig.run(rig.timeline.wait_for("gap", timeout_s=2, since_ns=rig.rested_ns))
    assert "damaged frame 't201XYZ'" in gap.data["why"]


def test_adapter_without_a_simulator_behind_it(rig: Rig) -> None:
    tap = rig.tap("can")
    tap.to_bench = lambda data: STATUS.sub(b"", data)
    with pytest.raises(DeviceError, match="the SLCAN adapter answers, but no status frame"):
        rig.run(rig.driver("ev.dbc", tap.port, answer_timeout_s=0.3).open())


def test_bound_of_the_dbc_file(rig: Rig) -> None:
    ev = rig.driver("ev.dbc", rig.twin.ready["can"])
    rig.run(ev.open())
    with pytest.raises(ConfigError, match=r"outside 0\.\.6553\.5 A"):
        rig.run(ev.command(max_current_a=7000.0))


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (None, {"send": {"charge": "EV_Comand.ChargeEnable"}}, "did you mean 'EV_Command'"),
        (None, {"receive": {"soc_pct": "EV_Status.SOC"}}, "no signal 'SOC'"),
        ("BO_ nonsense", {}, "is no DBC file"),
    ],
)
def test_wrong_dbc_is_named(rig: Rig, tmp_path: Path, text: str | None, options: dict[str, Any], says: str) -> None:
    dbc = CONFIGS / "ev" / "pilotbench-ev.dbc"
    if text is not None:
        dbc = tmp_path / "bad.dbc"
        dbc.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        rig.run(rig.driver("ev.dbc", rig.twin.ready["can"], dbc=dbc, **options).open())
    assert caught.value.file == str(dbc)


def test_a_pump_that_hangs_keeps_up_no_orders(rig: Rig) -> None:
    tap = rig.tap("can")
    ev = rig.driver("ev.dbc", tap.port)
    rig.run(ev.open())
    rig.until(lambda: len(COMMAND.findall(tap.written)) >= 3, "command frames")
    on = threading.Event()
    receive = ev._wire.receive

    def hang() -> object:
        """As in a driver of the kernel that does not come back."""
        on.wait(10.0)
        return receive()

    ev._wire.receive = hang
    rig.run(asyncio.sleep(0.5))  # the 200 ms for which a pump may be late, and then some
    sent = len(COMMAND.findall(tap.written))
    rig.run(asyncio.sleep(0.5))
    assert len(COMMAND.findall(tap.written)) == sent
    on.set()
    rig.until(lambda: len(COMMAND.findall(tap.written)) > sent, "command frames again")
