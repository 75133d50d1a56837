"""Whether a request repeats one that was not served, and whether the station waited (A02.FR.17-19)."""

from __future__ import annotations

import pytest
from pilotbench.bench.csms.certificates.limits import StationLimits
from pilotbench.bench.csms.certificates.renewals import Renewal, Renewals
from pilotbench.bench.csms.certificates.repeats import judged
from pilotbench.bench.csms.certificates.wishes import Wish
from pilotbench.bench.timeline import Stamp

S = 1_000_000_000
KIND = "ChargingStationCertificate"


def limits(wait_s: int | None, repeats: int | None) -> StationLimits:
    found = StationLimits()
    said = {"CertSigningWaitMinimum": wait_s, "CertSigningRepeatTimes": repeats}
    place = {"name": "SecurityCtrlr"}
    report = [
        {"component": place, "variable": {"name": name}, "variableAttribute": [{"value": str(value)}]}
        for name, value in said.items()
        if value is not None
    ]
    found.reported({"reportData": report})
    return found


def renewal(key: str, at_s: float, *, attempt: int = 0, request_id: int | None = None) -> Renewal:
    stamp = Stamp(round(at_s * S), round((at_s - 0.2) * S), round(at_s * S))
    return Renewal(
        "CP1",
        kind=KIND,
        csr="",
        key=key,
        request_id=request_id,
        stamp=stamp,
        attempt=attempt,
        wish=Wish(),
        after=None,
    )


@pytest.mark.parametrize(
    ("wait_s", "repeats", "times", "faults"),
    [
        # The waits are W, 2 W, 4 W, ...; one repetition more than there are doublings (TC_A_23_CS).
        (10, 1, [0, 10, 30], [None, None, None]),
        (10, 1, [0, 10, 29], [None, None, "SignCertificateTooSoon"]),
        (10, 1, [0, 10, 30, 70], [None, None, None, "SignCertificateTooOften"]),
        (10, 2, [0, 10, 30, 70], [None, None, None, None]),
        (10, None, [0, 9.7], [None, "SignCertificateTooSoon"]),
        # The first may have come up to 0.2 s earlier than it was stamped: not certainly too soon.
        (10, None, [0, 9.9], [None, None]),
        (None, 0, [0, 1, 2], [None, None, "SignCertificateTooOften"]),
        (None, None, [0, 1, 2], [None, None, None]),
    ],
)
@pytest.mark.parametrize("new_keys", [False, True])
def test_repetitions(
    wait_s: int | None, repeats: int | None, times: list[float], faults: list[str | None], new_keys: bool
) -> None:
    known, earlier, found = limits(wait_s, repeats), [], []
    for number, at_s in enumerate(times):
        key = f"key{number if new_keys else 0}"
        stamp = Stamp.host(round(at_s * S))
        repeat = judged(earlier, key, None, asked=False, stamp=stamp, limits=known)
        assert repeat.attempt == number
        found.append(repeat.fault[0] if repeat.fault else None)
        earlier.append(renewal(key, at_s, attempt=repeat.attempt))
    # With a new key a request that may not be a repetition yet is a second one.
    unknown = ["SecondSignCertificate" if number else None for number in range(len(times))]
    early = ["SecondSignCertificate" if fault == "SignCertificateTooSoon" else fault for fault in faults]
    assert found == ((unknown if wait_s is None else early) if new_keys else faults)


def test_what_was_asked_for_repeats_nothing() -> None:
    earlier = [renewal("a", 0.0)]
    repeat = judged(earlier, "b", None, asked=True, stamp=Stamp.host(S), limits=limits(60, 0))
    assert (repeat.attempt, repeat.fault) == (0, None)


def test_ids_of_their_own_make_no_repetition_and_one_that_is_used_twice_does() -> None:
    earlier = [renewal("a", 0.0, request_id=1)]
    other = judged(earlier, "b", 2, asked=False, stamp=Stamp.host(S), limits=limits(60, 0))
    assert (other.attempt, other.fault) == (0, None)
    same = judged(earlier, "b", 1, asked=False, stamp=Stamp.host(S), limits=limits(None, None))
    assert same.fault is not None
    assert "under the id 1" in same.fault[1]


def test_those_that_were_never_served_are_remembered_and_not_for_ever() -> None:
    book = Renewals()
    for number in range(500):
        book.add(renewal(f"key{number}", float(number)))
        book.open()[-1].finish()
    left = book.unanswered("CP1", KIND)
    assert [one.key for one in left][-2:] == ["key498", "key499"]
    assert len(left) <= 101
    book.served(renewal("key499", 500.0))
    # Without ids one certificate is what all of them waited for.
    assert book.unanswered("CP1", KIND) == []


@pytest.mark.parametrize(
    ("action", "asked", "answer", "size"),
    [
        (
            "GetVariables",
            {},
            {
                "getVariableResult": [
                    {
                        "attributeStatus": "Accepted",
                        "attributeValue": "5600",
                        "component": {"name": "securityctrlr"},
                        "variable": {"name": "MAXCERTIFICATECHAINSIZE"},
                    }
                ]
            },
            5600,
        ),
        (
            "GetVariables",
            {},
            {
                "getVariableResult": [
                    {
                        "attributeStatus": "Rejected",
                        "attributeValue": "5600",
                        "component": {"name": "SecurityCtrlr"},
                        "variable": {"name": "MaxCertificateChainSize"},
                    }
                ]
            },
            None,
        ),
        (
            "GetConfiguration",
            {},
            {"configurationKey": [{"key": "CertificateSignedMaxChainSize", "readonly": True, "value": "4000"}]},
            4000,
        ),
        (
            "ChangeConfiguration",
            {"key": "CertificateSignedMaxChainSize", "value": "100"},
            {"status": "Rejected"},
            None,
        ),
        ("GetConfiguration", {}, {"configurationKey": [{"key": "CertificateSignedMaxChainSize", "value": "x"}]}, None),
    ],
)
def test_bounds_are_learnt_from_any_reading(
    action: str, asked: dict[str, str], answer: dict[str, object], size: int | None
) -> None:
    found = StationLimits()
    found.answered(action, dict(asked), answer)
    assert found.chain_size == size


def test_what_is_written_counts_when_the_station_accepts_it() -> None:
    place = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "CertSigningWaitMinimum"}}
    found = StationLimits()
    for value, status in (("30", "Accepted"), ("40", "Rejected")):
        data = {"setVariableData": [{**place, "attributeValue": value}]}
        found.answered("SetVariables", data, {"setVariableResult": [{**place, "attributeStatus": status}]})
    assert found.wait_s == 30
