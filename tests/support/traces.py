"""Synthetic runs for the rule engine: an AC charging session told event by event, easy to bend.

Times are milliseconds of the bench clock. The pilot stamps on its own clock (±0.2 ms, output sense 0..10 ms),
the meter is polled with 100 ms of age, OCPP frames are up to 5 ms old.
"""

from __future__ import annotations

import functools
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pilotbench.bench.config import virtual_bench
from pilotbench.bench.correlation import Facts, Pack, Report, Verdict, evaluate, load_pack
from pilotbench.bench.timeline import Event, Stamp

CONFIGS = Path(__file__).resolve().parents[2] / "hw-configs"
MS = 1_000_000
WALL = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONFIG = {"MinimumStatusDuration": "0", "LocalPreAuthorize": "false", "HeartbeatInterval": "10"} | dict.fromkeys(
    ("MeterValueSampleInterval", "ClockAlignedDataInterval", "WebSocketPingInterval"), "0"
)
RANKS = {"bench": 0, "csms": 1, "twin": 2, "pilot": 3, "meter": 4, "ev": 5, "recorder": 6}
TWIN_FACTS = Facts(station="CP001", powered_by_bench=True)


@functools.cache
def shipped_pack() -> Pack:
    """The packs of the demo, together."""
    with virtual_bench().open("rb") as file:
        named = tomllib.load(file)["rules"]
    return load_pack(
        [CONFIGS / "rules" / f"{name}.toml" for name in named["packs"]],
        [CONFIGS / "limits" / f"{name}.toml" for name in named["limits"]],
    )


