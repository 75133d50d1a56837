"""The identifiers a back end knows: how they are found, what is said of them, and what a wrong list says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.csms.tokens import Token, TokenStore
from pilotbench.errors import CsmsError

START = datetime(2026, 11, 21, 10, tzinfo=UTC)


class Wall:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


def test_without_a_list_every_one_is_accepted_but_those_that_were_blocked() -> None:
    store = TokenStore(None)
    assert store.decide("ANY").accepted
    store.block("any")
    assert store.decide("ANY").status == "Blocked"
    store.remove("ANY")
    assert store.decide("ANY").accepted


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20))
def test_ids_are_compared_without_case(name: str) -> None:
    store = TokenStore([name])
    assert store.decide(name.swapcase()).accepted
    assert store.decide(name.swapcase(), "ISO14443").accepted
    assert store.decide(f"{name}-").status == "Unknown"


def test_a_type_that_is_named_must_fit() -> None:
    store = TokenStore([{"id": "A", "type": "eMAID"}, {"id": "A", "type": "ISO14443", "status": "Blocked"}, "B"])
    assert store.decide("a", "EMAID").accepted
    assert store.decide("a", "ISO14443").status == "Blocked"
    assert store.decide("a", "Central").status == "Unknown"
    assert store.decide("b", "Central").accepted
    assert store.decide("A").accepted, "1.6 names no type: the first of that id"


def test_a_key_code_that_is_not_known_is_invalid_and_no_authorization_is_accepted() -> None:
    store = TokenStore(["1234"])
    assert store.decide("4321", "KeyCode").status == "Invalid"
    assert store.decide("1234", "KeyCode").accepted
    assert store.decide("", "NoAuthorization").accepted


def test_a_token_expires_at_its_time_and_not_before() -> None:
    wall = Wall()
    store = TokenStore([{"id": "A", "expires": "2026-11-21T12:00:00+01:00"}], now=wall)
    wall.at = START + timedelta(minutes=59)
    assert store.decide("A").accepted
    wall.at = START + timedelta(minutes=60)
    assert store.decide("A").status == "Expired"
    store.change("A", expires="2026-11-21T13:00:00Z")
    assert store.decide("A").accepted
    store.change("A", status="Blocked")
    wall.at = START + timedelta(days=1)
    assert store.decide("A").status == "Blocked"


def test_how_long_an_answer_may_be_kept() -> None:
    store = TokenStore(["A", {"id": "B", "expires": "2027-01-01T00:00:00Z"}, {"id": "C", "cache": False}], now=Wall())
    assert [store.cache_until(store.find(name)) for name in "ABC"] == [
        None,
        "2027-01-01T00:00:00Z",
        "2026-11-21T10:00:00.000Z",
    ]


def test_a_change_keeps_what_it_does_not_name() -> None:
    store = TokenStore([{"id": "A", "type": "eMAID", "group": "G", "priority": 3}])
    fresh = store.change("a", status="NoCredit")
    assert (fresh.id, fresh.type, fresh.group, fresh.priority) == ("A", "eMAID", "G", 3)
    assert store.decide("A", "eMAID").status == "NoCredit"
    assert len(store.tokens) == 1


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"id": "A", "staus": "Blocked"}, "did you mean 'status'"),
        ({"id": "A", "status": "Fine"}, "status"),
        ({"id": ""}, "needs an id"),
        ({"id": "A", "expires": "tomorrow"}, "tomorrow"),
        ({"id": "A", "expires": "2026-11-21T10:00:00"}, "no offset"),
        ({"id": "A", "priority": 10}, "-9 to 9"),
        ({"id": "A", "languages": ["de", "en", "nl"]}, "two languages"),
        ({"id": "A", "evses": [0]}, "count from 1"),
        ({"id": "A", "limit": {"max_enrgy": 1}}, "max_enrgy"),
    ],
)
def test_an_entry_that_does_not_fit_says_what_is_wrong(entry: dict[str, object], says: str) -> None:
    with pytest.raises(CsmsError, match=says):
        TokenStore([entry])


def test_a_token_is_listed_once_and_one_that_is_not_listed_cannot_be_removed() -> None:
    with pytest.raises(CsmsError, match="twice"):
        TokenStore(["A", Token(id="a")])
    with pytest.raises(CsmsError, match="did you mean 'TAG-1'"):
        TokenStore(["TAG-1"]).remove("TAG-2")
