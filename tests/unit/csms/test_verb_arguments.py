"""What a test may get wrong in the arguments of a verb is told in words, and never sent as something else."""

from __future__ import annotations

from typing import Any

import pytest
from pilotbench.bench.csms.schemas import Schemas
from pilotbench.bench.csms.v2x.verbs_charging import profile as profile_2x
from pilotbench.bench.csms.v16.verbs_charging import profile as profile_16
from pilotbench.bench.csms.verbs.wire import hashes, list_entries, number_of, operational
from pilotbench.bench.misbehave_facade import LinkFacade
from pilotbench.errors import CsmsError

PROFILES = [profile_16, profile_2x]


@pytest.mark.parametrize("word", ["Inoperative", "False", 0, None])
def test_a_text_is_not_taken_for_in_service(word: Any) -> None:
    with pytest.raises(CsmsError, match=r"True \(operative\) or False"):
        operational(word)
    assert [operational(True), operational(False)] == ["Operative", "Inoperative"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_limit_is_a_number_from_0(profile: Any) -> None:
    for bad in ("10 A", True, float("nan"), float("inf"), None):
        with pytest.raises(CsmsError, match="without its unit"):
            profile(bad, "default")
    with pytest.raises(CsmsError, match="below 0"):
        profile(-3, "default")
    assert profile(0, "default")
    assert number_of(-3) == -3, "a set point may discharge"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_purpose_that_is_none_is_told_with_those_there_are(profile: Any) -> None:
    with pytest.raises(CsmsError, match="'station', 'default', 'transaction'"):
        profile(10, "Default")


def test_an_entry_of_the_local_list_is_a_token_or_a_table() -> None:
    with pytest.raises(CsmsError, match="entry 2 of the local list is 5"):
        list_entries(["A", 5])  # type: ignore[list-item]


def test_an_action_that_a_version_lacks_is_told_with_the_nearest() -> None:
    with pytest.raises(CsmsError, match=r"OCPP 1\.6 has no action 'reset' \(did you mean 'Reset'\?\)"):
        Schemas("v16").schema("reset", "request")
    with pytest.raises(CsmsError, match=r"OCPP 2\.1 has no action 'ChangeConfiguration'"):
        Schemas("v21", "Request").schema("ChangeConfiguration", "request")


def test_a_certificate_is_named_by_an_entry_of_the_list() -> None:
    with pytest.raises(CsmsError, match="an entry of list_certificates"):
        hashes("zz", ("serialNumber",))  # type: ignore[arg-type]
    assert hashes({"serialNumber": "1", "use": "csms"}, ("serialNumber",)) == {"serialNumber": "1"}


def test_a_raw_text_is_a_text() -> None:
    with pytest.raises(CsmsError, match="give it a str, not bytes"):
        LinkFacade(None).send_raw(b"[2]")  # type: ignore[arg-type]
