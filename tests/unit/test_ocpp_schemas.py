"""The schemas of a version: all compile, and every fault gets the error code of its kind."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pilotbench.bench.csms.rpc import CODES_16
from pilotbench.bench.csms.schemas import Schemas, worst
from pilotbench.errors import CsmsError


@pytest.fixture(scope="module")
def v16() -> Schemas:
    return Schemas("v16")


def profile(limit: object) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit}
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
        },
    }


def start(**changes: object) -> dict[str, Any]:
    good = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}
    return {key: value for key, value in {**good, **changes}.items() if value is not ...}


def test_every_schema_of_16_compiles(v16: Schemas) -> None:
    assert v16.compile_all() == 78
    assert len(v16.actions) == 39


def test_the_ocpp_package_is_not_imported() -> None:
    code = (
        "import sys; from pilotbench.bench.csms.schemas import Schemas; s = Schemas('v16');"
        "assert s.check('Heartbeat', 'request', {}) == []; sys.exit('ocpp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tenths_of_an_ampere_fit(v16: Schemas) -> None:
    refused = [n / 10 for n in range(1, 400) if v16.check("SetChargingProfile", "request", profile(n / 10))]
    assert refused == []


@pytest.mark.parametrize(
    ("action", "payload", "code", "path", "blocking"),
    [
        ("SetChargingProfile", profile(16.15), "PropertyConstraintViolation", "chargingSchedulePeriod.0.limit", False),
        ("StartTransaction", start(idTag=...), "OccurenceConstraintViolation", "", True),
        ("StartTransaction", start(idTag=5), "TypeConstraintViolation", "idTag", True),
        ("StartTransaction", start(meterStart=1.5), "TypeConstraintViolation", "meterStart", True),
        ("StartTransaction", start(idTag="x" * 21), "PropertyConstraintViolation", "idTag", False),
        ("StartTransaction", start(timestamp="yesterday"), "PropertyConstraintViolation", "timestamp", False),
        ("StartTransaction", start(timestamp="2026-01-01T00:00:00"), "PropertyConstraintViolation", "timestamp", False),
        ("StartTransaction", start(extra=1), "FormationViolation", "", False),
        ("MeterValues", {"connectorId": 1, "meterValue": []}, "OccurenceConstraintViolation", "meterValue", True),
        (
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": "Resting"},
            "PropertyConstraintViolation",
            "status",
            False,
        ),
    ],
)
def test_a_fault_has_the_code_of_its_kind(
    v16: Schemas, action: str, payload: dict[str, Any], code: str, path: str, blocking: bool
) -> None:
    (fault,) = v16.check(action, "request", payload)
    assert CODES_16[fault.kind] == code
    assert fault.path.endswith(path)
    assert fault.blocking is blocking


def test_all_faults_are_listed_and_the_gravest_names_the_error(v16: Schemas) -> None:
    faults = v16.check("StartTransaction", "request", start(idTag="x" * 30, meterStart="7", connectorId=..., extra=1))
    codes = {CODES_16[fault.kind] for fault in faults}
    assert codes == {
        "PropertyConstraintViolation",
        "TypeConstraintViolation",
        "OccurenceConstraintViolation",
        "FormationViolation",
    }
    assert CODES_16[worst(faults)] == "TypeConstraintViolation"


def test_answers_are_checked_too(v16: Schemas) -> None:
    assert v16.check("Heartbeat", "response", {"currentTime": "2026-01-01T00:00:00Z"}) == []
    (fault,) = v16.check("Heartbeat", "response", {})
    assert fault.keyword == "required"


@pytest.mark.parametrize("payload", [None, [], "x", 5, {"connectorId": 10**40}, {"connectorId": 10**3000}])
def test_no_payload_raises(v16: Schemas, payload: object) -> None:
    assert v16.check("StartTransaction", "request", payload)


def test_a_flood_of_faults_is_cut(v16: Schemas) -> None:
    samples = [{"value": number} for number in range(100)]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": samples}]}
    assert len(v16.check("MeterValues", "request", payload)) == 10


def test_unknown_names_are_said(v16: Schemas) -> None:
    with pytest.raises(CsmsError, match="no action 'Hartbeat'"):
        v16.check("Hartbeat", "request", {})
    with pytest.raises(CsmsError, match="pip install ocpp"):
        Schemas("v9")
