"""The back end as a test has it: every verb, with the same arguments, waited for from another thread."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench.csms.verbs import Verbs
from pilotbench.bench.csms_facade import CsmsFacade
from pilotbench.errors import CsmsError, StationTimeout

import schema_samples as samples
from verb_calls import CALLS, SUBPROTOCOLS, TX, Agreeing

Play = Callable[..., Any]
OF_THE_LINK = {"identify", "read_back"}
SENDS = {
    "1.6": ["RemoteStartTransaction", "GetDiagnostics", "ReserveNow", "DataTransfer"],
    "2.0.1": ["RequestStartTransaction", "GetLog", "SetVariableMonitoring", "SetDisplayMessage"],
    "2.1": ["RequestStartTransaction", "GetLog", "UpdateDynamicSchedule", "SetDefaultTariff"],
}
OF_THE_TEST = {"remote_stop", "set_limit"}


class Host:
    """A bench with a back end and nothing else."""

    def __init__(self, rig: Any, open_tx: Any) -> None:
        station = SimpleNamespace(id="CP1")
        file, opened = SimpleNamespace(station=station), {1: open_tx}
        self.bench: Any = SimpleNamespace(csms=rig.csms, file=file, open_transaction=opened.get)
        self._loop = asyncio.get_running_loop()

    def call(self, work: Any, timeout_s: float = 10.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)


def test_every_verb_is_there_with_its_own_arguments() -> None:
    words = {name for name in dir(Verbs) if not name.startswith("_")} - OF_THE_LINK
    for word in words - OF_THE_TEST:
        assert inspect.signature(getattr(CsmsFacade, word)) == inspect.signature(getattr(Verbs, word)), word
        assert getattr(CsmsFacade, word).__doc__
    for word in OF_THE_TEST:
        wanted = set(inspect.signature(getattr(Verbs, word)).parameters)
        assert wanted <= set(inspect.signature(getattr(CsmsFacade, word)).parameters)


@pytest.mark.parametrize("version", SUBPROTOCOLS)
def test_a_test_asks_in_the_same_words_in_every_version(play: Play, version: str) -> None:
    tx = TX[version]

    def asks(csms: CsmsFacade) -> None:
        assert csms.reset().accepted
        assert csms.get_variables()
        assert csms.call("ClearCache", {}) == {"status": "Accepted"}
        assert csms.transaction() == tx
        csms.remote_stop()
        csms.set_limit(10)
        csms.set_limit(10, purpose="station")
        csms.set_limit(10, evse=2)
        with pytest.raises(StationTimeout, match="EVSE 2"):
            csms.remote_stop(evse=2)
        for call in CALLS.values():
            # What a version has not is no matter of the façade.
            with contextlib.suppress(CsmsError):
                call(csms, version)

    async def story(rig: Any) -> None:
        async with rig.peer("CP1", [SUBPROTOCOLS[version]]) as peer:
            station = Agreeing(peer.ws, version)
            serving = asyncio.create_task(station.serve())
            await station.call("BootNotification", samples.sampler(version, "BootNotification", "request").minimal())
            await rig.csms.wait_ready("CP1", 5.0)
            await asyncio.to_thread(asks, CsmsFacade(Host(rig, tx)))
            serving.cancel()
            stops = [payload["transactionId"] for action, payload in station.asked if "StopTransaction" in action]
            assert stops[0] == tx
            limits = [payload for action, payload in station.asked if action == "SetChargingProfile"]
            profiles = [payload.get("csChargingProfiles") or payload["chargingProfile"] for payload in limits]
            assert [made.get("transactionId") for made in profiles[:3]] == [tx, None, None]
            assert set(SENDS[version]) <= {action for action, _ in station.asked}

    play(story)


def test_a_test_waits_until_the_station_is_served(play: Play) -> None:
    def waits(csms: CsmsFacade) -> None:
        csms.wait_ready("5 s")
        csms.link().reset()
        with pytest.raises(StationTimeout, match="CP1 was not ready within"):
            csms.wait_ready("300 ms")
        with pytest.raises(ValueError, match="not a time with its unit"):
            csms.wait_ready("5")

    async def story(rig: Any) -> None:
        async with rig.peer("CP1", ["ocpp1.6"]) as peer:
            station = Agreeing(peer.ws, "1.6")
            serving = asyncio.create_task(station.serve())
            await station.call("BootNotification", samples.sampler("1.6", "BootNotification", "request").minimal())
            await asyncio.to_thread(waits, CsmsFacade(Host(rig, 1)))
            serving.cancel()

    play(story)
