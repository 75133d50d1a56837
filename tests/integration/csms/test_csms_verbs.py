"""Every verb over the wire, in every version: what goes out fits its schema, and what a version has not says so."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms.verbs import Verbs
from pilotbench.errors import CsmsError, StationTimeout

import schema_samples as samples
from verb_calls import CALLS, HASHES, LATER, PASSWORD, SUBPROTOCOLS, VARIABLE, Agreeing

Play = Callable[..., Any]
VERSIONS = list(SUBPROTOCOLS)
PAGE = Path(__file__).parents[3] / "docs" / "verbs.md"
NOT_ASKED = {"identify", "read_back"}


@asynccontextmanager
async def talking(rig: Any, version: str) -> Any:
    """The verbs of a station that is served, and the station."""
    async with rig.peer("CP1", [SUBPROTOCOLS[version]]) as peer:
        station = Agreeing(peer.ws, version)
        serving = asyncio.create_task(station.serve())
        await station.call("BootNotification", samples.sampler(version, "BootNotification", "request").minimal())
        await rig.csms.wait_ready("CP1", 5.0)
        try:
            yield rig.csms.station("CP1").verbs, station
            if serving.done():
                serving.result()
        finally:
            serving.cancel()


async def refusal(work: Awaitable[Any]) -> str | None:
    """Why the back end does not ask this; None when it did."""
    try:
        await work
    except CsmsError as exc:
        return str(exc)
    return None


def asked(play: Play, version: str, verb: Callable[[Any], Awaitable[Any]], **answers: Any) -> tuple[Any, list[Any]]:
    """What a verb returned, and the requests it sent."""
    kept: list[Any] = []

    async def story(rig: Any) -> None:
        async with talking(rig, version) as (verbs, station):
            station.answers |= answers
            kept.append(await verb(verbs))
            kept.append(station.asked)

    play(story)
    return kept[0], kept[1]


def test_every_verb_is_called_here() -> None:
    words = {name for name in dir(Verbs) if not name.startswith("_")}
    assert words - NOT_ASKED == set(CALLS)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_says_what_each_verb_sends(play: Play, version: str) -> None:
    """A row of docs/verbs.md: `verb(...)` | 1.6 | 2.0.1 | 2.1; a dash where the version has no such thing."""
    rows = [line.split("|")[1:-1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    page = {m[1]: row for row in rows if (m := re.match(r"\s*`(\w+)\(", row[0]))}
    column = 1 + VERSIONS.index(version)
    sent: dict[str, str] = {}

    async def story(rig: Any) -> None:
        async with talking(rig, version) as (verbs, station):
            for verb, call in CALLS.items():
                begun = len(station.asked)
                why = await refusal(call(verbs, version))
                assert why is None or f"not in OCPP {version}; " in why, (verb, why)
                actions = dict.fromkeys(action for action, _ in station.asked[begun:])
                assert bool(actions) is (why is None)
                sent[verb] = ", ".join(actions) or "–"

    play(story)
    # `call` sends whatever it is told.
    sent["call"] = "any"
    assert {verb: cells[column].replace("`", "").strip() for verb, cells in page.items()} == sent


def test_the_page_has_the_arguments_of_each_verb() -> None:
    for verb in CALLS:
        wanted = re.search(rf"^\| `{verb}\((.*?)\)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        assert wanted is not None, verb
        named = [word.partition("=")[0].lstrip("*") for word in re.split(r", (?![^(]*\))", wanted[1]) if word != "*"]
        arguments = list(inspect.signature(getattr(Verbs, verb)).parameters)[1:]
        assert [name for name in named if name] == arguments, verb


SENT: list[tuple[str, Callable[[Any], Awaitable[Any]], list[tuple[str, Any]]]] = [
    ("1.6", lambda v: v.set_limit(10, purpose="station"), [("SetChargingProfile", {"connectorId": 0})]),
    ("2.1", lambda v: v.set_limit(10, purpose="station"), [("SetChargingProfile", {"evseId": 0})]),
    ("2.0.1", lambda v: v.reset("Hard"), [("Reset", {"type": "Immediate"})]),
    ("2.0.1", lambda v: v.reset("OnIdle", evse=1), [("Reset", {"type": "OnIdle", "evseId": 1})]),
    ("2.1", lambda v: v.reset("ImmediateAndResume"), [("Reset", {"type": "ImmediateAndResume"})]),
    (
        "1.6",
        lambda v: v.trigger("SignCertificate"),
        [("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})],
    ),
    (
        "2.1",
        lambda v: v.trigger("SignCertificate"),
        [("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})],
    ),
    (
        "2.0.1",
        lambda v: v.trigger("DiagnosticsStatusNotification"),
        [("TriggerMessage", {"requestedMessage": "LogStatusNotification"})],
    ),
    (
        "2.0.1",
        lambda v: v.trigger("StatusNotification", 2),
        [("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}})],
    ),
    (
        "2.1",
        lambda v: v.trigger("Dance"),
        [("TriggerMessage", {"requestedMessage": "CustomTrigger", "customTrigger": "Dance"})],
    ),
    ("2.1", lambda v: v.set_availability(0, True), [("ChangeAvailability", {"operationalStatus": "Operative"})]),
    ("2.1", lambda v: v.clear_limits(profile_id=4), [("ClearChargingProfile", {"chargingProfileId": 4})]),
    (
        "2.0.1",
        lambda v: v.clear_limits(evse=1, purpose="station", stack_level=2),
        [
            (
                "ClearChargingProfile",
                {
                    "chargingProfileCriteria": {
                        "evseId": 1,
                        "chargingProfilePurpose": "ChargingStationMaxProfile",
                        "stackLevel": 2,
                    }
                },
            )
        ],
    ),
    (
        "1.6",
        lambda v: v.set_password(PASSWORD),
        [("ChangeConfiguration", {"key": "AuthorizationKey", "value": PASSWORD.encode().hex()})],
    ),
    ("1.6", lambda v: v.set_password("0A" * 20), [("ChangeConfiguration", {"value": "0A" * 20})]),
    (
        "1.6",
        lambda v: v.update_firmware("http://x/f", certificate="PEM", signature="AA==", install_at=LATER),
        [
            (
                "SignedUpdateFirmware",
                {"firmware": {"signingCertificate": "PEM", "signature": "AA==", "installDateTime": LATER}},
            )
        ],
    ),
    ("2.1", lambda v: v.get_log("http://x/l", kind="data-collector"), [("GetLog", {"logType": "DataCollectorLog"})]),
    ("2.1", lambda v: v.install_certificate("oem", "PEM"), [("InstallCertificate", {})]),
    ("2.1", lambda v: v.send_local_list([], version=1), [("SendLocalList", {"updateType": "Full"})]),
    (
        "2.1",
        lambda v: v.send_local_list(
            [{"token": "A", "status": "Blocked", "expiry": LATER, "group": "G", "type": "eMAID"}],
            version=3,
            update="Differential",
        ),
        [
            (
                "SendLocalList",
                {
                    "versionNumber": 3,
                    "localAuthorizationList": [
                        {
                            "idToken": {"idToken": "A", "type": "eMAID"},
                            "idTokenInfo": {
                                "status": "Blocked",
                                "cacheExpiryDateTime": LATER,
                                "groupIdToken": {"idToken": "G", "type": "eMAID"},
                            },
                        }
                    ],
                },
            )
        ],
    ),
    (
        "1.6",
        lambda v: v.send_local_list(["A", {"token": "B", "status": None}], version=3, update="Differential"),
        [
            (
                "SendLocalList",
                {
                    "listVersion": 3,
                    "updateType": "Differential",
                    "localAuthorizationList": [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}, {"idTag": "B"}],
                },
            )
        ],
    ),
    ("2.0.1", lambda v: v.reserve(1, "A", expires=LATER, evse=2), [("ReserveNow", {"id": 1, "evseId": 2})]),
    ("2.0.1", lambda v: v.delete_certificate({**HASHES, "use": "x"}), [("DeleteCertificate", {})]),
    (
        "2.1",
        lambda v: v.dynamic_limit(3, setpoint=-5),
        [("UpdateDynamicSchedule", {"scheduleUpdate": {"setpoint": -5.0}})],
    ),
]


def holds(wanted: Any, sent: Any) -> bool:
    """Whether everything wanted is in what was sent."""
    if isinstance(wanted, dict):
        return isinstance(sent, dict) and all(key in sent and holds(value, sent[key]) for key, value in wanted.items())
    return wanted == sent


def test_what_verbs_send(play: Play) -> None:
    for version in VERSIONS:

        async def story(rig: Any, version: str = version) -> None:
            async with talking(rig, version) as (verbs, station):
                for at, verb, wanted in SENT:
                    if at != version:
                        continue
                    del station.asked[:]
                    await verb(verbs)
                    assert [action for action, _ in station.asked] == [action for action, _ in wanted]
                    for (_, sent), (_, part) in zip(station.asked, wanted, strict=True):
                        assert holds(part, sent), (version, part, sent)

        play(story)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_profiles_of_2x_obey_what_a_station_checks(play: Play, version: str) -> None:
    async def all_of_them(verbs: Any) -> None:
        await verbs.set_limit(16)
        await verbs.set_limit(16, tx="T")
        await verbs.set_limit(16, purpose="station")
        await verbs.remote_start(1, "TAG", limit_a=6)

    _, sent = asked(play, version, all_of_them)
    default, own, station, start = [p["chargingProfile"] for _, p in sent]
    assert [p["chargingProfilePurpose"] for p in (default, own, station, start)] == [
        "TxDefaultProfile",
        "TxProfile",
        "ChargingStationMaxProfile",
        "TxProfile",
    ]
    assert len({p["id"] for p in (default, own, station)}) == 3, "one would silently replace another"
    # K01.FR.03: a TxProfile names its transaction; F01.FR.11: not in a start. K01.FR.38, .40, .41: kinds and starts.
    assert own["transactionId"] == "T"
    assert "transactionId" not in start
    assert "transactionId" not in default
    for made in (default, own, station, start):
        absolute = made["chargingProfileKind"] == "Absolute"
        assert absolute is (made is station)
        assert ("startSchedule" in made["chargingSchedule"][0]) is absolute


def test_dynamic_profiles_of_2_1(play: Play) -> None:
    async def both(verbs: Any) -> None:
        await verbs.dynamic_profile(16, update_s=30)
        await verbs.set_point(-3000, tx="T")

    _, sent = asked(play, "2.1", both)
    for _, payload in sent:
        made = payload["chargingProfile"]
        assert made["chargingProfileKind"] == "Dynamic"
        (schedule,) = made["chargingSchedule"]
        (period,) = schedule["chargingSchedulePeriod"]
        assert period["startPeriod"] == 0
    # Q03.FR.02: no limits beside a set point.
    assert period == {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -3000.0}
    assert sent[0][1]["chargingProfile"]["dynUpdateInterval"] == 30


@pytest.mark.parametrize("version", VERSIONS)
def test_a_start_and_its_number(play: Play, version: str) -> None:
    async def two(verbs: Any) -> Any:
        return [await verbs.remote_start(None, "TAG"), await verbs.remote_start(1, "TAG")]

    answers, sent = asked(play, version, two)
    numbers = [answer.request_id for answer in answers]
    assert numbers == [payload.get("remoteStartId") for _, payload in sent]
    assert len(set(numbers)) == (1 if version == "1.6" else 2)


SCHEDULE = {"duration": 600, "chargingRateUnit": "A"}
PERIODS = [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 60, "limit": 10.0, "numberPhases": 1}]
COMPOSITE = {
    "1.6": {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": LATER,
        "chargingSchedule": {**SCHEDULE, "chargingSchedulePeriod": PERIODS},
    },
    "2.0.1": {
        "status": "Accepted",
        "schedule": {"evseId": 1, "scheduleStart": LATER, **SCHEDULE, "chargingSchedulePeriod": PERIODS},
    },
}
COMPOSITE["2.1"] = COMPOSITE["2.0.1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_composite_schedule_reads_alike(play: Play, version: str) -> None:
    found, _ = asked(play, version, lambda v: v.composite_schedule(1, 600), GetCompositeSchedule=COMPOSITE[version])
    assert (found.accepted, found.unit, found.start, found.duration_s) == (True, "A", LATER, 600)
    assert [(p.start_s, p.limit, p.phases) for p in found.periods] == [(0, 16.0, None), (60, 10.0, 1)]
    assert [found.limit_at(at) for at in (0, 59, 60, 600, 601)] == [16.0, 16.0, 10.0, 10.0, None]


def result(kind: str, status: str, name: str, **more: Any) -> dict[str, Any]:
    component, _, variable = name.partition(".")
    place = {"component": {"name": component}, "variable": {"name": variable}}
    return {kind: [{"attributeStatus": status, **place, **more}]}


def test_a_variable_that_is_not_there_says_so(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with talking(rig, "2.1") as (verbs, station):
            station.answers["GetVariables"] = result("getVariableResult", "UnknownVariable", "A.B")
            with pytest.raises(CsmsError, match=r"A\.B: UnknownVariable\. get_variables\(\) lists"):
                await verbs.get_variable("A.B")
            assert await verbs.get_variables(["a.b"]) == {}
            with pytest.raises(CsmsError, match="no name of a variable"):
                await verbs.get_variable("HeartbeatInterval")
        async with rig.peer("CP2") as old:
            await old.boot()
            asking = asyncio.create_task(rig.csms.station("CP2").verbs.get_variable("Nope"))
            await old.answer("GetConfiguration", {"unknownKey": ["Nope"]})
            with pytest.raises(CsmsError, match="no configuration key 'Nope'"):
                await asking

    play(story)


def test_a_variable_is_found_in_any_spelling_and_order(play: Play) -> None:
    names = ["b.two", "A.One"]
    entries = [
        {"attributeStatus": "Accepted", "attributeValue": str(n), "component": {"name": c}, "variable": {"name": v}}
        for n, (c, v) in enumerate([("a", "one"), ("B", "Two")])
    ]
    found, _ = asked(play, "2.0.1", lambda v: v.get_variables(names), GetVariables={"getVariableResult": entries})
    assert found == {"b.two": "1", "A.One": "0"}


def test_requests_are_split_by_what_the_station_takes(play: Play) -> None:
    """DeviceDataCtrlr.ItemsPerMessage, once it was read."""

    async def story(rig: Any) -> None:
        async with talking(rig, "2.1") as (verbs, station):
            for action, most in (("GetVariables", "2"), ("SetVariables", "3")):
                name = f"DeviceDataCtrlr.ItemsPerMessage[{action}]"
                component, variable = {"name": "DeviceDataCtrlr"}, {"name": "ItemsPerMessage", "instance": action}
                entry = {"attributeStatus": "Accepted", "component": component, "variable": variable}
                station.answers["GetVariables"] = {"getVariableResult": [{**entry, "attributeValue": most}]}
                assert await verbs.get_variable(name) == most
            station.answers.clear()
            del station.asked[:]
            answers = await verbs.set_variables({f"C.V{n}": "1" for n in range(4)})
            assert [answer.status for answer in answers.values()] == ["Accepted"] * 4
            sizes = [(a, len(p.get("setVariableData") or p.get("getVariableData"))) for a, p in station.asked]
            assert sizes == [("SetVariables", 3), ("SetVariables", 1), ("GetVariables", 2), ("GetVariables", 2)]
        async with rig.peer("CP2") as old:
            await old.boot()
            verbs = rig.csms.station("CP2").verbs
            for names, sent in ((["GetConfigurationMaxKeys"], 1), (["A", "B", "C"], 2)):
                asking = asyncio.create_task(verbs.get_variables(names))
                for _ in range(sent):
                    frame = await old.recv()
                    entries = [{"key": key, "readonly": True, "value": "2"} for key in frame[3]["key"]]
                    await old.send(json.dumps([3, frame[1], {"configurationKey": entries}]))
                assert list(await asking) == names

    play(story)


def test_each_result_of_a_write_counts_for_itself(play: Play) -> None:
    results = [
        {"attributeStatus": "Rejected", "component": {"name": "A"}, "variable": {"name": "X"}},
        {"attributeStatus": "RebootRequired", "component": {"name": "A"}, "variable": {"name": "Y"}},
    ]
    answers, sent = asked(
        play,
        "2.1",
        lambda v: v.set_variables({"A.X": "1", "A.Y": "2", "A.Z": "3"}),
        SetVariables={"setVariableResult": results},
    )
    assert {name: (a.accepted, a.status) for name, a in answers.items()} == {
        "A.X": (False, "Rejected"),
        "A.Y": (True, "RebootRequired"),
        "A.Z": (False, "no answer for it"),
    }
    assert [action for action, _ in sent] == ["SetVariables"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_report_is_waited_for_until_it_is_whole(play: Play, version: str) -> None:
    """Parts in any order; the last says that it is the last."""
    found, sent = asked(play, version, lambda v: v.get_variables())
    assert found == {"OCPPCommCtrlr.HeartbeatInterval": "30"}
    assert [(action, payload["reportBase"]) for action, payload in sent] == [("GetBaseReport", "FullInventory")]

    async def story(rig: Any) -> None:
        async with talking(rig, version) as (verbs, station):
            station.answers["GetReport"] = {"status": "EmptyResultSet"}
            with pytest.raises(CsmsError, match=r"refused GetReport: EmptyResultSet\. It has nothing that fits"):
                await verbs.get_report(criteria=["Problem"])

    play(story)


def test_a_report_that_does_not_come_is_given_up(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer("CP1", ["ocpp2.1"]) as peer:
            boot = samples.sampler("2.1", "BootNotification", "request").minimal()
            await peer.call("BootNotification", boot)
            verbs = rig.csms.station("CP1").verbs
            asking = asyncio.create_task(verbs.get_variables())
            number = (await peer.answer("GetBaseReport", {"status": "Accepted"}))["requestId"]
            part = {"requestId": number, "generatedAt": LATER, "seqNo": 1, "tbc": True}
            attribute = {**VARIABLE, "variableAttribute": [{"value": "30"}]}
            await peer.call("NotifyReport", {**part, "reportData": [attribute]})
            with pytest.raises(StationTimeout, match=r"parts \[0\] are missing"):
                await asking
            asking = asyncio.create_task(verbs.get_variables())
            await peer.answer("GetBaseReport", {"status": "Accepted"})
            await peer.call("BootNotification", boot)
            with pytest.raises(CsmsError, match="restarted"):
                await asking

    play(story, settings={"call_timeout_s": 0.3})


@pytest.mark.parametrize(
    ("answer", "accepted"), [({"fileName": "log.zip"}, True), ({}, False), ({"fileName": ""}, False)]
)
def test_diagnostics_are_on_their_way_when_a_file_is_named(play: Play, answer: dict[str, Any], accepted: bool) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.get_diagnostics("http://127.0.0.1/up"))
            await station.answer("GetDiagnostics", answer)
            assert (await asking).accepted is accepted

    assert play(story).one("csms.request", verb="GetDiagnostics").data["accepted"] is accepted


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_password_is_on_the_wire_and_nowhere_else(play: Play, version: str) -> None:
    async def story(rig: Any) -> None:
        async with talking(rig, version) as (verbs, station):
            assert (await verbs.set_password(PASSWORD)).accepted
            ((_, payload),) = station.asked
            written = json.dumps(payload)
            assert PASSWORD in written or PASSWORD.encode().hex() in written

    told = [repr(event) for event in play(story).timeline.events()]
    assert not [event for event in told if PASSWORD in event or PASSWORD.encode().hex() in event.lower()]


REFUSED: list[tuple[str, Callable[[Any], Awaitable[Any]], str]] = [
    ("1.6", lambda v: v.reset("OnIdle"), 'use "Soft" or "Hard"'),
    ("1.6", lambda v: v.reset(evse=1), "reset the whole station"),
    ("1.6", lambda v: v.remote_stop("tx-1"), "whole numbers"),
    ("1.6", lambda v: v.trigger("TransactionEvent"), "MeterValues"),
    ("1.6", lambda v: v.install_certificate("mo", "PEM"), "'csms'"),
    ("1.6", lambda v: v.get_log("http://x", kind="data-collector"), "diagnostics and security"),
    ("1.6", lambda v: v.update_firmware("http://x", signature="AA=="), "both"),
    ("1.6", lambda v: v.update_firmware("http://x", install_at=LATER), "leave it out"),
    ("1.6", lambda v: v.set_password("short"), "16 to 20 bytes"),
    ("1.6", lambda v: v.reserve(1, "A", expires=LATER, connector_type="cCCS2"), "name the outlet"),
    ("2.1", lambda v: v.set_password("short"), "16 to 40"),
    ("2.1", lambda v: v.set_limit(6, purpose="transaction"), "needs its id"),
    ("2.1", lambda v: v.update_firmware("http://x", certificate="PEM"), "both"),
    ("2.1", lambda v: v.send_local_list([{"tokn": "A"}], version=1), "'tokn'; known are token"),
    ("2.1", lambda v: v.send_local_list([{"status": "Accepted"}], version=1), "entry 1 .* cannot be used"),
    ("2.1", lambda v: v.get_report(["A.B#Target"]), "write 'A.B'"),
    ("2.0.1", lambda v: v.reset("ImmediateAndResume"), "payload does not fit"),
    ("2.0.1", lambda v: v.install_certificate("oem", "PEM"), "payload does not fit"),
]


def test_what_cannot_be_sent_says_what_to_do_and_is_not_sent(play: Play) -> None:
    for version in VERSIONS:

        async def story(rig: Any, version: str = version) -> None:
            async with talking(rig, version) as (verbs, station):
                for at, verb, why in REFUSED:
                    if at == version:
                        with pytest.raises(CsmsError, match=why):
                            await verb(verbs)
                assert station.asked == []

        play(story)


def test_facts_of_the_new_verbs(play: Play) -> None:
    def told(version: str) -> list[dict[str, Any]]:
        async def story(rig: Any) -> None:
            async with talking(rig, version) as (verbs, _):
                await verbs.send_local_list(["A", "B"], version=4, update="Differential")
                await verbs.reserve(5, "TAG", expires=LATER, evse=1)
                await verbs.set_variable({"1.6": "MyKey"}.get(version, "My.Key"), "2")

        rig = play(story)
        topics = ("csms.local_list", "csms.reservation", "csms.setting")
        return [rig.one(topic).data for topic in topics]

    for version in VERSIONS:
        local, reserved, setting = told(version)
        assert {k: local[k] for k in ("version", "update", "entries", "accepted")} == {
            "version": 4,
            "update": "Differential",
            "entries": 2,
            "accepted": True,
        }
        assert {k: reserved[k] for k in ("reservation", "verb", "id_tag", "expires")} == {
            "reservation": 5,
            "verb": "reserve",
            "id_tag": "TAG",
            "expires": LATER,
        }
        assert (setting["value"], setting["accepted"]) == ("2", True)


@pytest.mark.parametrize(
    ("version", "asked_for", "comes", "payload"),
    [
        ("1.6", "SignCertificate", "SignCertificate", {"csr": "x"}),
        ("1.6", "Heartbeat", "Heartbeat", {}),
        ("2.1", "Heartbeat", "Heartbeat", {}),
    ],
)
def test_what_was_triggered_is_known_by_its_own_name(
    play: Play, version: str, asked_for: str, comes: str, payload: dict[str, Any]
) -> None:
    async def story(rig: Any) -> None:
        async with talking(rig, version) as (verbs, station):
            await verbs.trigger(asked_for)
            await station.call(comes, payload)
            await rig.seen("ocpp.call", dir="rx", action=comes)

    assert play(story).one("ocpp.call", dir="rx", action=comes).data["asked"] is True
