"""The card presenter: what it acknowledged happened, and a card that nobody watches goes away."""

from __future__ import annotations

import time

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.pilot.frame import seal
from pilotbench.drivers.token.line import LineToken
from pilotbench.errors import ConfigError, DeviceError

from driver_rig import Rig


def opened(rig: Rig, port: str, **options: object) -> LineToken:
    cards = rig.driver("token.line", port, **options)
    rig.run(cards.open())
    return cards


def log(rig: Rig, *commands: str) -> list[dict[str, object]]:
    return [entry for entry in rig.twin.truth() if entry.get("command") in commands]


def test_a_card_reaches_the_station_and_is_taken_away_in_time(rig: Rig) -> None:
    station = rig.station = rig.twin.station()
    station.hello()
    cards = opened(rig, rig.twin.ready["cards"], hold_ms=300)
    rig.run(cards.token("04A2B3C4D5"))
    assert (station.until("token")["id"]) == "04A2B3C4D5"
    (event,) = rig.topics("stimulus")
    (shown,) = log(rig, "PRESENT")
    assert event.data == {"device": "cards", "verb": "token", "args": {"id": "04A2B3C4D5", "kind": "ISO14443"}}
    assert event.stamp.lo_ns <= shown["t_ns"] <= event.stamp.hi_ns  # type: ignore[operator]
    rig.until(lambda: len(log(rig, "removed")) == 1, "the card is taken away")
    (gone,) = log(rig, "removed")
    assert gone["why"] == "time"
    assert 300 <= (gone["t_ns"] - shown["t_ns"]) / 1e6 < 400  # type: ignore[operator]
    assert cards.state is DeviceState.ACTIVE


def test_made_safe_there_is_no_card(rig: Rig) -> None:
    cards = opened(rig, rig.twin.ready["cards"], hold_ms=60_000)
    rig.run(cards.token("04A2B3C4D5"))
    rig.run(cards.make_safe())
    assert [entry["why"] for entry in log(rig, "removed")] == ["command"]
    assert [asked.to_safe for asked in rig.gate.asked] == [False, True]


def test_its_watchdog_takes_the_card_away_and_that_is_told(rig: Rig) -> None:
    tap = rig.tap("cards")
    cards = opened(rig, tap.port, hold_ms=60_000, watchdog_ms=700)
    rig.run(cards.token("04A2B3C4D5"))
    tap.to_device = lambda data: b""
    silent_ns = time.monotonic_ns()
    rig.until(lambda: len(log(rig, "removed")) == 1, "the watchdog takes the card away")
    (gone,) = log(rig, "removed")
    assert gone["why"] == "watchdog"
    assert gone["t_ns"] < silent_ns + 1_300_000_000  # type: ignore[operator]
    rig.until(lambda: cards.state is DeviceState.DEGRADED, "it is told")
    assert rig.topics("gap")
    tap.to_device = lambda data: data
    rig.until(lambda: cards.state is DeviceState.ACTIVE, "it answers again")
    rig.run(cards.token("04FFEEDDCC"))


def test_a_lost_answer_shows_the_card_once(rig: Rig) -> None:
    tap = rig.tap("cards")
    cards = opened(rig, tap.port)
    lost: list[bytes] = []

    def lose_one(data: bytes) -> bytes:
        if not lost and b" PRESENT " in tap.written and b" OK*" in data:
            lost.append(data)
            return b""
        return data

    tap.to_bench = lose_one
    rig.run(cards.token("04A2B3C4D5"))
    assert lost
    assert len(log(rig, "PRESENT")) == 1
    assert tap.written.count(b" PRESENT ") == 2


def test_no_answer_is_an_error_and_no_stimulus(rig: Rig) -> None:
    tap = rig.tap("cards")
    cards = opened(rig, tap.port)
    tap.to_device = lambda data: b""
    with pytest.raises(DeviceError, match="may have taken effect"):
        rig.run(cards.token("04A2B3C4D5"))
    assert cards.state is DeviceState.DEGRADED
    assert not rig.topics("stimulus")


def test_a_restart_leaves_no_card_and_is_told(rig: Rig) -> None:
    cards = opened(rig, rig.twin.ready["cards"], hold_ms=60_000)
    rig.run(cards.token("04A2B3C4D5"))
    rig.twin.control(type="fault", name="reset", device="cards")
    rig.until(lambda: cards.state is DeviceState.DEGRADED, "it is told")
    assert [entry["why"] for entry in log(rig, "removed")] == ["reset"]
    rig.until(lambda: cards.state is DeviceState.ACTIVE, "found again")


@pytest.mark.parametrize("id_", ["", "a b", "a*b", "ä", "x" * 37, "a\n$2 REMOVE"])
def test_what_is_no_card_is_refused_before_anything_is_written(rig: Rig, id_: str) -> None:
    tap = rig.tap("cards")
    cards = opened(rig, tap.port)
    with pytest.raises(ConfigError, match="printable ASCII"):
        rig.run(cards.token(id_))
    assert b"PRESENT" not in tap.written
    assert not rig.gate.asked


def test_a_kind_that_it_does_not_have_is_refused(rig: Rig) -> None:
    cards = opened(rig, rig.twin.ready["cards"])
    assert cards.kinds == {"ISO14443", "ISO15693"}
    with pytest.raises(DeviceError, match="it has ISO14443, ISO15693"):
        rig.run(cards.token("04A2", kind="eMAID"))


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        ("proto=1 model=virtual serial=VP1 fw=1", "no card presenter"),
        ("proto=2 role=token model=x serial=1 fw=1 kinds=ISO14443", "version 2"),
        ("proto=1 role=token model=x serial=1 fw=1", "no kind of card"),
        ("proto=1 role=token serial=1 fw=1 kinds=ISO14443", "no 'model'"),
    ],
)
def test_another_device_or_version_is_refused(rig: Rig, identity: str, says: str) -> None:
    def answer(data: bytes) -> bytes:
        hellos = [line for line in data.split(b"\n") if b"HELLO" in line]
        return b"".join(seal(f"{line.decode().split(' ')[0]} OK {identity}") for line in hellos)

    tap = rig.tap("other", device=None, answer=answer)
    with pytest.raises(DeviceError, match=says):
        rig.run(rig.driver("token.line", tap.port, hello_timeout_s=0.5).open())


def test_a_pilot_emulator_is_no_card_presenter(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="no card presenter"):
        rig.run(rig.driver("token.line", rig.twin.ready["pilot"], hello_timeout_s=0.5).open())


@pytest.mark.parametrize("bad", [{"hold_ms": 10}, {"watchdog_ms": 100}])
def test_options_out_of_range_are_refused(rig: Rig, bad: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        rig.driver("token.line", "/dev/null", **bad)
