"""No way around the gate: neither a raw request, nor an answer, nor a text that is no message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.bench.safety import Envelope, EnvelopeGate
from pilotbench.errors import SafetyError

import schema_samples as samples

Play = Callable[..., Any]
ENVELOPE = Envelope(
    current_a=16.0,
    phase_w=3680.0,
    power_w=11_040.0,
    contactor_cycles=1,
    min_off_s=1.0,
    fault_duration_s=10.0,
    faults=frozenset(),
    pp_ohm=frozenset(),
    relays=frozenset(),
    csms_forbidden=frozenset(),
    csms_allowed=frozenset({"reset"}),
)
DYNAMIC = {
    "evseId": 1,
    "chargingProfile": {
        "id": 4,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Dynamic",
        "chargingSchedule": [
            {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1000.0}]}
        ],
    },
}


def held(rig: Any) -> None:
    """The bench's own gate, behind the one that the tests look into."""
    envelope, ask = EnvelopeGate(ENVELOPE), rig.gate.permit

    def permit(stimulus: Any) -> None:
        ask(stimulus)
        envelope.permit(stimulus)

    rig.gate.permit = permit


async def boot_21(peer: Any) -> None:
    await peer.call("BootNotification", samples.sampler("2.1", "BootNotification", "request").minimal())


@pytest.mark.parametrize(("limit_w", "passes"), [(11_000, True), (12_000, False), (0, True), (-12_000, False)])
def test_the_answer_to_a_pull_is_held_to_the_envelope(play: Play, limit_w: int, passes: bool) -> None:
    """K28.FR.08: the station applies it. A script may say anything, and yet not that."""

    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer("CP1", ["ocpp2.1"]) as station:
            await boot_21(station)
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.call("SetChargingProfile", DYNAMIC))
            await station.answer("SetChargingProfile", {"status": "Accepted"})
            await asking
            update = {"status": "Accepted", "scheduleUpdate": {"setpoint": limit_w}}
            rig.csms.on("PullDynamicScheduleUpdate").reply(update)
            answer = await station.call("PullDynamicScheduleUpdate", {"chargingProfileId": 4})
            assert answer[0] == (3 if passes else 4)
            assert passes or answer[2] == "InternalError"

    rig = play(story, trouble="PullDynamicScheduleUpdate")
    assert len(rig.all("csms.charging_profile")) == (2 if passes else 1)


def test_a_refusal_to_pull_needs_no_leave(play: Play) -> None:
    async def story(rig: Any) -> None:
        rig.gate.closed = {"PullDynamicScheduleUpdate"}
        async with rig.peer("CP1", ["ocpp2.1"]) as station:
            await boot_21(station)
            answer = await station.call("PullDynamicScheduleUpdate", {"chargingProfileId": 9})
            assert answer[2]["status"] == "Rejected"

    play(story)


RAW = [
    ("SetChargingProfile", {"evseId": 1, "chargingProfile": [{"chargingSchedule": {"limit_L3": 63}}]}, "current"),
    ("UpdateDynamicSchedule", {"chargingProfileId": 1, "scheduleUpdate": {"dischargeLimit": -63}}, "current"),
    ("DataTransfer", {"vendorId": "V", "data": '{"chargingRateUnit": "A", "limit": 63}'}, "current"),
    ("SetVariables", {"setVariableData": {"variable": {"name": "basicauthpassword"}}}, "security"),
    ("UpdateFirmware", {}, "firmware"),
]


@pytest.mark.parametrize(("action", "payload", "why"), RAW)
def test_a_raw_request_is_looked_into(play: Play, action: str, payload: dict[str, Any], why: str) -> None:
    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer("CP1", ["ocpp2.1"]) as station:
            await boot_21(station)
            link = rig.csms.station("CP1")
            with pytest.raises(SafetyError, match=why):
                await link.verbs.call(action, payload, validate=False)
            with pytest.raises(SafetyError, match=why):
                link.send_raw(f'[2,"x","{action}",{json.dumps(payload)}]')

    rig = play(story)
    assert not [text for text in rig.frames("tx") if action in text]


def test_a_refusal_does_not_give_a_password_away(play: Play) -> None:
    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer("CP1") as station:
            await station.boot()
            with pytest.raises(SafetyError, match="AuthorizationKey") as caught:
                await rig.csms.station("CP1").verbs.set_password("0123456789abcdef")
            assert "30313233" not in str(caught.value)
            with pytest.raises(SafetyError) as caught:
                await rig.csms.station("CP1").verbs.install_certificate("csms", "PEM-SECRET")
            assert "PEM-SECRET" not in str(caught.value)

    play(story)


UPDATE = {"status": "Accepted", "scheduleUpdate": {"limit": 40.0}}
TOO_MUCH = '[3,"{id}",{"status":"Accepted","scheduleUpdate":{"limit":40.0}}]'


