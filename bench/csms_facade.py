"""The back end as a test sees it: the verbs of `csms.verbs`, one by one, waited for.

Each function hands one coroutine to the bench's loop, waits for it with a deadline, and returns plain data. Names,
arguments and meaning are those of the verb; no version of OCPP is named here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..errors import StationTimeout
from .certificates_facade import CertificatesFacade
from .csms.misbehave import Script
from .csms.verbs import Answer, Purpose, Tx, Verbs
from .files_facade import FilesFacade
from .misbehave_facade import LinkFacade, script_on
from .timeline import parse_quantity

if TYPE_CHECKING:
    from .assembly import Bench

__all__ = ["CsmsFacade"]

P = ParamSpec("P")
T = TypeVar("T")

ANSWER_WITHIN_S = 40.0
"""Longer than the back end's own patience with a station, so that its clearer message is the one seen."""

REPORT_WITHIN_S = 160.0
"""For verbs that wait for more than one answer: a report in many parts, or several requests."""


class _Host(Protocol):
    @property
    def bench(self) -> Bench: ...

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T: ...


def _waited(
    verb: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], within_s: float = ANSWER_WITHIN_S
) -> Callable[Concatenate[CsmsFacade, P], T]:
    """The verb as a plain function."""

    @functools.wraps(verb)
    def ask(self: CsmsFacade, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.waited(getattr(self.verbs, verb.__name__)(*args, **kwargs), within_s)

    return ask


class CsmsFacade:
    """The back end's requests to the station, in words that hold for every OCPP version.

    Most return the station's answer; `answer.accepted` and `answer.status` say what it was. What the station's
    version does not have raises a CsmsError that says so and what to use instead. `files` is the file exchange port,
    `certificates` what is signed, checked and monitored.
    """

    def __init__(self, host: _Host) -> None:
        self._host = host
        self.files = FilesFacade(host)
        self.certificates = CertificatesFacade(host)

    @property
    def verbs(self) -> Verbs:
        """The verbs of the station under test, as coroutines of the bench's loop."""
        bench = self._host.bench
        return bench.csms.station(bench.file.station.id).verbs

    def on(self, action: str, station: str | None = None) -> Script:
        """Say what happens to the next requests of an action: see `csms.misbehave.Script` and docs/misbehaviour.md."""
        return script_on(self._host, action, station)

    def link(self, station: str | None = None) -> LinkFacade:
        """The connection of a station (None: of the one under test), to cut it or make it worse."""
        return LinkFacade(self._host, station)

    def wait_ready(self, within: str = "30 s") -> None:
        """Return when the station under test is served (again): its boot accepted, or attached after a reconnect.

        Raises:
            StationTimeout: not within this time (a text with its unit); says what was seen instead.
        """
        bench = self._host.bench
        within_s = parse_quantity(within, "time") / 1e9
        self._host.call(bench.csms.wait_ready(bench.file.station.id, within_s), within_s + 2)

    def waited(self, work: Coroutine[Any, Any, T], within_s: float = ANSWER_WITHIN_S) -> T:
        """Run a coroutine on the bench's loop and wait for it."""
        return self._host.call(work, within_s)

    def transaction(self, evse: int = 1) -> Any:
        """Id of the transaction open on an outlet.

        Raises:
            StationTimeout: there is none.
        """
        tx = self._host.bench.open_transaction(evse)
        if tx is None:
            raise StationTimeout(f"no transaction is open on EVSE {evse}.")
        return tx

    def remote_stop(self, tx: Tx | None = None, *, evse: int = 1) -> Answer:
        """Stop a transaction; without `tx` the one open on the outlet."""
        return self.waited(self.verbs.remote_stop(self.transaction(evse) if tx is None else tx))

    def set_limit(
        self,
        amps: float,
        *,
        evse: int = 1,
        tx: Tx | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int | None = None,
        phases: int | None = None,
    ) -> Answer:
        """Limit the current per phase from now on. Of the transaction open on the outlet, if there is one.

        See `verbs.charging.Charging.set_limit`; without a transaction (or with another `purpose`) it is the default
        for every transaction to come.
        """
        if tx is None and purpose in (None, "transaction"):
            tx = self._host.bench.open_transaction(evse)
        return self.waited(
            self.verbs.set_limit(
                amps,
                evse=evse,
                tx=tx,
                purpose=purpose,
                stack_level=stack_level,
                profile_id=profile_id,
                phases=phases,
            )
        )

    remote_start = _waited(Verbs.remote_start)
    clear_limits = _waited(Verbs.clear_limits)
    composite_schedule = _waited(Verbs.composite_schedule)
    get_profiles = _waited(Verbs.get_profiles)
    dynamic_profile = _waited(Verbs.dynamic_profile)
    dynamic_limit = _waited(Verbs.dynamic_limit)
    set_point = _waited(Verbs.set_point)
    priority_charging = _waited(Verbs.priority_charging)
    allow_energy_transfer = _waited(Verbs.allow_energy_transfer)

    unlock = _waited(Verbs.unlock)
    reset = _waited(Verbs.reset)
    set_availability = _waited(Verbs.set_availability)
    trigger = _waited(Verbs.trigger)

    get_variable = _waited(Verbs.get_variable)
    get_variables = _waited(Verbs.get_variables, REPORT_WITHIN_S)
    set_variable = _waited(Verbs.set_variable, REPORT_WITHIN_S)
    set_variables = _waited(Verbs.set_variables, REPORT_WITHIN_S)
    set_password = _waited(Verbs.set_password)
    get_report = _waited(Verbs.get_report, REPORT_WITHIN_S)

    update_firmware = _waited(Verbs.update_firmware)
    publish_firmware = _waited(Verbs.publish_firmware)
    unpublish_firmware = _waited(Verbs.unpublish_firmware)
    get_log = _waited(Verbs.get_log)
    get_diagnostics = _waited(Verbs.get_diagnostics)
    install_certificate = _waited(Verbs.install_certificate)
    delete_certificate = _waited(Verbs.delete_certificate)
    list_certificates = _waited(Verbs.list_certificates, REPORT_WITHIN_S)
    set_network_profile = _waited(Verbs.set_network_profile)

    reserve = _waited(Verbs.reserve)
    cancel_reservation = _waited(Verbs.cancel_reservation)
    send_local_list = _waited(Verbs.send_local_list)
    local_list_version = _waited(Verbs.local_list_version)
    clear_cache = _waited(Verbs.clear_cache)

    set_monitor = _waited(Verbs.set_monitor)
    clear_monitor = _waited(Verbs.clear_monitor)
    get_monitors = _waited(Verbs.get_monitors)
    set_monitoring_base = _waited(Verbs.set_monitoring_base)
    set_monitoring_level = _waited(Verbs.set_monitoring_level)
    transaction_status = _waited(Verbs.transaction_status)
    customer_information = _waited(Verbs.customer_information)
    update_cost = _waited(Verbs.update_cost)
    show_message = _waited(Verbs.show_message)
    get_messages = _waited(Verbs.get_messages)
    clear_message = _waited(Verbs.clear_message)

    adjust_stream = _waited(Verbs.adjust_stream)
    get_streams = _waited(Verbs.get_streams)
    set_default_tariff = _waited(Verbs.set_default_tariff)
    get_tariffs = _waited(Verbs.get_tariffs)
    clear_tariffs = _waited(Verbs.clear_tariffs)
    change_tariff = _waited(Verbs.change_tariff)

    set_der_control = _waited(Verbs.set_der_control)
    get_der_controls = _waited(Verbs.get_der_controls)
    clear_der_control = _waited(Verbs.clear_der_control)
    afrr_signal = _waited(Verbs.afrr_signal)
    request_battery_swap = _waited(Verbs.request_battery_swap)
    web_payment_started = _waited(Verbs.web_payment_started)

    data_transfer = _waited(Verbs.data_transfer)
    call = _waited(Verbs.call)
