"""An OCPP 1.6 station told event by event, complete enough that a whole pack may judge it.

Beside `Trace`: every request gets its answer, connector 0 reports too, a status moves the charging state of the
transaction, settings are read back in full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from traces import Trace

__all__ = ["SETTINGS", "Case", "Told", "Traced"]

SETTINGS = {
    "AuthorizeRemoteTxRequests": "false",
    "ClockAlignedDataInterval": "0",
    "ConnectionTimeOut": "30",
    "HeartbeatInterval": "3600",
    "LocalAuthorizeOffline": "false",
    "LocalPreAuthorize": "false",
    "MeterValueSampleInterval": "0",
    "MinimumStatusDuration": "0",
    "NumberOfConnectors": "1",
    "StopTransactionOnEVSideDisconnect": "true",
    "StopTransactionOnInvalidId": "true",
    "TransactionMessageAttempts": "3",
    "TransactionMessageRetryInterval": "10",
    "UnlockConnectorOnEVSideDisconnect": "true",
}
CHARGING = ("Charging", "SuspendedEV", "SuspendedEVSE")
TAG = "04A2"

Traced = Callable[[], Trace]


class Case(NamedTuple):
    """The traces of one rule: one that passes, one that fails it and nothing else, odd ones that must not fail.

    `fails` is None for a rule that measures only.
    """

    passes: Traced
    fails: Traced | None
    strange: Mapping[str, Traced]


class Told(Trace):
    """Verbs of a 1.6 station; times in milliseconds. `but`: settings that differ (None: it has none of that name)."""

    def __init__(self, *, station_ahead_s: float = 0.0, **but: str | None) -> None:
        super().__init__(station_ahead_s=station_ahead_s)
        self.settings = {key: value for key, value in {**SETTINGS, **but}.items() if value is not None}
        self._ids = 0
        self._tx: int | None = None

    # ---- messages

    def call(
        self,
        at: float,
        action: str,
        *,
        asked: bool = False,
        payload: Mapping[str, Any] | None = None,
        id_: str | None = None,
        answer: str | None = "ocpp.result",
        after: float = 2,
    ) -> None:
        """A request of the station and, `after` ms, its answer (None: it gets none)."""
        self._ids += 1
        data = {"action": action, "message_id": id_ or f"id{self._ids}"}
        self.csms("ocpp.call", at, evse=None, dir="rx", payload=dict(payload or {}), asked=asked, **data)
        if answer == "ocpp.result":
            self.csms(answer, at + after, evse=None, dir="tx", payload={}, latency_ms=after, **data)
        elif answer is not None:
            self.csms(answer, at + after, evse=None, dir="tx", code="InternalError", description="", **data)

    def ask(self, at: float, action: str, payload: Mapping[str, Any] | None = None) -> None:
        """A request of the back end; the station answers 20 ms later."""
        self._ids += 1
        data = {"action": action, "message_id": f"c{self._ids}"}
        self.csms("ocpp.call", at, evse=None, dir="tx", payload=dict(payload or {}), asked=False, **data)
        self.csms("ocpp.result", at + 20, evse=None, dir="rx", payload={}, latency_ms=20, **data)

    def frame(self, at: float, kind: str) -> None:
        self.csms("ocpp.frame", at, evse=None, dir="rx", kind=kind)

    # ---- connection and boot

    def connected(self, at: float) -> None:
        self.csms("ocpp.connected", at, evse=None, version="1.6", subprotocols=["ocpp1.6"], remote="x", auth="")

    def ready(self, *, interval_s: int = 3600) -> Self:
        """Instruments up, nothing plugged in, station booted: up to 300 ms."""
        self.instruments()
        self.connected(100)
        self.booted(110, interval_s=interval_s)
        return self

    def instruments(self) -> Self:
        self.host("bench", "clock.anchor", 0, {"mono_ns": 0, "wall_ns": WALL_NS}, evse=None)
        self.cp(5, "A", pwm=False)
        self.duty(6, 100.0)
        self.output(7, False)
        self.pp(8, None)
        return self

    def boots(self, at: float, status: str, interval_s: int = 3600, *, asked: bool = False) -> None:
        """A BootNotification with its answer."""
        self.call(at, "BootNotification", asked=asked)
        self.csms("ocpp.boot", at, evse=None, model="m", vendor="v", firmware="1", reason=None)
        self.csms("ocpp.boot.answered", at + 2, evse=None, status=status, interval_s=interval_s)

    def booted(self, at: float, *, interval_s: int = 3600, status: str = "Available", zero: bool = True) -> None:
        """Accepted, settings read, both statuses: within 150 ms."""
        self.boots(at, "Accepted", interval_s)
        self.configured(at + 40)
        if zero:
            self.status(at + 80, "Available", connector=0)
        if status:
            self.status(at + 100, status)

    def configured(self, at: float) -> None:
        self.csms("station.config", at, evse=None, values=self.settings, unknown=[], complete=True)

    def lost(self, at: float, back: float | None = None) -> None:
        """The connection ends, and is there again."""
        self.disconnected(at)
        if back is not None:
            self.connected(back)
            self.csms("ocpp.attached", back, evse=None, how="accepted before")
            self.configured(back + 50)

    # ---- status and transaction

    def status(
        self,
        at: float,
        status: str,
        *,
        claimed: float | None = None,
        connector: int = 1,
        error: str = "NoError",
        asked: bool = False,
    ) -> None:
        logical = {"Available": "available", "Faulted": "faulted", "Unavailable": "unavailable", "Reserved": "reserved"}
        claim = self.claim(at - 2 if claimed is None else claimed)
        evse = connector or None
        self.call(at, "StatusNotification", asked=asked)
        word = logical.get(status, "occupied")
        data = {"connector": connector, "component": "Connector", "error": error, "claim": claim}
        self.csms("ocpp.status", at, evse=evse, status=status, logical=word, via="StatusNotification", **data)
        if connector and status in CHARGING and self._tx is not None:
            self.csms("ocpp.tx.updated", at, tx=self._tx, charging_state=status, claim=claim, via="StatusNotification")

    def start(
        self, at: float, wh: int = 5000, *, tx: int = 7, accepted: bool = True, claimed: float | None = None
    ) -> None:
        claim = self.claim(at - 3 if claimed is None else claimed)
        self.call(at, "StartTransaction", payload={"timestamp": claim, "idTag": TAG, "connectorId": 1})
        self._tx = tx
        data = {"charging_state": None, "via": "StartTransaction", "accepted": accepted}
        self.csms("ocpp.tx.started", at + 2, tx=tx, id_tag=TAG, meter_wh=str(wh), claim=claim, **data)
        word = "Accepted" if accepted else "Invalid"
        self.csms("ocpp.authorized", at + 2, id_tag=TAG, status=word, accepted=accepted, how="start", tx=tx)

    def stop(
        self,
        at: float,
        reason: str = "Remote",
        *,
        wh: int = 5020,
        tx: int = 7,
        claimed: float | None = None,
        orphan: bool = False,
    ) -> None:
        claim = self.claim(at - 3 if claimed is None else claimed)
        self.call(at, "StopTransaction", payload={"timestamp": claim, "transactionId": tx, "reason": reason})
        self._tx = None
        data = {"id_tag": None, "reason": reason, "orphan": orphan, "via": "StopTransaction"}
        self.csms("ocpp.tx.ended", at + 2, tx=tx, meter_wh=str(wh), claim=claim, **data)

    def authorize(self, at: float, tag: str = TAG, *, accepted: bool = True) -> None:
        self.call(at - 2, "Authorize", payload={"idTag": tag})
        word = "Accepted" if accepted else "Invalid"
        self.csms(
            "ocpp.authorized", at, evse=None, id_tag=tag, status=word, accepted=accepted, how="authorize", tx=None
        )

    def values(self, at: float, context: str, wh: float, *, tx: int = 7, claimed: float | None = None) -> None:
        """MeterValues with one register."""
        self.call(at, "MeterValues", payload={"connectorId": 1})
        claim = self.claim(at - 3 if claimed is None else claimed)
        self.csms("ocpp.register", at, tx=tx, context=context, value_wh=f"{wh:.1f}", claim=claim)

    # ---- the physical side

    def plug(self, at: float, *, status: str = "Preparing") -> Self:
        self.pp(at - 20, 220)
        self.cp(at, "B", pwm=False)
        if status:
            self.status(at + 110, status)
        return self

    def unplug(self, at: float, *, cable: bool = True) -> None:
        """State A; the cable leaves the socket too, unless it stays there."""
        self.cp(at, "A", pwm=False)
        self.duty(at + 1, 100.0)
        if cable:
            self.pp(at + 10, None)

    def offer(self, at: float, state: str = "B", pct: float = 53.33) -> None:
        self.duty(at, pct)
        self.cp(at + 0.5, state, pwm=True)

    def withdraw(self, at: float, state: str = "C") -> None:
        self.duty(at, 100.0)
        self.cp(at + 0.5, state, pwm=False)

    def lock(self, at: float, locked: bool) -> None:
        self.pilot("lock", at, {"locked": locked})

    def charge(self, *, wh: int = 5000, accepted: bool = True) -> Self:
        """Booted; plugged at 1000, card 2000, transaction 2050, C2 3000, live 3100, Charging 3150."""
        self.ready()
        self.plug(1000)
        self.token(1990)
        self.authorize(2000)
        self.start(2050, wh, accepted=accepted)
        self.offer(2200)
        self.cp(3000, "C", pwm=True)
        self.output(3100, True)
        self.status(3150, "Charging")
        return self

    def stopped(self, at: float, *, wh: int = 5020, unplugged: bool = True) -> Self:
        """Remote stop at `at`, ended 1 s later; unplugged and Available 2.2 s later."""
        self.remote_stop(at)
        self.withdraw(at + 100)
        self.cp(at + 700, "B", pwm=False)
        self.output(at + 740, False)
        self.stop(at + 1000, wh=wh)
        self.status(at + 1050, "Finishing")
        if unplugged:
            self.unplug(at + 2000)
            self.status(at + 2200, "Available")
        return self

    def till(self, at: float) -> Self:
        self.end(at)
        return self


WALL_NS = 1_772_366_400_000_000_000
"""The wall clock of `traces.WALL`, nanoseconds."""
