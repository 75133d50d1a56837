"""Settings that a case gives a station, and what becomes of them when the case breaks off."""

from __future__ import annotations

from typing import Any

import pytest
from pilotbench.bench.catalogue.steps import settings
from pilotbench.errors import CsmsError, StationTimeout

from hosts import Starts

KEY, FIXED = "MinimumStatusDuration", "NumberOfConnectors"
GIVEN = {KEY: "7", FIXED: "5", "NoSuchKey": "5"}


def breaks_off(csms: Any, error: BaseException, *, away: bool = False) -> None:
    """A case that gives its settings, may lose the station, and ends by an error."""
    with settings(csms, v16=GIVEN):
        if away:
            link = csms.link()
            link.blackhole("60 s")
            link.reset()
        raise error


def test_a_station_gets_back_what_it_had_and_its_absence_takes_nobodys_place(starts: Starts) -> None:
    csms = starts().csms
    had = csms.get_variables([KEY, FIXED])
    with settings(csms, v16=GIVEN) as given:
        assert given
        assert csms.get_variables([KEY, FIXED]) == {**had, KEY: "7"}
    assert csms.get_variables([KEY, FIXED]) == had

    with pytest.raises(StationTimeout, match="no boot"):
        breaks_off(csms, StationTimeout("no boot"))
    assert csms.get_variables([KEY, FIXED]) == had

    lost = CsmsError("no boot")
    with pytest.raises(CsmsError, match="no boot"):
        breaks_off(csms, lost, away=True)
    assert [note for note in lost.__notes__ if f"may have kept {KEY} of this case" in note]


def test_a_stop_stays_a_stop_when_the_station_is_away(starts: Starts) -> None:
    """The bench is made safe for it, at once."""
    csms = starts().csms
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        breaks_off(csms, KeyboardInterrupt("SIGTERM"), away=True)
