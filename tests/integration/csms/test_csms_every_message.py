"""Every message of every version over the wire, both directions: least, most, and one constraint broken at a time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jsonschema_rs
import pytest
from pilotbench.errors import CsmsError

import schema_samples as samples
from schema_directions import FROM_STATION, SENDS, from_csms

Play = Callable[..., Any]
SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
VERSIONS = list(SUBPROTOCOLS)
TOLERABLE = {("2.1", "NotifyMonitoringReport", "#/definitions/VariableMonitoringType/eventNotificationType")}
"""Members without which a lenient back end can do: N02 of 2.1 requires this one, 2.0.1 does not have it."""
BIGGEST = 1 << 20


class Case(NamedTuple):
    """A payload, and what is wrong with it: None when it fits."""

    action: str
    payload: Any
    broken: samples.Broken | None = None


def cases(version: str, actions: list[str] | tuple[str, ...], side: str) -> Iterator[Case]:
    for action in actions:
        sampler = samples.sampler(version, action, side)
        yield Case(action, sampler.minimal())
        yield Case(action, sampler.maximal())
        yield from (Case(action, payload) for _, payload in sampler.filled())
        yield from (Case(action, broken.payload, broken) for broken in sampler.broken())


def boot_of(version: str) -> dict[str, Any]:
    return samples.sampler(version, "BootNotification", "request").minimal()


class Validators:
    """The schema files themselves, asked directly."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._known: dict[tuple[str, str], Any] = {}

    def fits(self, action: str, side: str, payload: Any) -> bool:
        key = (action, side)
        if key not in self._known:
            schema = json.loads(samples.files(self._version)[key].read_text(encoding="utf-8-sig"))
            self._known[key] = jsonschema_rs.validator_for(schema, validate_formats=True)
        return self._known[key].is_valid(payload)


class RawStation:
    """Sends a CALL and returns its answer; what the back end asks meanwhile gets the least answer that fits."""

    def __init__(self, peer: Any, version: str) -> None:
        self._peer = peer
        self._version = version
        self.answers: dict[str, Any] = {}
        """Action -> what is answered instead of the least."""
        self.errors: list[list[Any]] = []
        """CALLRESULTERRORs received."""

    async def call(self, message_id: str, action: str, payload: Any) -> list[Any]:
        await self._peer.send(json.dumps([2, message_id, action, payload], ensure_ascii=False))
        while (frame := await self.take())[1] != message_id:
            pass
        return frame

    async def take(self) -> list[Any]:
        """The next frame, answered if it is a CALL."""
        frame = await self._peer.recv()
        if frame[0] == 2:
            least = samples.sampler(self._version, frame[2], "response").minimal
            answer = self.answers[frame[2]] if frame[2] in self.answers else least()
            await self._peer.send(json.dumps([3, frame[1], answer], ensure_ascii=False))
        elif frame[0] == 5:
            self.errors.append(frame)
        return frame

    async def take_all(self) -> None:
        while True:
            await self.take()


def violations_by_message(rig: Any) -> dict[str, list[Any]]:
    """Schema violations of requests, by the id of the message they stand behind."""
    found: dict[str, list[Any]] = {}
    current = ""
    for event in rig.timeline.events():
        if event.topic == "ocpp.call" and event.data["dir"] == "rx":
            current = event.data["message_id"]
        elif event.topic == "ocpp.violation" and event.data["layer"] == "schema" and event.data["dir"] == "rx":
            found.setdefault(current, []).append(event)
    return found


