"""What can break in the virtual bench, switched from a test or from the command line. A real bench has none of this."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import ConfigError

if TYPE_CHECKING:
    from .assembly import Bench

__all__ = ["TwinFacade", "parse_fault"]

T = TypeVar("T")


class _Host(Protocol):
    @property
    def bench(self) -> Bench: ...

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T: ...


class TwinFacade:
    """Faults of vehicle, cable, supply, the station's hardware and the bench's own instruments.

    `faults()` lists them. Each one that is switched stands on the timeline as `twin.fault`.
    """

    def __init__(self, host: _Host) -> None:
        self._host = host
        self._on: dict[tuple[str, int | None, str | None], None] = {}

    def fault(
        self, name: str, on: bool = True, evse: int | None = None, device: str | None = None, **args: Any
    ) -> dict[str, Any]:
        """Begin a fault, or end it; returns what was done: evse, device and all arguments.

        `evse`: None = the first outlet. `device`: name of an instrument in the bench file, where the fault is one of an
        instrument and several have it. In `args` also, for every fault: `once` = "plugged", "live" or "charging" and
        `after_s`: it waits until that is so at its outlet, and so many seconds from then on; `for_s`: it ends by itself
        after so many seconds.

        Raises:
            ConfigError: this bench has no twin.
            TwinError: no such fault, argument, outlet or device; says what there is.
        """
        message = {"type": "fault", "name": name, "on": on, "evse": evse, "device": device, **args}
        done = self._ask(message)
        if on and (done["type"] == "waits" or not args.get("for_s")):
            self._on[name, evse, device] = None
        else:
            self._on.pop((name, evse, device), None)
        return {key: done.get(key) for key in ("evse", "device", "args")}

    def clear(self) -> None:
        """End every fault that was begun here."""
        for name, evse, device in list(self._on):
            self.fault(name, on=False, evse=evse, device=device)

    def faults(self) -> list[dict[str, Any]]:
        """Every fault there is: name, text, whose, outcome, rules, of, arguments (with default and text).

        Raises:
            ConfigError: this bench has no twin.
        """
        return self._ask({"type": "faults"})["faults"]

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        bench = self._host.bench
        if bench.twin is None:
            raise ConfigError(
                "this bench has no twin: only the virtual bench can break its own devices. On a real bench faults are "
                "injected by the pilot emulator and by relays.",
                file=str(bench.file.path),
            )
        return self._host.call(bench.twin.ask(message))


def parse_fault(text: str) -> dict[str, Any]:
    """The control line of `NAME[:arg=value,arg=value]`, as on the command line; `evse` and `device` are arguments too.

    Raises:
        ConfigError: it is not written so.
    """
    name, _, rest = text.partition(":")
    message: dict[str, Any] = {"type": "fault", "name": name.strip(), "on": True}
    for part in filter(None, (one.strip() for one in rest.split(","))):
        key, sign, value = part.partition("=")
        if not sign or not key.strip() or key.strip() in ("type", "name", "on", "id"):
            raise ConfigError(
                f"--twin-fault: {part!r} in {text!r} is no argument. Write NAME:arg=value,arg=value, "
                "such as cp-short:ohm=80,once=charging,for_s=2."
            )
        message[key.strip()] = _value(value.strip())
    if not message["name"]:
        raise ConfigError(f"--twin-fault: {text!r} names no fault. Write NAME or NAME:arg=value.")
    return message


def _value(text: str) -> Any:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text