class Trace:
    """Events in the making. Each call adds one; `events` are numbered per source in order of receipt."""

    def __init__(self, *, station_ahead_s: float = 0.0) -> None:
        self._made: list[tuple[str, int, str, Stamp, dict[str, Any], int | None]] = []
        self._ahead = timedelta(seconds=station_ahead_s)
        self.energy_wh = 1000.0

    # ---- raw

    def add(self, source: str, topic: str, stamp: Stamp, data: dict[str, Any], evse: int | None = 1) -> None:
        self._made.append((source, stamp.order_ns, topic, stamp, data, evse))

    def host(
        self, source: str, topic: str, at_ms: float, data: dict[str, Any], *, evse: int | None = 1, age: float = 0.0
    ) -> None:
        at = round(at_ms * MS)
        self.add(source, topic, Stamp(at, at - round(age * MS), at), data, evse)

    def pilot(
        self, topic: str, at_ms: float, data: dict[str, Any], *, sense: bool = False, read_after: float = 3.0
    ) -> None:
        """A fact that the pilot stamps at `at_ms` (of its own clock) and the host reads a little later."""
        at = round(at_ms * MS)
        residual = 200_000
        delay = 10 * MS if sense else 0
        lo, hi = at - residual - 2 * MS - delay, at + residual + 2 * MS
        self.add(
            "pilot",
            topic,
            Stamp(at + round(read_after * MS), lo, hi, "pilot", 1, at + 5_000 * MS, residual, 0, delay),
            data,
        )

    # ---- pilot

    def cp(self, at: float, state: str, *, pwm: bool) -> None:
        high = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0}.get(state, 0.0)
        self.pilot("cp.state", at, {"state": state, "pwm": pwm, "high_v": high, "low_v": -12.0 if pwm else high})

    def duty(self, at: float, pct: float) -> None:
        on = 0 < pct < 100
        self.pilot("cp.pwm", at, {"on": on, "duty_pct": pct, "freq_hz": 1000.0 if on else 0.0})

    def output(self, at: float, live: bool) -> None:
        """The sense reports at `at`; the fact was up to 10 ms earlier."""
        self.pilot("output", at, {"live": live, "phases": [live] * 3, "kind": "ac"}, sense=True)

    # ---- meter

    def meter(self, at: float, amps: float, energy_wh: float | None = None, *, age: float = 100.0) -> None:
        if energy_wh is not None:
            self.energy_wh = energy_wh
        data = {
            "current_a": [amps, amps, amps],
            "voltage_v": [230.0] * 3,
            "power_w": amps * 690,
            "energy_wh": f"{self.energy_wh:.1f}",
        }
        self.host("meter", "meter.sample", at, data, age=age)

    def meters(self, begin: float, end: float, amps: float, wh: float = 0.0, every: float = 100.0) -> None:
        """Samples from `begin` to `end` while `wh` are added evenly."""
        n = int((end - begin) // every)
        start = self.energy_wh
        for i in range(n + 1):
            exact = start + wh * (i / n if n else 1)
            self.meter(begin + i * every, amps, round(exact, 1))
        self.energy_wh = start + wh

    # ---- OCPP

    def claim(self, at: float) -> str:
        moment = WALL + self._ahead + timedelta(milliseconds=at)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def csms(self, topic: str, at: float, *, evse: int | None = 1, **data: Any) -> None:
        self.host("csms", topic, at, {"station": "CP001", **data}, evse=evse, age=5.0)

    def call(self, at: float, action: str, *, asked: bool = False) -> None:
        self.csms("ocpp.call", at, evse=None, dir="rx", action=action, message_id=f"m{at}", payload={}, asked=asked)

    def boot(self, at: float, *, interval_s: int = 10, config: dict[str, str] | None = CONFIG) -> None:
        """Connect, boot, accepted, configuration read, status Available: 100 ms in all."""
        self.csms("ocpp.connected", at, evse=None, version="1.6", subprotocols=["ocpp1.6"], remote="x")
        self.call(at + 10, "BootNotification")
        self.csms("ocpp.boot", at + 10, evse=None, model="m", vendor="v", firmware="1")
        self.csms("ocpp.boot.answered", at + 12, evse=None, status="Accepted", interval_s=interval_s)
        if config is not None:
            self.csms("station.config", at + 50, evse=None, values=config, unknown=[])
        zero = {"connector": 0, "status": "Available", "logical": "available", "error": "NoError"}
        self.csms("ocpp.status", at + 90, evse=None, claim=self.claim(at + 88), **zero)
        self.status(at + 100, "Available")

    def status(self, at: float, status: str, *, claimed: float | None = None) -> None:
        logical = {"Available": "available", "Faulted": "faulted", "Unavailable": "unavailable", "Reserved": "reserved"}
        self.call(at, "StatusNotification")
        self.csms(
            "ocpp.status",
            at,
            connector=1,
            status=status,
            logical=logical.get(status, "occupied"),
            error="NoError",
            claim=self.claim(at - 2 if claimed is None else claimed),
        )

    def token(self, at: float) -> None:
        self.host("pilot", "stimulus", at, {"device": "pilot", "verb": "token", "args": {"id": "04A2"}}, age=5.0)

    def pp(self, at: float, ohm: int | None) -> None:
        self.host("pilot", "stimulus", at, {"device": "pilot", "verb": "pp", "args": {"ohm": ohm}}, age=5.0)

    def authorized(self, at: float, *, accepted: bool = True, how: str = "authorize") -> None:
        status = "Accepted" if accepted else "Invalid"
        self.csms("ocpp.authorized", at, evse=None, id_tag="04A2", status=status, accepted=accepted, how=how)

    def tx_started(self, at: float, wh: int, *, claimed: float | None = None) -> None:
        claim = self.claim(at - 3 if claimed is None else claimed)
        self.call(at, "StartTransaction")
        self.csms("ocpp.tx.started", at, tx=7, id_tag="04A2", meter_wh=str(wh), claim=claim, accepted=True)

    def tx_ended(self, at: float, wh: int, *, claimed: float | None = None, reason: str = "Remote") -> None:
        claim = self.claim(at - 3 if claimed is None else claimed)
        self.call(at, "StopTransaction")
        self.csms("ocpp.tx.ended", at, tx=7, reason=reason, meter_wh=str(wh), claim=claim, orphan=False)

    def register(self, at: float, context: str, wh: float, *, claimed: float | None = None) -> None:
        claim = self.claim(at - 3 if claimed is None else claimed)
        self.csms("ocpp.register", at, tx=7, context=f"Transaction.{context}", value_wh=f"{wh:.1f}", claim=claim)

    def profile(self, at: float, limit_a: float = 16.0, purpose: str = "TxProfile", **more: Any) -> None:
        data = {"connector": 1, "limit_a": limit_a, "purpose": purpose, "tx": 7, "accepted": True, "status": "Accepted"}
        self.csms("csms.charging_profile", at, **{**data, **more})

    def remote_stop(self, at: float) -> None:
        self.csms("csms.remote_stop", at, evse=None, tx=7, accepted=True, status="Accepted")

    def disconnected(self, at: float) -> None:
        self.csms("ocpp.disconnected", at, evse=None, code=1006, reason="")

    def gap(self, source: str, begin: float, end: float) -> None:
        at = round(end * MS)
        data = {"from_ns": round(begin * MS), "to_ns": at, "why": "lost"}
        self.add(source, "gap", Stamp(at, round(begin * MS), at), data, None)

    def overrun(self, begin: float, end: float) -> None:
        self.host(
            "twin",
            "twin.overrun",
            end,
            {"who": "model", "from_ns": round(begin * MS), "to_ns": round(end * MS)},
            evse=None,
        )

    def misbehaves(self, at: float, what: str) -> None:
        """The back end does something wrong on purpose, which excuses the station for the rest of the trace."""
        deed = {
            "station": "CP001",
            "action": None,
            "what": what,
            "message_id": None,
            "detail": "",
            "of": [],
            "nth": None,
        }
        self.host("csms", "csms.misbehaviour", at, {**deed, "until_ns": round((at + 1e6) * MS)}, evse=None)

    def end(self, at: float) -> None:
        self.host("bench", "bench.state", at, {"state": "closed", "why": "finished"}, evse=None)

    # ---- longer pieces

    def idle(self, *, config: dict[str, str] | None = CONFIG) -> None:
        """Up to 500 ms: instruments up, state A, station booted."""
        self.host("bench", "clock.anchor", 0, {"mono_ns": 0, "wall_ns": int(WALL.timestamp() * 1e9)}, evse=None)
        self.cp(5, "A", pwm=False)
        self.duty(6, 100.0)
        self.output(7, False)
        self.meter(60, 0.0)
        self.boot(100, config=config)

    def plugged(self, *, at: float = 1000) -> None:
        """B1 and status Preparing, `at` .. `at` + 110."""
        self.pp(at - 20, 220)
        self.cp(at, "B", pwm=False)
        self.status(at + 110, "Preparing", claimed=at + 100)

    def charging(self, *, config: dict[str, str] | None = CONFIG) -> None:
        """Up to 5000 ms: authorised at 2000, B2 at 2200, C2 at 3000, live at 3100, 32 A from 3500 on."""
        self.idle(config=config)
        self.plugged()
        self.token(1990)
        self.call(1998, "Authorize")
        self.authorized(2000)
        self.tx_started(2050, round(5000.0))
        self.register(2060, "Begin", 5000.0)
        self.duty(2200, 53.33)
        self.cp(2200.5, "B", pwm=True)
        self.cp(3000, "C", pwm=True)
        self.output(3100, True)
        self.status(3150, "Charging")
        self.meters(200, 3100, 0.0)

    @property
    def events(self) -> list[Event]:
        """In canonical order, numbered, with the ticks that each source would have sent."""
        counts: dict[str, int] = {}
        numbered: list[Event] = []
        for source, _, topic, stamp, data, evse in sorted(self._made, key=lambda made: made[1]):
            counts[source] = counts.get(source, 0) + 1
            numbered.append(Event(topic, source, counts[source], stamp, data, evse, None, RANKS[source]))
        return sorted(numbered, key=lambda event: event.order)

    def judge(self, *rules: str, facts: Facts = TWIN_FACTS, truncated: bool = False) -> Report:
        pack = shipped_pack()
        return evaluate(self.events, pack.only(*rules) if rules else pack, facts, truncated=truncated)

    def verdict(self, rule: str, facts: Facts = TWIN_FACTS) -> Verdict:
        return self.judge(rule, facts=facts).of(rule)


def full_session(
    *,
    open_after: float = 40.0,
    energy_wh: float = 60.0,
    gain: float = 1.004,
    offset_wh: float = 0.0,
    station_ahead_s: float = 0.0,
) -> Trace:
    """A clean session: charge at 32 A, 16 A at 8000, pause 12000..14000, remote stop 20000, unplug 22000, end 40000.

    `open_after`: of the contactor after C -> B; `gain`: of the station's register; `offset_wh`: added to meterStop.
    """
    t = Trace(station_ahead_s=station_ahead_s)
    t.charging()
    t.meters(3200, 3500, 10.0, 0.5)
    t.meters(3600, 8900, 32.0, energy_wh * 0.5)
    t.profile(8000)
    t.duty(8500, 26.67)
    t.meters(9000, 11500, 16.0, energy_wh * 0.2)
    t.meters(11600, 11900, 0.0)
    t.cp(12000, "B", pwm=True)
    t.output(12000 + open_after, False)
    t.status(12100, "SuspendedEV")
    t.meters(12000, 14100, 0.0)
    t.cp(14000, "C", pwm=True)
    t.output(14100, True)
    t.status(14150, "Charging")
    t.meters(14200, 20300, 16.0, energy_wh * 0.3 - 0.5)
    t.remote_stop(20000)
    t.duty(20100, 100.0)
    t.cp(20100.5, "C", pwm=False)
    t.cp(20700, "B", pwm=False)
    t.output(20700 + open_after, False)
    t.meters(20400, 21900, 0.0)
    stop_wh = 5000 + energy_wh * gain
    t.register(21000, "End", stop_wh, claimed=20950)
    t.tx_ended(21005, round(stop_wh + offset_wh), claimed=20950)
    t.status(21050, "Finishing")
    t.cp(22000, "A", pwm=False)
    t.pp(22010, None)
    t.status(22200, "Available")
    t.meters(22000, 40000, 0.0)
    for at in (25000, 30000, 35000):
        t.call(at, "Heartbeat")
    t.end(40000)
    return t