@pytest.mark.parametrize("tolerance", ["strict", "lenient"])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_station_asks(play: Play, version: str, tolerance: str) -> None:
    todo = list(cases(version, FROM_STATION[version], "request"))
    frames: list[list[Any]] = []

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[SUBPROTOCOLS[version]]) as peer:
            station = RawStation(peer, version)
            assert (await station.call("boot", "BootNotification", boot_of(version)))[2]["status"] == "Accepted"
            for number, case in enumerate(todo):
                frames.append(await station.call(f"m{number}", case.action, case.payload))
            assert (await station.call("end", "Heartbeat", {}))[0] == 3
            assert rig.csms.station("CP1").connected

    rig = play(story, settings={"strict": tolerance == "strict"}, max_message_bytes=BIGGEST)
    recorded = violations_by_message(rig)
    validators = Validators(version)
    counts: Counter[str] = Counter()
    wrong: list[Any] = []
    for number, (case, frame) in enumerate(zip(todo, frames, strict=True)):
        seen = [event.data["code"] for event in recorded.get(f"m{number}", [])]
        served = frame[0] == 3 and validators.fits(case.action, "response", frame[2])
        if not isinstance(case.payload, dict):
            # The payload is no object, so there is no message: that is told of the frame, by the same layer's code.
            right = frame[0] == 4 and frame[2] == samples.CODES[version][samples.FORMAT] and not seen
            counts["no object"] += 1
        elif case.broken is None:
            right = served and not seen
            counts["valid"] += 1
        else:
            code = case.broken.code(version)
            blocking = case.broken.blocking and (version, case.action, case.broken.place) not in TOLERABLE
            refused = frame[0] == 4 and frame[2] == code
            right = code in seen and (refused if blocking or tolerance == "strict" else served)
            counts["refused" if refused else "served"] += 1
        if not right:
            wrong.append((case.action, case.broken and (case.broken.place, case.broken.keyword), frame[:3], seen))
    print(f"\n{version}, {tolerance}: {len(todo)} requests of {len(FROM_STATION[version])} actions, {dict(counts)}")
    assert not wrong, f"{len(wrong)}: {wrong[:8]}"
    assert len(rig.all("ocpp.violation", layer="rpc")) == counts["no object"]
    assert len(rig.all("ocpp.disconnected")) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_back_end_asks(play: Play, version: str) -> None:
    """Requests that do not fit are not sent; answers that do not fit are recorded, in 2.1 refused by a type 5."""
    actions = from_csms(version)
    requests = list(cases(version, actions, "request"))
    answers = list(cases(version, actions, "response"))
    wrong: list[Any] = []
    refused: dict[str, str] = {}
    counts: Counter[str] = Counter()

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[SUBPROTOCOLS[version]]) as peer:
            station = RawStation(peer, version)
            await station.call("boot", "BootNotification", boot_of(version))
            reading = asyncio.create_task(station.take_all())
            link = rig.csms.station("CP1")
            noted: list[Any] = []
            rig.timeline.subscribe(noted.append)

            async def ask(action: str, payload: Any) -> tuple[Any, list[Any], list[Any]]:
                noted.clear()
                try:
                    answer = await link.call(action, payload)
                except CsmsError as exc:
                    answer = exc
                sent = [e for e in noted if e.topic == "ocpp.call" and e.data["dir"] == "tx"]
                return answer, sent, [e.data["code"] for e in noted if e.topic == "ocpp.violation"]

            for case in requests:
                answer, sent, found = await ask(case.action, case.payload)
                if case.broken is None:
                    right = len(sent) == 1 and isinstance(answer, dict) and not found
                    counts["requests sent"] += 1
                else:
                    right = not sent and isinstance(answer, CsmsError)
                    counts["requests refused here"] += 1
                if not right:
                    wrong.append((case.action, "request", case.broken, str(answer)[:100], found))
            for case in answers:
                station.answers = {case.action: case.payload}
                request = samples.sampler(version, case.action, "request").minimal()
                answer, sent, found = await ask(case.action, request)
                if case.broken is None:
                    right = answer == case.payload and not found
                    counts["answers taken"] += 1
                else:
                    whole = isinstance(case.payload, dict)
                    code = case.broken.code(version) if whole else samples.CODES[version][samples.FORMAT]
                    right = code in found and (answer == case.payload if whole else isinstance(answer, CsmsError))
                    if version == "2.1":
                        refused[sent[0].data["message_id"]] = code
                    counts["answers recorded as broken"] += 1
                if not right:
                    wrong.append((case.action, "response", case.broken, str(answer)[:100], found))
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            assert (await station.call("end", "Heartbeat", {}))[0] == 3
            assert {frame[1]: frame[2] for frame in station.errors} == refused
            assert len(station.errors) == len(refused)

    rig = play(story, max_message_bytes=BIGGEST)
    print(f"\n{version}: {len(actions)} actions, {dict(counts)}")
    assert not wrong, f"{len(wrong)}: {wrong[:8]}"
    assert len(rig.all("ocpp.disconnected")) == 1


@pytest.mark.parametrize("tolerance", ["strict", "lenient"])
def test_what_is_never_answered(play: Play, tolerance: str) -> None:
    """2.1 part 4 section 4.2.4: a SEND gets no answer, whatever is wrong with it; what is wrong is recorded."""
    todo = list(cases("2.1", SENDS["2.1"], "request"))
    beyond: list[Any] = [[6, "a"], [6, "b", "NoSuchAction", {}], [6, "c", "Heartbeat", {}], [6, 7, 8, 9, 10]]
    answered: list[str] = []

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            station = RawStation(peer, "2.1")
            await station.call("boot", "BootNotification", boot_of("2.1"))
            for number, case in enumerate(todo):
                await peer.send(json.dumps([6, f"m{number}", case.action, case.payload]))
            for frame in beyond:
                await peer.send(json.dumps(frame))
            await peer.send('[2,"end","Heartbeat",{}]')
            while not answered or answered[-1] != "end":
                answered.append((await station.take())[1])

    rig = play(story, settings={"strict": tolerance == "strict"})
    assert answered == ["end"]
    assert not rig.all("ocpp.error")
    recorded = violations_by_message(rig)
    seen = {event.data["message_id"] for event in rig.all("ocpp.call", send=True)}
    for number, case in enumerate(todo):
        found = {event.data["code"] for event in recorded.get(f"m{number}", [])}
        if case.broken is None:
            assert f"m{number}" in seen
            assert not found
        elif isinstance(case.payload, dict):
            assert case.broken.code("2.1") in found, case.broken
    assert len(rig.all("ocpp.violation", layer="rpc")) >= len(beyond)
    print(f"\n2.1, {tolerance}: {len(todo)} messages of {len(SENDS['2.1'])} action that is never answered")
