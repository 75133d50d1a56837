"""Charging profiles of the simulated station: stacking, combining, validity, units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pilotbench.bench.twin.station.profiles import Profile, Profiles
from pilotbench.bench.twin.station.v16.config import Config

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def data(limit: float, *, purpose: str = "TxDefaultProfile", level: int = 0, number: int = 1, **more: Any) -> Any:
    schedule = {
        "chargingRateUnit": more.pop("unit", "A"),
        "chargingSchedulePeriod": more.pop("periods", [{"startPeriod": 0, "limit": limit}]),
    }
    for key in ("duration", "startSchedule"):
        if key in more:
            schedule[key] = more.pop(key)
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": more.pop("kind", "Absolute"),
        "chargingSchedule": schedule,
        **more,
    }


def profiles(*installed: tuple[int, Any]) -> Profiles:
    all_of_them = Profiles()
    for connector, one in installed:
        all_of_them.install(Profile.parse(connector, one, phases=3))
    return all_of_them


def test_nothing_installed_says_nothing() -> None:
    assert Profiles().limit_a(NOW, NOW) is None


def test_the_highest_level_prevails_and_the_station_limit_caps_it() -> None:
    stack = profiles((1, data(10.0)), (1, data(20.0, level=1, number=2)))
    assert stack.limit_a(NOW, NOW) == 20.0
    stack.install(Profile.parse(0, data(16.0, purpose="ChargePointMaxProfile", number=3), phases=3))
    assert stack.limit_a(NOW, NOW) == 16.0


def test_tx_profile_overrules_the_default_until_the_transaction_ends() -> None:
    stack = profiles((0, data(10.0)), (1, data(25.0, purpose="TxProfile", number=2)))
    assert stack.limit_a(NOW, NOW) == 25.0
    assert stack.limit_a(NOW, None) == 10.0
    stack.end_transaction()
    assert stack.limit_a(NOW, NOW) == 10.0


def test_a_default_of_the_connector_replaces_the_one_of_connector_0() -> None:
    assert profiles((0, data(10.0)), (1, data(20.0, number=2))).limit_a(NOW, None) == 20.0


def test_same_place_is_replaced() -> None:
    stack = profiles((1, data(10.0, level=1)), (1, data(20.0, level=1, number=2)))
    assert stack.clear(1, None, None, None) is False
    assert stack.limit_a(NOW, None) == 20.0


def test_validity_and_duration_fall_back_to_the_level_below() -> None:
    later = (NOW + timedelta(hours=1)).isoformat()
    stack = profiles(
        (1, data(10.0)),
        (1, data(20.0, level=1, number=2, validFrom=later)),
        (1, data(6.0, level=2, number=3, startSchedule=NOW.isoformat(), duration=60)),
    )
    assert stack.limit_a(NOW, None) == 6.0
    assert stack.limit_a(NOW + timedelta(minutes=2), None) == 10.0
    assert stack.limit_a(NOW + timedelta(hours=2), None) == 20.0


def test_periods_relative_and_recurring() -> None:
    periods = [{"startPeriod": 0, "limit": 32.0}, {"startPeriod": 100, "limit": 8.0}]
    relative = profiles((1, data(0, kind="Relative", periods=periods)))
    assert relative.limit_a(NOW, NOW - timedelta(seconds=99)) == 32.0
    assert relative.limit_a(NOW, NOW - timedelta(seconds=100)) == 8.0
    start = (NOW - timedelta(days=3, seconds=120)).isoformat()
    daily = profiles((1, data(0, kind="Recurring", recurrencyKind="Daily", startSchedule=start, periods=periods)))
    assert daily.limit_a(NOW, None) == 8.0
    assert daily.limit_a(NOW - timedelta(seconds=60), None) == 32.0


def test_watt_are_divided_over_the_phases() -> None:
    assert profiles((1, data(11_040.0, unit="W"))).limit_a(NOW, None) == pytest.approx(16.0)
    one = [{"startPeriod": 0, "limit": 3680.0, "numberPhases": 1}]
    assert profiles((1, data(0, unit="W", periods=one))).limit_a(NOW, None) == pytest.approx(16.0)


def test_clear_by_criteria() -> None:
    stack = profiles((1, data(10.0)), (0, data(16.0, purpose="ChargePointMaxProfile", number=2)))
    assert stack.clear(None, None, "TxDefaultProfile", None)
    assert stack.limit_a(NOW, None) == 16.0
    assert stack.clear(None, None, None, None)
    assert not stack.clear(None, None, None, None)


def test_composite_schedule() -> None:
    periods = [{"startPeriod": 0, "limit": 40.0}, {"startPeriod": 10, "limit": 8.0}]
    stack = profiles((1, data(0, startSchedule=NOW.isoformat(), periods=periods)))
    assert stack.schedule(NOW, 60, None, 32.0) == [(0, 32.0), (10, 8.0)]


@pytest.mark.parametrize(
    ("connector", "bad"),
    [
        (1, data(10.0, purpose="ChargePointMaxProfile")),
        (0, data(10.0, purpose="TxProfile")),
        (1, data(10.0, level=99)),
        (1, data(10.0, kind="Recurring")),
        (1, data(10.0, periods=[{"startPeriod": 5, "limit": 1.0}])),
    ],
)
def test_what_is_refused(connector: int, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"needs|belongs|above"):
        profiles((connector, bad))


def test_configuration_keys() -> None:
    config = Config()
    assert config.change("HeartbeatInterval", "7") == "Accepted"
    assert config.whole("HeartbeatInterval") == 7
    assert config.change("HeartbeatInterval", "-1") == "Rejected"
    assert config.change("NumberOfConnectors", "2") == "Rejected"
    assert config.change("AuthorizationCacheEnabled", "true") == "Rejected"
    assert config.change("WebSocketPingInterval", "30") == "RebootRequired"
    assert config.change("Colour", "red") == "NotSupported"
    assert config.change("MeterValuesSampledData", "SoC") == "Rejected"
    known, unknown = config.report(["HeartbeatInterval", "Colour"])
    assert known == [{"key": "HeartbeatInterval", "readonly": False, "value": "7"}]
    assert unknown == ["Colour"]
