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
