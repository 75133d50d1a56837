"""The thin synchronous faces of a bench: vehicle, back end, timeline, and checks.

Nothing here decides anything: each function hands one coroutine to the bench's loop, waits for
it with a deadline, and returns plain data.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import BenchError, StationTimeout
from .correlation import Verdict
from .correlation.fluent import Rule
from .csms_facade import CsmsFacade
from .supervising import unless_tripped
from .timeline import Event, did_you_mean, keys_of, parse_quantity

if TYPE_CHECKING:
    from .assembly import Bench
    from .vehicle import Vehicle

__all__ = ["Check", "CsmsFacade", "RuleNotMet", "TimelineFacade", "VehicleFacade"]

T = TypeVar("T")


class _Host(Protocol):
    @property
    def bench(self) -> Bench: ...

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T: ...


class RuleNotMet(AssertionError):
    """A rule that a test requires did not pass; the text is the verdict's timeline excerpt."""


class Check:
    """The verdicts of one rule so far, all its deadlines past."""

    def __init__(self, rule: str, verdict: Verdict) -> None:
        self.rule = rule
        self.verdict = verdict

    @property
    def passed(self) -> bool:
        return self.verdict.verdict == "PASS"

    def require(self) -> Verdict:
        """Return the verdict when it is PASS.

        Raises:
            RuleNotMet: it is FAIL, INCONCLUSIVE, ERROR, or the rule was never triggered.
        """
        if not self.passed:
            raise RuleNotMet(f"{self.rule} is {self.verdict.verdict}\n{self.verdict.text}")
        return self.verdict


def _check_keys(topic: str, values: Mapping[str, Any]) -> None:
    """What is waited for can come at all."""
    try:
        keys = keys_of(topic)
    except ValueError as error:
        raise BenchError(f"waiting for {topic!r}: {error}") from None
    for key in values:
        if keys is not None and key not in keys:
            raise BenchError(
                f"waiting for {topic}: it has no {key!r}{did_you_mean(key, keys)}; it has {', '.join(keys)}."
            )


class VehicleFacade:
    """The car: plug, card, charge, pause, unplug. Currents in ampere per phase."""

    def __init__(self, host: _Host, evse: int = 1) -> None:
        self._host = host
        self.evse = evse

    def _vehicle(self) -> Vehicle:
        vehicles = self._host.bench.vehicles
        vehicle = vehicles.get(self.evse)
        if vehicle is None:
            known = f"; outlets with one: {', '.join(map(str, vehicles))}" if vehicles else ""
            raise BenchError(
                f"outlet {self.evse} of this bench has neither pilot emulator nor EV simulator, so it has no "
                f"vehicle{known}. Add a [device] with a driver such as pilot.line."
            )
        return vehicle

    def plug(self, cable_a: int | None = 32) -> None:
        """Put the plug in (state B) with a cable of 13, 20, 32 or 63 A; None: its plug has no coding."""
        self._host.call(self._vehicle().plug(cable_a))

    def unplug(self, *, cable_stays: bool = False) -> None:
        """Pull the plug (state A); with `cable_stays` at the vehicle only: the other one stays in the socket."""
        self._host.call(self._vehicle().unplug(cable_stays=cable_stays))

    def present(self, id_tag: str, kind: str = "ISO14443") -> None:
        """Hold a card to the station's reader."""
        self._host.call(self._vehicle().present(id_tag, kind))

    def charge(self, max_current_a: float | None = None) -> None:
        """Want to charge; S2 closes as soon as the vehicle sees PWM."""
        self._host.call(self._vehicle().charge(max_current_a))

    def pause(self) -> None:
        """Stop wanting to charge: the current goes to 0, then S2 opens (state B)."""
        self._host.call(self._vehicle().pause())

    def ventilation(self, needed: bool) -> None:
        """Until the next plug-in: ask for state D (ventilation is needed) or for state C (it is not) to charge."""
        self._host.call(self._vehicle().ventilation(needed))

    def faults(self, *, diode: bool = False, short_ohm: int | None = None, cp_open: bool = False) -> None:
        """Set the faults beside the CP resistor; what is not named is off."""
        self._host.call(self._vehicle().faults(diode=diode, short_ohm=short_ohm, cp_open=cp_open))


