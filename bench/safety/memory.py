"""What a gate remembers of one run: what is on, since when it is off, how often it was closed, which faults are on.

Kept for each switch: a device and what of it (`s2`, `output`, a relay's number). Two pilots on one bench are two.
On is believed as soon as it was permitted, off only once it was done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

__all__ = ["Memory", "Switch"]

Switch = tuple[str, str]
"""Device, and what of it is switched."""


class _Seen(msgspec.Struct):
    on: bool = False
    cycles: int = 0
    off_since_ns: int | None = None


class Memory:
    """Counts and instants of one run; `clock` gives nanoseconds of the bench clock."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._switches: dict[Switch, _Seen] = {}
        self._faults: dict[Switch, int] = {}
        self._supplies: dict[Switch, bool] = {}
        self._live: dict[str, bool] = {}
        self._cp: dict[str, str] = {}
        self._permitted = Counter[tuple[str, str, bool]]()

    # ---- what was permitted, and not done yet

    def permitted(self, device: str, verb: str, *, to_safe: bool) -> None:
        """It may be done once. `to_safe`: as a step towards the safe state, whatever else is forbidden."""
        self._permitted[device, verb, to_safe] += 1

    def done(self, device: str, verb: str, *, to_safe: bool) -> bool:
        """It was done: whether the device had asked for it this time. A verb that was permitted and failed is left.

        `to_safe`: it may have been such a step. What was asked for as one pays for nothing else.
        """
        for kind in (True, False) if to_safe else (False,):
            if self._permitted[device, verb, kind]:
                self._permitted[device, verb, kind] -= 1
                return True
        return False

    # ---- switches that wear: S2, supplies

    def is_on(self, switch: Switch) -> bool:
        return switch in self._switches and self._switches[switch].on

    def cycles(self, switch: Switch) -> int:
        """How often it was switched on in this run."""
        return self._switches[switch].cycles if switch in self._switches else 0

    def off_for_s(self, switch: Switch) -> float | None:
        """Seconds since it was switched off; None when it was not on before."""
        seen = self._switches.get(switch)
        if seen is None or seen.off_since_ns is None:
            return None
        return (self._clock() - seen.off_since_ns) / 1e9

    def switched(self, switch: Switch, on: bool) -> None:
        """It goes on or off now."""
        seen = self._switches.setdefault(switch, _Seen())
        if on and not seen.on:
            seen.cycles += 1
        elif seen.on and not on:
            seen.off_since_ns = self._clock()
        seen.on = on

    @property
    def idle(self) -> bool:
        """Nothing is plugged, closed, switched on or injected, as far as this gate let anything pass."""
        return (
            not any(seen.on for seen in self._switches.values())
            and not self._faults
            and all(state == "A" for state in self._cp.values())
        )

    # ---- CP

    def cp_state(self, device: str) -> str | None:
        """What a pilot was last asked to show; None before the first time."""
        return self._cp.get(device)

    def shows(self, device: str, state: str) -> None:
        self._cp[device] = state

    # ---- injected faults

    def fault(self, switch: Switch, on: bool) -> None:
        if on:
            self._faults.setdefault(switch, self._clock())
        else:
            self._faults.pop(switch, None)

    def faulty(self, longer_than_s: float) -> list[str]:
        """Devices with a fault that is on for longer than this, sorted."""
        least_ns = self._clock() - longer_than_s * 1e9
        return sorted({device for (device, _what), since_ns in self._faults.items() if since_ns < least_ns})

    # ---- supplies, for whoever may only act with all of them off

    def supply(self, switch: Switch, on: bool) -> None:
        self._supplies[switch] = on

    def output(self, source: str, live: bool) -> None:
        self._live[source] = live

    def why_not_dead(self) -> str:
        """Why the station's supply is not known to be off; empty when it is."""
        if not self._supplies:
            return "nothing on this bench has switched the station's supply off"
        on = [f"{device} {what}" for (device, what), is_on in self._supplies.items() if is_on]
        if on:
            return f"the station's supply is on ({', '.join(on)})"
        if any(self._live.values()):
            return "the outlet is live"
        return ""
