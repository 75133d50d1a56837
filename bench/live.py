"""What is going on right now, reduced from the timeline for people to look at.

One reducer serves the command line and the screen. It is fed on the bench loop and read from
another thread: what it hands out is an immutable snapshot, made whole before it is published.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any, cast

import msgspec

from .timeline import Event, Timeline

__all__ = ["LiveState", "MessageLine", "Snapshot", "VerdictLine"]

MESSAGES_KEPT = 400
VERDICTS_KEPT = 200
NO_OUTLET = 1 << 30
OF_AN_OUTLET = ("cp.state", "cp.volts", "cp.pwm", "lock", "meter.sample", "ev.status")
FACTS = (
    "cp_state",
    "cp_high_v",
    "pwm_on",
    "duty_pct",
    "offered_a",
    "locked",
    "current_a",
    "power_w",
    "energy_wh",
    "soc_pct",
)
"""What those topics say."""


class MessageLine(msgspec.Struct, frozen=True):
    """One OCPP message in a line: `at_s` since the start, `to_station`, the action and its gist."""

    at_s: float
    to_station: bool
    action: str
    gist: str


class VerdictLine(msgspec.Struct, frozen=True):
    """One decided instance of a rule in a line."""

    at_s: float
    rule: str
    verdict: str
    text: str


class Snapshot(msgspec.Struct, frozen=True):
    """The bench at one instant. None where nothing is known.

    What the instruments say is that of the first outlet, except `output_live`: True while any outlet is live, False
    when all that tell of themselves are dead. `outlet` is that outlet, `outlets` how many have told anything.
    """

    version: int = 0
    outlet: int = 1
    outlets: int = 1
    at_s: float = 0.0
    state: str = "starting"
    phase: str = ""
    cp_state: str | None = None
    cp_high_v: float | None = None
    pwm_on: bool = False
    duty_pct: float | None = None
    offered_a: float | None = None
    output_live: bool | None = None
    locked: bool | None = None
    current_a: tuple[float, ...] = ()
    power_w: float | None = None
    energy_wh: float | None = None
    soc_pct: float | None = None
    station: str = "not connected"
    station_status: str = ""
    transaction: str | None = None
    devices: tuple[tuple[str, str, str], ...] = ()
    messages: tuple[MessageLine, ...] = ()
    message_count: int = 0
    verdicts: tuple[VerdictLine, ...] = ()
    overruns: int = 0


class LiveState:
    """Follows one timeline. `snapshot` may be read from any thread.

    `open_transactions`: outlet -> transaction that began in this run and has not ended; `attached`: the
    station was on before this run began.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._start_ns = time.monotonic_ns()
        self._values: dict[str, Any] = {}
        self._outlet = NO_OUTLET
        self._outlets: set[int] = set()
        self._live: dict[int, bool] = {}
        self._devices: dict[str, tuple[str, str]] = {}
        self._messages: deque[MessageLine] = deque(maxlen=MESSAGES_KEPT)
        self._verdicts: deque[VerdictLine] = deque(maxlen=VERDICTS_KEPT)
        self._message_count = 0
        self._energy_start_wh: float | None = None
        self._version = 0
        self.open_transactions: dict[int, int | str] = {}
        self.attached = False
        self._built = Snapshot()
        self._dirty = False
        self.unsubscribe = timeline.subscribe(self._look)

    @property
    def snapshot(self) -> Snapshot:
        """The newest state. Built on demand, at most once per change."""
        if self._dirty:
            self._dirty = False
            self._built = self._build()
        return self._built

    def _build(self) -> Snapshot:
        return Snapshot(
            version=self._version,
            outlet=min(self._outlets, default=1),
            outlets=max(len(self._outlets), 1),
            at_s=(time.monotonic_ns() - self._start_ns) / 1e9,
            devices=tuple((name, state, why) for name, (state, why) in sorted(self._devices.copy().items())),
            messages=tuple(self._messages.copy()),
            message_count=self._message_count,
            verdicts=tuple(self._verdicts.copy()),
            **self._values.copy(),
        )

    def _look(self, event: Event) -> None:
        handler = _HANDLERS.get(event.topic)
        if handler is None:
            return
        if event.topic in OF_AN_OUTLET and not self._is_first(event.evse or 1):
            return
        handler(self, event, event.data)
        self._version += 1
        self._dirty = True

    def _is_first(self, evse: int) -> bool:
        """True for the outlet that is shown; facts of two must not be mixed."""
        if evse not in self._outlets:
            self._outlets = {*self._outlets, evse}
            self._version += 1
            self._dirty = True
        if evse < self._outlet:
            self._outlet = evse
            self._energy_start_wh = None
            for name in FACTS:
                self._values.pop(name, None)
        return evse == self._outlet

    def _at_s(self, event: Event) -> float:
        return (event.stamp.order_ns - self._start_ns) / 1e9

    def on_cp_state(self, event: Event, data: dict[str, Any]) -> None:
        self._values.update(cp_state=data["state"], cp_high_v=data.get("high_v"))

    def on_cp_volts(self, event: Event, data: dict[str, Any]) -> None:
        self._values["cp_high_v"] = data["high_v"]

    def on_cp_pwm(self, event: Event, data: dict[str, Any]) -> None:
        duty_pct = float(data["duty_pct"])
        self._values.update(pwm_on=bool(data["on"]), duty_pct=duty_pct, offered_a=_amps_of(duty_pct))

    def on_output(self, event: Event, data: dict[str, Any]) -> None:
        self._live[event.evse or 1] = bool(data["live"])
        self._values["output_live"] = any(self._live.values())

    def on_lock(self, event: Event, data: dict[str, Any]) -> None:
        self._values["locked"] = bool(data["locked"])

    def on_meter(self, event: Event, data: dict[str, Any]) -> None:
        energy_wh = float(data["energy_wh"])
        if self._energy_start_wh is None:
            self._energy_start_wh = energy_wh
        self._values.update(
            current_a=tuple(float(value) for value in cast("list[Any]", data["current_a"])),
            power_w=float(data["power_w"]),
            energy_wh=energy_wh - self._energy_start_wh,
        )

    def on_ev(self, event: Event, data: dict[str, Any]) -> None:
        self._values["soc_pct"] = data.get("soc_pct")

    def on_phase(self, event: Event, data: dict[str, Any]) -> None:
        self._values["phase"] = data["name"]

    def on_bench(self, event: Event, data: dict[str, Any]) -> None:
        self._values["state"] = data["state"]

    def on_device(self, event: Event, data: dict[str, Any]) -> None:
        self._devices[str(data["device"])] = (str(data["state"]), str(data.get("why") or ""))

    def on_connected(self, event: Event, data: dict[str, Any]) -> None:
        self._values["station"] = f"{data['station']} connected"

    def on_disconnected(self, event: Event, data: dict[str, Any]) -> None:
        self._values["station"] = f"{data['station']} offline"

    def on_boot(self, event: Event, data: dict[str, Any]) -> None:
        accepted = data["status"] == "Accepted"
        self._values["station"] = f"{data['station']} {'online' if accepted else 'boot ' + str(data['status'])}"

    def on_status(self, event: Event, data: dict[str, Any]) -> None:
        if data.get("connector") != 0:
            self._values["station_status"] = str(data["status"])

    def on_started(self, event: Event, data: dict[str, Any]) -> None:
        self.open_transactions[event.evse or 1] = data["tx"]
        self._values["transaction"] = str(data["tx"])

    def on_ended(self, event: Event, data: dict[str, Any]) -> None:
        for evse, transaction in list(self.open_transactions.items()):
            if str(transaction) == str(data["tx"]):
                del self.open_transactions[evse]
        still = next(iter(self.open_transactions.values()), None)
        self._values["transaction"] = None if still is None else str(still)

    def on_attached(self, event: Event, data: dict[str, Any]) -> None:
        self.attached = True
        self._values["station"] = f"{data['station']} attached"

    def on_call(self, event: Event, data: dict[str, Any]) -> None:
        self._message(event, data, str(data["action"]), data.get("payload"))

    def on_result(self, event: Event, data: dict[str, Any]) -> None:
        self._message(event, data, f"{data['action']}.conf", data.get("payload"))

    def on_error(self, event: Event, data: dict[str, Any]) -> None:
        self._message(event, data, f"{data.get('action')} refused", data.get("code"))

    def on_violation(self, event: Event, data: dict[str, Any]) -> None:
        self._message(event, {"dir": "rx"}, "VIOLATION", f"{data['layer']}: {data['text']}")

    def on_overrun(self, event: Event, data: dict[str, Any]) -> None:
        self._values["overruns"] = int(self._values.get("overruns", 0)) + 1

    def on_verdict(self, event: Event, data: dict[str, Any]) -> None:
        self._verdicts.append(
            VerdictLine(self._at_s(event), str(data["rule"]), str(data["verdict"]), str(data.get("text") or ""))
        )

    def _message(self, event: Event, data: dict[str, Any], action: str, payload: object) -> None:
        self._message_count += 1
        self._messages.append(MessageLine(self._at_s(event), data.get("dir") == "tx", action, _gist(payload)))


