"""OCPP 1.6: what the back end may ask, on the public `ocpp` package.

Each incoming CALL runs in a task of its own, so that a handler may wait without keeping answers from being read.
What a request sets off is started by `@after`, so the answer always goes first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Protocol, cast

from websockets.asyncio.client import ClientConnection

from .authorisation import Reader
from .charging import Outlet
from .clock import StationClock, text_of
from .config import Config
from .link import CallFailed, Link, Offline
from .meter import sampled_values
from .ocpp_lib import Action, Peer16, after, call, call_result, on
from .profiles import Profile
from .status import StatusReporter

__all__ = ["Services", "StationChargePoint"]

_TRIGGERS = ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification")


class Services(Protocol):
    """The parts of the station that requests act on."""

    link: Link
    outlet: Outlet
    reader: Reader
    reporter: StatusReporter
    config: Config
    clock: StationClock

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None: ...
    async def reset(self, kind: str) -> None: ...


class StationChargePoint(Peer16):
    """The OCPP end of one connection."""

    def __init__(self, station_id: str, connection: ClientConnection, services: Services) -> None:
        super().__init__(station_id, connection)
        self._ws = connection
        self._services = services
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Read until the connection ends.

        Raises:
            websockets.ConnectionClosed: it has ended.
        """
        while True:
            raw = await self._ws.recv()
            if not _is_call(raw):
                await self.route(raw)
            elif self._services.link.boot_status != "Rejected":  # a rejected station answers nothing (section 4.2)
                task = asyncio.create_task(self.route(raw), name="station.request")
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    # remote start and stop

    @on(Action.remote_start_transaction)
    def on_remote_start(
        self, id_tag: str, connector_id: int | None = None, charging_profile: dict[str, Any] | None = None
    ) -> Any:
        outlet = self._services.outlet
        accepted = self._services.link.ready and connector_id in (None, 1) and outlet.startable
        if accepted and charging_profile is not None:
            accepted = self._install(1, charging_profile, starting=True)
        return call_result.RemoteStartTransaction("Accepted" if accepted else "Rejected")

    @after(Action.remote_start_transaction)
    def after_remote_start(self, id_tag: str, connector_id: int | None = None, **_: Any) -> None:
        outlet = self._services.outlet
        if self._services.link.ready and connector_id in (None, 1) and outlet.startable:
            outlet.spawn(self._services.reader.remote_start(id_tag), "station.remote_start")

    @on(Action.remote_stop_transaction)
    def on_remote_stop(self, transaction_id: int) -> Any:
        running = self._services.outlet.transaction
        accepted = self._services.link.ready and running is not None and running.id == transaction_id
        return call_result.RemoteStopTransaction("Accepted" if accepted else "Rejected")

    @after(Action.remote_stop_transaction)
    def after_remote_stop(self, transaction_id: int) -> None:
        running = self._services.outlet.transaction
        if running is not None and running.id == transaction_id:
            self._services.outlet.request_stop("Remote")

    # smart charging

    @on(Action.set_charging_profile)
    def on_set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        accepted = connector_id in (0, 1) and self._install(connector_id, cs_charging_profiles, starting=False)
        status = "Accepted" if accepted else "Rejected"
        return call_result.SetChargingProfile(status)

    @after(Action.set_charging_profile)
    def after_set_profile(self, **_: Any) -> None:
        self._services.outlet.step()

    def _install(self, connector: int, data: dict[str, Any], *, starting: bool) -> bool:
        outlet = self._services.outlet
        try:
            profile = Profile.parse(connector, data, phases=outlet.phases)
            if starting and profile.purpose != "TxProfile":
                return False
            if profile.purpose == "TxProfile" and not starting:
                running = outlet.transaction
                if running is None or profile.transaction_id not in (None, running.id):
                    return False
            outlet.profiles.install(profile)
        except ValueError:
            return False
        return True

    @on(Action.clear_charging_profile)
    def on_clear_profile(
        self,
        id: int | None = None,  # noqa: A002  (the name is OCPP's)
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
    ) -> Any:
        removed = self._services.outlet.profiles.clear(id, connector_id, charging_profile_purpose, stack_level)
        status = "Accepted" if removed else "Unknown"
        return call_result.ClearChargingProfile(status)

    @after(Action.clear_charging_profile)
    def after_clear_profile(self, **_: Any) -> None:
        self._services.outlet.step()

    @on(Action.get_composite_schedule)
    def on_get_schedule(self, connector_id: int, duration: int, charging_rate_unit: str = "A") -> Any:
        if connector_id not in (0, 1):
            return call_result.GetCompositeSchedule("Rejected")
        outlet, now = self._services.outlet, self._services.clock.now()
        running = outlet.transaction
        ceiling = outlet.ceiling_a if outlet.plugged else outlet.rated_a
        periods = outlet.profiles.schedule(now, duration, running.started_at if running else None, ceiling)
        factor = 230.0 * outlet.phases if charging_rate_unit == "W" else 1.0
        return call_result.GetCompositeSchedule(
            "Accepted",
            connector_id,
            text_of(now),
            {
                "duration": duration,
                "chargingRateUnit": charging_rate_unit,
                "chargingSchedulePeriod": [
                    {"startPeriod": second, "limit": round(amps * factor, 1)} for second, amps in periods
                ],
            },
        )

    # configuration and the rest of the core profile

    @on(Action.get_configuration)
    def on_get_configuration(self, key: list[str] | None = None) -> Any:
        known, unknown = self._services.config.report(key)
        return call_result.GetConfiguration(known, unknown or None)

    @on(Action.change_configuration)
    def on_change_configuration(self, key: str, value: str) -> Any:
        status = self._services.config.change(key, value)
        return call_result.ChangeConfiguration(status)

    @after(Action.change_configuration)
    def after_change_configuration(self, key: str, **_: Any) -> None:
        if key == "HeartbeatInterval":
            self._services.link.config_changed()

    @on(Action.change_availability)
    def on_change_availability(self, connector_id: int, type: str) -> Any:  # noqa: A002
        if connector_id not in (0, 1):
            return call_result.ChangeAvailability("Rejected")
        status = self._services.outlet.change_availability(connector_id, type == "Operative")
        return call_result.ChangeAvailability(status)

    @on(Action.unlock_connector)
    async def on_unlock(self, connector_id: int) -> Any:
        status = await self._services.outlet.unlock() if connector_id == 1 else "NotSupported"
        return call_result.UnlockConnector(status)

    @on(Action.reset)
    def on_reset(self, type: str) -> Any:  # noqa: A002
        return call_result.Reset("Accepted")

    @after(Action.reset)
    def after_reset(self, type: str) -> None:  # noqa: A002
        self._services.spawn(self._services.reset(type), "station.reset")

    @on(Action.clear_cache)
    def on_clear_cache(self) -> Any:
        return call_result.ClearCache("Accepted")

    @on(Action.data_transfer)
    def on_data_transfer(self, vendor_id: str, **_: Any) -> Any:
        return call_result.DataTransfer("UnknownVendorId")

    # triggers

    @on(Action.trigger_message)
    def on_trigger(self, requested_message: str, connector_id: int | None = None) -> Any:
        status = "Accepted"
        if requested_message not in _TRIGGERS:
            status = "NotImplemented"
        elif connector_id not in (None, 0, 1):
            status = "Rejected"
        return call_result.TriggerMessage(status)

    @after(Action.trigger_message)
    def after_trigger(self, requested_message: str, connector_id: int | None = None) -> None:
        if requested_message in _TRIGGERS and connector_id in (None, 0, 1):
            self._services.spawn(self._triggered(requested_message, connector_id), "station.trigger")

    async def _triggered(self, message: str, connector: int | None) -> None:
        services, link = self._services, self._services.link
        try:
            if message == "BootNotification":
                if link.boot_status == "Accepted":
                    await link.boot()
                else:
                    link.boot_soon()
            elif message == "Heartbeat":
                await link.heartbeat(before_accepted=True)
            elif message == "StatusNotification":
                for number in (0, 1) if connector is None else (connector,):
                    await link.call(services.reporter.message(number), before_accepted=True)
            else:
                await link.call(self._meter_values(), before_accepted=True)
        except (Offline, CallFailed):
            return

    def _meter_values(self) -> Any:
        services = self._services
        running = services.outlet.transaction
        names = services.config.names("MeterValuesSampledData") or ["Energy.Active.Import.Register"]
        values = sampled_values(services.outlet.meter.sample, names, "Trigger", None)
        entry = {"timestamp": services.clock.stamp(), "sampledValue": values}
        return call.MeterValues(1, [entry], running.id if running else None)


def _is_call(raw: str | bytes) -> bool:
    try:
        message: Any = json.loads(raw)
    except ValueError:
        return False
    return isinstance(message, list) and cast("list[Any]", message)[:1] == [2]
