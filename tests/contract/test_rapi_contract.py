"""The RAPI monitor: every answer belongs to its own question, and nothing but reading passes without the gate."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pilotbench.bench.timeline import ClosedGate, Stimulus
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.evse.rapi import RapiMonitor
from pilotbench.drivers.evse.rapi_reading import EMPTY
from pilotbench.errors import ConfigError, DeviceError, SafetyError

from driver_rig import Rig
from rapi_station import effects
from twin_client import TwinProcess


class OneGroup:
    """Permits RAPI commands of one group."""

    def __init__(self, group: str) -> None:
        self.group = group

    def permit(self, stimulus: Stimulus) -> None:
        if stimulus.verb != "rapi" or stimulus.args["group"] != self.group:
            raise SafetyError(f"refused: {stimulus.args}")


@pytest.fixture
def rig(rig: Rig, twin: Callable[..., TwinProcess]) -> Rig:
    """In front of an outlet with mains."""
    rig.use(twin(devices={"pilot": {"kind": "pilot.line"}, "rapi": {"kind": "evse.rapi"}}))
    return rig


def opened(rig: Rig, port: str, **options: object) -> RapiMonitor:
    monitor = rig.driver("evse.rapi", port, **options)
    rig.run(monitor.open())
    return monitor


def last(rig: Rig, via: str) -> dict[str, object]:
    return next(event.data for event in reversed(rig.topics("evse.monitor")) if event.data["via"] == via)


def test_a_session_as_the_station_sees_it(rig: Rig) -> None:
    station = rig.station = rig.twin.station()
    station.hello()
    station.send(type="set", evse=1, pwm_pct=100)
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    rig.run(pilot.open())
    opened(rig, rig.twin.ready["rapi"], poll_s=0.2)
    assert (last(rig, "poll")["state"], last(rig, "poll")["limit_a"]) == ("A", 32)
    rig.run(pilot.resistor("B"))
    station.send(type="set", evse=1, pwm_pct=26.67)
    rig.until(lambda: last(rig, "poll")["limit_a"] == 16, "16 A are offered")
    rig.run(pilot.resistor("C"))
    station.send(type="set", evse=1, contactor=True)
    rig.until(lambda: last(rig, "AT")["flags"] == ["relay-closed", "ev-connected"], "the relay is told")
    rig.until(lambda: last(rig, "poll")["state"] == "C", "state C is polled")
    seen = last(rig, "poll")
    assert set(seen) == set(EMPTY)
    assert seen["voltage_v"] == pytest.approx(230, abs=5)
    assert seen["temperatures_c"] == [25.0, None, None]
    told = [event.data["state"] for event in rig.topics("evse.monitor") if event.data["via"] == "AT"]
    assert told[-2:] == ["C", "C"]
    assert not rig.topics("gap")


def test_a_late_answer_is_nobodys(rig: Rig) -> None:
    """An answer that comes after its time is not taken for that of the next question."""
    monitor = opened(rig, rig.twin.ready["rapi"], poll_s=3600, timeout_s=0.2)
    rig.twin.control(type="fault", name="slow", device="rapi", delay_ms=350)
    with pytest.raises(DeviceError, match="did not answer within 200 ms"):
        rig.run(monitor.command("GC"))
    rig.twin.control(type="fault", name="slow", on=False, device="rapi")
    for _ in range(20):
        assert len(rig.run(monitor.command("GG"))) == 2
    strays = [gap for gap in rig.topics("gap") if "an answer to nothing" in gap.data["why"]]
    assert len(strays) == 1
    assert "$OK 6 32 32 32 :" in strays[0].data["why"]


def test_damage_is_a_gap_and_never_data(rig: Rig) -> None:
    tap = rig.tap("rapi")
    monitor = opened(rig, tap.port, poll_s=0.2, timeout_s=0.1)
    tap.to_bench = lambda data: data.replace(b"230000", b"999000")
    rig.until(lambda: monitor.state is DeviceState.DEGRADED, "it is told")
    tap.to_bench = lambda data: data
    rig.until(lambda: monitor.state is DeviceState.ACTIVE, "it is well again")
    assert any("checksum wrong" in gap.data["why"] for gap in rig.topics("gap"))
    assert {event.data["voltage_v"] for event in rig.topics("evse.monitor")} <= {230.0, None}


def test_a_request_that_arrives_damaged_is_asked_again(rig: Rig) -> None:
    tap = rig.tap("rapi")
    monitor = opened(rig, tap.port, poll_s=0.2, timeout_s=0.1)
    hit: list[bytes] = []

    def damage_one(data: bytes) -> bytes:
        if b"$GU" in data and not hit:
            hit.append(data)
            return data.replace(b"$GU", b"$GX")
        return data

    tap.to_device = damage_one
    rounds = len(rig.topics("evse.monitor"))
    rig.until(lambda: len(rig.topics("evse.monitor")) >= rounds + 3 and bool(hit), "three rounds")
    assert monitor.state is DeviceState.ACTIVE
    assert any("Asking once more" in gap.data["why"] for gap in rig.topics("gap"))


def test_without_ammeter_and_mcu_id(rig: Rig, twin: Callable[..., TwinProcess]) -> None:
    rig.use(twin("bare", devices={"rapi": {"kind": "evse.rapi", "mcu_id": "", "ammeter": False}}))
    monitor = opened(rig, rig.twin.ready["rapi"])
    assert monitor.identity == {"model": "OpenEVSE", "firmware": "8.2.1", "protocol": "5.2.1"}
    assert last(rig, "poll")["current_a"] is None


def test_a_boot_is_told(rig: Rig) -> None:
    opened(rig, rig.twin.ready["rapi"])
    mark = time.monotonic_ns()  # it may be read before anybody waits for it
    rig.twin.control(type="fault", name="boot", device="rapi", post_code=8)
    told = rig.timeline.wait_for("evse.monitor", lambda e: e.data["via"] == "AB", timeout_s=2, since_ns=mark)
    event = rig.run(told)
    assert (event.data["post_code"], event.data["firmware"]) == ("08", "8.2.1")


def test_a_station_without_mains_is_silent_and_degraded(rig: Rig) -> None:
    monitor = opened(rig, rig.twin.ready["rapi"], poll_s=0.2, timeout_s=0.1)
    rig.twin.control(type="mains", on=False)
    rig.until(lambda: monitor.state is DeviceState.DEGRADED, "it is told")
    rig.twin.control(type="mains", on=True)
    rig.until(lambda: monitor.state is DeviceState.ACTIVE, "it is back")


SPELLINGS = ["{}", " {} ", "${}", "{} :2A", "${}\r"]


@pytest.mark.parametrize(
    ("text", "group", "harm"),
    [("FF D 0", "safety", "safety"), ("SC 32 M", "one-time", "one-time"), ("FD", "plain", "sets")],
)
def test_a_group_passes_only_with_permission_for_exactly_that_group(rig: Rig, text: str, group: str, harm: str) -> None:
    tap, gate = rig.tap("rapi"), OneGroup("none")
    monitor = opened(rig, tap.port, gate=gate, poll_s=3600)
    for permitted in ("plain", "one-time", "safety"):
        gate.group = permitted
        for spelling in SPELLINGS:
            tap.written = b""
            dressed = spelling.format(text.lower())
            if permitted == group:
                try:
                    rig.run(monitor.command(dressed))
                except DeviceError as error:
                    assert "NK" in str(error)  # noqa: PT017 - the second writing of what can be written once
                assert effects(tap.written) == {harm}
            else:
                with pytest.raises(SafetyError, match="refused"):
                    rig.run(monitor.command(dressed))
                assert not tap.written


def test_a_driver_without_gate_reads_and_does_nothing_else(rig: Rig) -> None:
    tap = rig.tap("rapi")
    monitor = opened(rig, tap.port, gate=ClosedGate(), poll_s=3600)
    assert rig.run(monitor.command("gv")) == ("8.2.1", "5.2.1")
    for text in ("FE", "SC 16 V", "FF G 0", "SC 6 M", "XY 1"):
        with pytest.raises(SafetyError, match="read-only"):
            rig.run(monitor.command(text))
    for text in ("GS\rFE", "GS$FF D 0", "GS^30\r$FF D 0", ""):
        with pytest.raises(DeviceError, match="no single RAPI command"):
            rig.run(monitor.command(text))
    assert effects(tap.written) == {"reads"}
    assert not rig.topics("stimulus")
    assert not [entry for entry in rig.twin.truth() if entry.get("device") == "rapi"]


def test_what_was_done_is_a_stimulus_even_when_it_was_refused(rig: Rig) -> None:
    """The greatest current is set when more was asked for, and the answer is NK."""
    monitor = opened(rig, rig.twin.ready["rapi"])
    assert rig.run(monitor.command("SC 16 V")) == ("16",)
    with pytest.raises(DeviceError, match="refused it"):
        rig.run(monitor.command("SC 99"))
    assert [event.data["args"]["command"] for event in rig.topics("stimulus")] == ["SC 16 V", "SC 99"]
    log = [entry for entry in rig.twin.truth() if entry.get("device") == "rapi"]
    assert [(entry["command"], entry["configured_a"]) for entry in log] == [("SC 16 V", 16), ("SC 99", 32)]
    for event, entry in zip(rig.topics("stimulus"), log, strict=True):
        assert event.stamp.lo_ns <= entry["t_ns"] <= event.stamp.hi_ns


@pytest.mark.parametrize("bad", [{"poll_s": 0.01}, {"timeout_s": 60}, {"age_s": -1}])
def test_options_out_of_range_are_refused(rig: Rig, bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        rig.driver("evse.rapi", "/dev/null", **bad)