@pytest.mark.parametrize(
    "say",
    [
        lambda script: script.reply(UPDATE).duplicate(),
        lambda script: script.reply(UPDATE).wrong_id(),
        lambda script: script.reply(UPDATE).wrong_id().duplicate(),
        lambda script: script.malformed(TOO_MUCH).duplicate(),
        lambda script: script.malformed('[3,"{id}",{"scheduleUpdate":{"limit":[40]}}]'),
        lambda script: script.answer(lambda link, payload, proposed: UPDATE).duplicate(),
    ],
    ids=["duplicate", "wrong_id", "wrong_id twice", "malformed", "malformed list", "handler"],
)
def test_no_misbehaviour_lets_an_answer_past_the_gate(play: Play, say: Callable[[Any], Any]) -> None:
    """A station that reads kindly might apply what comes twice, under another id, or not as a message."""

    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer("CP1", ["ocpp2.1"]) as station:
            await boot_21(station)
            say(rig.csms.on("PullDynamicScheduleUpdate"))
            answer = await station.call("PullDynamicScheduleUpdate", {"chargingProfileId": 4})
            assert answer[0] == 4
            await station.call("Heartbeat", {})

    rig = play(story, trouble="PullDynamicScheduleUpdate")
    assert not [text for text in rig.frames("tx") if "scheduleUpdate" in text]


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
def test_a_scripted_answer_of_any_action_is_looked_into(play: Play, version: str) -> None:
    """No schema of the answer has a limit; a script needs none."""
    profile = {"chargingProfile": {"chargingSchedule": [{"chargingRateUnit": "A", "limit": 40}]}}

    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer("CP1", [version]) as station:
            boot = samples.sampler(version.removeprefix("ocpp"), "BootNotification", "request").minimal()
            await station.call("BootNotification", boot)
            rig.csms.on("Heartbeat").reply({"currentTime": "2026-11-21T10:00:00Z", **profile})
            answer = await station.call("Heartbeat", {})
            assert answer[:1] + answer[2:3] == [4, "InternalError"]

    play(story, trouble="Heartbeat")


def test_a_handler_has_no_way_to_write_past_the_gate(play: Play) -> None:
    async def story(rig: Any) -> None:
        rig.gate.closed = {"Reset"}
        async with rig.peer() as station:
            await station.boot()

            def handler(link: Any, payload: Any, proposed: Any) -> Any:
                assert not hasattr(link, "send")
                with pytest.raises(SafetyError):
                    link.send_raw('[2,"x","Reset",{"type":"Hard"}]')
                return proposed

            script = rig.csms.on("Heartbeat").answer(handler)
            assert (await station.call("Heartbeat", {}))[0] == 3
            assert script.used == 1

    rig = play(story)
    assert not [text for text in rig.frames("tx") if "Reset" in text]


HALF = [
    ("ocpp2.1", '"SetVariables",{"setVariableData":[{"variable":{"name":"BasicAuthPassword"}', "security"),
    ("ocpp1.6", '"ChangeConfiguration",{"key":"AuthorizationKey","value":"00"', "security"),
    ("ocpp1.6", '"changeConfiguration",{"key":"AuthorizationKey","value":"00"', "security"),
    ("ocpp1.6", '"updateFirmware",{"location":"http://a/b"', "firmware"),
    (
        "ocpp1.6",
        '"DataTransfer",{"vendorId":"org.openchargealliance.iso15118pnc","messageId":"InstallCertificate"',
        "sec",
    ),
]


@pytest.mark.parametrize(("version", "text", "why"), HALF)
def test_half_a_request_is_looked_into(play: Play, version: str, text: str, why: str) -> None:
    """A text that is no JSON may still be read by a kind station."""

    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer("CP1", [version]) as station:
            boot = samples.sampler(version.removeprefix("ocpp"), "BootNotification", "request").minimal()
            await station.call("BootNotification", boot)
            with pytest.raises(SafetyError, match=why):
                rig.csms.station("CP1").send_raw(f'[2,"x",{text}')

    play(story)


def test_a_request_inside_a_vendors_message_needs_the_leave_of_the_request(play: Play) -> None:
    """ISO 15118 Plug and Charge for 1.6 sends InstallCertificate and the like inside of DataTransfer."""

    async def story(rig: Any) -> None:
        held(rig)
        async with rig.peer() as station:
            await station.boot()
            wanted = {"vendorId": "org.openchargealliance.iso15118pnc", "messageId": "DeleteCertificate", "data": "{}"}
            with pytest.raises(SafetyError, match="security"):
                await rig.csms.station("CP1").verbs.call("DataTransfer", wanted)

    play(story)