class TimelineFacade:
    """What happened, and waiting for what shall happen. Times are texts with a unit, as in "5 s"."""

    def __init__(self, host: _Host) -> None:
        self._host = host

    def now_ns(self) -> int:
        """The bench clock; give it as `since_ns` to look back no further."""
        return time.monotonic_ns()

    def wait_for(
        self,
        topic: str,
        where: Callable[[Mapping[str, Any]], bool] | None = None,
        *,
        within: str = "10 s",
        since_ns: int | None = None,
        evse: int | None = None,
        **values: Any,
    ) -> Event:
        """The next event of a topic (at this outlet) whose data has these values and satisfies `where`.

        With `since_ns` an event that is already there counts too.

        Raises:
            StationTimeout: none came in time.
            BenchError: there is no such topic, or it has no such key.
            SafetyError: the supervisor tripped meanwhile.
        """
        event = self._wait(topic, where, within, since_ns, evse, values)
        if event is None:
            values = values if evse is None else {"evse": evse, **values}
            wanted = ", ".join(f"{key}={value!r}" for key, value in values.items())
            raise StationTimeout(f"no {topic}({wanted}) within {within}.")
        return event

    def seen(
        self,
        topic: str,
        where: Callable[[Mapping[str, Any]], bool] | None = None,
        *,
        within: str = "10 s",
        since_ns: int | None = None,
        evse: int | None = None,
        **values: Any,
    ) -> bool:
        """True as soon as such an event is there; False when none came in time. Otherwise as `wait_for`."""
        return self._wait(topic, where, within, since_ns, evse, values) is not None

    def events(self, topic: str | None = None) -> list[Event]:
        """What is in memory (the last ten minutes), oldest first."""

        async def read() -> list[Event]:
            return self._host.bench.timeline.events(topic)

        return self._host.call(read())

    def check(self, rule: str | Rule, *, within: str = "30 s") -> Check:
        """The verdict of a rule on what happened so far, once its open deadlines are past.

        `rule` is the name of one of the bench's rules, or one written here with the fluent form; that one is judged
        on the last ten minutes and takes no part in the run's exit code.

        Raises:
            BenchError: there is no such rule, it cannot be read, or a deadline was still open in the end.
        """
        timeout_s = parse_quantity(within, "time") / 1e9

        async def judge() -> Verdict:
            engine = self._host.bench.engine
            if isinstance(rule, str):
                return await engine.decided(rule, timeout_s)
            return await engine.judged(rule.build(engine.pack.limits, signals=engine.pack.signals), timeout_s)

        return Check(rule if isinstance(rule, str) else rule.id, self._host.call(judge(), timeout_s + 2))

    def _wait(
        self,
        topic: str,
        where: Callable[[Mapping[str, Any]], bool] | None,
        within: str,
        since_ns: int | None,
        evse: int | None,
        values: Mapping[str, Any],
    ) -> Event | None:
        _check_keys(topic, values)
        timeout_s = parse_quantity(within, "time") / 1e9

        def fits(event: Event) -> bool:
            data = event.data
            if evse is not None and event.evse != evse:
                return False
            return all(data.get(key) == value for key, value in values.items()) and (where is None or where(data))

        async def wait() -> Event | None:
            try:
                bench = self._host.bench
                coming = bench.timeline.wait_for(topic, fits, timeout_s=timeout_s, since_ns=since_ns)
                return await unless_tripped(bench, coming)
            except TimeoutError:
                return None

        return self._host.call(wait(), timeout_s + 2)