_HANDLERS = {
    "cp.state": LiveState.on_cp_state,
    "cp.volts": LiveState.on_cp_volts,
    "cp.pwm": LiveState.on_cp_pwm,
    "output": LiveState.on_output,
    "lock": LiveState.on_lock,
    "meter.sample": LiveState.on_meter,
    "ev.status": LiveState.on_ev,
    "phase": LiveState.on_phase,
    "bench.state": LiveState.on_bench,
    "device.state": LiveState.on_device,
    "ocpp.connected": LiveState.on_connected,
    "ocpp.disconnected": LiveState.on_disconnected,
    "ocpp.boot.answered": LiveState.on_boot,
    "ocpp.attached": LiveState.on_attached,
    "ocpp.status": LiveState.on_status,
    "ocpp.tx.started": LiveState.on_started,
    "ocpp.tx.ended": LiveState.on_ended,
    "ocpp.call": LiveState.on_call,
    "ocpp.result": LiveState.on_result,
    "ocpp.error": LiveState.on_error,
    "ocpp.violation": LiveState.on_violation,
    "twin.overrun": LiveState.on_overrun,
    "verdict": LiveState.on_verdict,
}


def _amps_of(duty_pct: float) -> float | None:
    """Offered current for a duty cycle (IEC 61851-1 Annex A); None where the duty offers none."""
    if not 8 <= duty_pct <= 97:
        return None
    if duty_pct <= 85:
        return max(6.0, duty_pct * 0.6)
    return min(80.0, (duty_pct - 64) * 2.5)


def _gist(payload: object) -> str:
    if not isinstance(payload, dict):
        return "" if payload is None else str(payload)
    table = cast("dict[str, Any]", payload)
    parts: list[str] = []
    for key, value in table.items():
        if isinstance(value, dict):
            parts.append(f"{key}={{{_gist(cast('dict[str, Any]', value))}}}")
        elif isinstance(value, list):
            parts.append(f"{key}[{len(cast('list[Any]', value))}]")
        elif key not in ("timestamp", "currentTime"):
            parts.append(f"{key}={value}")
    return " ".join(parts)
